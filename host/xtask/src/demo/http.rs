//! A small HTTP/1.1 client for servers on loopback: one connection per request, JSON bodies, no TLS. An answer of any
//! status is an answer; only silence and garbage are errors.

use std::{
    fmt::Write as _,
    io::{Read, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// No single read or write of the demo takes longer: a server that is silent for this long hangs.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The largest answer in bytes: a list of everything the demo did is far smaller.
const LARGEST_ANSWER: u64 = 64 << 20;

/// Sends requests to one server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// `host:port`.
    authority: String,
    headers: Vec<(&'static str, String)>,
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The headers, with names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, `null` when it is empty; a JSON string when it is not JSON.
    pub(crate) body: Value,
}

impl Client {
    /// A client of the server at `http://host:port`.
    pub(crate) fn new(base: &str) -> Self {
        Self { authority: base.trim_start_matches("http://").trim_end_matches('/').to_owned(), headers: Vec::new() }
    }

    /// The same client with a header that it sends with every request.
    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// GET of a path.
    pub(crate) fn get(&self, path: &str) -> Result<Answer> {
        self.send("GET", path, None)
    }

    /// POST of a JSON body to a path.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send("POST", path, Some(body))
    }

    /// Sends a request and reads its answer.
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let answer = self.exchange(&self.request(method, path, body)?).and_then(|bytes| Answer::parse(&bytes));
        answer.with_context(|| format!("{method} http://{}{path}", self.authority))
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<String> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.authority);
        for (name, value) in &self.headers {
            write!(request, "{name}: {value}\r\n")?;
        }
        match body.map(Value::to_string) {
            Some(body) => write!(request, "content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())?,
            None => request.push_str("\r\n"),
        }
        Ok(request)
    }

    /// Sends bytes and reads until the server closes, as it was asked to.
    fn exchange(&self, request: &str) -> Result<Vec<u8>> {
        let mut stream = TcpStream::connect(&self.authority).context("nobody answers")?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.write_all(request.as_bytes()).context("the request cannot be sent")?;
        let mut answer = Vec::new();
        stream.take(LARGEST_ANSWER).read_to_end(&mut answer).context("the answer cannot be read")?;
        Ok(answer)
    }
}

impl Answer {
    /// The value of a header; the name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").context("the answer is not HTTP")?;
        let head = std::str::from_utf8(&bytes[..end]).context("the answer's head is not text")?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()).context("the answer is not HTTP/1.1")?;
        let headers =
            lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        let mut answer = Self { status, headers, body: Value::Null };
        let body = answer.body_of(&bytes[end + 4..])?;
        if !body.is_empty() {
            let text = String::from_utf8_lossy(&body);
            answer.body = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.into_owned()));
        }
        Ok(answer)
    }

    /// The body without its framing; one that was cut short is an error.
    fn body_of(&self, rest: &[u8]) -> Result<Vec<u8>> {
        if self.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return unchunk(rest);
        }
        let length = self.header("content-length").map_or(Ok(rest.len()), str::parse).context("content-length is not a number")?;
        ensure!(rest.len() >= length, "the answer has {} bytes of {length}", rest.len());
        Ok(rest[..length].to_vec())
    }
}

/// RFC 9112, section 7.1, without extensions and trailers.
fn unchunk(mut rest: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n").context("the answer ends within a chunk")?;
        let size = std::str::from_utf8(&rest[..line]).ok().and_then(|text| usize::from_str_radix(text.split(';').next()?.trim(), 16).ok());
        let size = size.context("a chunk has no size")?;
        if size == 0 {
            return Ok(body);
        }
        rest = &rest[line + 2..];
        body.extend_from_slice(rest.get(..size).context("the answer ends within a chunk")?);
        rest = rest.get(size + 2..).context("the answer ends within a chunk")?;
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use serde_json::json;

    use super::*;

    /// Answers one request, which ends with `end`, with fixed bytes, and returns what was sent and what came back.
    fn exchange(send: impl FnOnce(Client) -> Result<Answer>, end: &'static str, bytes: &'static str) -> (String, Result<Answer>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::new(&format!("http://{}", listener.local_addr().unwrap()));
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(end.as_bytes()) {
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            stream.write_all(bytes.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        let answer = send(client);
        (server.join().unwrap(), answer)
    }

    #[test]
    fn an_error_status_is_an_answer_with_its_body() {
        let bytes = "HTTP/1.1 400 Bad Request\r\nContent-Length: 13\r\n\r\n{\"code\":\"22\"}";
        let (request, answer) = exchange(|client| client.with_header("authorization", "Bearer x").get("/a?b=c"), "\r\n\r\n", bytes);
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.body), (400, json!({ "code": "22" })));
        assert!(request.starts_with("GET /a?b=c HTTP/1.1\r\n") && request.contains("authorization: Bearer x\r\n"), "{request}");
    }

    #[test]
    fn a_posted_body_arrives_with_its_length_and_headers_come_back() {
        let bytes = "HTTP/1.1 201 Created\r\nLocation: /a/1\r\n\r\nok";
        let (request, answer) = exchange(|client| client.post("/a", &json!({ "x": 1 })), "}", bytes);
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.header("location"), &answer.body), (201, Some("/a/1"), &json!("ok")));
        assert!(request.ends_with("content-length: 7\r\n\r\n{\"x\":1}"), "{request}");
    }

    #[test]
    fn chunks_are_put_together() {
        let answer = Answer::parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2;x=y\r\n2]\r\n0\r\n\r\n").unwrap();
        assert_eq!(answer.body, json!([1, 2]));
    }

    #[test]
    fn an_answer_that_is_cut_short_is_an_error_and_not_a_shorter_answer() {
        let whole = ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"];
        for text in whole {
            assert!(Answer::parse(text.as_bytes()).is_ok());
            for cut in 0..text.len() - 1 {
                assert!(Answer::parse(&text.as_bytes()[..cut]).is_err(), "{:?}", &text[..cut]);
            }
        }
    }

    #[test]
    fn nobody_at_the_address_is_an_error_that_names_it() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = Client::new(&format!("http://{address}")).get("/x").unwrap_err();
        assert!(format!("{error:#}").starts_with(&format!("GET http://{address}/x: nobody answers")), "{error:#}");
    }
}
