//! The plugin against a scripted API, and against a simulated one for the conformance suite.

mod simulation;

use jackfield_plugin_sdk::{
    Dns as _, Failure, Outcome,
    dns::{Receipt, Request},
    tenant::DnsRecord,
    testing::{self, Config, Http, Reply, dns_conformance},
};
use serde_json::{Value, json};

use crate::Plugin;

const ZONES: &str = "http://dns/client/v4/zones?name=example.test";
const RECORDS: &str = "http://dns/client/v4/zones/z1/dns_records";
const BATCH: &str = "http://dns/client/v4/zones/z1/dns_records/batch";
const MARKER: &str = "_jackfield-owner.acme.example.test";

fn record(kind: &str, values: &[&str], shared: bool) -> DnsRecord {
    DnsRecord { name: "acme.example.test".into(), kind: kind.into(), ttl: 300, values: values.iter().map(|it| (*it).into()).collect(), shared }
}

fn apply(records: &[DnsRecord]) -> Result<Outcome<Receipt>, Failure> {
    testing::begin_call();
    Plugin::apply(&testing::call("key"), Request { owner: "t-1".into(), zone: "example.test".into(), records: records.to_vec() })
}

fn done(records: &[DnsRecord]) -> Result<Outcome<Receipt>, Failure> {
    Ok(Outcome::Done(Receipt { zone: "example.test".into(), owner: "t-1".into(), records: records.to_vec(), provider: "cloudflare".into() }))
}

fn good(result: &Value) -> Reply {
    Reply::json(200, &json!({ "success": true, "errors": [], "messages": [], "result": result }).to_string())
}

fn bad(status: u16, code: u32) -> Reply {
    Reply::json(status, &json!({ "success": false, "errors": [{ "code": code, "message": "no" }], "messages": [], "result": null }).to_string())
}

fn zone() {
    Http::on("GET", ZONES, good(&json!([{ "id": "z1", "name": "example.test", "status": "active" }])));
}

/// Scripts one look at a name.
fn seen(name: &str, records: &Value) {
    Http::on("GET", &format!("{RECORDS}?name={name}&per_page=100&page=1"), good(records));
}

fn marker() -> Value {
    json!([{ "id": "r0", "name": MARKER, "type": "TXT", "content": "\"heritage=jackfield,owner=t-1\"", "ttl": 300 }])
}

fn address(content: &str) -> Value {
    json!([{ "id": "r1", "name": "acme.example.test", "type": "A", "content": content, "ttl": 300, "proxied": false }])
}

#[test]
fn everything_is_written_in_one_batch_and_read_back() {
    zone();
    seen(MARKER, &json!([]));
    seen("acme.example.test", &json!([]));
    Http::on("POST", BATCH, good(&json!({})));
    seen(MARKER, &marker());
    seen("acme.example.test", &address("192.0.2.1"));
    assert_eq!(apply(&[record("A", &["192.0.2.1"], false)]), done(&[record("A", &["192.0.2.1"], false)]));
    let expected = json!({ "deletes": [], "patches": [], "posts": [
        { "name": MARKER, "type": "TXT", "ttl": 300, "content": "\"heritage=jackfield,owner=t-1\"" },
        { "name": "acme.example.test", "type": "A", "ttl": 300, "content": "192.0.2.1", "proxied": false },
    ] });
    assert_eq!(Http::sent()[3].json(), expected);
    assert!(Http::sent().iter().all(|sent| sent.header("authorization").is_none()));
    Http::assert_finished();
}

#[test]
fn another_value_is_an_update_and_the_same_only_a_look() {
    zone();
    seen(MARKER, &marker());
    seen("acme.example.test", &address("192.0.2.9"));
    Http::on("POST", BATCH, good(&json!({})));
    for _ in 0..2 {
        seen(MARKER, &marker());
        seen("acme.example.test", &address("192.0.2.1"));
    }
    let records = [record("A", &["192.0.2.1"], false)];
    assert_eq!(apply(&records), done(&records));
    let update = json!({ "id": "r1", "name": "acme.example.test", "type": "A", "ttl": 300, "content": "192.0.2.1", "proxied": false });
    assert_eq!(Http::sent()[3].json(), json!({ "deletes": [], "patches": [update], "posts": [] }));
    zone();
    let before = Http::sent().len();
    assert_eq!(apply(&records), done(&records));
    assert!(Http::sent()[before..].iter().all(|sent| sent.method == "GET"));
}

#[test]
fn a_record_that_somebody_wrote_meanwhile_is_looked_at_again() {
    for code in [81_053, 81_054, 81_057, 81_058] {
        let look = |found: &Value| {
            seen("acme.example.test", found);
        };
        let records = [record("TXT", &["x"], true)];
        let there = json!([{ "id": "r1", "name": "acme.example.test", "type": "TXT", "content": "x", "ttl": 300 }]);
        for (found, expected) in [(there, true), (json!([]), false)] {
            zone();
            look(&json!([]));
            Http::on("POST", BATCH, bad(400, code));
            look(&found);
            let answer = apply(&records);
            match expected {
                true => assert_eq!(answer, done(&records)),
                false => assert!(answer.unwrap_err().to_string().starts_with("unavailable (changed_meanwhile)")),
            }
        }
    }
    Http::assert_finished();
}

#[test]
fn without_batches_a_call_that_fails_halfway_is_unknown() {
    Config::set("batch", "false");
    zone();
    seen(MARKER, &json!([]));
    seen("acme.example.test", &json!([]));
    Http::on("POST", RECORDS, good(&json!({})));
    Http::on("POST", RECORDS, bad(400, 9005));
    let failure = apply(&[record("A", &["192.0.2.1"], false)]).unwrap_err();
    assert!(failure.to_string().starts_with("unknown outcome (dns_failed)"), "{failure}");
    Config::set("batch", "perhaps");
    let message = r#"the setting batch is "perhaps"; expected true or false"#;
    assert_eq!(apply(&[record("A", &["192.0.2.1"], false)]), Err(Failure::rejected("bad_config", message)));
}

#[test]
fn all_pages_are_read() {
    let page = |at: u32| {
        json!(
            (0..100)
                .map(
                    |n| json!({ "id": format!("r{at}-{n}"), "name": "acme.example.test", "type": "TXT", "content": format!("{at}-{n}"), "ttl": 300 })
                )
                .collect::<Vec<_>>()
        )
    };
    zone();
    seen("acme.example.test", &page(1));
    Http::on(
        "GET",
        &format!("{RECORDS}?name=acme.example.test&per_page=100&page=2"),
        good(&json!([{ "id": "r", "name": "acme.example.test", "type": "TXT", "content": "x", "ttl": 300 }])),
    );
    let records = [record("TXT", &["x"], true)];
    assert_eq!(apply(&records), done(&records));
}

#[test]
fn answers_are_told_apart() {
    let check = |zones: bool, reply: Reply, expected: &str| {
        if zones {
            Http::on("GET", ZONES, reply);
        } else {
            zone();
            seen("acme.example.test", &json!([]));
            Http::on("POST", BATCH, reply);
        }
        let failure = apply(&[record("TXT", &["x"], true)]).unwrap_err().to_string();
        assert!(failure.starts_with(expected), "expected {expected}, got {failure}");
        Http::assert_finished();
    };
    check(true, good(&json!([])), "rejected (unknown_zone)");
    check(true, bad(403, 10_000), "rejected (not_authorised)");
    check(true, bad(400, 6003), "rejected (not_authorised)");
    check(true, bad(400, 1234), "rejected (dns_failed)");
    check(true, bad(500, 1), "unavailable (dns_failed)");
    check(true, bad(200, 1), "unavailable (bad_answer)");
    check(true, Reply::json(200, "<html>"), "unavailable (bad_answer)");
    check(false, bad(404, 7003), "rejected (unknown_zone)");
    check(false, bad(400, 9005), "rejected (dns_failed)");
    check(false, bad(429, 971), "unavailable (dns_failed)");
    check(false, bad(502, 0), "unknown outcome (dns_failed)");
    check(false, bad(200, 1), "unknown outcome (dns_failed)");
    check(false, Reply::no_answer(), "unknown outcome (no_answer)");
    Http::on("GET", ZONES, bad(429, 971).header("retry-after", "300"));
    let Err(Failure::Unavailable(it)) = apply(&[record("TXT", &["x"], true)]) else { panic!("not unavailable") };
    assert_eq!(it.retry_after_ms, Some(300_000));
}

#[test]
fn it_passes_the_conformance_suite_with_and_without_batches() {
    for batches in [true, false] {
        dns_conformance::run(&mut simulation::Simulation::start(batches));
    }
}
