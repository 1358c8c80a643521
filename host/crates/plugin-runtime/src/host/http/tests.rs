//! Requests of a guest against a server on loopback that remembers what it was sent.

mod egress;
mod secrets;
mod spans;

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use engine::port::SpanContext;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
    time::Instant,
};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks as _};

use super::{Egress, Outside, Rule, Rules};
use crate::{
    call::Account,
    grant::{Auth, HttpRule, Secret, TracePolicy},
    guard::{BreakerOptions, Endpoints},
    host::secrets::CallSecrets,
};

/// Answers every request with the same bytes, then keeps the connection.
struct Server {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<u32>>,
    _tasks: JoinSet<()>,
}

impl Server {
    async fn start(answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (heads, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let (all, count) = (Arc::clone(&heads), Arc::clone(&connections));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut served = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                *count.lock().unwrap() += 1;
                let heads = Arc::clone(&all);
                served.spawn(async move {
                    let mut buffer = vec![0; 1 << 16];
                    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                        heads.lock().unwrap().push(String::from_utf8_lossy(&buffer[..read]).into_owned());
                        if stream.write_all(answer).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, heads, connections, _tasks: tasks }
    }
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

struct Guest {
    egress: Egress,
    account: Arc<Account>,
}

impl Guest {
    fn new(url: &str, edit: impl FnOnce(&mut HttpRule), time: Duration) -> Self {
        Self::outside(url, edit, time, &Outside::new())
    }

    fn outside(url: &str, edit: impl FnOnce(&mut HttpRule), time: Duration, outside: &Outside) -> Self {
        Self::with_secrets(url, edit, time, outside, None)
    }

    fn with_secrets(url: &str, edit: impl FnOnce(&mut HttpRule), time: Duration, outside: &Outside, secrets: Option<Arc<CallSecrets>>) -> Self {
        let mut rule = HttpRule::to(url);
        rule.methods = ["GET", "PUT", "POST"].map(str::to_owned).into();
        edit(&mut rule);
        let rules = Rules::new("worker".to_owned(), [("printer".to_owned(), Rule::parse(&rule, outside).unwrap())].into());
        let account = Arc::new(Account::default());
        let endpoints = Endpoints::new(BreakerOptions::default());
        let mut egress = Egress::new(Arc::new(rules), endpoints, Arc::clone(&account), Instant::now() + time, REQUESTS, secrets);
        egress.set_context(&SpanContext { trace_id: "a".repeat(32), span_id: "b".repeat(16), sampled: true, trace_state: "v=1".to_owned() });
        Self { egress, account }
    }

    /// Status and body.
    async fn send(&mut self, request: Request<WasiBody>, options: Option<RequestOptions>) -> Result<(u16, Bytes), Error> {
        let sending = self.egress.send_request(request, options, Box::new(async { Ok(()) }));
        let (response, _io) = Pin::from(sending).await?;
        let status = response.status().as_u16();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}

/// How many requests a guest may make.
const REQUESTS: u32 = 8;
const LONG: Duration = Duration::from_secs(60);

fn request(method: &str, uri: &str, body: &'static str) -> Request<WasiBody> {
    let body = Full::new(Bytes::from_static(body.as_bytes())).map_err(|never| match never {}).boxed_unsync();
    Request::builder().method(method).uri(uri).header("traceparent", "00-guest").header("authorization", "guest").body(body).unwrap()
}

#[tokio::test]
async fn a_request_goes_to_the_real_endpoint_with_the_host_s_headers() {
    let server = Server::start(OK).await;
    let edit = |rule: &mut HttpRule| {
        rule.auth = Some(Auth::Bearer(Secret::new("hunter2")));
        rule.headers = [("x-tenant".to_owned(), Secret::new("t1"))].into();
    };
    let mut guest = Guest::new(&format!("http://{}/base", server.address), edit, LONG);
    for _ in 0..2 {
        let (status, body) = guest.send(request("PUT", "http://printer/jobs/1?a=b", "x"), None).await.unwrap();
        assert_eq!((status, body.as_ref()), (200, b"hello".as_ref()));
    }
    assert!(guest.account.sent());
    assert_eq!(*server.connections.lock().unwrap(), 1, "the connection is kept");
    let head = server.heads.lock().unwrap()[0].to_lowercase();
    assert!(head.starts_with("put /base/jobs/1?a=b http/1.1\r\n"), "{head}");
    for expected in [
        format!("host: {}", server.address),
        "authorization: bearer hunter2".to_owned(),
        "x-tenant: t1".to_owned(),
        format!("traceparent: 00-{}-{}-01", "a".repeat(32), "b".repeat(16)),
        "tracestate: v=1".to_owned(),
    ] {
        assert!(head.contains(&expected), "{expected} in {head}");
    }
    assert!(!head.contains("guest"), "{head}");
}

#[tokio::test]
async fn the_trace_stays_inside_where_the_rule_strips_it() {
    let server = Server::start(OK).await;
    let mut guest = Guest::new(&format!("http://{}", server.address), |rule| rule.trace = TracePolicy::Strip, LONG);
    guest.send(request("GET", "http://printer/", ""), None).await.unwrap();
    assert!(!server.heads.lock().unwrap()[0].to_lowercase().contains("trace"));
    assert!(!guest.account.sent(), "a safe method asks for no effect");
}

#[tokio::test]
async fn a_denied_request_leaves_no_trace_outside_and_is_remembered() {
    let server = Server::start(OK).await;
    let mut guest = Guest::new(&format!("http://{}", server.address), |rule| rule.path = "/jobs".to_owned(), LONG);
    for (method, uri) in [("DELETE", "http://printer/jobs/1"), ("GET", "http://printer/admin"), ("GET", "http://other/jobs")] {
        assert!(matches!(guest.send(request(method, uri, ""), None).await, Err(Error::HttpRequestDenied)));
    }
    assert_eq!(
        guest.account.denied().unwrap(),
        "DELETE http://printer/jobs/1 was denied: the method is not allowed; to allow it, set below [plugins.worker.grant]: \
         http.printer.methods = [\"GET\", \"PUT\", \"POST\", \"DELETE\"]"
    );
    assert!(!guest.account.sent());
    assert!(server.heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_call_makes_a_bounded_number_of_requests() {
    let server = Server::start(OK).await;
    let mut guest = Guest::new(&format!("http://{}", server.address), |_| {}, LONG);
    for _ in 0..REQUESTS {
        guest.send(request("GET", "http://printer/", ""), None).await.unwrap();
    }
    assert!(matches!(guest.send(request("GET", "http://printer/", ""), None).await, Err(Error::HttpRequestDenied)));
}

#[tokio::test]
async fn bodies_are_bounded_in_both_directions() {
    let server = Server::start(OK).await;
    let mut guest = Guest::new(&format!("http://{}", server.address), |rule| rule.max_body_bytes = 4, LONG);
    assert!(matches!(guest.send(request("PUT", "http://printer/", "12345"), None).await, Err(Error::HttpRequestBodySize(Some(4)))));
    assert!(!guest.account.sent());
    assert!(matches!(guest.send(request("PUT", "http://printer/", "1"), None).await, Err(Error::HttpResponseBodySize(None))));
    assert!(guest.account.sent());
}

#[tokio::test]
async fn a_refused_connection_is_no_effect() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut guest = Guest::new(&format!("http://{closed}"), |_| {}, LONG);
    assert!(matches!(guest.send(request("POST", "http://printer/", "x"), None).await, Err(Error::ConnectionRefused)));
    assert!(!guest.account.sent());
}

#[tokio::test]
async fn silence_and_dripping_end_with_the_call_or_earlier_if_the_guest_says_so() {
    let silent = Server::start(b"").await;
    let mut guest = Guest::new(&format!("http://{}", silent.address), |_| {}, Duration::from_millis(50));
    assert!(matches!(guest.send(request("POST", "http://printer/", "x"), None).await, Err(Error::ConnectionReadTimeout)));
    assert!(guest.account.sent());

    let dripping = Server::start(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nh").await;
    let mut guest = Guest::new(&format!("http://{}", dripping.address), |_| {}, Duration::from_millis(50));
    assert!(matches!(guest.send(request("GET", "http://printer/", ""), None).await, Err(Error::ConnectionReadTimeout)));

    let mut guest = Guest::new(&format!("http://{}", dripping.address), |_| {}, LONG);
    let options = RequestOptions { between_bytes_timeout: Some(Duration::from_millis(20)), ..RequestOptions::default() };
    assert!(matches!(guest.send(request("GET", "http://printer/", ""), Some(options)).await, Err(Error::ConnectionReadTimeout)));
}

#[tokio::test]
async fn garbage_is_a_protocol_error() {
    let server = Server::start(b"220 ready\r\n\r\n").await;
    let mut guest = Guest::new(&format!("http://{}", server.address), |_| {}, LONG);
    assert!(matches!(guest.send(request("GET", "http://printer/", ""), None).await, Err(Error::HttpProtocolError)));
}
