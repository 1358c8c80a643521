//! A run that nothing will wake is made visible, with what is wrong with it; the others go on.

use end_to_end_tests::harness::{Lab, until};
use serde_json::json;

use super::{held, order, setup};

#[test]
fn a_run_whose_journal_is_damaged_is_listed_as_stuck_and_the_others_go_on() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    lab.switch("activation", "delay", json!({"method": "POST", "ms": 600_000}));
    let id = host.submit(&order("fibre-100"));
    until("the call", || lab.asked("activation", "POST") == 1);
    host.kill();
    // As a disk that forgets does it: one byte of one record.
    let damage = "UPDATE journal SET payload = CAST(substr(payload, 1, length(payload) - 1) || x'7e' AS BLOB) WHERE run_id = ?1 AND seq = 2";
    let store = rusqlite::Connection::open(host.database()).unwrap();
    assert_eq!(store.execute(damage, [&id]).unwrap(), 1);
    drop(store);
    host.restart();

    until("the run", || host.type_in(&["run", "list", "--state", "stuck", "--json"]).json() != json!([]));
    let stuck = host.type_in(&["run", "list", "--state", "stuck", "--json"]).json();
    assert_eq!((&stuck[0]["run"], &stuck[0]["state"], stuck.as_array().unwrap().len()), (&json!(id), &json!("stuck"), 1));
    host.type_in(&["run", "list", "--state", "stuck"]).good(&[&id, "stuck", "calling activate[0]"]);
    let damaged = format!("of run {id} is damaged: its checksum is ");
    for command in ["show", "trace"] {
        host.type_in(&["run", command, &id]).bad(1, &[&damaged]);
    }
    host.type_in(&["run", "resolve", &id, "fail", "--by", "ann", "--note", "n"]).bad(1, &["the run could not be brought into memory"]);
    assert!(host.log().contains(&damaged), "{}", host.log());
    // What is seen of the order is as it was; other orders go on and can be decided about.
    assert_eq!(host.order(&id)["state"], "inProgress");
    host.wait(&host.submit(&order("fibre-100")), &["completed"]);
    lab.switch("billing", "fail", json!({"method": "POST", "status": 422}));
    let other = held(&host, "fibre-100");
    assert_eq!(host.type_in(&["run", "list", "--state", "held", "--json"]).json()[0]["run"], json!(other));
}
