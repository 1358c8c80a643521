//! Trouble: restarts in the middle, full stores, other writers, unknown versions, drains.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use engine::{
    api::{Engine, StartError},
    port::{Answer, Call, Journal, Observed, PendingAnswer, RunState, Signal, Verb},
    testing::{Providers, pin, table},
};
use pipeline::{Failure, FailureClass, Outcome, testing};
use serde_json::json;
use support::{World, default_table, done, kinds, scripted};

/// A provider that never answers.
fn silent() -> Providers {
    Providers::default().with("effect", |_: Call| std::future::pending())
}

/// A provider that finds its work already done.
fn finds_its_work() -> Providers {
    Providers::default().with("effect", |call: Call| async move {
        Ok(match call.verb {
            Verb::Observe => Answer::Observed(Observed::Ours(json!("found"))),
            Verb::Apply | Verb::Resume { .. } => Answer::Done(json!("done anew")),
            Verb::Undo { .. } => Answer::Undone,
        })
    })
}

#[tokio::test]
async fn after_a_restart_a_call_in_doubt_is_observed_and_not_repeated() {
    let first = World::new(vec![testing::linear(&["a"])], silent()).await;
    let run = first.start(json!({})).await;
    first.settle().await;
    // The first process is gone: its task is never polled again in this test, and its epoch is over.
    let second = World::over(first.store.clone(), first.clock.clone(), vec![testing::linear(&["a"])], finds_its_work(), default_table()).await;
    let view = second.ended(&run).await;
    assert_eq!(kinds(&view), ["run-started", "step-scheduled", "attempt-lost", "attempt-finished", "run-ended"]);
    assert_eq!(view.run.steps()[0].items[0].output(), Some(&json!("found")));
}

/// What a provider says of an operation that is still going on.
fn under_way(checkpoint: usize) -> PendingAnswer {
    let (poll_after, give_up_after) = (Some(Duration::from_secs(1)), Duration::from_secs(60));
    PendingAnswer { operation: "job".to_owned(), checkpoint: "c".repeat(checkpoint), poll_after, give_up_after }
}

fn functions(calls: &Mutex<Vec<Call>>) -> Vec<&'static str> {
    calls.lock().unwrap().iter().map(|call| call.verb.function()).collect()
}

#[tokio::test]
async fn an_operation_that_is_found_under_way_is_waited_for_as_if_its_answer_had_been_recorded() {
    let first = World::new(vec![testing::linear(&["a"])], silent()).await;
    let run = first.start(json!({})).await;
    first.settle().await;
    let (provider, calls) = scripted(vec![Ok(Answer::Observed(Observed::Pending(under_way(3))))]);
    let second = World::over(first.store.clone(), first.clock.clone(), vec![testing::linear(&["a"])], provider, default_table()).await;
    let view = second.ended(&run).await;
    let expected = ["run-started", "step-scheduled", "attempt-lost", "attempt-pended", "timer-fired", "attempt-finished", "run-ended"];
    assert_eq!(kinds(&view), expected);
    assert_eq!(functions(&calls), ["observe", "resume"]);
    assert_eq!(calls.lock().unwrap()[1].verb, Verb::Resume { checkpoint: "ccc".to_owned(), signal: Signal::Timer });
}

#[tokio::test]
async fn a_finding_that_cannot_be_recorded_leaves_the_doubt() {
    let first = World::new(vec![testing::linear(&["a"])], silent()).await;
    let run = first.start(json!({})).await;
    first.settle().await;
    let found = |found| Ok(Answer::Observed(found));
    let (provider, calls) = scripted(vec![found(Observed::Pending(under_way(20_000))), found(Observed::Ours(json!("found")))]);
    let second = World::over(first.store.clone(), first.clock.clone(), vec![testing::linear(&["a"])], provider, default_table()).await;
    assert_eq!(second.ended(&run).await.run.outcome(), Some(&Outcome::Completed));
    assert_eq!(functions(&calls), ["observe", "observe"], "nothing was sent, and yet `apply` would make it twice");
}

#[tokio::test]
async fn a_call_that_can_neither_be_observed_nor_repeated_is_announced_and_after_a_restart_held() {
    let mut blind = pin("effect");
    blind.verbs.observe = false;
    let bindings = || table([("jackfield:test/effect@1", blind.clone())]);
    let (store, clock) = Default::default();
    let first = World::over(store, clock, vec![testing::linear(&["a"])], silent(), bindings()).await;
    let run = first.start(json!({})).await;
    first.settle().await;
    assert_eq!(kinds(&first.view(&run).await), ["run-started", "step-scheduled", "attempt-started"]);
    let second = World::over(first.store.clone(), first.clock.clone(), vec![testing::linear(&["a"])], done(), bindings()).await;
    let view = second.until(&run, |view| view.run.open_fallouts().next().is_some()).await;
    assert_eq!(view.run.open_fallouts().next().unwrap().opened.failure.error_type, "host.restarted");
}

#[tokio::test]
async fn a_full_store_refuses_new_runs_and_keeps_what_was_done() {
    let (providers, calls) = scripted(vec![]);
    let world = World::new(vec![testing::linear(&["a", "b"])], providers).await;
    let run = world.start(json!({})).await;
    world.store.set_full(true);
    let start = engine::api::Start {
        tenant: pipeline::TenantName::new("default").unwrap(),
        pipeline: pipeline::PipelineName::new("test").unwrap(),
        input: json!({}),
        idempotency_key: None,
        trace: None,
    };
    assert!(matches!(world.driver.start(start).await, Err(StartError::Unavailable(_))));
    world.settle().await;
    world.store.set_full(false);
    let view = world.ended(&run).await;
    assert_eq!(view.run.outcome(), Some(&Outcome::Completed));
    assert_eq!(calls.lock().unwrap().len(), 2, "no provider was called twice");
}

#[tokio::test]
async fn an_engine_whose_store_was_taken_over_stops() {
    let (providers, _) = scripted(vec![support::unavailable()]);
    let world = World::new(vec![testing::linear(&["a"])], providers).await;
    world.start(json!({})).await;
    world.settle().await;
    let _other = world.store.open();
    let start = engine::api::Start {
        tenant: pipeline::TenantName::new("default").unwrap(),
        pipeline: pipeline::PipelineName::new("test").unwrap(),
        input: json!({}),
        idempotency_key: None,
        trace: None,
    };
    assert!(world.driver.start(start).await.is_err());
    let reason = tokio::time::timeout(Duration::from_secs(5), world.driver.failed()).await.unwrap();
    assert!(reason.starts_with("the store was opened by another process"), "{reason}");
}

#[tokio::test]
async fn a_run_of_an_unknown_version_is_held_and_the_others_go_on() {
    let (providers, _) = scripted(vec![support::unavailable(), support::unavailable()]);
    let mut newer = testing::linear(&["a"]);
    newer.version = 2;
    let first = World::new(vec![newer], providers).await;
    let run = first.start(json!({})).await;
    first.settle().await;
    let (store, clock) = first.stop().await;
    let second = World::over(store, clock, vec![testing::linear(&["a"])], done(), default_table()).await;
    for _ in 0..50 {
        second.settle().await;
        second.clock.advance_to_next_sleeper();
    }
    let row = second.store.row(&run).await.unwrap().unwrap();
    assert_eq!((row.state, row.detail.as_str()), (RunState::Held, "pipeline `test` version 2 is not known to this host"));
    // News and decisions change nothing about it, and cost no write.
    let appends = second.appends.load(Ordering::SeqCst);
    assert!(!second.driver.wake(&run).await.unwrap());
    assert!(second.driver.undo_ended(&run, "ann", "").await.is_err());
    second.settle().await;
    assert_eq!((second.appends.load(Ordering::SeqCst), second.store.row(&run).await.unwrap()), (appends, Some(row)));
    let other = second.start(json!({})).await;
    assert_eq!(second.ended(&other).await.run.outcome(), Some(&Outcome::Completed));
}

#[tokio::test]
async fn news_for_a_run_of_an_unknown_version_find_it_held() {
    let (providers, _) = scripted(vec![support::unavailable()]);
    let mut newer = testing::linear(&["a"]);
    newer.version = 2;
    let first = World::new(vec![newer], providers).await;
    let run = first.start(json!({})).await;
    first.settle().await;
    let (store, clock) = first.stop().await;
    let second = World::over(store, clock, vec![testing::linear(&["a"])], done(), default_table()).await;
    assert!(!second.driver.wake(&run).await.unwrap());
    assert_eq!(second.store.row(&run).await.unwrap().unwrap().state, RunState::Held);
}

#[tokio::test]
async fn a_drain_lets_calls_finish_and_takes_no_new_runs() {
    let gate = Arc::new(tokio::sync::Notify::new());
    let held = gate.clone();
    let providers = Providers::default().with("effect", move |_: Call| {
        let gate = held.clone();
        async move {
            gate.notified().await;
            Ok(Answer::Done(json!("done")))
        }
    });
    let world = World::new(vec![testing::linear(&["a"])], providers).await;
    let run = world.start(json!({})).await;
    world.settle().await;
    let driver = world.driver.clone();
    #[expect(clippy::disallowed_methods, reason = "a test task")]
    let drain = tokio::spawn(async move { driver.stop(Duration::from_secs(5)).await });
    world.settle().await;
    gate.notify_one();
    assert!(drain.await.unwrap(), "everything came to rest");
    assert_eq!(world.view(&run).await.run.outcome(), Some(&Outcome::Completed));
}

#[tokio::test]
async fn nothing_is_stuck_while_runs_wait() {
    let (providers, _) = scripted(vec![support::unavailable()]);
    let world = World::new(vec![testing::linear(&["a"])], providers).await;
    world.start(json!({})).await;
    world.settle().await;
    assert_eq!(world.driver.stuck().await.unwrap(), []);
}

/// What a provider was asked.
type Calls = Arc<Mutex<Vec<Call>>>;

/// A provider that takes work on, refuses step `b`, and never finishes an undo.
fn stops_while_undoing(calls: Calls) -> Providers {
    Providers::default().with("effect", move |call: Call| {
        calls.lock().unwrap().push(call.clone());
        async move {
            match (&call.verb, call.attempt.item.step.as_str()) {
                (Verb::Undo { .. }, _) => std::future::pending().await,
                (_, "b") => Err(Failure::new(FailureClass::Rejected, "refused", "refused")),
                (_, _) => Ok(Answer::Done(json!("receipt"))),
            }
        }
    })
}

#[tokio::test]
async fn an_undo_in_doubt_is_observed_under_the_key_that_the_effect_was_made_under() {
    let (before, after): (Calls, Calls) = Default::default();
    let first = World::new(vec![testing::linear(&["a", "b"])], stops_while_undoing(before.clone())).await;
    let run = first.start(json!({})).await;
    first.settle().await;
    let seen = after.clone();
    let provider = Providers::default().with("effect", move |call: Call| {
        seen.lock().unwrap().push(call.clone());
        async move { Ok(if call.verb == Verb::Observe { Answer::Observed(Observed::Ours(json!("receipt"))) } else { Answer::Undone }) }
    });
    let second = World::over(first.store.clone(), first.clock.clone(), vec![testing::linear(&["a", "b"])], provider, default_table()).await;
    second.ended(&run).await;
    let (before, after) = (before.lock().unwrap(), after.lock().unwrap());
    let [applied, observed, undone] = [&before[0], &after[0], &after[1]];
    assert_eq!([applied, observed, undone].map(|call| call.verb.function()), ["apply", "observe", "undo"]);
    assert_eq!(observed.key, applied.key);
    assert_ne!(undone.key, applied.key, "the undo is an effect of its own");
}

#[tokio::test]
async fn what_is_found_under_way_when_it_is_to_be_undone_is_cancelled_and_undone_if_it_was_finished_first() {
    let before = Calls::default();
    let first = World::new(vec![testing::linear(&["a", "b"])], stops_while_undoing(before.clone())).await;
    let run = first.start(json!({})).await;
    first.settle().await;
    let found = |found| Ok(Answer::Observed(found));
    let (provider, after) = scripted(vec![
        found(Observed::Pending(under_way(3))),
        Ok(Answer::Done(json!("receipt"))),
        found(Observed::Ours(json!("receipt"))),
        Ok(Answer::Undone),
    ]);
    let second = World::over(first.store.clone(), first.clock.clone(), vec![testing::linear(&["a", "b"])], provider, default_table()).await;
    second.ended(&run).await;
    assert_eq!(functions(&after), ["observe", "resume", "observe", "undo"]);
    let (before, after) = (before.lock().unwrap(), after.lock().unwrap());
    assert_eq!(after[1].verb, Verb::Resume { checkpoint: "ccc".to_owned(), signal: Signal::Cancel });
    assert_eq!(after[1].key, before[0].key, "what is cancelled is the work, not its undo");
}

#[tokio::test]
async fn an_observation_that_is_refused_leaves_the_doubt_and_is_made_again() {
    let first = World::new(vec![testing::linear(&["a"])], silent()).await;
    let run = first.start(json!({})).await;
    first.settle().await;
    let (provider, calls) = scripted(vec![
        Err(Failure::new(FailureClass::Rejected, "refused", "the question was refused")),
        Ok(Answer::Observed(Observed::Ours(json!("found")))),
    ]);
    let second = World::over(first.store.clone(), first.clock.clone(), vec![testing::linear(&["a"])], provider, default_table()).await;
    assert_eq!(second.ended(&run).await.run.outcome(), Some(&Outcome::Completed));
    assert_eq!(calls.lock().unwrap().iter().map(|call| call.verb.function()).collect::<Vec<_>>(), ["observe", "observe"]);
}
