//! What is wrong below the order: requests that are slow, endless, malformed, or of a kind that nobody asked for.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use end_to_end_tests::harness::{Host, Setup, answer};
use serde_json::Value;

use super::{ORDERS, order};

/// The head of a POST of an order, with more lines.
fn head(host: &Host, lines: &str) -> String {
    format!("POST {ORDERS} HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {}\r\n{lines}\r\n", host.token())
}

/// The status and the error of an answer.
fn error(answer: &str) -> (u16, Value) {
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer}"));
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// Whether the host does what it is there for.
fn works(host: &Host) {
    assert_eq!(host.request("GET", ORDERS, &[], "").status, 200);
}

#[test]
fn a_request_that_is_sent_too_slowly_is_ended_and_others_are_served() {
    let host = Setup::default().http("receive_ms = 300\nmax_connections = 4").start();
    // More connections than there may be at a time begin a head and never end it.
    let mut slow: Vec<TcpStream> = (0..8).map(|_| host.connect()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET / HTTP/1.1\r\nx: ").unwrap();
    }
    works(&host);
    for mut stream in slow {
        let mut byte = [0];
        // It is closed, with or without a word; writing goes on until then, a byte at a time.
        let closed = loop {
            match stream.write_all(b"y").and_then(|()| stream.set_read_timeout(Some(Duration::from_millis(20)))) {
                Ok(()) => match stream.read(&mut byte) {
                    Ok(0) => break true,
                    Ok(_) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Err(_) => break true,
                },
                Err(_) => break true,
            }
        };
        assert!(closed);
    }
    // A body that does not come is an error with its reason.
    let mut stream = host.connect();
    stream.write_all(head(&host, "content-type: application/json\r\ncontent-length: 100\r\nconnection: close\r\n").as_bytes()).unwrap();
    stream.write_all(b"{\"productOrderItem\":").unwrap();
    let (status, body) = error(&answer(stream));
    assert_eq!((status, &body["reason"], &body["path"]), (400, &"Invalid body".into(), &"$".into()));
    assert!(body["message"].as_str().unwrap().contains("it did not arrive within 300 ms"), "{body}");
    works(&host);
}

#[test]
fn a_body_without_end_is_cut_off() {
    let host = Setup::default().start();
    let mut stream = host.connect();
    stream.write_all(head(&host, "content-type: application/json\r\ntransfer-encoding: chunked\r\n").as_bytes()).unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 65_536], b"\r\n"].concat();
    let mut sent = 0;
    // The host stops reading at some point, answers and closes.
    while stream.write_all(&chunk).is_ok() {
        sent += 1;
        assert!(sent < 4096, "the host reads on after 256 MiB");
    }
    let said = answer(stream);
    // A close that comes while bytes are under way may take the answer with it.
    assert!(said.is_empty() || error(&said).0 == 413, "{said}");
    works(&host);
}

#[test]
fn ten_megabytes_are_refused_with_the_limit_whether_they_are_announced_or_not() {
    let host = Setup::default().start();
    let body = vec![b' '; 10 << 20];
    let announced = [head(&host, &format!("content-length: {}\r\nconnection: close\r\n", body.len())).as_bytes(), &body].concat();
    let chunked = [head(&host, "transfer-encoding: chunked\r\nconnection: close\r\n").as_bytes(), b"a00000\r\n", &body, b"\r\n0\r\n\r\n"].concat();
    for request in [announced, chunked] {
        let (status, body) = error(&host.send(&request));
        assert_eq!((status, body["message"].as_str().unwrap()), (413, "the body is too large: expected at most 1048576 bytes"));
    }
    works(&host);
}

#[test]
fn a_client_that_asks_first_is_told_before_it_sends() {
    let host = Setup::default().start();
    let body = order("fibre-100").to_string();
    let asks = |length: usize| {
        head(&host, &format!("content-type: application/json\r\ncontent-length: {length}\r\nexpect: 100-continue\r\nconnection: close\r\n"))
    };
    let mut stream = host.connect();
    stream.write_all(asks(body.len()).as_bytes()).unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).unwrap();
    assert!(answer(stream).starts_with("HTTP/1.1 201 "));
    // What would be refused is not sent at all.
    let mut stream = host.connect();
    stream.write_all(asks(10 << 20).as_bytes()).unwrap();
    assert_eq!(error(&answer(stream)).0, 413);
    // A body of another kind is refused without being read, too.
    let mut stream = host.connect();
    stream.write_all(head(&host, "content-type: text/xml\r\ncontent-length: 7\r\nexpect: 100-continue\r\nconnection: close\r\n").as_bytes()).unwrap();
    assert_eq!(error(&answer(stream)).0, 415);
}

#[test]
fn a_method_that_a_path_does_not_have_is_refused_with_those_that_it_has() {
    let host = Setup::default().start();
    for (method, path, allowed) in [
        ("PUT", ORDERS.to_owned(), "POST,GET,HEAD"),
        ("DELETE", format!("{ORDERS}/1"), "GET,HEAD"),
        ("PATCH", format!("{ORDERS}/1"), "GET,HEAD"),
        ("POST", format!("{ORDERS}/1"), "GET,HEAD"),
    ] {
        let refused = host.request(method, &path, &[("content-type", "application/json")], "{}");
        assert_eq!((refused.status, refused.header("allow"), &refused.body["code"]), (405, Some(allowed), &"61".into()), "{method} {path}");
        assert_eq!(refused.body["reason"], "Method not allowed", "{}", refused.body);
    }
    for (method, path) in
        [("POST", "/api/v1/runs"), ("GET", "/api/v1/runs/x/resolve"), ("GET", "/api/v1/backup"), ("PUT", "/healthz"), ("GET", "/callbacks/x")]
    {
        assert_eq!(host.request(method, path, &[], "").status, 405, "{method} {path}");
    }
    assert_eq!(host.request("GET", "/tmf-api/productOrderingManagement/v4/serviceOrder", &[], "").body["code"], "60");
    assert_eq!(host.request("GET", "/no/such/path", &[], "").status, 404);
}

#[test]
fn bytes_that_are_no_request_cost_nobody_else_anything() {
    let host = Setup::default().http("receive_ms = 300").start();
    let long = format!("GET /{} HTTP/1.1\r\nhost: h\r\n\r\n", "x".repeat(1 << 20));
    let wide = format!("GET /healthz HTTP/1.1\r\nhost: h\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let many = format!("GET /healthz HTTP/1.1\r\nhost: h\r\n{}\r\n", "x: y\r\n".repeat(1000));
    let twice = format!("POST {ORDERS} HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{{}}");
    let both = format!("POST {ORDERS} HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n");
    let chunk = format!("{}zz\r\n", head(&host, "transfer-encoding: chunked\r\n"));
    for bytes in [
        b"\0\x01\x02\x03".as_slice(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"",
        long.as_bytes(),
        wide.as_bytes(),
        many.as_bytes(),
        twice.as_bytes(),
        both.as_bytes(),
        chunk.as_bytes(),
    ] {
        let said = host.send(bytes);
        let status = said.split(' ').nth(1).unwrap_or_default();
        assert!(
            said.is_empty() || status.starts_with('4') || status == "505",
            "{:?}: {said}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(40)])
        );
    }
    works(&host);
}
