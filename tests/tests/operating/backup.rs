//! Backups of a live store, and the way back: the restored store goes on with the runs that were under way.

use std::{fs, os::unix::fs::PermissionsExt};

use end_to_end_tests::harness::{Lab, until};
use serde_json::json;

use super::{held, order, setup};

#[test]
fn a_restored_store_goes_on_with_what_was_under_way() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    let ended = host.submit(&order("fibre-100"));
    host.wait(&ended, &["completed"]);
    lab.switch("billing", "fail", json!({"method": "POST", "status": 422}));
    let held = held(&host, "fibre-100");
    // One waits for its activation to be over, one is in the middle of a call.
    lab.switch("activation", "outcome", json!({"ms": 3_600_000}));
    let pending = host.submit(&order("fibre-100"));
    until("the activation", || host.type_in(&["run", "show", &pending]).out.contains("the time to ask activate[0] again"));
    lab.switch("activation", "delay", json!({"method": "POST", "ms": 600_000}));
    let asked = lab.asked("activation", "POST");
    let calling = host.submit(&order("fibre-100"));
    until("the call", || lab.asked("activation", "POST") > asked);

    host.type_in(&["backup", "copy.db"]).good(&["wrote ", "copy.db"]);
    let copy = host.directory().join("copy.db");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let whole = fs::read(&copy).unwrap();
    host.type_in(&["backup", "copy.db"]).bad(5, &["copy.db` exists already: name a new file"]);
    host.type_in(&["backup", "no/such/directory.db"]).bad(1, &["no/such/directory.db` cannot be written: No such file"]);
    host.type_in(&["backup", "second.db", "--json"]).json();
    host.type_in(&["restore", "copy.db"]).bad(5, &["is open in another process (process id "]);
    // What came after the backup is gone with the store that it was in.
    let late = host.submit(&order("tv"));
    host.kill();
    host.type_in(&["backup", "third.db"]).bad(6, &["cannot be reached"]);
    host.type_in(&["restore", "copy.db"]).bad(5, &["jackfield.db` exists already: move it away first"]);
    fs::rename(host.directory().join("jackfield-data"), host.directory().join("lost")).unwrap();
    host.type_in(&["restore", "absent.db"]).bad(4, &["there is no backup `absent.db`"]);
    fs::write(host.directory().join("half.db"), &whole[..whole.len() / 2]).unwrap();
    host.type_in(&["restore", "half.db"]).bad(1, &["half.db` is damaged", "restore a backup"]);
    fs::write(host.directory().join("text.db"), "no database").unwrap();
    host.type_in(&["restore", "text.db"]).bad(1, &["text.db` is not an SQLite database"]);
    let restored = host.type_in(&["restore", "copy.db", "--json"]).json();
    assert_eq!(restored["store"], json!(host.database()));
    assert_eq!(fs::read(&copy).unwrap(), whole, "a backup is only read");

    host.restart();
    assert_eq!(host.order(&ended)["state"], "completed");
    assert_eq!(host.request("GET", &format!("/api/v1/runs/{late}"), &[], "").status, 404);
    // The activation that is under way is asked about, not begun anew; meanwhile the others end.
    host.type_in(&["run", "resolve", &held, "retry", "--by", "ann", "--note", "repaired"]).good(&[]);
    host.wait(&held, &["completed"]);
    host.wait(&calling, &["completed"]);
    until("the question", || host.type_in(&["run", "show", &pending]).out.contains("the time to ask activate[0] again"));
    host.type_in(&["run", "list", "--state", "stuck"]).good(&[]);
    assert_eq!(host.type_in(&["run", "list", "--state", "stuck", "--json"]).json(), json!([]));
    // Three orders of the restored store were billed; the activation of the late one is not known to it any more.
    assert_eq!(lab.effects("billing", "created") - usize::from(was_billed(&lab, &late)), 3);
}

/// Whether the billing system has an account of an order.
fn was_billed(lab: &Lab, order: &str) -> bool {
    let accounts = ureq::get(format!("{}/accounts?order={order}", lab.url("billing"))).call().unwrap().body_mut().read_to_string().unwrap();
    accounts != "[]"
}
