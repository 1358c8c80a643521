//! The plugin against a scripted PowerDNS, and against a simulated one for the conformance suite.

mod simulation;

use jackfield_plugin_sdk::{
    Dns as _, Failure, Outcome,
    dns::{Receipt, Request},
    tenant::DnsRecord,
    testing::{self, Config, Http, Reply, dns_conformance},
};
use serde_json::{Value, json};

use crate::Plugin;

const ZONE: &str = "http://dns/api/v1/servers/localhost/zones/app.example.test.";
const NAME: &str = "http://dns/api/v1/servers/localhost/zones/app.example.test.?rrset_name=acme.app.example.test.";
const MARKER: &str = "http://dns/api/v1/servers/localhost/zones/app.example.test.?rrset_name=_jackfield-owner.acme.app.example.test.";

fn records() -> Vec<DnsRecord> {
    vec![DnsRecord { name: "acme.app.example.test".into(), kind: "A".into(), ttl: 60, values: vec!["192.0.2.1".into()], shared: false }]
}

fn apply() -> Result<Outcome<Receipt>, Failure> {
    testing::begin_call();
    let request = Request { owner: "t-1".into(), zone: "app.example.test".into(), records: records() };
    Plugin::apply(&testing::call("key"), request)
}

fn done() -> Result<Outcome<Receipt>, Failure> {
    Ok(Outcome::Done(Receipt { zone: "app.example.test".into(), owner: "t-1".into(), records: records(), provider: "powerdns".into() }))
}

fn sets(sets: &[Value]) -> Reply {
    Reply::json(200, &json!({ "name": "app.example.test.", "rrsets": sets }).to_string())
}

fn set(name: &str, kind: &str, content: &str) -> Value {
    json!({ "name": name, "type": kind, "ttl": 60, "comments": [], "records": [{ "content": content, "disabled": false }] })
}

/// Scripts one look at the zone.
fn seen(there: bool) {
    let marker = set("_jackfield-owner.acme.app.example.test.", "TXT", "\"heritage=jackfield,owner=t-1\"");
    let name = set("acme.app.example.test.", "A", "192.0.2.1");
    Http::on("GET", MARKER, sets(if there { std::slice::from_ref(&marker) } else { &[] }));
    Http::on("GET", NAME, sets(if there { std::slice::from_ref(&name) } else { &[] }));
}

#[test]
fn everything_is_written_in_one_request_and_read_back() {
    seen(false);
    Http::on("PATCH", ZONE, Reply::status(204));
    seen(true);
    assert_eq!(apply(), done());
    let expected = json!({ "rrsets": [
        { "name": "_jackfield-owner.acme.app.example.test.", "type": "TXT", "changetype": "REPLACE", "ttl": 60,
          "records": [{ "content": "\"heritage=jackfield,owner=t-1\"", "disabled": false }] },
        { "name": "acme.app.example.test.", "type": "A", "changetype": "REPLACE", "ttl": 60,
          "records": [{ "content": "192.0.2.1", "disabled": false }] },
    ] });
    assert_eq!(Http::sent()[2].json(), expected);
    assert!(Http::sent().iter().all(|sent| sent.header("x-api-key").is_none()));
    Http::assert_finished();
}

#[test]
fn a_repetition_only_reads() {
    seen(true);
    assert_eq!(apply(), done());
    assert!(Http::sent().iter().all(|sent| sent.method == "GET"));
}

#[test]
fn settings_name_the_server_the_path_and_the_ttls() {
    for (key, value) in [("base_path", "/pdns/api/v1/"), ("server", "eu/1"), ("min_ttl", "120")] {
        Config::set(key, value);
    }
    let zone = "http://dns/pdns/api/v1/servers/eu%2F1/zones/app.example.test.";
    let read = |there: &[Value]| {
        for name in ["_jackfield-owner.acme.app.example.test.", "acme.app.example.test."] {
            Http::on("GET", &format!("{zone}?rrset_name={name}"), sets(there));
        }
    };
    read(&[]);
    Http::on("PATCH", zone, Reply::status(204));
    // An old server answers the whole zone, and this one rounds.
    let mut rounded =
        [set("_jackfield-owner.acme.app.example.test.", "TXT", "\"heritage=jackfield,owner=t-1\""), set("ACME.app.example.test.", "A", "192.0.2.1")];
    rounded[1]["ttl"] = json!(300);
    read(&rounded);
    let Ok(Outcome::Done(receipt)) = apply() else { panic!("not done") };
    assert_eq!(receipt.records[0].ttl, 120);
    assert_eq!(Http::sent()[2].json()["rrsets"][1]["ttl"], 120);
    Config::set("max_ttl", "60");
    assert_eq!(apply(), Err(Failure::rejected("bad_config", "the setting min_ttl is 120; expected at most max_ttl, which is 60")));
}

#[test]
fn of_a_shared_set_everything_else_is_written_back_as_it_was() {
    let url = "http://dns/api/v1/servers/localhost/zones/app.example.test.?rrset_name=_p.app.example.test.";
    let there = json!([{ "content": "\"th\\101irs\"", "disabled": false }, { "content": "\"off\"", "disabled": true }, { "content": "\"x\"", "disabled": false }]);
    Http::on("GET", url, sets(&[json!({ "name": "_p.app.example.test.", "type": "TXT", "ttl": 7, "records": there })]));
    Http::on("PATCH", ZONE, Reply::status(204));
    let values = vec!["x".into(), "off".into()];
    let records = vec![DnsRecord { name: "_p.app.example.test".into(), kind: "TXT".into(), ttl: 60, values, shared: true }];
    let receipt = Receipt { zone: "app.example.test".into(), owner: "t-1".into(), records, provider: "powerdns".into() };
    assert_eq!(Plugin::undo(&testing::call("undo"), receipt), Ok(Outcome::Undone));
    let kept = json!([{ "content": "\"th\\101irs\"", "disabled": false }, { "content": "\"off\"", "disabled": true }]);
    let expected = json!({ "name": "_p.app.example.test.", "type": "TXT", "changetype": "REPLACE", "ttl": 7, "records": kept });
    assert_eq!(Http::sent()[1].json()["rrsets"], json!([expected]));
}

#[test]
fn answers_are_told_apart_before_and_after_writing() {
    let check = |script: &dyn Fn(Reply), reply: Reply, expected: &str| {
        script(reply);
        let failure = apply().unwrap_err().to_string();
        assert!(failure.starts_with(expected), "expected {expected}, got {failure}");
        Http::assert_finished();
    };
    let looking = |reply: Reply| Http::on("GET", MARKER, reply);
    let writing = |reply: Reply| {
        seen(false);
        Http::on("PATCH", ZONE, reply);
    };
    let reading_back = |reply: Reply| {
        writing(Reply::status(204));
        Http::on("GET", MARKER, reply);
    };
    let no_domain = r#"{"error": "Could not find domain 'app.example.test.'"}"#;
    check(&looking, Reply::status(401), "rejected (not_authorised)");
    check(&looking, Reply::status(403), "rejected (not_authorised)");
    check(&looking, Reply::status(404), "rejected (unknown_zone)");
    check(&looking, Reply::json(422, no_domain), "rejected (unknown_zone)");
    check(&looking, Reply::status(500), "unavailable (dns_failed)");
    check(&looking, Reply::json(200, "<html>"), "unavailable (bad_answer)");
    check(&writing, Reply::status(409), "rejected (dns_failed)");
    check(&writing, Reply::json(422, r#"{"error": "Conflicts with pre-existing RRset"}"#), "rejected (dns_failed)");
    check(&writing, Reply::status(429), "unavailable (dns_failed)");
    check(&writing, Reply::json(500, r#"{"error": "database is locked"}"#), "unknown outcome (dns_failed)");
    check(&writing, Reply::no_answer(), "unknown outcome (no_answer)");
    check(&writing, Reply::refused(), "unavailable (unreachable)");
    check(&reading_back, Reply::status(500), "unknown outcome (dns_failed)");
    check(&reading_back, Reply::status(401), "unknown outcome (not_authorised)");
    check(&reading_back, Reply::refused(), "unknown outcome (unreachable)");
}

#[test]
fn what_is_not_read_back_is_not_called_done() {
    seen(false);
    Http::on("PATCH", ZONE, Reply::status(204));
    seen(false);
    let message = "_jackfield-owner.acme.app.example.test TXT was written as [\"heritage=jackfield,owner=t-1\"] and is read back as []";
    assert_eq!(apply(), Err(Failure::unknown_outcome("not_as_written", message)));
}

#[test]
fn a_busy_server_says_when_to_come_back() {
    Http::on("GET", MARKER, Reply::status(429).header("retry-after", "7"));
    let Err(Failure::Unavailable(it)) = apply() else { panic!("not unavailable") };
    assert_eq!(it.retry_after_ms, Some(7000));
}

#[test]
fn it_passes_the_conformance_suite() {
    dns_conformance::run(&mut simulation::Simulation::start());
}
