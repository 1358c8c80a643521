//! Plugins whose `observe` answers `absent` whatever is there, in place of those that ship: the checks of the order tests must fail, or they
//! would not notice that an effect in doubt is repeated or forgotten. Everything else is real: the host, the lab, the other plugins, and the
//! mutant itself but for that one function.
//!
//! | plugin | what its `observe` prevents | without it |
//! |---|---|---|
//! | `activation-tmf640` | a second service when an answer was lost: TMF640 has no idempotency key; a service that outlives its cancelled order | killed, twice |
//! | `provisioning-restconf` | a configuration that outlives its cancelled order | killed |
//! | `billing-rest` | nothing: a POST with a known `Idempotency-Key` makes no second account, and the pipeline does not undo billing | survives |
//! | `inventory-pool` | nothing: what it takes is committed with the record of the outcome, so no outcome is in doubt while something is taken | survives |
//!
//! Doing again is harmless for provisioning, too: a PUT is idempotent, and the plugin reads before it writes. That a mutant survives is shown and
//! not assumed; the tests of the plugins (`tests/plugins`) notice a broken `observe` of each of the four.
#![allow(clippy::unwrap_used, reason = "tests")]

mod direct;
mod mutant;

use end_to_end_tests::{
    doubt::{lost_answers, lost_answers_of_a_cancelled_order},
    harness::{
        Host, Lab,
        orders::{STEPS, all_plugins},
    },
};
use mutant::Mutant;
use serde_json::json;

/// What a scenario found wrong, with one plugin replaced or with none.
fn complaint(mutant: Option<&Mutant>, scenario: impl FnOnce(&Lab, &Host) -> Result<(), String>) -> Option<String> {
    let lab = Lab::start();
    scenario(&lab, &start(&lab, mutant)).err()
}

fn start(lab: &Lab, mutant: Option<&Mutant>) -> Host {
    let pools = json!({"port": {"element": "olt-1", "count": 8}, "ipv4": {"element": "bng-1", "cidr": "198.51.100.0/28"}});
    let steps = STEPS.map(|step| format!("[orders.{step}]\nretry_initial_ms = 100\nmax_attempts = 2"));
    let setup = all_plugins(lab, &pools).config(&steps.join("\n"));
    match mutant {
        Some(mutant) => setup.instead(mutant.plugin, mutant.file()).start(),
        None => setup.start(),
    }
}

#[test]
fn with_the_plugins_that_ship_every_check_holds() {
    assert_eq!(complaint(None, lost_answers), None);
    for back_end in ["element", "activation"] {
        assert_eq!(complaint(None, |lab, host| lost_answers_of_a_cancelled_order(lab, host, back_end)), None);
    }
}

#[test]
fn an_activation_that_does_not_look_is_made_twice_and_survives_its_order() {
    let mutant = Mutant::of("activation-tmf640", "activation");
    let twice = "activation did 2 instead of 1 for one order: created service svc-1, created service svc-2";
    assert_eq!(complaint(Some(&mutant), lost_answers).as_deref(), Some(twice));
    let left = "activation keeps service svc-1 of a cancelled order\nactivation keeps service svc-2 of a cancelled order";
    let cancelled = complaint(Some(&mutant), |lab, host| lost_answers_of_a_cancelled_order(lab, host, "activation"));
    assert_eq!(cancelled.as_deref(), Some(left));
}

#[test]
fn a_configuration_that_is_not_looked_for_survives_its_order_but_is_not_made_twice() {
    let mutant = Mutant::of("provisioning-restconf", "provisioning");
    let cancelled = complaint(Some(&mutant), |lab, host| lost_answers_of_a_cancelled_order(lab, host, "element")).unwrap();
    assert!(cancelled.starts_with("element keeps jackfield-service:service=") && cancelled.lines().count() == 1, "{cancelled}");
    assert_eq!(complaint(Some(&mutant), lost_answers), None, "RESTCONF deduplicates");
}

#[test]
fn billing_is_asked_twice_and_charges_once_because_its_protocol_deduplicates() {
    let mutant = Mutant::of("billing-rest", "billing");
    let lab = Lab::start();
    assert_eq!(lost_answers(&lab, &start(&lab, Some(&mutant))), Ok(()));
    let requests = lab.requests("billing");
    let [first, second] = requests.as_array().unwrap().as_slice() else { panic!("expected two requests and no look: {requests:#}") };
    assert_eq!((&first["method"], &second["method"]), (&json!("POST"), &json!("POST")));
    assert!(first["idempotency_key"].is_string() && first["idempotency_key"] == second["idempotency_key"], "{requests:#}");
}
