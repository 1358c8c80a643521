//! Every decision about a run that is held, by the command line and by the interface.

use std::fs;

use end_to_end_tests::harness::{Host, Lab, until};
use serde_json::{Value, json};

use super::{held, setup};

/// Types a decision with a name and a note, and what belongs to it in a file.
fn decide(host: &Host, run: &str, action: &str, with: Option<&Value>) {
    let mut words = vec!["run", "resolve", run, action];
    if let Some(with) = with {
        fs::write(host.directory().join("with.json"), with.to_string()).unwrap();
        words.push("with.json");
    }
    words.extend(["--by", "ann", "--note", "she looked"]);
    host.type_in(&words).good(&[&format!("recorded: {action} by ann; `jackfield run show {run}` shows how the run goes on")]);
}

/// Sends a decision to the interface.
fn send(host: &Host, run: &str, resolution: Value) -> u16 {
    let body = json!({"resolution": resolution, "by": "bob", "note": "by phone"});
    host.request("POST", &format!("/api/v1/runs/{run}/resolve"), &[], &body.to_string()).status
}

/// The request of a step, for a person to start from.
fn request(host: &Host, run: &str, step: &str) -> Value {
    let summary = host.type_in(&["run", "show", run, "--json"]).json();
    let steps = summary["steps"].as_array().unwrap();
    steps.iter().find(|known| known["step"] == step).unwrap()["items"][0]["request"].clone()
}

/// Who resolved the fallouts of a run and why, from its journal.
fn decisions(host: &Host, run: &str) -> Vec<(Value, Value)> {
    let records = host.run(run)["records"].clone();
    let resolved = records.as_array().unwrap().iter().filter(|record| record["event"]["kind"] == "fallout-resolved");
    resolved.map(|record| (record["event"]["by"].clone(), record["event"]["note"].clone())).collect()
}

#[test]
fn a_billing_failure_is_retried_retried_with_another_request_skipped_or_given_up() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    lab.switch("billing", "fail", json!({"method": "POST", "status": 422, "body": "plan-fibre-100\"", "count": 0}));
    let [retried, changed, skipped, failed] = [(); 4].map(|()| held(&host, "fibre-100"));

    // Another plan is accepted: a request that a person changed is another effect, under another key.
    let mut other = request(&host, &changed, "billing_setup");
    assert_eq!(other["plan"], "plan-fibre-100");
    other["plan"] = json!("plan-gift");
    decide(&host, &changed, "retry-with", Some(&other));
    host.wait(&changed, &["completed"]);

    let receipt = json!({"account": "by-hand-7", "plan": "plan-fibre-100", "effective-date": "2031-05-01"});
    assert_eq!(send(&host, &skipped, json!({"action": "skip-with", "with": receipt})), 204);
    host.wait(&skipped, &["completed"]);
    assert_eq!(lab.effects("billing", "created"), 1, "what a person did is not done again");
    host.type_in(&["run", "show", &skipped]).good(&["supplied by a person", "resolved by bob"]);

    decide(&host, &failed, "fail", None);
    host.wait(&failed, &["failed"]);
    assert_eq!(lab.effects("activation", "deleted"), 0, "what is there stays");

    // A cause that is still there holds the run again; when it is gone, the run goes on.
    decide(&host, &retried, "retry", None);
    until("the second fallout", || host.run(&retried)["open_fallouts"][0]["id"] == 2);
    lab.switch("billing", "reset", json!({}));
    assert_eq!(send(&host, &retried, json!({"action": "retry"})), 204);
    host.wait(&retried, &["completed"]);
    let expected = [("ann", "she looked"), ("bob", "by phone")].map(|(by, note)| (json!(by), json!(note)));
    assert_eq!(decisions(&host, &retried), expected);
}

#[test]
fn what_was_unwound_is_tried_again_with_the_same_or_another_input_or_cancelled() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    lab.switch("element", "fail", json!({"method": "PUT", "status": 400, "count": 0}));
    let [again, other, cancelled, failed] = [(); 4].map(|()| held(&host, "fibre-100"));
    let taken_back = lab.effects("element", "deleted");
    assert_eq!(lab.effects("element", "created"), taken_back);

    decide(&host, &cancelled, "cancel", None);
    host.wait(&cancelled, &["cancelled"]);
    assert_eq!(send(&host, &failed, json!({"action": "fail"})), 204);
    host.wait(&failed, &["failed"]);

    lab.switch("element", "reset", json!({}));
    decide(&host, &again, "retry", None);
    host.wait(&again, &["completed"]);

    // The input of the whole run, with another offering.
    let mut input = host.type_in(&["run", "show", &other, "--json"]).json()["input"].clone();
    assert_eq!(input["items"][0]["offering"], "fibre-100");
    input["items"][0]["offering"] = json!("tv");
    assert_eq!(send(&host, &other, json!({"action": "retry-with", "with": input})), 204);
    host.wait(&other, &["completed"]);
    assert_eq!(request(&host, &other, "decompose")["offering"], "tv");
}

#[test]
fn an_activation_that_failed_is_cancelled_or_confirmed_by_a_person() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    lab.switch("activation", "outcome", json!({"result": "test-failed", "count": 0}));
    let [cancelled, confirmed] = [(); 2].map(|()| held(&host, "fibre-100"));
    decide(&host, &cancelled, "cancel", None);
    host.wait(&cancelled, &["cancelled"]);
    let configured = lab.effects("element", "created");
    assert_eq!((lab.effects("activation", "deleted"), lab.effects("element", "deleted")), (1, configured / 2), "everything was taken back");

    decide(&host, &confirmed, "skip-with", Some(&json!({"service-id": "svc-9", "result": "active", "test-passed": true})));
    host.wait(&confirmed, &["completed"]);
    assert_eq!(request(&host, &confirmed, "billing_setup")["service-id"], "svc-9");
}
