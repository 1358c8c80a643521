//! The plugin against a simulated primary server.

mod simulation;
mod tsig;

use hickory_proto::rr::Record;
use jackfield_plugin_sdk::{
    Failure,
    dns::Request,
    tenant::DnsRecord,
    testing::{
        Config, Secrets,
        dns_conformance::{self, Subject as _},
    },
    zone::{self, Change, RecordSet},
};
use simulation::Simulation;

use crate::{
    records::{data, name},
    update::update,
};

fn request(kind: &str, value: &str) -> Request {
    let name = "acme.app.example.test".into();
    let record = DnsRecord { name, kind: kind.into(), ttl: 60, values: vec![value.into()], shared: false };
    Request { owner: "t-1".into(), zone: "app.example.test".into(), records: vec![record] }
}

fn set(name: &str, kind: &str, values: &[&str]) -> RecordSet {
    RecordSet { name: name.into(), kind: kind.into(), ttl: 60, values: values.iter().map(|it| (*it).into()).collect() }
}

fn record(owner: &str, kind: &str, value: &str) -> Record {
    Record::from_rdata(name(owner).unwrap(), 60, data(kind, value).unwrap())
}

/// An update, one line for each prerequisite and each change.
fn told(changes: &[Change], seen: &[Record]) -> Vec<String> {
    let message = update(1, &name("example").unwrap(), changes, seen).unwrap();
    let line = |what: &str, it: &Record| format!("{what} {} {} {} {} {}", it.name, it.ttl, it.dns_class, it.record_type(), it.data);
    let prerequisites = message.answers.iter().map(|it| line("require", it));
    prerequisites.chain(message.authorities.iter().map(|it| line("update", it))).collect()
}

#[test]
fn it_passes_the_conformance_suite() {
    dns_conformance::run(&mut Simulation::start());
}

#[test]
fn what_was_seen_is_the_prerequisite_of_an_update() {
    let change = |name: &str, kind: &str, before: &[&str], after: &[&str], shared: bool| Change {
        name: name.into(),
        kind: kind.into(),
        ttl: 60,
        shared,
        before: (!before.is_empty()).then(|| set(name, kind, before)),
        after: after.iter().map(|it| (*it).into()).collect(),
    };
    let fresh =
        told(&[change("_jackfield-owner.a.example", "TXT", &[], &["x"], false), change("a.example", "CNAME", &[], &["b.example"], false)], &[]);
    let expected = [
        "require _jackfield-owner.a.example. 0 NONE TXT UPDATE",
        "require _jackfield-owner.a.example. 0 NONE CNAME UPDATE",
        "require a.example. 0 NONE CNAME UPDATE",
        "require a.example. 0 NONE ANY UPDATE",
        "update _jackfield-owner.a.example. 0 ANY TXT UPDATE",
        "update _jackfield-owner.a.example. 60 IN TXT x",
        "update a.example. 0 ANY CNAME UPDATE",
        "update a.example. 60 IN CNAME b.example.",
    ];
    assert_eq!(fresh, expected);
    let seen = [record("a.example", "A", "192.0.2.1"), record("_jackfield-owner.a.example", "TXT", "mine"), record("_p.example", "TXT", "old")];
    let changed =
        told(&[change("a.example", "A", &["192.0.2.1"], &["192.0.2.2"], false), change("_p.example", "TXT", &["old"], &["new"], true)], &seen);
    let expected = [
        "require a.example. 0 IN A 192.0.2.1",
        "require _jackfield-owner.a.example. 0 IN TXT mine",
        "require a.example. 0 NONE CNAME UPDATE",
        "require _p.example. 0 NONE CNAME UPDATE",
        "update a.example. 0 ANY A UPDATE",
        "update a.example. 60 IN A 192.0.2.2",
        "update _p.example. 0 NONE TXT old",
        "update _p.example. 60 IN TXT new",
    ];
    assert_eq!(changed, expected);
}

#[test]
fn who_comes_second_writes_nothing() {
    let mut server = Simulation::start();
    server.race(&set("acme.app.example.test", "A", &["198.51.100.1"]));
    let failure = server.apply(request("A", "192.0.2.1")).unwrap_err();
    assert!(failure.to_string().starts_with("unavailable (changed_meanwhile)"), "{failure}");
    assert_eq!(server.present("acme.app.example.test")[0].values, ["198.51.100.1"]);
    assert_eq!(server.present("_jackfield-owner.acme.app.example.test"), []);
    assert_eq!(server.writes(), 0);
}

#[test]
fn what_a_wildcard_answers_is_not_there() {
    let mut server = Simulation::start();
    server.put(&set("*.app.example.test", "CNAME", &["elsewhere.example"]));
    let done = server.apply(request("A", "192.0.2.1")).unwrap();
    assert_eq!(server.present("acme.app.example.test")[0].values, ["192.0.2.1"]);
    assert!(matches!(done, jackfield_plugin_sdk::Outcome::Done(_)));
}

#[test]
fn settings_and_the_key_are_checked() {
    let mut server = Simulation::start();
    let check = |server: &mut Simulation, expected: &str| {
        let failure = server.apply(request("A", "192.0.2.1")).unwrap_err().to_string();
        assert!(failure.starts_with(expected), "expected {expected}, found {failure}");
    };
    // A host that signs with another key than the server's answers are made with.
    Secrets::grant_signer("tsig", |bytes| if bytes.starts_with(&[0, 32]) { vec![0; 32] } else { tsig::mac(bytes) });
    check(&mut server, "unavailable (bad_answer): an answer of the server is signed wrongly");
    Secrets::grant("tsig");
    check(&mut server, "rejected (secret)");
    Config::set("server", "dns.example");
    check(&mut server, "rejected (bad_config): the setting server");
}

#[test]
fn requests_that_no_message_holds_are_rejected() {
    let mut server = Simulation::start();
    let text = "x".repeat(4000);
    let record =
        |at: usize| DnsRecord { name: format!("n{at}.app.example.test"), kind: "TXT".into(), ttl: 60, values: vec![text.clone()], shared: true };
    let request = Request { owner: "t-1".into(), zone: "app.example.test".into(), records: (0..20).map(record).collect() };
    let Err(Failure::Rejected(reason)) = server.apply(request) else { panic!("not rejected") };
    assert_eq!(reason.code, zone::BAD_REQUEST);
}
