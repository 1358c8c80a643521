//! What a plugin gets when it reaches further than its grant, and what an operator is told.

mod echo;
mod endpoints;

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    thread,
};

use engine::port::{Answer, Call, CallReport, KeyValueWrite, Runner as _, Verb, Versioned};
use pipeline::{FailureClass, RunId};
use plugin_runtime::{Grant, HttpRule, Options, Plugin, SealKey, Secret};
use serde_json::{Value, json};

use self::echo::Echo;
use crate::support::{Bench, built, call, options, receipt};

const TOKEN: &str = "t0ken-of-the-echo";

fn grant(url: &str, tcp: SocketAddr) -> Grant {
    let rule = HttpRule { methods: ["GET", "POST"].map(str::to_owned).into(), path: "/".to_owned(), ..HttpRule::to(url) };
    Grant {
        http: [("echo".to_owned(), rule)].into(),
        tcp: vec![tcp],
        secrets: [("token".to_owned(), Secret::new(TOKEN))].into(),
        keyvalue: true,
        ..Grant::default()
    }
}

fn bench() -> Bench {
    Bench::new(Options { seal_key: Some(SealKey::parse(&"07".repeat(32)).unwrap()), ..options() })
}

async fn load(bench: &Bench, grant: &Grant) -> Plugin {
    bench.load(built("egress"), grant).await.unwrap()
}

/// Class, `error.type` and message of a call that must have failed.
fn failed(report: &CallReport) -> (FailureClass, &str, &str) {
    let failure = report.answer.as_ref().unwrap_err();
    (failure.class, &failure.error_type, &failure.message)
}

async fn does(bench: &Bench, plugin: &Plugin, behaviour: &str) -> CallReport {
    bench.runner.call(asked(plugin, behaviour)).await
}

/// The same in another run.
async fn does_later(bench: &Bench, plugin: &Plugin, behaviour: &str) -> CallReport {
    let run = RunId::new("01890a5d-ac96-774b-bcce-b302099a8058").unwrap();
    bench.runner.call(Call { run, ..asked(plugin, behaviour) }).await
}

fn asked(plugin: &Plugin, behaviour: &str) -> Call {
    let service = json!({ "name": behaviour, "resource-type": "port", "characteristics": [] });
    call(plugin, Verb::Apply, json!({ "order": "4711", "service": service }))
}

/// A characteristic of the receipt.
fn learned(report: &CallReport, name: &str) -> String {
    let all = receipt(report)["characteristics"].as_array().unwrap();
    all.iter().find(|it| it["name"] == name).unwrap()["value"].as_str().unwrap().to_owned()
}

fn nowhere() -> SocketAddr {
    "127.0.0.1:9".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_is_typed_for_the_plugin_and_explained_to_the_operator() {
    let (bench, echo) = (bench(), Echo::start());
    let plugin = load(&bench, &grant(&format!("http://{}", echo.address), nowhere())).await;
    assert_eq!(learned(&does(&bench, &plugin, "get http://echo/ok").await, "status"), "200");
    for (behaviour, operator) in [
        ("follow http://echo/redirect", "GET http://169.254.169.254/latest/meta-data/ was denied: `169.254.169.254` is not one of the endpoints"),
        ("get http://169.254.169.254/", "`169.254.169.254` is not one of the endpoints that are granted: echo"),
        ("get http://2852039166/", "`2852039166` is not one of the endpoints"),
        ("get http://0251.0376.0251.0376/", "is not one of the endpoints"),
        ("get http://0xa9fea9fe/", "is not one of the endpoints"),
        ("get http://[::ffff:a9fe:a9fe]/", "is not one of the endpoints"),
        ("get http://echo.@169.254.169.254/", "a user or password in a URL is not sent"),
        ("get http://echo/..%2f..%2fetc", "the path climbs"),
        ("get http://echo/%00", "the path contains an encoded control character"),
    ] {
        let report = does(&bench, &plugin, behaviour).await;
        let (class, error_type, message) = failed(&report);
        assert_eq!((class, error_type), (FailureClass::Rejected, "plugin.denied"), "{behaviour}: {message}");
        assert!(message.contains(operator), "{behaviour}: {message}");
        let (_, said) = message.split_once("`egress` said: ").unwrap();
        assert!(said.contains("HttpRequestDenied") && !said.contains("endpoints") && !said.contains("grant"), "{behaviour}: {said}");
        assert!(!report.sent, "{behaviour}");
    }
    assert_eq!(echo.received().len(), 2, "what was denied was not sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_inside_is_denied_with_the_line_that_would_allow_it() {
    let (bench, echo) = (bench(), Echo::start());
    // The name of this machine in every system's file of hosts, written so that it is a name and not the one that the host knows by itself.
    let url = format!("http://ip6-localhost:{}", echo.address.port());
    let plugin = load(&bench, &grant(&url, nowhere())).await;
    let report = does(&bench, &plugin, "get http://echo/ok").await;
    let (_, error_type, message) = failed(&report);
    // Where the system does not know the name there is no connection either; it is never reached.
    assert!(
        error_type == "plugin.denied" && message.contains("http.echo.addresses = [\"::1\"]") || error_type == "refused",
        "{error_type}: {message}"
    );
    assert!(echo.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_text_is_used_in_a_later_call_by_who_does_not_know_it() {
    let (bench, echo) = (bench(), Echo::start());
    let plugin = load(&bench, &grant(&format!("http://{}", echo.address), nowhere())).await;
    let report = does(&bench, &plugin, "seal correct-horse").await;
    let sealed = learned(&report, "sealed");
    assert!(sealed.starts_with("jackfield-sealed."), "{sealed}");
    let mut kept = receipt(&report).clone();
    assert_eq!(kept["service"], "seal ***", "what was sealed is masked from then on");
    kept["service"] = json!("x");
    let report = bench.runner.call(call(&plugin, Verb::Undo { receipt: kept.into() }, Value::Null)).await;
    assert!(matches!(report.answer, Ok(Answer::Undone)), "{report:?}");
    assert!(echo.received()[0].ends_with(r#"{"password":"correct-horse"}"#), "{:?}", echo.received());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_in_the_text_of_another_order_is_none_and_one_that_the_plugin_kept_is() {
    let (bench, echo) = (bench(), Echo::start());
    let plugin = load(&bench, &grant(&format!("http://{}", echo.address), nowhere())).await;
    let report = does(&bench, &plugin, "keep correct-horse").await;
    let handle = learned(&report, "kept");
    let KeyValueWrite { namespace, key, expected_version: _, value } = report.writes[0].clone();
    let stored = value.unwrap();
    bench.keys.0.lock().unwrap().insert((namespace, key), Versioned { value: stored.clone(), version: 1 });
    assert_ne!(stored, handle, "what is in the database is a handle for no run");
    // Whoever orders may know both, and can make the plugin send either.
    for text in [&handle, &stored] {
        let report = does_later(&bench, &plugin, &format!("use {text}")).await;
        assert_eq!(failed(&report).1, "plugin.denied", "{report:?}");
    }
    assert!(echo.received().is_empty());
    assert_eq!(learned(&does(&bench, &plugin, &format!("use {handle}")).await, "status"), "200", "in its own run it is one");
    assert_eq!(learned(&does_later(&bench, &plugin, "use").await, "status"), "200");
    let sent = echo.received();
    assert!(sent.len() == 2 && sent.iter().all(|request| request.ends_with(r#"{"password":"correct-horse"}"#)), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_signs_for_a_plugin_that_does_not_know_the_key() {
    let bench = bench();
    let mut grant = grant("http://127.0.0.1:9", nowhere());
    grant.secrets = [("token".to_owned(), Secret::new("Jefe"))].into();
    let plugin = load(&bench, &grant).await;
    let report = does(&bench, &plugin, "sign what do ya want for nothing?").await;
    // The second test of RFC 4231.
    assert_eq!(learned(&report, "signature"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

#[tokio::test(flavor = "multi_thread")]
async fn tcp_goes_to_granted_addresses_and_nowhere_else() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut line = [0; 5];
            stream.read_exact(&mut line).unwrap();
            stream.write_all(b"pong\n").unwrap();
        }
    });
    let other = Echo::start();
    let bench = bench();
    let plugin = load(&bench, &grant("http://127.0.0.1:9", address)).await;
    let report = does(&bench, &plugin, &format!("tcp {address}")).await;
    assert_eq!((learned(&report, "answer").as_str(), report.sent), ("pong", true), "the host cannot know that nothing was changed");

    let report = does(&bench, &plugin, &format!("tcp {}", other.address)).await;
    let (_, error_type, message) = failed(&report);
    assert_eq!((error_type, report.sent), ("plugin.denied", false), "{message}");
    let line = format!("tcp = [\"{address}\", \"{}\"]", other.address);
    assert!(message.contains("a TCP connection to ") && message.contains(&line), "{message}");
    for behaviour in ["listen".to_owned(), format!("datagram {address}"), "resolve localhost".to_owned(), "tcp localhost:80".to_owned()] {
        let report = does(&bench, &plugin, &behaviour).await;
        assert_eq!((failed(&report).1, report.sent), ("refused", false), "{behaviour}: {report:?}");
    }
    assert!(other.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capability_that_is_not_granted_is_refused_with_its_line() {
    let bench = bench();
    let bytes = built("egress");
    let full = grant("http://127.0.0.1:9", nowhere());
    for (grant, expected) in [
        (Grant { tcp: Vec::new(), ..full.clone() }, "tcp = [\"ADDRESS:PORT\"]"),
        (Grant { secrets: [].into(), ..full.clone() }, "secrets.token = \"env:...\""),
        (Grant { secrets: [("token".to_owned(), Secret::new("abc"))].into(), ..full }, "secrets.token: it has 3 bytes, expected at least 4"),
    ] {
        let error = bench.load(bytes.clone(), &grant).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
