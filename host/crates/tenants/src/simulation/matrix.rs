//! Every step fails for good in turn, and every undo: what is left is what the ledger says, which is compared after every event.

use pipeline::{FailureClass, Outcome, Resolution};

use super::{
    Simulation,
    answers::{failed, rejected},
    input,
};
use crate::{Options, TenantState, projection::project};

/// The steps, in an order in which nothing comes before what it needs.
const STEPS: [&str; 13] = [
    "create_record",
    "database",
    "storage",
    "dns",
    "certificate_order",
    "challenge",
    "certificate",
    "install_certificate",
    "seed_data",
    "integrations",
    "admin_user",
    "activate",
    "welcome_email",
];

fn sign_up() -> Simulation {
    Simulation::new(&Options::default(), &input())
}

fn state(simulation: &Simulation) -> String {
    let document = project(&simulation.definition, None, &simulation.run).unwrap();
    document.body["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_step_that_fails_for_good_leaves_nothing_behind_until_the_tenant_is_active() {
    for step in STEPS {
        let simulation = sign_up().answer(&format!("{step}[0]"), [rejected("broken")]).go();
        if step == "welcome_email" {
            assert_eq!(state(&simulation), TenantState::Held.as_str());
            assert!(simulation.world.contains(&("activate".to_owned(), 0)), "the tenant stays");
            continue;
        }
        assert_eq!(state(&simulation), TenantState::Failed.as_str(), "{step}");
        assert!(simulation.world.is_empty(), "{step}: {:?}", simulation.world);
        let Some(Outcome::Failed { failure, step: Some(failed) }) = simulation.run.outcome() else { panic!("{step}: the run goes on") };
        assert_eq!((failed.as_str(), failure.error_type.as_str()), (step, "broken"));
    }
}

#[test]
fn an_undo_that_fails_for_good_leaves_what_the_ledger_says_and_nothing_else() {
    for step in STEPS.into_iter().filter(|step| !matches!(*step, "activate" | "welcome_email" | "challenge")) {
        for class in [FailureClass::Rejected, FailureClass::Held, FailureClass::Unknown] {
            let undo = std::iter::repeat_with(|| failed(class, "locked")).take(20);
            let simulation = sign_up().answer("activate[0]", [rejected("broken")]).answer(&format!("{step}[0] undo"), undo).go();
            assert_eq!(state(&simulation), TenantState::ManualCleanupRequired.as_str(), "{step} {class:?}");
            assert_eq!(simulation.world.iter().collect::<Vec<_>>(), [&(step.to_owned(), 0)], "{step} {class:?}");
            let simulation = simulation.resolve(Resolution::Fail);
            assert_eq!(state(&simulation), TenantState::ManualCleanupRequired.as_str(), "{step} {class:?}");
        }
    }
}

#[test]
fn a_tenant_whose_deletion_fails_anywhere_can_be_deleted_again() {
    for step in STEPS.into_iter().filter(|step| !matches!(*step, "welcome_email" | "challenge")) {
        let simulation = sign_up().go().answer(&format!("{step}[0] undo"), [rejected("locked")]).delete();
        assert_eq!(state(&simulation), TenantState::ManualCleanupRequired.as_str(), "{step}");
        let simulation = simulation.resolve(Resolution::Fail).delete();
        assert_eq!(state(&simulation), TenantState::Removed.as_str(), "{step}");
        let left: Vec<_> = simulation.world.iter().filter(|(step, _)| step != "welcome_email").collect();
        assert!(left.is_empty(), "{step}: {left:?}");
    }
}
