//! Against servers of a few lines that fail at one point each. The real server is in the tests of the crate.

use std::time::Duration;

use engine::testing::{MemoryStore, SimClock};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, split},
    net::TcpListener,
    task::JoinSet,
};

use super::*;
use crate::providers::testing::Caller;

/// What a server says to one command.
#[derive(Clone, Copy)]
struct Script {
    to: &'static str,
    answer: &'static str,
}

const GOOD: Script = Script { to: "", answer: "" };

struct World {
    caller: Caller<Smtp>,
    store: Arc<MemoryStore>,
    _server: JoinSet<()>,
}

/// A server that takes everything, except that it answers one command as scripted; nothing to say is to hang up.
async fn world(script: Script) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut server = JoinSet::new();
    server.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let _the_client_went = serve(stream, script).await;
        }
    });
    let options = SmtpOptions {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        tls: SmtpTls::None,
        roots: None,
        hello: None,
        from: "Host <host@example.test>".to_owned(),
        timeout_ms: 20_000,
    };
    let store = Arc::new(MemoryStore::default());
    let smtp = Smtp::new(&options, None, store.clone(), Arc::new(SimClock::default())).unwrap();
    World { caller: Caller::new(smtp, Smtp::pin()), store, _server: server }
}

async fn serve(stream: impl AsyncRead + AsyncWrite, script: Script) -> std::io::Result<()> {
    let (input, mut output) = split(stream);
    let mut lines = BufReader::new(input).lines();
    output.write_all(b"220 test\r\n").await?;
    let mut in_message = false;
    while let Some(line) = lines.next_line().await? {
        let command = if in_message { if line == "." { "." } else { continue } } else { &line };
        let mut answer = match command.split([' ', ':']).next() {
            Some("DATA") => "354 go on",
            Some(".") => "250 taken",
            Some("QUIT") => "221 bye",
            _ => "250 fine",
        };
        if !script.to.is_empty() && command.starts_with(script.to) {
            answer = script.answer;
        }
        if answer.is_empty() {
            return Ok(());
        }
        in_message = answer.starts_with("354");
        output.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

fn request() -> Value {
    json!({"message-id": "run.mail@example.test", "to": "ann@example.test", "subject": "Welcome", "text": "Hello\n.\nBye"})
}

#[tokio::test]
async fn a_message_that_was_taken_is_not_sent_again() {
    let world = world(GOOD).await;
    assert_eq!(world.caller.observe(&request()).await, Observed::Absent);
    let receipt = world.caller.receipt(&request()).await;
    assert_eq!(receipt, json!({"message-id": "run.mail@example.test", "answer": "250 taken"}));
    assert_eq!(world.caller.observe(&request()).await, Observed::Ours(receipt.clone()));
    drop(world._server);
    assert_eq!(world.caller.receipt(&request()).await, receipt, "without a server");
    let document = world.store.get(MAIL_COLLECTION, "run.mail@example.test").await.unwrap().unwrap();
    assert!(!document.body.to_string().contains("ann"), "{:?}", document.body);
}

#[tokio::test]
async fn each_failure_says_whether_the_message_can_have_been_taken() {
    let absent = Observed::Absent;
    let table = [
        ("EHLO", "421 busy", "Unavailable mail_deferred", absent.clone()),
        ("MAIL", "550 who", "Rejected mail_refused", absent.clone()),
        ("RCPT", "451 later", "Unavailable mail_deferred", absent.clone()),
        ("RCPT", "550 no such ann@example.test", "Rejected mail_refused", absent.clone()),
        ("RCPT", "", "Unavailable mail_unreachable", absent.clone()),
        ("DATA", "451 later", "Unavailable mail_deferred", absent.clone()),
        ("DATA", "", "Unavailable mail_unreachable", absent.clone()),
        (".", "552 too big", "Rejected mail_refused", absent.clone()),
        (".", "451 disk", "Unavailable mail_deferred", absent),
        (".", "", "Unknown mail_in_doubt", Observed::Unsupported),
        (".", "nonsense", "Unknown mail_in_doubt", Observed::Unsupported),
    ];
    for (to, answer, outcome, found) in table {
        let world = world(Script { to, answer }).await;
        assert_eq!(world.caller.fails(&request()).await, outcome, "{to} {answer}");
        assert_eq!(world.caller.observe(&request()).await, found, "{to} {answer}");
        let message = world.caller.apply(&request()).await.unwrap_err().message;
        assert!(!message.contains("ann@"), "{message}");
    }
}

#[tokio::test]
async fn without_a_note_nothing_is_sent() {
    let world = world(Script { to: ".", answer: "" }).await;
    world.store.set_full(true);
    assert_eq!(world.caller.fails(&request()).await, "Unavailable host.internal");
    assert_eq!(world.caller.observe(&request()).await, Observed::Absent);
}

#[tokio::test]
async fn a_server_that_is_silent_is_left_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut world = world(GOOD).await;
    let options: SmtpOptions = serde_json::from_value(json!({
        "host": "127.0.0.1", "port": listener.local_addr().unwrap().port(), "tls": "none", "from": "a@b.test", "timeout_ms": 50,
    }))
    .unwrap();
    world.caller.runner = Smtp::new(&options, None, world.store.clone(), Arc::new(SimClock::default())).unwrap();
    let called = tokio::time::timeout(Duration::from_secs(20), world.caller.fails(&request())).await;
    assert_eq!(called.unwrap(), "Unavailable mail_timeout");
}

#[tokio::test]
async fn tls_begins_with_the_first_byte_and_the_server_has_to_be_known() {
    let identity = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(identity.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = versions.with_no_client_auth().with_single_cert(vec![identity.cert.der().clone()], key).unwrap();
    let (acceptor, listener) = (tokio_rustls::TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let port = listener.local_addr().unwrap().port();
    let mut server = JoinSet::new();
    server.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(stream) = acceptor.accept(stream).await {
                let _the_client_went = serve(stream, GOOD).await;
            }
        }
    });
    let caller = |roots: Option<String>| {
        let options: SmtpOptions =
            serde_json::from_value(json!({"host": "127.0.0.1", "port": port, "tls": "tls", "roots": roots, "from": "a@b.test"})).unwrap();
        Caller::new(Smtp::new(&options, None, Arc::new(MemoryStore::default()), Arc::new(SimClock::default())).unwrap(), Smtp::pin())
    };
    assert_eq!(caller(None).fails(&request()).await, "Unavailable mail_unreachable");
    caller(Some(identity.cert.pem())).receipt(&request()).await;
}

#[test]
fn settings_that_cannot_be_used_are_refused() {
    let base = json!({"host": "mail.example.test", "from": "a@b.test", "tls": "starttls"});
    let login = || Some(SmtpLogin { name: "me".to_owned(), password: zeroize::Zeroizing::new("secret".to_owned()) });
    assert!(!format!("{:?}", login()).contains("secret"));
    let new = |field: &str, value: Value| {
        let mut settings = base.clone();
        settings[field] = value;
        Smtp::new(&serde_json::from_value(settings).unwrap(), login(), Arc::new(MemoryStore::default()), Arc::new(SimClock::default()))
    };
    assert!(new("tls", json!("starttls")).is_ok());
    for (field, value, part) in [
        ("tls", json!("none"), "clear text"),
        ("roots", json!("-----BEGIN CERTIFICATE-----\nnonsense"), "`roots` cannot be read"),
        ("hello", json!("x\r\nMAIL"), "`hello`"),
        ("from", json!("nobody"), "no sender"),
    ] {
        let error = new(field, value).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}
