//! Runs from start to end over the real driver.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::atomic::Ordering;

use engine::{
    api::{Decision, Engine, ResolveError},
    port::Journal,
    testing::pin,
};
use pipeline::{AfterFailure, Outcome, Resolution, testing};
use serde_json::json;
use support::{World, done, kinds, scripted, unavailable};

#[tokio::test]
async fn n_steps_cost_n_plus_one_appends() {
    let names: Vec<String> = (0..10).map(|n| format!("s{n}")).collect();
    let definition = testing::linear(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let world = World::new(vec![definition], done()).await;
    let run = world.start(json!({})).await;
    let view = world.ended(&run).await;
    assert_eq!(view.run.outcome(), Some(&Outcome::Completed));
    assert_eq!(world.appends.load(Ordering::SeqCst), 11);
}

#[tokio::test]
async fn the_same_key_starts_one_run() {
    let world = World::new(vec![testing::linear(&["a"])], done()).await;
    let first = world.start_as(json!({}), Some("k")).await;
    world.ended(&first.run).await;
    let second = world.start_as(json!({}), Some("k")).await;
    assert!(first.created && !second.created);
    assert_eq!(first.run, second.run);
}

#[tokio::test]
async fn a_retry_waits_for_its_time_and_keeps_its_key() {
    let (providers, calls) = scripted(vec![unavailable(), unavailable()]);
    let world = World::new(vec![testing::linear(&["a"])], providers).await;
    let run = world.start(json!({})).await;
    let view = world.ended(&run).await;
    assert_eq!(
        kinds(&view),
        ["run-started", "step-scheduled", "attempt-finished", "timer-fired", "attempt-finished", "timer-fired", "attempt-finished", "run-ended"]
    );
    let calls = calls.lock().unwrap();
    assert_eq!(calls.iter().map(|call| call.attempt.attempt).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(calls.iter().all(|call| call.key == calls[0].key));
}

#[tokio::test]
async fn a_run_that_waits_is_not_in_memory() {
    let (providers, _) = scripted(vec![unavailable()]);
    let world = World::new(vec![testing::linear(&["a"])], providers).await;
    let run = world.start(json!({})).await;
    world.settle().await;
    assert_eq!(world.driver.driven(), 0);
    let row = world.store.row(&run).await.unwrap().unwrap();
    assert_eq!(row.detail, "a[0] waits for its retry timer");
    assert!(row.wake_at.is_some());
}

#[tokio::test]
async fn a_fallout_waits_for_a_person_and_goes_on_as_told() {
    let mut definition = testing::linear(&["a", "b"]);
    for step in &mut definition.steps {
        step.on_failure.unwind = false;
        step.on_failure.then = AfterFailure::Fallout;
    }
    let rejected = Err(pipeline::Failure::new(pipeline::FailureClass::Rejected, "no", "it will not do"));
    let (providers, calls) = scripted(vec![rejected]);
    let world = World::new(vec![definition], providers).await;
    let run = world.start(json!({"a": 1})).await;
    let held = world.until(&run, |view| view.run.open_fallouts().next().is_some()).await;
    assert_eq!(held.run.open_fallouts().next().unwrap().opened.reason, "test_failed");
    let decide = |fallout, by: &str, resolution| Decision { run: run.clone(), fallout, resolution, by: by.to_owned(), note: String::new() };

    let error = world.driver.resolve(decide(None, "", Resolution::Retry)).await.unwrap_err();
    assert!(matches!(error, ResolveError::Invalid(_)), "{error}");
    let error = world.driver.resolve(decide(Some(9), "ann", Resolution::Retry)).await.unwrap_err();
    assert_eq!(error.to_string(), "fallout 9 is not open");

    world.driver.resolve(decide(None, "ann", Resolution::RetryWith(json!({"a": 2})))).await.unwrap();
    let view = world.ended(&run).await;
    assert_eq!(view.run.outcome(), Some(&Outcome::Completed));
    let calls = calls.lock().unwrap();
    assert_eq!((calls[1].attempt.item.round, &*calls[1].request), (2, &json!({"a": 2})));
    assert_ne!(calls[0].key, calls[1].key);
}

#[tokio::test]
async fn a_provider_that_cannot_undo_is_refused_where_an_undo_is_needed() {
    let mut one_way = pin("effect");
    one_way.verbs.undo = false;
    let table = engine::testing::table([("jackfield:test/effect@1", one_way)]);
    let (store, clock) = Default::default();
    let world = World::over(store, clock, vec![testing::linear(&["a"])], done(), table).await;
    let run = world.start(json!({})).await;
    let held = world.until(&run, |view| view.run.open_fallouts().next().is_some()).await;
    let message = &held.run.open_fallouts().next().unwrap().opened.failure.message;
    assert_eq!(message, "`effect` answers contract jackfield:test/effect@1 without `undo`, which this step needs");
}

#[tokio::test]
async fn a_contract_that_nothing_answers_is_a_fallout_of_that_run() {
    let (store, clock) = Default::default();
    let world = World::over(store, clock, vec![testing::linear(&["a"])], done(), engine::BindingTable::default()).await;
    let run = world.start(json!({})).await;
    let held = world.until(&run, |view| view.run.open_fallouts().next().is_some()).await;
    let message = &held.run.open_fallouts().next().unwrap().opened.failure.message;
    assert_eq!(message, "nothing is bound to contract jackfield:test/effect@1 in the run's binding table");
}

#[tokio::test]
async fn a_failure_unwinds_in_reverse_and_ends_as_failed() {
    let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = order.clone();
    let providers = engine::testing::Providers::default().with("effect", move |call: engine::port::Call| {
        let fails = call.attempt.item.step.as_str() == "c";
        seen.lock().unwrap().push(format!("{} {}", call.verb.function(), call.attempt.item.step));
        async move {
            match call.verb {
                engine::port::Verb::Apply if fails => Err(pipeline::Failure::new(pipeline::FailureClass::Rejected, "no", "no")),
                engine::port::Verb::Undo { .. } => Ok(engine::port::Answer::Undone),
                engine::port::Verb::Apply | engine::port::Verb::Resume { .. } | engine::port::Verb::Observe => {
                    Ok(engine::port::Answer::Done(json!({})))
                }
            }
        }
    });
    let world = World::new(vec![testing::linear(&["a", "b", "c"])], providers).await;
    let run = world.start(json!({})).await;
    let view = world.ended(&run).await;
    assert!(matches!(view.run.outcome(), Some(Outcome::Failed { .. })));
    assert_eq!(*order.lock().unwrap(), ["apply a", "apply b", "apply c", "undo b", "undo a"]);
}

#[tokio::test]
async fn an_input_that_is_too_large_is_refused_with_its_size() {
    let world = World::new(vec![testing::linear(&["a"])], done()).await;
    let start = engine::api::Start {
        tenant: pipeline::TenantName::new("default").unwrap(),
        pipeline: pipeline::PipelineName::new("test").unwrap(),
        input: json!("x".repeat(2 << 20)),
        idempotency_key: None,
        trace: None,
    };
    let error = world.driver.start(start).await.unwrap_err();
    assert_eq!(error.to_string(), "the input has 2097154 bytes, more than the 1048576 allowed");
}
