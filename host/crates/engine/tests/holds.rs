//! What the store says is needed against what its journals come to, after arbitrary histories.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use engine::PinPolicy;
use pipeline::{Criticality, FailureClass, Resolution, Undo, testing};
use proptest::prelude::*;
use serde_json::json;
use support::plugins::{End, Swap};

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        3 => Just(End::Fails(FailureClass::Unavailable, "busy")),
        1 => Just(End::Fails(FailureClass::Held, "odd")),
        1 => Just(End::Fails(FailureClass::Rejected, "refused")),
        1 => Just(End::Fails(FailureClass::Unknown, "lost")),
    ]
}

fn decision() -> impl Strategy<Value = Resolution> {
    prop_oneof![
        3 => Just(Resolution::Retry),
        1 => Just(Resolution::Cancel),
        1 => Just(Resolution::Fail),
        1 => Just(Resolution::SkipWith(json!("by hand"))),
        1 => Just(Resolution::RetryWith(json!({"other": 1}))),
    ]
}

/// What the calls of each step and function do, what is decided, when the table changes, whether steps follow it.
type History = (Vec<Vec<End>>, Vec<Resolution>, usize, bool);

fn history() -> impl Strategy<Value = History> {
    (prop::collection::vec(prop::collection::vec(end(), 0..4), 6), prop::collection::vec(decision(), 0..8), 0..4_usize, any::<bool>())
}

async fn check((ends, decisions, swap_at, by_step): History) {
    let mut definition = testing::linear(&["a", "b", "c"]);
    definition.steps[0].undo = Undo::Never;
    definition.steps[1].criticality = Criticality::BestEffort;
    let swap = Swap::world(definition, if by_step { PinPolicy::PinStep } else { PinPolicy::PinRun }).await;
    let calls = ["a", "b", "c"].into_iter().flat_map(|step| ["apply", "undo"].map(|function| (step, function)));
    calls.zip(ends).for_each(|((step, function), ends)| swap.script(step, function, ends));
    let mut runs = Vec::new();
    for n in 0..4 {
        if n == swap_at {
            swap.swap();
        }
        runs.push(swap.world.start(json!({"n": n})).await);
        swap.check_holds(&runs).await;
    }
    let mut decisions = decisions.into_iter();
    for round in 0..2 {
        for run in &runs {
            while swap.rest(run).await.run.outcome().is_none() {
                swap.resolve(run, decisions.next().unwrap_or(Resolution::Fail)).await;
                swap.check_holds(&runs).await;
            }
            if round == 0 {
                // Not every run has something to take back.
                let _undone = swap.world.driver.undo_ended(run, "ann", "").await;
            }
            swap.check_holds(&runs).await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_counts_are_what_the_journals_come_to(history in history()) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(check(history));
    }
}
