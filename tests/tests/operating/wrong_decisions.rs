//! Decisions that cannot be carried out: each is refused with its reason, and the run is as it was.

use std::fs;

use end_to_end_tests::harness::{Lab, Setup, until};
use serde_json::{Value, json};

use super::{held, setup};

#[test]
fn a_decision_that_cannot_be_carried_out_is_refused_and_changes_nothing() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    lab.switch("billing", "fail", json!({"method": "POST", "status": 422, "count": 0}));
    let id = held(&host, "fibre-100");
    let before = host.run(&id)["records"].clone();
    let file = |name: &str, text: &str| fs::write(host.directory().join(name), text).unwrap();
    file("text.json", "no json");
    file("empty.json", "{}");
    file("date.json", r#"{"account": "a", "plan": "p", "effective-date": "tomorrow"}"#);
    file("large.json", &json!("x".repeat(2 << 20)).to_string());
    let refused = |words: &[&str], code: i32, parts: &[&str]| {
        host.type_in(&[&["run", "resolve"], words, &["--by", "ann", "--note", "n"]].concat()).bad(code, parts);
    };
    refused(&["01890a5d-ac96-774b-bcce-b302099a8057", "retry"], 4, &["there is no run `01890a5d-ac96-774b-bcce-b302099a8057`"]);
    refused(&["nobody", "retry"], 4, &["there is no run `nobody`"]);
    refused(&[&id, "forget"], 2, &["invalid value 'forget'", "retry, retry-with, skip-with, cancel, fail"]);
    refused(&[&id, "retry-with"], 2, &["retry-with needs a file with the JSON to use"]);
    refused(&[&id, "cancel", "empty.json"], 2, &["cancel takes no file, but `empty.json` is given"]);
    refused(&[&id, "skip-with", "none.json"], 1, &["none.json cannot be read: No such file"]);
    refused(&[&id, "skip-with", "."], 1, &[". cannot be read: Is a directory"]);
    refused(&[&id, "skip-with", "text.json"], 1, &["text.json is not JSON: expected ident at line 1 column 2"]);
    refused(&[&id, "skip-with", "large.json"], 1, &["large.json has more than 1048576 bytes"]);
    refused(&[&id, "skip-with", "empty.json"], 5, &["the output does not fit step `billing_setup`", "expected a date YYYY-MM-DD"]);
    refused(&[&id, "skip-with", "date.json"], 5, &["the output does not fit step `billing_setup`", "`tomorrow`: expected a date YYYY-MM-DD"]);
    refused(
        &[&id, "cancel"],
        5,
        &["the run has passed its point of no return and cannot be cancelled: expected retry, retry-with, skip-with or fail"],
    );
    refused(&[&id, "retry", "--fallout", "7"], 5, &["fallout 7 is not open"]);
    host.type_in(&["run", "resolve", &id, "retry", "--by", "", "--note", "n"])
        .bad(5, &["the name of who decides has 0 characters: expected 1 to 128"]);
    host.type_in(&["run", "resolve", &id, "retry", "--by", "ann"]).bad(2, &["--note <TEXT>"]);
    assert_eq!(host.run(&id)["records"], before);

    lab.switch("billing", "reset", json!({}));
    host.type_in(&["run", "resolve", &id, "retry", "--by", "ann", "--note", "n", "--json"]).json();
    host.wait(&id, &["completed"]);
    refused(&[&id, "retry"], 5, &[&format!("run {id} has no open fallouts: there is nothing to decide")]);
    refused(&[&id, "retry", "--fallout", "1"], 5, &["fallout 1 is not open"]);
}

#[test]
fn the_interface_refuses_what_is_no_decision_with_what_was_expected() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    lab.switch("element", "fail", json!({"method": "PUT", "status": 400, "count": 0}));
    let id = held(&host, "fibre-100");
    let before = host.run(&id)["records"].clone();
    let refused = |run: &str, body: &str, status: u16, part: &str| {
        let answer = host.request("POST", &format!("/api/v1/runs/{run}/resolve"), &[], body);
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        assert!(answer.body["error"].as_str().is_some_and(|error| error.contains(part)), "{body}: {}", answer.body);
    };
    let decision = |resolution: Value| json!({"resolution": resolution, "note": "n"}).to_string();
    refused(&id, "", 400, "the decision cannot be read: EOF");
    refused(&id, "[]", 400, "the decision cannot be read: ");
    refused(&id, r#"{"resolution": {"action": "retry"}, "because": "n"}"#, 400, "unknown field `because`, expected one of");
    refused(&id, &decision(json!({"action": "forget"})), 400, "unknown variant `forget`, expected one of");
    refused(&id, &decision(json!({"action": "skip-with", "with": {}})), 409, "`skip-with` does not fit a fallout of kind `unwound`");
    refused(
        &id,
        &decision(json!({"action": "retry-with", "with": {}})),
        400,
        "what is supplied cannot be used: the request of step `decompose` cannot be made",
    );
    refused("01890a5d-ac96-774b-bcce-b302099a8057", &decision(json!({"action": "retry"})), 404, "there is no run");
    refused(&id, &json!({"resolution": {"action": "retry"}, "note": "n".repeat(5000)}).to_string(), 400, "expected at most 4096");
    assert_eq!(host.run(&id)["records"], before);
    // Whoever is not named is the owner of the token.
    assert_eq!(host.request("POST", &format!("/api/v1/runs/{id}/resolve"), &[], &decision(json!({"action": "cancel"}))).status, 204);
    host.wait(&id, &["cancelled"]);
    let records = host.run(&id)["records"].clone();
    assert_eq!(records.as_array().unwrap().iter().find(|record| record["event"]["kind"] == "fallout-resolved").unwrap()["event"]["by"], "admin");
}

#[test]
fn an_output_that_the_next_step_cannot_use_is_refused() {
    // Without plugins every order is held at its first step.
    let host = Setup::default().start();
    let id = held(&host, "fibre-100");
    let send = |with: Value| {
        let body = json!({"resolution": {"action": "skip-with", "with": with}, "note": "n"}).to_string();
        let answer = host.request("POST", &format!("/api/v1/runs/{id}/resolve"), &[], &body);
        (answer.status, answer.body["error"].as_str().unwrap_or_default().to_owned())
    };
    let (status, error) = send(json!({"services": [{"name": "access"}]}));
    assert!(status == 400 && error.contains("the request of step `allocate_inventory` cannot be made"), "{status} {error}");
    assert!(error.contains("missing field `resource-type`"), "{error}");
    assert_eq!(send(json!({"services": [{"name": "access", "resource-type": "port", "characteristics": []}]})).0, 204);
    // The run has gone on, to the next step that nothing is bound to.
    until("the next fallout", || host.run(&id)["open_fallouts"][0]["step"] == "allocate_inventory");
}
