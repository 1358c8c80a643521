//! Looking at runs: what each does, what it waits for, what went wrong, and its trace while it is under way.

use end_to_end_tests::harness::{Lab, until};
use serde_json::{Value, json};

use super::{held, order, setup};

/// The ids of the runs in a list.
fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap()).collect()
}

#[test]
fn a_run_is_found_by_its_state_and_says_what_it_waits_for() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    let ended = host.submit(&order("fibre-100"));
    host.wait(&ended, &["completed"]);
    lab.switch("billing", "fail", json!({"method": "POST", "status": 422}));
    let held = held(&host, "fibre-100");
    // It asks to be left alone for a minute, so the run waits that long for its next attempt.
    lab.switch("catalogue", "fail", json!({"status": 429, "headers": {"retry-after": "60"}}));
    let waiting = host.submit(&order("fibre-100"));
    until("the answer 429", || host.type_in(&["run", "list", "--state", "waiting", "--json"]).json() != json!([]));
    // The activation system does not answer, so a call is under way.
    lab.switch("activation", "delay", json!({"method": "POST", "ms": 600_000}));
    let asked = lab.asked("activation", "POST");
    let active = host.submit(&order("fibre-100"));
    until("the call", || lab.asked("activation", "POST") > asked);

    for (state, id) in [("active", &active), ("waiting", &waiting), ("held", &held), ("ended", &ended)] {
        let list = host.type_in(&["run", "list", "--state", state, "--json"]).json();
        assert_eq!((ids(&list), &list[0]["state"], &list[0]["pipeline"]), (vec![id.as_str()], &json!(state), &json!("order")));
        host.type_in(&["run", "list", "--state", state]).good(&["RUN ", id]);
    }
    assert_eq!(ids(&host.type_in(&["run", "list", "--json"]).json()).len(), 4);
    assert_eq!(host.type_in(&["run", "list", "--json", "--limit", "2"]).json().as_array().unwrap().len(), 2);
    assert_eq!(host.type_in(&["run", "list", "--state", "stuck", "--json"]).json(), json!([]));

    let shown = |id: &str, parts: &[&str]| drop(host.type_in(&["run", "show", id]).good(parts).to_owned());
    shown(&ended, &["state       ended", "reason      completed"]);
    shown(
        &held,
        &[
            "state       held",
            "reason      billing_failed",
            "step        billing_setup",
            "last error  in billing_setup[0]: billing_failed (rejected): ",
            "waits for   a person to resolve fallout 1",
            "these fit: retry, retry-with, skip-with, fail",
            &format!("jackfield run resolve {held} retry --fallout 1 --by NAME --note TEXT"),
        ],
    );
    shown(
        &waiting,
        &[
            "state       waiting",
            "step        decompose",
            "last error  in decompose[0]: bad_catalog (unavailable): ",
            "waits for   the next attempt of decompose[0], due ",
        ],
    );
    shown(&active, &["state       active", "step        activate", "waits for   the call of activate[0], which is being made or will be at once"]);
    let summary = host.type_in(&["run", "show", &held, "--json"]).json();
    assert_eq!(
        (&summary["reason"], &summary["step"], &summary["waits_for"][0]["for"]),
        (&json!("billing_failed"), &json!("billing_setup"), &json!("person"))
    );
    host.type_in(&["run", "show", "01890a5d-ac96-774b-bcce-b302099a8057"]).bad(4, &["there is no run"]);
    host.type_in(&["run", "trace", "nobody"]).bad(4, &["there is no run `nobody`"]);
}

#[test]
fn the_trace_of_a_live_run_has_its_open_spans_marked() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    lab.switch("activation", "delay", json!({"method": "POST", "ms": 600_000}));
    let id = host.submit(&order("fibre-100"));
    until("the call", || lab.asked("activation", "POST") == 1);
    let trace = host.type_in(&["run", "trace", &id, "--json"]).json();
    let spans = trace["spans"].as_array().unwrap();
    let open: Vec<&Value> = spans.iter().filter(|span| span["status"] == "open").map(|span| &span["name"]).collect();
    assert_eq!(open, ["bss.order.lifecycle", "bss.order.activate"]);
    let root = spans.iter().find(|span| span["name"] == "bss.order.lifecycle").unwrap();
    for name in ["bss.order.decompose", "bss.order.allocate_inventory", "bss.order.provision"] {
        let ended = spans.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("{name}: {trace:#}"));
        assert!(ended["end"].is_u64() && ended["parent"] == root["span_id"], "{ended}");
    }
    assert!(spans.iter().filter(|span| span["status"] == "open").all(|span| span["end"].is_null()));
    let drawn = host.type_in(&["run", "trace", &id]).good(&["so far", "└─ bss.order.activate"]).to_owned();
    assert_eq!(drawn.matches("OPEN").count(), 2, "{drawn}");
}
