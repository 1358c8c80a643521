//! Mail through a real server, which says what it got.

use std::sync::Arc;

use engine::{
    port::{Observed, SystemClock},
    testing::MemoryStore,
};
use serde_json::{Value, json};
use servers::{SmtpOptions as SinkOptions, SmtpSink};
use tenants::providers::{Smtp, SmtpLogin, SmtpOptions, SmtpTls};
use zeroize::Zeroizing;

use crate::testing::Caller;

fn caller(sink: &SmtpSink, tls: SmtpTls, roots: Option<&str>, password: Option<&str>) -> Caller<Smtp> {
    let options = SmtpOptions {
        host: sink.address().ip().to_string(),
        port: Some(sink.address().port()),
        tls,
        roots: roots.map(str::to_owned),
        hello: None,
        from: "Jackfield <host@example.test>".to_owned(),
        timeout_ms: 20_000,
    };
    let login = password.map(|password| SmtpLogin { name: "host".to_owned(), password: Zeroizing::new(password.to_owned()) });
    Caller::new(Smtp::new(&options, login, Arc::new(MemoryStore::default()), Arc::new(SystemClock)).unwrap(), Smtp::pin())
}

fn request(to: &str) -> Value {
    json!({"message-id": format!("run-1.{to}@example.test"), "to": format!("{to}@example.test"), "subject": "Grüße", "text": "Hello\n.\nBye"})
}

#[tokio::test]
async fn a_message_arrives_once_and_each_refusal_has_its_class() {
    let mut sink = SmtpSink::start().unwrap();
    let caller = caller(&sink, SmtpTls::None, None, None);
    let receipt = caller.receipt(&request("ann")).await;
    assert_eq!(caller.receipt(&request("ann")).await, receipt);
    assert_eq!(caller.fails(&request("bounce")).await, "Rejected mail_refused");
    assert_eq!(caller.observe(&request("bounce")).await, Observed::Absent);
    assert_eq!(caller.fails(&request("greylist1")).await, "Unavailable mail_deferred");
    caller.receipt(&request("greylist1")).await;
    assert_eq!(caller.fails(&request("lost")).await, "Unknown mail_in_doubt");
    assert_eq!(caller.observe(&request("lost")).await, Observed::Unsupported, "a person decides");
    sink.kill9();
    assert_eq!(caller.fails(&request("bob")).await, "Unavailable mail_unreachable");
    assert_eq!(caller.observe(&request("bob")).await, Observed::Absent);
    sink.restart().unwrap();
    caller.receipt(&request("bob")).await;

    let received = sink.received().unwrap();
    let taken: Vec<_> = received.iter().filter(|received| !received.headers.is_empty()).collect();
    let names: Vec<_> = taken.iter().map(|received| received.to[0].as_str()).collect();
    assert_eq!(names, ["ann", "greylist1", "lost", "bob"].map(|name| format!("{name}@example.test")));
    let first = taken[0];
    assert_eq!((first.header("Message-ID"), first.header("Subject")), (Some("<run-1.ann@example.test>"), Some("Grüße")));
    assert_eq!(first.text.trim_end().replace('\r', ""), "Hello\n.\nBye");
}

#[tokio::test]
async fn a_password_goes_over_tls_to_a_server_that_is_known() {
    let options = SinkOptions { tls: true, login: Some(("host".to_owned(), "secret".to_owned())) };
    let sink = SmtpSink::start_with(&options).unwrap();
    let root = Some(sink.server_root());
    let table = [
        (SmtpTls::Starttls, None, Some("secret"), "Unavailable mail_unreachable"),
        (SmtpTls::Starttls, root, Some("wrong"), "Held mail_login"),
        (SmtpTls::Starttls, root, None, "Rejected mail_refused"),
        (SmtpTls::None, root, None, "Rejected mail_refused"),
    ];
    for (tls, roots, password, outcome) in table {
        assert_eq!(caller(&sink, tls, roots, password).fails(&request("ann")).await, outcome, "{tls:?} {password:?}");
    }
    caller(&sink, SmtpTls::Starttls, root, Some("secret")).receipt(&request("ann")).await;
    assert_eq!(sink.received().unwrap().len(), 1);
}
