//! Secrets on the way out and on the way back.

use http::{HeaderName, HeaderValue, header};
use wasmtime_wasi::async_trait;

use super::*;
use crate::host::secrets::{Caller, SealKey, Secrets};

const TOKEN: &str = "t0ken/with \"odd\" & signs";

/// Answers with what it was sent: all of it in the body, in pieces of three bytes, and `x-secret` in a header of its own.
async fn echo() -> (SocketAddr, Arc<Mutex<Vec<String>>>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let received = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&received);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let text = whole(&mut stream).await;
            all.lock().unwrap().push(text.clone());
            let secret = text.lines().find_map(|line| line.strip_prefix("x-secret: ")).unwrap_or("none");
            let head = format!("HTTP/1.1 200 OK\r\nx-echo: {secret}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", text.len());
            stream.write_all(head.as_bytes()).await.unwrap();
            for piece in text.as_bytes().chunks(3) {
                stream.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    (address, received, tasks)
}

/// A request with its body, by the length that it declares.
async fn whole(stream: &mut tokio::net::TcpStream) -> String {
    let (mut text, mut buffer) = (String::new(), vec![0; 1 << 16]);
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "the request ended early: {text}");
        text.push_str(str::from_utf8(&buffer[..read]).unwrap());
    }
}

fn worker() -> Caller {
    Caller { plugin: "worker".into(), tenant: "default".into(), run: "r1".into() }
}

fn secrets(added: &[&str]) -> Arc<CallSecrets> {
    let added = [("e".to_owned(), added.iter().map(|secret| Secret::new(*secret)).collect())].into();
    let seal = SealKey::parse(&"07".repeat(32)).unwrap();
    let secrets = Secrets::new([("token".to_owned(), Secret::new(TOKEN))].into(), &added, Some(seal), true);
    Arc::new(CallSecrets::new(Arc::new(secrets), worker()))
}

/// What the guest sees of an answer, header `x-echo` first.
#[async_trait]
trait Seen {
    async fn seen(&mut self, request: Request<WasiBody>) -> Result<(String, String), Error>;
}

#[async_trait]
impl Seen for Guest {
    async fn seen(&mut self, request: Request<WasiBody>) -> Result<(String, String), Error> {
        let sending = Pin::from(self.egress.send_request(request, None, Box::new(async { Ok(()) })));
        let (response, _io) = sending.await?;
        assert!(!response.headers().contains_key(header::CONTENT_LENGTH), "what is masked has another length");
        let echo = response.headers()["x-echo"].to_str().unwrap().to_owned();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((echo, String::from_utf8(body.to_vec()).unwrap()))
    }
}

fn with_header(mut request: Request<WasiBody>, name: &'static str, value: &str) -> Request<WasiBody> {
    request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    request
}

fn body(text: String) -> WasiBody {
    Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync()
}

#[tokio::test]
async fn a_handle_becomes_a_secret_on_the_wire_and_what_comes_back_is_masked() {
    let (address, received, _tasks) = echo().await;
    let secrets = secrets(&[]);
    let handle = secrets.handle("token").unwrap();
    let sealed = secrets.seal("correct horse").unwrap();
    let mut guest = Guest::with_secrets(&format!("http://{address}"), |_| {}, LONG, &Outside::new(), Some(secrets));
    let mut sent = with_header(request("POST", "http://printer/", ""), "x-secret", &format!("Key {handle}"));
    sent = with_header(sent, "content-type", "application/json");
    *sent.uri_mut() = format!("http://printer/jobs?token={handle}").parse().unwrap();
    *sent.body_mut() = body(format!(r#"{{"token":"{handle}","password":"{sealed}"}}"#));
    let (echoed, seen) = guest.seen(sent).await.unwrap();

    let wire = received.lock().unwrap()[0].clone();
    assert!(wire.starts_with("POST /jobs?token=t0ken%2Fwith%20%22odd%22%20%26%20signs HTTP/1.1\r\n"), "{wire}");
    assert!(wire.contains(&format!("x-secret: Key {TOKEN}\r\n")), "{wire}");
    assert!(wire.ends_with(r#"{"token":"t0ken/with \"odd\" & signs","password":"correct horse"}"#), "{wire}");
    assert!(!wire.contains("jackfield-se"), "{wire}");

    assert_eq!(echoed, "Key ***");
    assert!(seen.starts_with("POST /jobs?token=*** HTTP/1.1\r\n"), "{seen}");
    assert!(seen.ends_with(r#"{"token":"***","password":"***"}"#), "{seen}");
    for secret in ["t0ken", "odd", "horse"] {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}

#[tokio::test]
async fn what_the_host_adds_is_masked_too() {
    let (address, _received, _tasks) = echo().await;
    let edit = |rule: &mut HttpRule| rule.auth = Some(Auth::Basic { user: "jack".to_owned(), password: Secret::new("hunter2-hunter2") });
    let mut rule = HttpRule::to("http://127.0.0.1:1");
    edit(&mut rule);
    let added = rule.added();
    let revealed: Vec<_> = added.iter().map(Secret::reveal).collect();
    let secrets = secrets(&revealed);
    let mut guest = Guest::with_secrets(&format!("http://{address}"), edit, LONG, &Outside::new(), Some(secrets));
    let (_, seen) = guest.seen(request("GET", "http://printer/", "")).await.unwrap();
    assert!(seen.to_lowercase().contains("authorization: basic ***\r\n"), "{seen}");
}

#[tokio::test]
async fn what_looks_like_a_handle_and_is_none_does_not_leave_the_host() {
    let server = Server::start(OK).await;
    let foreign = secrets(&[]).handle("token").unwrap();
    for (name, value) in [("x-secret", foreign.as_str()), ("x-secret", "jackfield-sealed.AAAA.")] {
        let mut guest = Guest::with_secrets(&format!("http://{}", server.address), |_| {}, LONG, &Outside::new(), Some(secrets(&[])));
        let sent = with_header(request("POST", "http://printer/", ""), name, value);
        assert!(matches!(guest.send(sent, None).await, Err(Error::HttpRequestDenied)), "{value}");
        assert!(!guest.account.sent());
        assert!(guest.account.denied().unwrap().contains("none of this call"));
    }
    assert!(server.heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_refused_where_something_must_be_masked() {
    let server = Server::start(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello").await;
    let mut guest = Guest::with_secrets(&format!("http://{}", server.address), |_| {}, LONG, &Outside::new(), Some(secrets(&[])));
    let sent = with_header(request("GET", "http://printer/", ""), "accept-encoding", "gzip");
    assert!(matches!(guest.send(sent, None).await, Err(Error::HttpResponseContentCoding(None))));
    assert!(server.heads.lock().unwrap()[0].to_lowercase().contains("accept-encoding: identity\r\n"));
}

#[tokio::test]
async fn a_secret_with_a_line_break_is_no_way_into_the_headers() {
    let server = Server::start(OK).await;
    let granted = Secrets::new([("token".to_owned(), Secret::new("key\r\nx-evil: 1"))].into(), &[].into(), None, true);
    let secrets = Arc::new(CallSecrets::new(Arc::new(granted), worker()));
    let handle = secrets.handle("token").unwrap();
    let mut guest = Guest::with_secrets(&format!("http://{}", server.address), |_| {}, LONG, &Outside::new(), Some(secrets));
    let sent = with_header(request("POST", "http://printer/", ""), "x-secret", &handle);
    assert!(matches!(guest.send(sent, None).await, Err(Error::HttpRequestHeaderSize { .. })));
    assert!(server.heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_host_signs_what_it_sends() {
    let (address, received, _tasks) = echo().await;
    let hmac = Auth::Hmac(serde_json::from_str(r#"{"key":"Jefe-Jefe","over":"body","header":"x-secret"}"#).unwrap());
    let sigv4 = r#"{"sigv4":{"access_key":"AKIDEXAMPLE","secret_key":"wJalrXUtnFEMI/K7MDENG","region":"eu-central-1","service":"s3"}}"#;
    for auth in [hmac, serde_json::from_str(sigv4).unwrap()] {
        let edit = |rule: &mut HttpRule| rule.auth = Some(auth);
        let mut guest = Guest::new(&format!("http://{address}"), edit, LONG);
        assert_eq!(guest.send(request("POST", "http://printer/a", "what do ya want?"), None).await.unwrap().0, 200);
    }
    let wire = received.lock().unwrap().clone();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"Jefe-Jefe");
    let tag: String = ring::hmac::sign(&key, b"what do ya want?").as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(wire[0].contains(&format!("x-secret: {tag}\r\n")), "{}", wire[0]);
    for expected in ["authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/", "/eu-central-1/s3/aws4_request, ", &format!("host: {address}\r\n")] {
        assert!(wire[1].contains(expected), "{expected} in {}", wire[1]);
    }
    assert!(!wire[1].contains("authorization: guest"), "{}", wire[1]);
}
