//! The swap matrix: a run is in each state when another version of its plugin becomes current, under both policies, and the versions go on in four ways.
//! Which version and which revision each further call names, and where the run comes to rest, is data.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{num::NonZeroU32, sync::Arc};

use engine::{PinPolicy, Repin, RepinError, UndoError, api::Engine};
use pipeline::{Definition, FailureClass, NotAtRest, ReopenRefused, RepinRefused, Resolution, RunId, Work, testing};
use serde_json::json;
use support::plugins::{End, Swap, digest, pin};
use tokio::sync::Notify;

/// Where a run is when the table changes. The item that matters is one of step `a`, which was bound before.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Scheduled, not called yet.
    Ready,
    InAttempt,
    Backoff,
    Waiting,
    Unwinding,
    Fallout,
    Ended,
}

/// How the versions go on.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Versions {
    /// Both work.
    Compatible,
    /// The new one cannot read what it is given.
    Incompatible,
    /// The old one cannot be loaded any more.
    Missing,
    /// Nobody may call the old one.
    Quarantined,
}

use State::{Backoff, Ended, Fallout, InAttempt, Ready, Unwinding, Waiting};
use Versions::{Compatible, Incompatible, Missing, Quarantined};

const VERSIONS: [Versions; 4] = [Compatible, Incompatible, Missing, Quarantined];

/// Per policy and state: what happens with compatible, incompatible, missing and quarantined versions.
const MATRIX: [(PinPolicy, State, [&str; 4]); 14] = [
    (
        PinPolicy::PinRun,
        Ready,
        [
            "apply a old@1, apply b old@1: completed",
            "apply a old@1, apply b old@1: completed",
            "apply a old@1: Failed a plugin.instantiate",
            "apply a old@1: Failed a plugin.quarantined",
        ],
    ),
    (
        PinPolicy::PinRun,
        InAttempt,
        [
            "apply b old@1: completed",
            "apply b old@1: completed",
            "apply b old@1: Failed b plugin.instantiate",
            "apply b old@1: Failed b plugin.quarantined",
        ],
    ),
    (
        PinPolicy::PinRun,
        Backoff,
        [
            "apply a old@1, apply b old@1: completed",
            "apply a old@1, apply b old@1: completed",
            "apply a old@1: Failed a plugin.instantiate",
            "apply a old@1: Failed a plugin.quarantined",
        ],
    ),
    (
        PinPolicy::PinRun,
        Waiting,
        [
            "resume a old@1, apply b old@1: completed",
            "resume a old@1, apply b old@1: completed",
            "resume a old@1: Failed a plugin.instantiate",
            "resume a old@1: Failed a plugin.quarantined",
        ],
    ),
    (
        PinPolicy::PinRun,
        Unwinding,
        [
            "undo a old@1: failed",
            "undo a old@1: failed",
            "undo a old@1: UndoFailed a plugin.instantiate",
            "undo a old@1: UndoFailed a plugin.quarantined",
        ],
    ),
    (
        PinPolicy::PinRun,
        Fallout,
        [
            "apply a old@1, apply b old@1: completed",
            "apply a old@1, apply b old@1: completed",
            "apply a old@1: Failed a plugin.instantiate",
            "apply a old@1: Failed a plugin.quarantined",
        ],
    ),
    (
        PinPolicy::PinRun,
        Ended,
        [
            "undo b old@1, undo a old@1: cancelled",
            "undo b old@1, undo a old@1: cancelled",
            "undo b old@1, undo a old@1: UndoFailed b plugin.instantiate, UndoFailed a plugin.instantiate",
            "undo b old@1, undo a old@1: UndoFailed b plugin.quarantined, UndoFailed a plugin.quarantined",
        ],
    ),
    (
        PinPolicy::PinStep,
        Ready,
        [
            "apply a old@1, apply b new@2: completed",
            "apply a old@1, apply b new@2: Failed b plugin.contract",
            "apply a old@1: Failed a plugin.instantiate",
            "apply a old@1: Failed a plugin.quarantined",
        ],
    ),
    (
        PinPolicy::PinStep,
        InAttempt,
        ["apply b new@2: completed", "apply b new@2: Failed b plugin.contract", "apply b new@2: completed", "apply b new@2: completed"],
    ),
    (
        PinPolicy::PinStep,
        Backoff,
        [
            "apply a old@1, apply b new@2: completed",
            "apply a old@1, apply b new@2: Failed b plugin.contract",
            "apply a old@1: Failed a plugin.instantiate",
            "apply a old@1: Failed a plugin.quarantined",
        ],
    ),
    (
        PinPolicy::PinStep,
        Waiting,
        [
            "resume a old@1, apply b new@2: completed",
            "resume a old@1, apply b new@2: Failed b plugin.contract",
            "resume a old@1: Failed a plugin.instantiate",
            "resume a old@1: Failed a plugin.quarantined",
        ],
    ),
    (
        PinPolicy::PinStep,
        Unwinding,
        [
            "undo a old@1: failed",
            "undo a old@1: failed",
            "undo a old@1: UndoFailed a plugin.instantiate",
            "undo a old@1: UndoFailed a plugin.quarantined",
        ],
    ),
    (
        PinPolicy::PinStep,
        Fallout,
        [
            "apply a old@1, apply b new@2: completed",
            "apply a old@1, apply b new@2: Failed b plugin.contract",
            "apply a old@1: Failed a plugin.instantiate",
            "apply a old@1: Failed a plugin.quarantined",
        ],
    ),
    (
        PinPolicy::PinStep,
        Ended,
        [
            "undo b old@1, undo a old@1: cancelled",
            "undo b old@1, undo a old@1: cancelled",
            "undo b old@1, undo a old@1: UndoFailed b plugin.instantiate, UndoFailed a plugin.instantiate",
            "undo b old@1, undo a old@1: UndoFailed b plugin.quarantined, UndoFailed a plugin.quarantined",
        ],
    ),
];

fn definition(state: State) -> Definition {
    let mut definition = testing::linear(&["a", "b"]);
    if state == Ready {
        (definition.steps[0].fan_out, definition.steps[0].map) = (NonZeroU32::new(1), testing::map_items);
    }
    if state == Waiting {
        definition.steps[0].work = Work::Effect { contract: testing::contract(), callback: true };
    }
    definition
}

/// A run that has come to the state, the swap, and what makes the run go on.
async fn swapped(policy: PinPolicy, state: State, versions: Versions) -> (Swap, RunId) {
    let swap = Swap::world(definition(state), policy).await;
    let gate = Arc::new(Notify::new());
    let busy = || End::Fails(FailureClass::Unavailable, "busy");
    match state {
        Ready | InAttempt => swap.script("a", "apply", [End::Gated(gate.clone())]),
        Backoff => swap.script("a", "apply", [busy()]),
        Waiting => swap.script("a", "apply", [End::Pends]),
        Unwinding => {
            swap.script("b", "apply", [End::Fails(FailureClass::Rejected, "refused")]);
            swap.script("a", "undo", [busy()]);
        }
        Fallout => swap.script("a", "apply", [End::Fails(FailureClass::Held, "odd")]),
        Ended => {}
    }
    let run = swap.world.start(json!({"items": [0, 1]})).await;
    swap.world.settle().await;
    if matches!(state, Fallout | Ended) {
        swap.rest(&run).await;
    }
    swap.swap();
    match versions {
        Compatible => None,
        Incompatible => swap.versions.held.lock().unwrap().insert("new", "plugin.contract"),
        Missing => swap.versions.held.lock().unwrap().insert("old", "plugin.instantiate"),
        Quarantined => swap.versions.held.lock().unwrap().insert("old", "plugin.quarantined"),
    };
    match state {
        Ready | InAttempt => gate.notify_one(),
        Backoff | Unwinding => {}
        Waiting => {
            let url = swap.versions.callback.lock().unwrap().clone();
            swap.world.driver.signal(url.rsplit('/').next().unwrap(), "go on".to_owned()).await.unwrap();
        }
        Fallout => swap.resolve(&run, Resolution::Retry).await,
        Ended => swap.world.driver.undo_ended(&run, "ann", "wrong order").await.unwrap(),
    }
    (swap, run)
}

#[tokio::test]
async fn each_cell_comes_to_what_was_reviewed() {
    let mut differing = Vec::new();
    let mut cells = 0;
    for policy in [PinPolicy::PinRun, PinPolicy::PinStep] {
        for state in [Ready, InAttempt, Backoff, Waiting, Unwinding, Fallout, Ended] {
            let expected = MATRIX.iter().find(|(p, s, _)| (*p, *s) == (policy, state)).map(|(_, _, expected)| *expected).unwrap_or_default();
            for (versions, expected) in VERSIONS.into_iter().zip(expected) {
                cells += 1;
                let (swap, run) = swapped(policy, state, versions).await;
                let story = swap.story(&run).await;
                if story != expected {
                    differing.push(format!("{policy:?} {state:?} {versions:?}: \"{story}\""));
                }
                swap.check_holds(std::slice::from_ref(&run)).await;
                // Once the versions can be called again, a retry is all it takes, and nothing is done twice.
                swap.versions.held.lock().unwrap().clear();
                while swap.rest(&run).await.run.outcome().is_none() {
                    swap.resolve(&run, Resolution::Retry).await;
                }
                let story = swap.story(&run).await;
                let end = match state {
                    Unwinding => "failed",
                    Ended => "cancelled",
                    Ready | InAttempt | Backoff | Waiting | Fallout => "completed",
                };
                assert!(story.ends_with(end), "{policy:?} {state:?} {versions:?} ends with {story}");
                swap.check_holds(&[run]).await;
            }
        }
    }
    assert_eq!((differing, cells), (Vec::<String>::new(), 56));
}

/// Instead of lifting the quarantine a person binds the items to the new version.
#[tokio::test]
async fn a_repin_leads_out_of_a_quarantine() {
    let mut differing = Vec::new();
    // How many items are moved without those that did something; what is called then.
    for (state, moved, include_done, expected) in [
        (Ready, Some(1), false, "apply a new@2, apply b new@2: completed"),
        (Backoff, Some(1), false, "apply a new@2, apply b new@2: completed"),
        (Waiting, Some(1), false, "resume a new@2, apply b new@2: completed"),
        (Unwinding, Some(1), true, "observe a new@2, undo a new@2: failed"),
        (Fallout, Some(1), false, "apply a new@2, apply b new@2: completed"),
        (Ended, None, true, "observe b new@2, undo b new@2, observe a new@2, undo a new@2: cancelled"),
    ] {
        let (swap, run) = swapped(PinPolicy::PinRun, state, Quarantined).await;
        swap.story(&run).await;
        assert_eq!(repin(&swap, &run, false).await.ok(), moved, "{state:?}: what was done is moved only expressly");
        if include_done {
            repin(&swap, &run, true).await.unwrap();
        }
        swap.resolve(&run, Resolution::Retry).await;
        let story = swap.story(&run).await;
        if story != expected {
            differing.push(format!("{state:?}: \"{story}\""));
        }
        swap.check_holds(&[run]).await;
    }
    assert_eq!(differing, Vec::<String>::new());
}

async fn repin(swap: &Swap, run: &RunId, include_done: bool) -> Result<u32, RepinError> {
    let (expected_head, _) = swap.world.driver.repinnable(run, &digest("old")).await?;
    let (by, note) = ("ann".to_owned(), "the old one is broken".to_owned());
    let (from, to, revision) = (digest("old"), pin("new").into(), swap.new.clone());
    swap.world.driver.repin(Repin { run: run.clone(), from, to, revision, expected_head, include_done, by, note }).await
}

#[tokio::test]
async fn a_repin_is_refused_while_a_call_is_made_when_the_run_moved_and_when_it_is_over() {
    let (swap, run) = swapped(PinPolicy::PinRun, Fallout, Quarantined).await;
    swap.rest(&run).await;
    let (head, items) = swap.world.driver.repinnable(&run, &digest("old")).await.unwrap();
    assert_eq!(items.iter().map(|item| (item.item.step.as_str(), item.done)).collect::<Vec<_>>(), [("a", false)]);
    let wanted = |expected_head, revision| Repin {
        run: run.clone(),
        from: digest("old"),
        to: pin("new").into(),
        revision,
        expected_head,
        include_done: false,
        by: "ann".to_owned(),
        note: String::new(),
    };
    let driver = &swap.world.driver;
    let stale = driver.repin(wanted(pipeline::Seq(1), swap.new.clone())).await.unwrap_err();
    assert_eq!(stale, RepinError::Moved { run: run.clone(), expected: pipeline::Seq(1), actual: head });
    let nowhere = pipeline::Revision::new("9".repeat(64)).unwrap();
    assert_eq!(driver.repin(wanted(head, nowhere.clone())).await.unwrap_err(), RepinError::UnknownRevision(nowhere));
    assert_eq!(driver.undo_ended(&run, "ann", "").await.unwrap_err(), UndoError::Refused(ReopenRefused::NotOver));
    // A look before says what the deed would.
    let nobody = Repin { by: String::new(), ..wanted(head, swap.new.clone()) };
    for refused in [wanted(pipeline::Seq(1), swap.new.clone()), wanted(head, pipeline::Revision::new("9".repeat(64)).unwrap()), nobody] {
        assert_eq!(driver.would_repin(std::slice::from_ref(&refused)).await.unwrap_err(), driver.repin(refused).await.unwrap_err());
    }
    let after = wanted(pipeline::Seq(head.0 + 1), swap.new.clone());
    assert_eq!(driver.would_repin(&[wanted(head, swap.new.clone()), after]).await, Ok(()));
    // A call that is being made.
    let gate = Arc::new(Notify::new());
    swap.versions.held.lock().unwrap().clear();
    swap.script("a", "apply", [End::Gated(gate.clone())]);
    swap.resolve(&run, Resolution::Retry).await;
    swap.world.settle().await;
    let calling = driver.repinnable(&run, &digest("old")).await.unwrap_err();
    assert!(matches!(calling, RepinError::Refused(RepinRefused::NotAtRest(NotAtRest::Calling(_)))), "{calling}");
    gate.notify_one();
    swap.rest(&run).await;
    let over = driver.repinnable(&run, &digest("old")).await.unwrap_err();
    assert_eq!(over, RepinError::Refused(RepinRefused::NotAtRest(NotAtRest::Over)));
    driver.undo_ended(&run, "ann", "").await.unwrap();
    assert_eq!(swap.rest(&run).await.run.outcome(), Some(&pipeline::Outcome::Cancelled));
    assert_eq!(driver.undo_ended(&run, "ann", "").await.unwrap_err(), UndoError::Refused(ReopenRefused::Nothing));
}
