//! Plugins are swapped under the real binary: installed, activated, tried as canaries, taken back, quarantined, with orders coming in all the while.
#![allow(clippy::unwrap_used, reason = "tests")]

mod canary;
mod expiry;
mod gates;
mod grants;
mod load;
mod moves;
mod quarantine;
mod receipts;
mod service;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use end_to_end_tests::harness::{Host, Lab, Setup, orders as shop, plugin};
use serde_json::{Value, json};

/// A host with all plugins, enough in the pools for every test, and short pauses between attempts.
fn setup(lab: &Lab) -> Setup {
    let pools = json!({
        "port": {"element": "olt-1", "count": 4096},
        "ipv4": {"element": "bng-1", "cidr": "10.64.0.0/20"},
        "equipment": {"element": "warehouse", "count": 4096},
    });
    let steps = shop::STEPS.map(|step| format!("[orders.{step}]\nretry_initial_ms = 20\nmax_attempts = 20"));
    shop::all_plugins(lab, &pools).config(&steps.join("\n"))
}

fn order() -> Value {
    shop::order("fibre-100")
}

/// Orders that clients send, as fast as each is answered, while something is done; `most` bounds those of a client.
fn selling(host: &Host, clients: usize, most: usize, meanwhile: impl FnOnce()) -> Vec<String> {
    let done = AtomicBool::new(false);
    let client = || {
        let going = || !done.load(Ordering::Relaxed);
        (0..most).take_while(|_| going()).map(|_| host.submit(&order())).collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..clients).map(|_| scope.spawn(client)).collect();
        meanwhile();
        done.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|orders| orders.join().unwrap()).collect()
    })
}

/// A plugin as it was built, but for its version. The text has the same length, so nothing else in the file changes.
fn versioned(name: &str, version: &str) -> Vec<u8> {
    let mut bytes = std::fs::read(plugin(name)).unwrap();
    let (old, new) = (&br#""version":"0.1.0""#[..], format!(r#""version":"{version}""#));
    assert_eq!(old.len(), new.len());
    let places: Vec<usize> = (0..bytes.len() - old.len()).filter(|at| bytes[*at..].starts_with(old)).collect();
    assert!(!places.is_empty(), "{name} has no manifest of version 0.1.0");
    // The text stands in the manifest's section, and where the compiler keeps constants.
    for at in places {
        bytes[at..at + old.len()].copy_from_slice(new.as_bytes());
    }
    bytes
}

/// The file of such a plugin in the host's directory.
fn file(host: &Host, name: &str, version: &str) -> PathBuf {
    let path = host.directory().join(format!("{name}-{version}.wasm"));
    std::fs::write(&path, versioned(name, version)).unwrap();
    path
}

/// Installs a version of a plugin; its digest.
fn install(host: &Host, name: &str, version: &str) -> String {
    let path = file(host, name, version);
    let answer = host.type_in(&["plugin", "install", path.to_str().unwrap(), "--json"]).json();
    answer["plugin"]["digest"].as_str().unwrap().to_owned()
}

/// The digest that a step of a run is pinned to.
fn digest_of(host: &Host, run: &str, step: &str) -> String {
    pinned(&host.run(run), step)
}

/// The same of a run that has been looked at.
fn pinned(run: &Value, step: &str) -> String {
    let records = &run["records"];
    let scheduled = |record: &&Value| record["event"]["kind"] == "step-scheduled" && record["event"]["step"] == step;
    let record = records.as_array().unwrap().iter().find(scheduled).unwrap_or_else(|| panic!("{step} is not scheduled: {records:#}"));
    record["event"]["items"][0]["pin"]["provider"]["plugin"]["digest"].as_str().unwrap().to_owned()
}

/// The revision that a run began with.
fn revision_of(host: &Host, run: &str) -> String {
    host.run(run)["records"][0]["event"]["revision"].as_str().unwrap().to_owned()
}

/// The standing of an installed plugin, by the first digits of its digest.
fn standing(host: &Host, digest: &str) -> Value {
    let list = host.type_in(&["plugin", "list", "--json"]).json();
    let found = list["plugins"].as_array().unwrap().iter().find(|plugin| plugin["digest"] == digest);
    found.map_or(Value::Null, |plugin| plugin["standing"].clone())
}

/// The actions of the audit trail with who did each.
fn audit(host: &Host) -> Vec<(String, String)> {
    let entries = host.type_in(&["audit", "list", "--limit", "1000", "--json"]).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    entries.as_array().unwrap().iter().map(|entry| (text(&entry["by"]), text(&entry["action"]))).collect()
}
