//! Commands against a host that runs: orders, runs, decisions, tokens.

use serde_json::{Value, json};

use crate::support::{Place, Serving};

/// A host without plugins: every order is held at its first step, because nothing answers its contract.
fn held() -> (Place, Serving, String) {
    let place = Place::new();
    place.write("order.json", include_str!("order.json"));
    let serving = place.serve();
    let submitted = place.run(&["order", "submit", "order.json", "--idempotency-key", "k", "--wait", "--json"]);
    // A held order is not what was waited for.
    let order: Value = serde_json::from_str(&submitted.out()).unwrap();
    assert_eq!(order["state"], "held", "{}", submitted.err());
    assert!(submitted.err().contains("the order waits for a person: `jackfield run show"), "{}", submitted.err());
    let id = order["id"].as_str().unwrap().to_owned();
    (place, serving, id)
}

#[test]
fn an_order_is_submitted_shown_listed_and_found_again() {
    let (place, _serving, id) = held();
    let again = place.run(&["order", "submit", "order.json", "--idempotency-key", "k"]).good();
    assert_eq!(again, format!("order {id} was submitted before and is held\n"));
    let shown = place.run(&["order", "show", &id]).good();
    for part in [id.as_str(), "held", "ext-1", "fiber-100"] {
        assert!(shown.contains(part), "{shown}");
    }
    let listed = place.run(&["order", "list", "--state", "held"]).good();
    assert!(listed.starts_with("ID ") && listed.contains(&id), "{listed}");
    assert_eq!(place.run(&["order", "list", "--state", "completed", "--json"]).json(), json!([]));

    place.write("other.json", include_str!("order.json").replace("ext-1", "ext-2"));
    place.run(&["order", "submit", "other.json", "--idempotency-key", "k"]).bad(5, &["the key was used for another order", &id]);
    place.write("bad.json", r#"{"productOrderItem": []}"#);
    place.run(&["order", "submit", "bad.json"]).bad(5, &["productOrderItem"]);
    place.run(&["order", "submit", "none.json"]).bad(1, &["none.json cannot be read"]);
    place.run(&["order", "show", "nobody"]).bad(4, &["there is no product order `nobody`"]);
}

#[test]
fn a_held_run_is_explained_traced_and_resolved() {
    let (place, _serving, id) = held();
    let runs = place.run(&["run", "list", "--state", "held", "--json"]).json();
    assert_eq!(runs[0]["run"], json!(id));
    assert_eq!(place.run(&["run", "list", "--state", "stuck", "--json"]).json(), json!([]));

    let shown = place.run(&["run", "show", &id]).good();
    for part in [
        "state       held",
        "step        decompose",
        "nothing is bound to contract jackfield:order/catalog@1",
        "a person to resolve fallout 1",
        "these fit: retry, ",
        "jackfield run resolve",
    ] {
        assert!(shown.contains(part), "expected: {part}\nfound: {shown}");
    }
    let trace = place.run(&["run", "trace", &id]).good();
    for part in ["bss.order.lifecycle", "so far", "OPEN", "└─ bss.order.decompose", "ERROR"] {
        assert!(trace.contains(part), "expected: {part}\nfound: {trace}");
    }

    place.run(&["run", "resolve", &id, "fail", "--by", "ann", "--note", "n", "--fallout", "7"]).bad(5, &["7"]);
    place.run(&["run", "resolve", &id, "fail", "--by", "ann", "--note", "nobody will ever decompose it"]).good();
    let summary = place.run(&["run", "show", &id, "--json"]).json();
    assert_eq!((&summary["state"], &summary["fallouts"][0]["resolved"]["by"]), (&json!("ended"), &json!("ann")));
    let trace = place.run(&["run", "trace", &id]).good();
    assert!(!trace.contains("OPEN"), "{trace}");
    assert_eq!(place.run(&["order", "show", &id, "--json"]).json()["state"], "failed");
    place.run(&["run", "resolve", &id, "fail", "--by", "ann", "--note", "again"]).bad(5, &["open fallouts"]);
    place.run(&["run", "show", "01890a5d-ac96-774b-bcce-b302099a8057"]).bad(4, &["there is no run"]);
}

#[test]
fn a_token_opens_the_interface_when_the_configuration_has_its_hash() {
    let made = Place::new().run(&["token", "new", "ann", "--json"]).json();
    let place = Place::with(&format!("[tokens]\nann = \"{}\"\n", made["blake3"].as_str().unwrap()));
    let _serving = place.serve();
    place.write("token", made["token"].as_str().unwrap());
    place.write("guess", "guess");
    assert_eq!(place.run(&["run", "list", "--token-file", "token", "--json"]).json(), json!([]));
    place.run(&["run", "list", "--token-file", "guess"]).bad(5, &["the host does not know the token"]);
}
