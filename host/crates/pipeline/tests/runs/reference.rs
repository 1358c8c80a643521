//! The reference set, event by event: each scenario's journal is a snapshot under `snapshots/` (`UPDATE_EXPECT=1` rewrites them).

use expect_test::expect_file;

use crate::{
    scenario::{Scenario, all},
    support::outcome_text,
};

fn check(scenario: &Scenario) {
    let mut world = scenario.world();
    world.finish();
    world.audit();
    assert!(world.callbacks.is_empty(), "{}: every callback came: {:?}", scenario.name, world.callbacks);
    expect_file![format!("snapshots/{}.txt", scenario.name)].assert_eq(&world.log());
    assert_eq!(outcome_text(world.outcome()), scenario.ends, "{}", scenario.name);
}

#[test]
fn each_shape_of_run_leaves_the_journal_that_was_reviewed() {
    all().iter().for_each(check);
}

#[test]
fn no_snapshot_is_left_over_from_a_scenario_that_is_gone() {
    let kept = all().into_iter().map(|scenario| format!("{}.txt", scenario.name)).collect();
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runs/snapshots");
    let files: std::collections::BTreeSet<String> =
        std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files, kept);
}
