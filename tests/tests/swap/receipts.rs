//! A receipt of a later contract version is not given to a version that would lose part of it.

use std::fs;

use end_to_end_tests::{
    harness::{Host, Said, Setup, orders, until},
    runtime::{Core, component, inventory_manifest, order_files},
};
use serde_json::{Value, json};

use super::digest_of;

/// A version of `acme-pool` that is built from an inventory contract whose receipt has one more field, `rack`.
fn with_racks(version: &str) -> Vec<u8> {
    let mut files = order_files();
    for (name, text) in &mut files {
        *text = text.replace("package jackfield:order@1.1.0;", "package jackfield:order@1.2.0;");
        if name.ends_with("inventory.wit") {
            let receipt = "record receipt { id: string, resource-type: string, service: string, network-element: string, \
                characteristics: list<characteristic>, rack: option<string> }";
            *text = text.replace("type receipt = %resource;", receipt).replace("service-spec, %resource}", "service-spec}");
        }
    }
    let mut manifest = inventory_manifest();
    manifest["version"] = json!(version);
    component(&files, &[], "", Core::Text(include_str!("racks.wat")), &manifest)
}

fn repin(host: &Host, run: &str, from: &str, to: &str, more: &[&str]) -> Said {
    host.type_in(&[&["plugin", "repin", "--run", run, "--from", from, "--to", to, "--note", "4711"], more].concat())
}

fn records(host: &Host, run: &str) -> Vec<Value> {
    host.run(run)["records"].as_array().unwrap().clone()
}

#[test]
fn a_receipt_with_a_field_that_the_other_version_does_not_declare_is_not_moved() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("acme-pool.wasm");
    fs::write(&file, with_racks("1.0.0")).unwrap();
    let setup = Setup::default().config("[bindings]\n\"jackfield:order/inventory@1\" = \"acme-pool\"");
    let host = setup.plugin("noop", Value::Null).plugin("acme-pool", Value::Null).instead("acme-pool", &file).start();
    let mut order = orders::order("fibre-100");
    order["relatedParty"] = json!([{"id": "waits", "role": "customer", "@referredType": "Individual"}]);
    let run = host.submit(&order);
    until("a pending activation", || host.run(&run).to_string().contains("job-1"));
    let from = digest_of(&host, &run, orders::STEPS[1]);
    assert!(json!(records(&host, &run)).to_string().contains(r#""rack":"rack-7""#), "{:#}", host.run(&run));

    let moved = |host: &Host| records(host, &run).iter().filter(|record| record["event"]["kind"] == "pin-changed").count();
    let trail = |host: &Host| host.type_in(&["audit", "list", "--json"]).json().as_array().unwrap().len();
    let entries = trail(&host);
    // What did something is moved only expressly, and then to nobody who knows no racks: `noop` speaks 1.1.
    repin(&host, &run, &from, "noop@0.1.0", &["--dry-run"]).bad(5, &["--include-done"]);
    let reason = ["step allocate_inventory item 0: the output does not fit noop 0.1.0: $.rack: unknown field"];
    repin(&host, &run, &from, "noop@0.1.0", &["--include-done", "--dry-run"]).bad(5, &reason);
    assert_eq!(trail(&host), entries, "a dry run leaves nothing");
    repin(&host, &run, &from, "noop@0.1.0", &["--include-done"]).bad(5, &reason);
    assert_eq!(moved(&host), 0);

    // A version that declares the field takes it.
    fs::write(host.directory().join("next.wasm"), with_racks("1.1.0")).unwrap();
    host.type_in(&["plugin", "install", "next.wasm"]).good(&["acme-pool@1.1.0 installed"]);
    host.type_in(&["plugin", "activate", "acme-pool@1.1.0"]).good(&["is in service"]);
    repin(&host, &run, &from, "acme-pool@1.1.0", &["--include-done", "--dry-run"]).good(&["1 items would be moved"]);
    repin(&host, &run, &from, "acme-pool@1.1.0", &["--include-done"]).good(&["1 items moved"]);
    assert_eq!(moved(&host), 1);
}
