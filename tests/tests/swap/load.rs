//! A hundred activations, one after the other, while orders come in: none fails, nothing is done twice, and each run stays with one table.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use end_to_end_tests::harness::{Host, Lab, orders::STEPS, until};
use serde_json::{Value, json};

use super::{digest_of, install, order, pinned, revision_of, selling, setup};

/// How many activations there are.
const SWAPS: usize = 100;

/// The plugin that is swapped, and the two versions.
const PLUGIN: &str = "billing-rest";

/// Makes one activation over HTTP; the hash of the table that is current then, and the digest that answers in it.
fn activate(host: &Host, version: &str) -> (String, String) {
    let body = json!({"plugin": format!("{PLUGIN}@{version}")}).to_string();
    let answer = host.request("POST", "/api/v1/plugins/activate", &[], &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let choice = answer.body["bindings"]["contracts"]["jackfield:order/billing@1"][0]["choices"][0].clone();
    assert_eq!(choice["version"], version, "{}", answer.body);
    let current = host.request("GET", "/api/v1/bindings", &[], "").body["revision"].clone();
    (current.as_str().unwrap().to_owned(), choice["digest"].as_str().unwrap().to_owned())
}

/// Every order has ended well, on the table that it began with, and has had each effect once.
fn check(host: &Host, lab: &Lab, orders: &[String], tables: &BTreeMap<String, String>) {
    for id in orders {
        host.wait(id, &["completed"]);
        let run = host.run(id);
        let (revision, digest) = (run["records"][0]["event"]["revision"].as_str().unwrap().to_owned(), pinned(&run, STEPS[4]));
        assert_eq!(tables.get(&revision), Some(&digest), "run {id} is on table {revision}");
        let mut named = BTreeSet::new();
        revisions(&run["records"], &mut named);
        assert_eq!(named, BTreeSet::from([revision]), "run {id} and all its items are on one table");
    }
    for back_end in ["billing", "activation"] {
        assert_eq!((lab.effects(back_end, "created"), lab.effects(back_end, "deleted")), (orders.len(), 0), "{back_end}");
    }
}

/// Every revision that is named anywhere in a journal.
fn revisions(value: &Value, named: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            named.extend(fields.get("revision").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| revisions(field, named));
        }
        Value::Array(list) => list.iter().for_each(|element| revisions(element, named)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// How many calls of a version run and wait now.
fn calls(host: &Host, digest: &str) -> (u64, u64) {
    let list = host.request("GET", "/api/v1/plugins", &[], "").body;
    let plugin = list["plugins"].as_array().unwrap().iter().find(|plugin| plugin["digest"] == digest).unwrap();
    (plugin["running"].as_u64().unwrap(), plugin["waiting"].as_u64().unwrap())
}

#[test]
fn a_hundred_swaps_under_load_fail_no_order_and_repeat_no_effect() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    let first = activate_first(&host);
    let mut tables = BTreeMap::from([first]);
    let mut probes = Vec::new();
    let mut orders = selling(&host, 2, 1_000, || {
        for swap in 0..SWAPS {
            let version = if swap % 2 == 0 { "0.2.0" } else { "0.1.0" };
            let (revision, digest) = activate(&host, version);
            // The first run after an activation is on the new table.
            let probe = host.submit(&order());
            assert_eq!(revision_of(&host, &probe), revision, "swap {swap}");
            tables.insert(revision, digest.clone());
            probes.push((probe, digest));
        }
    });
    assert_eq!(tables.len(), 2, "two versions make two tables, whatever their numbers: {tables:?}");
    assert!(orders.len() >= SWAPS, "{} orders beside the probes", orders.len());
    orders.extend(probes.iter().map(|(probe, _)| probe.clone()));
    check(&host, &lab, &orders, &tables);
    for (swap, (probe, digest)) in probes.iter().enumerate() {
        assert_eq!(digest_of(&host, probe, STEPS[4]), *digest, "the first run after swap {swap} is served by the new version");
    }
    assert_eq!(host.type_in(&["binding", "list", "--json"]).json()["history"][0]["number"], json!(SWAPS + 1));
    let versions: Vec<&String> = tables.values().collect();
    assert_eq!([calls(&host, versions[0]), calls(&host, versions[1])], [(0, 0); 2], "no instance is left");

    // A call in flight ends on the instance that it has, and then nothing of the version that was swapped away is left.
    lab.switch("billing", "delay-answer", json!({"ms": 3_000}));
    let slow = host.submit(&order());
    let old = &probes[SWAPS - 1].1;
    until("the call", || calls(&host, old) == (1, 0));
    let (_, new) = activate(&host, "0.2.0");
    assert_ne!(*old, new);
    host.wait(&slow, &["completed"]);
    assert_eq!((digest_of(&host, &slow, STEPS[4]), lab.effects("billing", "created")), (old.clone(), orders.len() + 1));
    assert_eq!([calls(&host, old), calls(&host, &new)], [(0, 0); 2], "no instance is left");
}

/// The table that the host began with.
fn activate_first(host: &Host) -> (String, String) {
    install(host, PLUGIN, "0.2.0");
    let shown = host.request("GET", "/api/v1/bindings", &[], "").body;
    let digest = shown["contracts"]["jackfield:order/billing@1"][0]["choices"][0]["digest"].as_str().unwrap().to_owned();
    (shown["revision"].as_str().unwrap().to_owned(), digest)
}

#[test]
fn swaps_and_kills_leave_the_old_table_or_the_new_one_and_no_order_is_done_twice() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    let mut tables = BTreeMap::from([activate_first(&host)]);
    let mut orders: Vec<String> = Vec::new();
    for kill in 0..10 {
        for swap in 0..4 {
            orders.push(host.submit(&order()));
            let version = if (kill + swap) % 2 == 0 { "0.2.0" } else { "0.1.0" };
            tables.extend([activate(&host, version)]);
            orders.push(host.submit(&order()));
        }
        // The last one is on its way when the host dies: it is there afterwards, or it is not.
        let url = host.url.clone();
        let token = host.token();
        let version = if kill % 2 == 0 { "0.2.0" } else { "0.1.0" };
        let asked = thread::spawn(move || {
            let body = json!({"plugin": format!("{PLUGIN}@{version}")}).to_string();
            let request = ureq::post(format!("{url}/api/v1/plugins/activate")).header("authorization", format!("Bearer {token}"));
            request.send(body).is_ok()
        });
        thread::sleep(std::time::Duration::from_millis(kill * 3));
        host.kill();
        let answered = asked.join().unwrap();
        host.restart();
        let shown = host.request("GET", "/api/v1/bindings", &[], "").body;
        let choice = &shown["contracts"]["jackfield:order/billing@1"][0]["choices"][0];
        assert!(!answered || choice["version"] == version, "what was acknowledged is there: {shown:#}");
        let revision = shown["revision"].as_str().unwrap();
        assert_eq!(tables.get(revision).map(String::as_str), choice["digest"].as_str(), "a table that was made whole: {shown:#}");
    }
    check(&host, &lab, &orders, &tables);
}
