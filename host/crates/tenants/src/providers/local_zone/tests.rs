//! What DNS plugins must do, done by the embedded one: only what is one's own is changed, and what is there as requested is not written again.

use engine::testing::{MemoryStore, SimClock};
use serde_json::Value;

use super::*;
use crate::providers::testing::Caller;

fn zone() -> Caller<LocalZone> {
    Caller::new(LocalZone::new(Arc::new(MemoryStore::default()), Arc::new(SimClock::default())), LocalZone::pin())
}

fn record(name: &str, kind: &str, values: &[&str], shared: bool) -> Value {
    json!({"name": name, "kind": kind, "ttl": 60, "values": values, "shared": shared})
}

fn request(owner: &str, records: &[Value]) -> Value {
    json!({"owner": owner, "zone": "app.test", "records": records})
}

async fn serial(caller: &Caller<LocalZone>) -> u32 {
    caller.runner.zone("app.test").await.unwrap().serial
}

#[tokio::test]
async fn records_are_written_once_kept_from_others_and_removed() {
    let caller = zone();
    let mine = request("t-1", &[record("acme.app.test", "A", &["127.0.0.1", "127.0.0.2"], false), record("acme.app.test", "AAAA", &["::1"], false)]);
    assert_eq!(caller.observe(&mine).await, Observed::Absent);
    let receipt = caller.receipt(&mine).await;
    assert_eq!(serial(&caller).await, 1);
    assert_eq!(caller.receipt(&mine).await, receipt);
    assert_eq!(serial(&caller).await, 1, "nothing changed");
    assert_eq!(caller.observe(&mine).await, Observed::Ours(receipt.clone()));

    let theirs = request("t-2", &[record("free.app.test", "A", &["127.0.0.9"], false), record("acme.app.test", "A", &["127.0.0.9"], false)]);
    assert_eq!(caller.fails(&theirs).await, "Rejected foreign_record");
    assert_eq!(caller.observe(&theirs).await, Observed::Foreign("t-1".to_owned()));
    let alias = request("t-1", &[record("acme.app.test", "CNAME", &["elsewhere.test"], false)]);
    assert_eq!(caller.fails(&alias).await, "Rejected alias_conflict");
    let other = request("t-1", &[record("acme.app.test", "A", &["127.0.0.3"], false)]);
    assert!(matches!(caller.observe(&other).await, Observed::Drifted(_)));

    let mut never = receipt.clone();
    never["owner"] = json!("t-2");
    caller.undo(&theirs, &never).await;
    assert_eq!(caller.observe(&mine).await, Observed::Ours(receipt.clone()), "another's undo leaves it");
    caller.undo(&mine, &receipt).await;
    assert_eq!(caller.observe(&mine).await, Observed::Absent);
    caller.receipt(&alias).await;
}

#[tokio::test]
async fn shared_values_of_many_are_one_set_and_each_takes_back_its_own() {
    let caller = zone();
    let name = "_acme-challenge.acme.app.test";
    let (one, two) = (request("t-1", &[record(name, "TXT", &["a", "b"], true)]), request("t-2", &[record(name, "TXT", &["b", "c"], true)]));
    let (first, second) = (caller.receipt(&one).await, caller.receipt(&two).await);
    assert_eq!(caller.runner.texts(name).await.unwrap(), ["a", "b", "c"]);
    assert_eq!(caller.fails(&request("t-1", &[record(name, "TXT", &["x"], false)])).await, "Rejected foreign_record");
    caller.undo(&one, &first).await;
    assert_eq!(caller.runner.texts(name).await.unwrap(), ["b", "c"], "what both have stays for the other");
    assert_eq!(caller.observe(&one).await, Observed::Absent);
    assert_eq!(caller.observe(&two).await, Observed::Ours(second.clone()));
    caller.undo(&two, &second).await;
    assert_eq!(caller.runner.texts(name).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_zone_file_has_what_the_zone_has() {
    let caller = zone();
    let long = "x".repeat(300);
    let records = [
        record("acme.app.test", "CNAME", &["lb.example.test"], false),
        record("app.test", "CAA", &["0 issue \"ca.test\""], false),
        record("*.app.test", "A", &["127.0.0.1"], false),
        record("t.app.test", "TXT", &["say \"hi\" \\ \u{fc}", long.as_str()], true),
    ];
    caller.receipt(&request("t-1", &records)).await;
    let (long, rest) = long.split_at(255);
    let expected = format!(
        "$ORIGIN app.test.\napp.test. 3600 IN SOA ns1.app.test. hostmaster.app.test. 1 10800 3600 604800 60\napp.test. 3600 IN NS ns1.app.test.\n\
         app.test. 60 IN CAA 0 issue \"ca.test\"\n*.app.test. 60 IN A 127.0.0.1\nacme.app.test. 60 IN CNAME lb.example.test.\n\
         t.app.test. 60 IN TXT \"say \\\"hi\\\" \\\\ \\195\\188\"\nt.app.test. 60 IN TXT \"{long}\" \"{rest}\"\n"
    );
    assert_eq!(caller.runner.zone_file("app.test").await.unwrap(), expected);
}

#[tokio::test]
async fn what_no_server_would_take_is_refused() {
    let caller = zone();
    let bad = [
        ("acme.other.test", "A", "127.0.0.1", "not_in_zone"),
        ("evilapp.test", "A", "127.0.0.1", "not_in_zone"),
        ("ACME.app.test", "A", "127.0.0.1", "not_in_zone"),
        ("a b.app.test", "A", "127.0.0.1", "not_in_zone"),
        ("acme.app.test", "A", "::1", "bad_record"),
        ("acme.app.test", "AAAA", "127.0.0.1", "bad_record"),
        ("acme.app.test", "CNAME", "x\n@ IN A 1.2.3.4", "bad_record"),
        ("acme.app.test", "TXT", "a\nb", "bad_record"),
        ("acme.app.test", "CAA", "0 issue ca.test", "bad_record"),
        ("acme.app.test", "SOA", "x", "bad_record"),
    ];
    for (name, kind, value, code) in bad {
        assert_eq!(caller.fails(&request("t-1", &[record(name, kind, &[value], false)])).await, format!("Rejected {code}"), "{name} {kind} {value}");
    }
    let a = record("acme.app.test", "A", &["127.0.0.1"], false);
    let alias = record("acme.app.test", "CNAME", &["a.test"], false);
    let lists = [
        vec![],
        vec![a.clone(), a.clone()],
        vec![a.clone(), alias],
        vec![record("a.app.test", "A", &[], false)],
        vec![record("a.app.test", "A", &["127.0.0.1"], true)],
    ];
    for records in lists {
        assert_eq!(caller.fails(&request("t-1", &records)).await, "Rejected bad_record", "{records:?}");
    }
    assert_eq!(caller.fails(&request("t 1", &[a])).await, "Rejected bad_record");
}
