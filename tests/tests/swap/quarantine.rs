//! A quarantined digest is not called any more; what needs it is held and goes on when it is let out.

use end_to_end_tests::harness::{Lab, orders::STEPS};
use serde_json::json;

use super::{digest_of, install, order, setup, standing};

#[test]
fn runs_that_need_a_quarantined_digest_are_held_and_go_on_when_it_is_let_out() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    let id = host.submit(&order());
    host.wait(&id, &["completed"]);
    let bad = digest_of(&host, &id, STEPS[4]);
    install(&host, "billing-rest", "0.2.0");

    host.type_in(&["plugin", "quarantine", &bad]).bad(2, &["--reason"]);
    host.type_in(&["plugin", "quarantine", &bad[..12], "--reason", "it bills twice", "--by", "ann"])
        .good(&["is quarantined: its calls are held. It is still bound to jackfield:order/billing@1"]);
    assert_eq!(standing(&host, &bad), "quarantined");
    let held = host.submit(&order());
    host.wait(&held, &["held"]);
    host.type_in(&["run", "show", &held]).good(&["is quarantined: it bills twice"]);
    host.type_in(&["plugin", "activate", "billing-rest@0.1.0"]).bad(5, &["is quarantined by ann: it bills twice"]);
    // It stays so over a restart.
    host.kill_and_restart();
    host.type_in(&["run", "resolve", &held, "retry", "--by", "ann", "--note", "too early"]).good(&[]);
    host.wait(&held, &["held"]);
    assert_eq!(lab.effects("billing", "created"), 1);

    host.type_in(&["plugin", "activate", "billing-rest@0.2.0"]).good(&["is in service"]);
    let other = host.submit(&order());
    host.wait(&other, &["completed"]);
    assert_eq!(lab.effects("billing", "created"), 2);

    host.type_in(&["plugin", "quarantine", &bad, "--lift"]).good(&["is called again"]);
    host.type_in(&["plugin", "quarantine", &bad, "--lift"]).bad(4, &["is not quarantined"]);
    host.type_in(&["run", "resolve", &held, "retry", "--by", "ann", "--note", "it is good"]).good(&[]);
    host.wait(&held, &["completed"]);
    assert_eq!(digest_of(&host, &held, STEPS[4]), bad, "a run keeps what it began with");
    assert_eq!(lab.effects("billing", "created"), 3);
    let kinds: Vec<_> = super::audit(&host).into_iter().map(|(_, action)| action).collect();
    assert_eq!(json!(kinds), json!(["configure", "install", "quarantine", "activate", "lift-quarantine"]));
}
