//! What is under way is moved, what is not needed is removed, and what would happen is explained.

use end_to_end_tests::harness::{Host, Lab, orders::STEPS, plugin, until};
use serde_json::{Value, json};

use super::{digest_of, install, order, setup, standing};

/// The fate of each plugin: kept or free.
fn fates(host: &Host) -> Vec<(String, bool)> {
    let answer = host.type_in(&["plugin", "gc", "--json"]).json();
    let fate = |fate: &Value| (fate["plugin"]["digest"].as_str().unwrap().to_owned(), !fate["kept"].as_array().unwrap().is_empty());
    answer["plugins"].as_array().unwrap().iter().map(fate).collect()
}

fn kept(host: &Host, digest: &str) -> Option<bool> {
    fates(host).into_iter().find(|(known, _)| known == digest).map(|(_, kept)| kept)
}

#[test]
fn what_a_live_run_or_a_receipt_needs_is_kept_and_the_rest_goes() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    let spare = install(&host, "activation-tmf640", "0.1.9");
    let versions = ["0.2.0", "0.3.0", "0.4.0", "0.5.0"].map(|version| install(&host, "activation-tmf640", version));
    let activate = |version: &str| host.type_in(&["plugin", "activate", &format!("activation-tmf640@{version}")]).good(&[]).to_owned();
    // A run that lives on the second version, and one that has ended on the third and could be taken back.
    activate("0.2.0");
    lab.switch("activation", "outcome", json!({"result": "active", "ms": 600_000}));
    let live = host.submit(&order());
    until("the activation", || lab.effects("activation", "created") == 1);
    lab.switch("activation", "outcome", json!({"result": "active", "ms": 0, "count": 0}));
    activate("0.3.0");
    let ended = host.submit(&order());
    host.wait(&ended, &["completed"]);
    activate("0.4.0");
    activate("0.5.0");

    let reasons = ["it is current", "`plugin rollback` goes back to it", "runs need it", "`jackfield plugin gc --remove`"];
    host.type_in(&["plugin", "gc"]).good(&reasons);
    assert_eq!(kept(&host, &spare), Some(false), "installed, never bound, and not the last of its name");
    for digest in &versions {
        assert_eq!(kept(&host, digest), Some(true));
    }
    host.type_in(&["plugin", "remove", "activation-tmf640@0.2.0"]).bad(5, &["is needed: ", "1 runs need it"]);
    host.type_in(&["plugin", "remove", "activation-tmf640@0.3.0"]).bad(5, &["is needed: ", "of runs that go on or that could be taken back"]);
    host.type_in(&["plugin", "gc", "--remove", "--by", "ann"]).good(&["removed", "nothing needs it"]);
    assert_eq!((kept(&host, &spare), standing(&host, &spare)), (None, Value::Null));
    host.type_in(&["plugin", "gc", "--remove"]).good(&["kept"]);

    // What was kept is what is called: the live run goes on with the version that it began with, over a restart.
    host.kill_and_restart();
    lab.switch("activation", "finish", json!({}));
    host.wait(&live, &["completed"]);
    assert_eq!(digest_of(&host, &live, STEPS[3]), versions[0]);
    // Taken back by the digest that did it, after it has left the bindings.
    assert_eq!(lab.effects("activation", "deleted"), 0);
    host.type_in(&["run", "undo", &ended, "--by", "ann", "--note", "returned"]).good(&[]);
    until("the undo", || lab.effects("activation", "deleted") == 1);
    until("the end", || kept(&host, &versions[1]) == Some(false));
    host.type_in(&["plugin", "remove", "activation-tmf640@0.3.0"]).good(&["removed activation-tmf640@0.3.0"]);
}

#[test]
fn items_at_rest_are_moved_where_the_other_version_understands_them() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    let probe = host.submit(&order());
    host.wait(&probe, &["completed"]);
    let old = digest_of(&host, &probe, STEPS[4]);
    let new = install(&host, "billing-rest", "0.2.0");
    host.type_in(&["plugin", "quarantine", &old, "--reason", "it bills twice"]).good(&[]);
    let held = host.submit(&order());
    host.wait(&held, &["held"]);
    let repin = |arguments: &[&str]| host.type_in(&[&["plugin", "repin", "--from", &old[..], "--note", "4711"], arguments].concat());
    repin(&["--to", "billing-rest@0.2.0", "--all"]).bad(5, &["is not bound, so nothing says what it may reach: activate it first"]);
    host.type_in(&["plugin", "activate", "billing-rest@0.2.0"]).good(&[]);
    repin(&["--to", "billing-rest@0.2.0"]).bad(2, &["--run <RUN>|--all"]);
    repin(&["--to", "billing-rest@0.2.0", "--run", &probe]).bad(5, &["the run is over"]);
    repin(&["--to", "billing-rest@0.2.0", "--run", &held.replace('0', "1")]).bad(4, &["there is no run"]);

    let other = plugin("noop");
    host.type_in(&["plugin", "install", other.to_str().unwrap()]).good(&[]);
    let bindings = r#""jackfield:order/provisioning@1" = "noop""#;
    std::fs::write(host.directory().join("b.toml"), bindings).unwrap();
    host.type_in(&["binding", "set", "b.toml"]).good(&[]);
    let head = |run: &str| host.run(run)["records"].as_array().unwrap().len();
    let before = head(&held);
    repin(&["--to", "billing-rest@0.2.0", "--run", &held, "--dry-run"]).good(&[
        "billing_setup/0",
        "would be moved",
        "1 items would be moved; nothing has changed",
    ]);
    assert_eq!(head(&held), before);
    // A plugin that does not answer the contract does not fit.
    let foreign = ["--to", "inventory-pool@0.1.0", "--run", &held[..]];
    repin(&foreign).bad(5, &["step billing_setup item 0: the request does not fit inventory-pool 0.1.0", "does not answer"]);
    assert_eq!(head(&held), before);

    repin(&["--to", "billing-rest@0.2.0", "--all", "--by", "ann"]).good(&["1 items moved"]);
    host.type_in(&["run", "resolve", &held, "retry", "--by", "ann", "--note", "moved"]).good(&[]);
    host.wait(&held, &["completed"]);
    let calls: Vec<Value> = host.run(&held)["records"].as_array().unwrap().iter().map(|record| record["event"].clone()).collect();
    let moved = calls.iter().find(|event| event["kind"] == "pin-changed").unwrap();
    assert_eq!((&moved["pin"]["provider"]["plugin"]["digest"], &moved["by"], &moved["note"]), (&json!(new), &json!("ann"), &json!("4711")));
    assert_eq!(lab.effects("billing", "created"), 2);
    let last = host.type_in(&["audit", "list", "--limit", "1", "--json"]).json()[0].clone();
    assert_eq!((last["action"].as_str(), &last["after"]["moved"]), (Some("repin"), &json!(1)));
    let told = json!([{"run": held, "items": ["billing_setup/0"], "moved": 1, "refused": null}]);
    assert_eq!((&last["after"]["runs"], &last["after"]["stopped"]), (&told, &Value::Null));
}

#[test]
fn the_bindings_of_an_order_are_explained() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    install(&host, "billing-rest", "0.2.0");
    install(&host, "inventory-pool", "0.2.0");
    let bindings = r#"
"jackfield:order/inventory@1" = [
    { plugin = "inventory-pool" },
    { when = { resource-type = "port" }, plugin = "inventory-pool@0.2.0" },
    { when = { customer-class = "individual" }, plugin = "inventory-pool@0.2.0" },
    { when = { resource-type = "port", customer-class = "individual" }, plugin = "inventory-pool@0.2.0" },
]
"jackfield:order/catalog@1" = [{ plugin = "catalog-tmf633" }, { when = { product = ["fibre-100"] }, plugin = "catalog-tmf633" }]
"jackfield:order/billing@1" = [{ weights = { "billing-rest@0.1.0" = 75, "billing-rest@0.2.0" = 25 } }]
"#;
    std::fs::write(host.directory().join("b.toml"), bindings).unwrap();
    host.type_in(&["binding", "set", "b.toml"]).good(&[]);
    std::fs::write(host.directory().join("order.json"), order().to_string()).unwrap();
    expect_test::expect_file!["explained.txt"].assert_eq(host.type_in(&["binding", "explain", "order.json"]).good(&[]));
    std::fs::write(host.directory().join("bad.json"), "{}").unwrap();
    host.type_in(&["binding", "explain", "bad.json"]).bad(5, &["productOrderItem"]);
    // For a run that is named the shares are decided.
    let run = host.submit(&order());
    host.wait(&run, &["completed"]);
    let steps = host.type_in(&["binding", "explain", "order.json", "--run", &run, "--json"]).json();
    let chosen = steps[4]["rules"][0]["choices"].as_array().unwrap().iter().find(|choice| choice["chosen"] == true).unwrap().clone();
    assert_eq!(chosen["pin"]["provider"]["plugin"]["digest"], digest_of(&host, &run, STEPS[4]));
}
