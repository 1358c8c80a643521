//! Properties over random definitions, random providers, random people, random schedules and crashes; and over journals that nobody would write.
//!
//! The world checks after every record that the driver's own events are legal, that something wakes the run, that attempts count up by one, that keys
//! are unique and that undoing goes in reverse (`support::watch`).

use pipeline::{Record, Run, Seq, apply, begin, decide, lost_attempts, replay, testing};
use proptest::prelude::*;

use crate::{
    garbage,
    random::{Plan, plan},
    support::{World, main_run},
};

/// The main run's state after each of its records.
fn states(world: &World, definition: &pipeline::Definition) -> Vec<(Run, Record)> {
    let journal = &world.runs[&main_run()].journal;
    let mut run = begin(definition, main_run(), &journal[0]).unwrap();
    let mut states = Vec::new();
    for record in &journal[1..] {
        states.push((run.clone(), record.clone()));
        run = apply(definition, run, record).unwrap();
    }
    states.push((run, journal[journal.len() - 1].clone()));
    states
}

fn finished(plan: &Plan) -> World {
    let mut world = plan.world();
    world.finish();
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_run_ends_and_leaves_no_effect_that_it_should_not(plan in plan()) {
        finished(&plan).audit();
    }

    #[test]
    fn any_truncation_of_a_journal_replays_to_the_state_it_had(plan in plan()) {
        let world = finished(&plan);
        let journal = &world.runs[&main_run()].journal;
        for (length, (run, _)) in (1..).zip(states(&world, &plan.definition())) {
            prop_assert_eq!(&replay(&plan.definition(), main_run(), &journal[..length]).unwrap(), &run);
        }
    }

    #[test]
    fn a_record_is_refused_out_of_its_turn(plan in plan(), position in any::<prop::sample::Index>()) {
        let (world, definition) = (finished(&plan), plan.definition());
        let states = states(&world, &definition);
        let (run, record) = position.get(&states);
        let twice = apply(&definition, run.clone(), record).and_then(|run| apply(&definition, run, record));
        prop_assert!(twice.is_err(), "the same record is legal once");
        let skipped = Record { seq: Seq(record.seq.0 + 1), ..record.clone() };
        prop_assert!(apply(&definition, run.clone(), &skipped).is_err(), "a gap is refused");
        let stale = Record { epoch: pipeline::Epoch(run.epoch().0 - 1), ..record.clone() };
        prop_assert!(apply(&definition, run.clone(), &stale).is_err(), "an older epoch is refused");
    }

    #[test]
    fn a_run_that_is_over_stays_over(plan in plan(), events in garbage::events()) {
        let (world, definition) = (finished(&plan), plan.definition());
        let run = &world.runs[&main_run()].run;
        for event in events.into_iter().filter(|event| !matches!(event, pipeline::Event::RunReopened { .. })) {
            prop_assert!(apply(&definition, run.clone(), &testing::record(run, 1, event)).is_err());
        }
    }

    #[test]
    fn events_that_no_driver_would_write_neither_panic_nor_leave_a_run_that_nothing_wakes(
        plan in plan(),
        position in any::<prop::sample::Index>(),
        events in garbage::events(),
    ) {
        let (world, definition) = (finished(&plan), plan.definition());
        let states = states(&world, &definition);
        let mut run = position.get(&states).0.clone();
        for event in events {
            let record = testing::record(&run, 1, event);
            let Ok(after) = apply(&definition, run.clone(), &record) else { continue };
            let commands = decide(&definition, &after);
            let woken = !commands.is_empty() || !after.wakes(&definition).is_empty();
            prop_assert!(woken || after.outcome().is_some(), "nothing wakes the run after {:?}: {:#?}", record.event, after);
            let _ = (after.wake_at(), after.due_timer(&definition, pipeline::Timestamp(u64::MAX)));
            for lost in lost_attempts(&definition, &after) {
                prop_assert!(apply(&definition, after.clone(), &testing::record(&after, 2, lost)).is_ok());
            }
            run = after;
        }
    }
}
