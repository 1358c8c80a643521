//! The process dies at every moment of every run of the reference set, once and again during recovery: every run ends as without the crash.
//!
//! A moment is before a record is written (which is also after the one before it was committed) and after a call, before its answer is recorded.
//! Recovery knows the journal only, so dying at moment k is the same as cutting the journal there and going on.

use crate::{
    scenario::{Scenario, all},
    support::{World, outcome_text},
};

/// What is the same with and without crashes.
fn end(world: &World) -> (String, Vec<String>) {
    world.audit();
    let live = world.live_effects().into_iter().map(|(step, key)| format!("{step} {key}")).collect();
    (outcome_text(world.outcome()), live)
}

fn check(scenario: &Scenario) -> (usize, u32) {
    let mut undisturbed = scenario.world();
    undisturbed.finish();
    let mut repeated_undos = 0;
    for moment in 1..=undisturbed.moments {
        for crashes in [vec![moment], vec![moment, moment + 1]] {
            let mut world = scenario.world();
            world.crashes.extend(&crashes);
            world.finish();
            assert_eq!(end(&world), end(&undisturbed), "{} with crashes at {crashes:?}:\n{}", scenario.name, world.log());
            repeated_undos += world.backend.undone.values().filter(|times| **times > 1).count() as u32;
        }
    }
    (undisturbed.moments, repeated_undos)
}

#[test]
fn a_run_that_crashes_at_any_moment_ends_as_without_the_crash() {
    // A provider that can neither tell nor repeat is not in the list: there a crash ends with a person, see `failures`.
    let (mut moments, mut repeated_undos) = (0, 0);
    for scenario in all().iter().filter(|scenario| scenario.name != "start_record") {
        let (points, undos) = check(scenario);
        (moments, repeated_undos) = (moments + points, repeated_undos + undos);
    }
    println!("{moments} moments, {repeated_undos} undos that ran twice");
    assert!(moments > 700 && repeated_undos > 10, "the enumeration shrank: {moments} moments, {repeated_undos} repeated undos");
}
