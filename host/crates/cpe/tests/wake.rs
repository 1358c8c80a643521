//! Connection requests to devices that answer as they like.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use cpe::{
    device::DeviceKey,
    wake::{Target, WakeError, WakeOptions, Waker},
};
use engine::port::SystemClock;
use sha2::Digest as _;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};

const NONCE: &str = "n1";

/// What a device says to a request without credentials, and to one with the right ones.
#[derive(Clone, Copy)]
struct Script {
    first: &'static str,
    then: &'static str,
    /// Whether the connection is closed after every answer.
    closes: bool,
}

/// A device, and the requests that it got.
struct Device {
    address: SocketAddr,
    requests: Arc<std::sync::Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl Device {
    async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<std::sync::Mutex<Vec<String>>>::default();
        let mut serving = JoinSet::new();
        let seen = requests.clone();
        serving.spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = String::new();
                while let Ok(byte @ 1..) = stream.read_u8().await {
                    head.push(char::from(byte));
                    if head.ends_with("\r\n\r\n") {
                        let answer = if is_right(&head) { script.then } else { script.first };
                        seen.lock().unwrap().push(std::mem::take(&mut head));
                        stream.write_all(answer.as_bytes()).await.unwrap();
                        if script.closes {
                            break;
                        }
                    }
                }
            }
        });
        Self { address, requests, _serving: serving }
    }

    async fn wake(&self, options: WakeOptions) -> Result<(), WakeError> {
        wake(&format!("http://{}/path?x=1", self.address), Some(self.address.ip()), options).await
    }
}

async fn wake(url: &str, peer: Option<IpAddr>, options: WakeOptions) -> Result<(), WakeError> {
    let device = DeviceKey::new("00D09E", "Box", "1");
    Waker::new(options, Arc::new(SystemClock)).wake(Target { device: &device, url, peer, username: "us\"er", password: "pass" }).await
}

/// Whether a request shows the right answer to the challenge.
fn is_right(head: &str) -> bool {
    let hash = |text: String| match head.contains("algorithm=SHA-256") {
        true => format!("{:x}", sha2::Sha256::digest(text)),
        false => format!("{:x}", md5::Md5::digest(text)),
    };
    let (secret, request) = (hash("us\"er:r:pass".into()), hash("GET:/path?x=1".into()));
    let response = match head.split_once("cnonce=\"") {
        Some((_, rest)) => hash(format!("{secret}:{NONCE}:00000001:{}:auth:{request}", rest.split('"').next().unwrap())),
        None => hash(format!("{secret}:{NONCE}:{request}")),
    };
    head.contains(&format!("response=\"{response}\"")) && head.contains("username=\"us\\\"er\"") && head.contains("uri=\"/path?x=1\"")
}

fn near() -> WakeOptions {
    WakeOptions { reach: vec!["127.0.0.0/8".parse().unwrap()], ..WakeOptions::default() }
}

const YES: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn a_device_says_yes_or_no_in_many_ways() {
    let md5 = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth,auth-int\", algorithm=MD5, opaque=\"o\"\r\nContent-Length: 2\r\n\r\nno";
    let both = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\", algorithm=MD5\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256\r\nContent-Length: 0\r\n\r\n";
    let old = "HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n1\"\r\n\r\n";
    let basic = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\n\r\n";
    let stays = |first, then| Script { first, then, closes: false };
    let closes = |first, then| Script { first, then, closes: true };
    for (what, script, expected, requests) in [
        ("yes at once", stays(YES, YES), Ok(()), 1),
        ("nothing to say", stays("HTTP/1.1 204 No Content\r\n\r\n", YES), Ok(()), 1),
        ("a challenge", stays(md5, YES), Ok(()), 2),
        ("two challenges", stays(both, YES), Ok(()), 2),
        ("a challenge, then the connection is closed", closes(md5, YES), Ok(()), 2),
        ("an old challenge", closes(old, YES), Ok(()), 2),
        ("busy", stays("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", YES), Err(WakeError::Busy), 1),
        ("busy, once it knows who asks", stays(md5, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), Err(WakeError::Busy), 2),
        ("credentials that it does not know", stays(md5, md5), Err(WakeError::Refused), 2),
        ("a wish for the password", stays(basic, YES), Err(WakeError::Refused), 1),
        (
            "another place",
            stays("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", YES),
            Err(WakeError::Status(302)),
            1,
        ),
        ("a challenge that is none", stays("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", YES), Err(WakeError::Refused), 1),
    ] {
        let device = Device::start(script).await;
        assert_eq!(device.wake(near()).await, expected, "{what}");
        let seen = device.requests.lock().unwrap().clone();
        assert_eq!(seen.len(), requests, "{what}: {seen:?}");
        assert!(
            seen.iter().all(|head| head.starts_with("GET /path?x=1 HTTP/1.1\r\n") && head.contains(&format!("\r\nHost: {}\r\n", device.address))),
            "{seen:?}"
        );
    }
    let device = Device::start(stays(basic, YES)).await;
    assert_eq!(device.wake(WakeOptions { allow_basic: true, ..near() }).await, Err(WakeError::Refused), "the device takes a Digest only");
    assert!(device.requests.lock().unwrap()[1].contains("\r\nAuthorization: Basic dXMiZXI6cGFzcw==\r\n"));
}

#[tokio::test]
async fn a_device_that_says_nothing_is_given_up() {
    let device = Device::start(Script { first: "", then: "", closes: false }).await;
    assert_eq!(device.wake(WakeOptions { timeout_ms: 50, ..near() }).await, Err(WakeError::Timeout));
    let closes = Device::start(Script { first: "", then: "", closes: true }).await;
    assert!(matches!(closes.wake(near()).await, Err(WakeError::Unreachable(_))));
}

#[tokio::test]
async fn an_answer_is_read_only_where_it_matters() {
    // The rest of what they announce never comes.
    let yes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx";
    let challenge = "HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n1\"\r\nContent-Length: 100\r\n\r\nx";
    for (first, then, requests) in [(yes, YES, 1), (challenge, yes, 2)] {
        let device = Device::start(Script { first, then, closes: false }).await;
        assert_eq!(device.wake(WakeOptions { timeout_ms: 600_000, ..near() }).await, Ok(()));
        assert_eq!(device.requests.lock().unwrap().len(), requests);
    }
}

#[tokio::test]
async fn nothing_is_sent_to_where_a_device_may_not_send_us() {
    let device = Device::start(Script { first: YES, then: YES, closes: false }).await;
    let port = device.address.port();
    assert_eq!(
        device.wake(WakeOptions::default()).await,
        Err(WakeError::Forbidden(device.address.ip())),
        "loopback is not granted by coming from there"
    );
    for (url, forbidden) in [
        (format!("http://localhost:{port}/"), None),
        (format!("http://[::ffff:127.0.0.1]:{port}/"), Some("::ffff:127.0.0.1")),
        ("http://169.254.169.254/latest/meta-data/".to_owned(), Some("169.254.169.254")),
        ("http://192.0.2.9/".to_owned(), Some("192.0.2.9")),
    ] {
        let error = wake(&url, Some("192.0.2.1".parse().unwrap()), WakeOptions::default()).await.unwrap_err();
        match (forbidden, &error) {
            (Some(address), _) => assert_eq!(error, WakeError::Forbidden(address.parse().unwrap()), "{url}"),
            (None, error) => assert!(matches!(error, WakeError::Forbidden(address) if address.is_loopback()), "{url}: {error}"),
        }
    }
    for url in ["", "/path", "https://192.0.2.1/", "ftp://192.0.2.1/", "http://user:pass@192.0.2.1/", "http:///x", "http://192.0.2.1/a b"] {
        let error = wake(url, Some("192.0.2.1".parse().unwrap()), near()).await;
        assert!(matches!(&error, Err(WakeError::Url(shown)) if shown == url), "{url}: {error:?}");
    }
    assert!(device.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_device_has_some_peace_between_two_requests() {
    let device = Device::start(Script { first: YES, then: YES, closes: false }).await;
    let [one, two] = ["1", "2"].map(|serial| DeviceKey::new("00D09E", "Box", serial));
    let url = format!("http://{}/", device.address);
    let waker = Waker::new(near(), Arc::new(SystemClock));
    let target = |device| Target { device, url: &url, peer: None, username: "u", password: "p" };
    let elsewhere = Target { url: "http://192.0.2.9/", ..target(&one) };
    assert!(matches!(waker.wake(elsewhere).await, Err(WakeError::Forbidden(_))), "what is never sent takes no time");
    assert_eq!(waker.wake(target(&one)).await, Ok(()));
    assert!(matches!(waker.wake(target(&one)).await, Err(WakeError::TooSoon(_))));
    assert_eq!(waker.wake(target(&two)).await, Ok(()), "another one");
    assert_eq!(device.requests.lock().unwrap().len(), 2);
    assert!(!format!("{:?}", Target { password: "geheim", ..target(&one) }).contains("geheim"));
}
