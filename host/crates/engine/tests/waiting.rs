//! Runs that wait: pending operations, callbacks, child runs, and what observers see of them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use engine::{
    api::{Engine, SignalAnswer},
    port::{Answer, Call, Observer, ObserverError, OwnedTransition, PendingAnswer, Position, Signal, Verb},
    testing::{Providers, pin, table},
};
use pipeline::{Failure, FailureClass, Outcome, PipelineName, StepName, Work, testing};
use serde_json::json;
use support::{World, done, kinds};

/// A provider whose operation waits for a callback and is done with its body; the addresses it was given.
fn by_callback() -> (Providers, Arc<Mutex<Vec<String>>>) {
    let tokens = Arc::new(Mutex::new(Vec::new()));
    let seen = tokens.clone();
    let providers = Providers::default().with("effect", move |call: Call| {
        let url = call.callback.as_ref().map(|callback| callback.url.clone()).unwrap_or_default();
        seen.lock().unwrap().push(url.rsplit('/').next().unwrap_or_default().to_owned());
        async move {
            Ok(match call.verb {
                Verb::Resume { signal: Signal::Callback(body), .. } => Answer::Done(json!(body)),
                Verb::Resume { signal: Signal::Cancel, .. } => Answer::Undone,
                Verb::Apply | Verb::Resume { .. } | Verb::Observe | Verb::Undo { .. } => Answer::Pending(PendingAnswer {
                    operation: "op".to_owned(),
                    checkpoint: "cp".to_owned(),
                    poll_after: None,
                    give_up_after: Duration::from_secs(3600),
                }),
            })
        }
    });
    (providers, tokens)
}

fn callback_definition() -> pipeline::Definition {
    let mut definition = testing::linear(&["a"]);
    definition.steps[0].work = Work::Effect { contract: testing::contract(), callback: true };
    definition
}

#[tokio::test]
async fn a_callback_is_accepted_once() {
    let (providers, tokens) = by_callback();
    let world = World::new(vec![callback_definition()], providers).await;
    let run = world.start(json!({})).await;
    world.settle().await;
    assert_eq!(world.driver.driven(), 0, "a waiting run is not in memory");
    let token = tokens.lock().unwrap()[0].clone();
    assert_eq!(world.driver.signal("forged", "x".to_owned()).await.unwrap(), SignalAnswer::Unknown);
    assert_eq!(world.driver.signal(&token, "issued".to_owned()).await.unwrap(), SignalAnswer::Accepted);
    assert_eq!(world.driver.signal(&token, "issued".to_owned()).await.unwrap(), SignalAnswer::AlreadyUsed);
    let view = world.ended(&run).await;
    assert_eq!(view.run.outcome(), Some(&Outcome::Completed));
    assert_eq!(kinds(&view), ["run-started", "step-scheduled", "attempt-pended", "callback-received", "attempt-finished", "run-ended"]);
    assert_eq!(world.driver.signal(&token, "again".to_owned()).await.unwrap(), SignalAnswer::AlreadyUsed);
}

#[tokio::test]
async fn a_callback_that_comes_before_the_answer_is_kept() {
    let gate = Arc::new(tokio::sync::Notify::new());
    let (held, token) = (gate.clone(), Arc::new(Mutex::new(String::new())));
    let seen = token.clone();
    let providers = Providers::default().with("effect", move |call: Call| {
        let gate = held.clone();
        if let Some(callback) = &call.callback {
            *seen.lock().unwrap() = callback.url.rsplit('/').next().unwrap_or_default().to_owned();
        }
        async move {
            if let Verb::Resume { signal: Signal::Callback(body), .. } = call.verb {
                return Ok(Answer::Done(json!(body)));
            }
            gate.notified().await;
            Ok(Answer::Pending(PendingAnswer {
                operation: "op".to_owned(),
                checkpoint: "cp".to_owned(),
                poll_after: None,
                give_up_after: Duration::from_secs(3600),
            }))
        }
    });
    let world = World::new(vec![callback_definition()], providers).await;
    let run = world.start(json!({})).await;
    world.settle().await;
    let token = token.lock().unwrap().clone();
    assert_eq!(world.driver.signal(&token, "early".to_owned()).await.unwrap(), SignalAnswer::Accepted);
    gate.notify_one();
    let view = world.ended(&run).await;
    assert_eq!(view.run.steps()[0].items[0].output(), Some(&json!("early")));
}

#[tokio::test]
async fn an_operation_that_takes_too_long_is_cancelled_and_a_late_callback_is_told_so() {
    let (providers, tokens) = by_callback();
    let world = World::new(vec![callback_definition()], providers).await;
    let run = world.start(json!({})).await;
    let view = world.ended(&run).await;
    let Some(Outcome::Failed { failure, .. }) = view.run.outcome() else { panic!("{:?}", view.run.outcome()) };
    assert_eq!((failure.error_type.as_str(), failure.message.as_str()), ("timeout", "the operation took too long and was cancelled"));
    let token = tokens.lock().unwrap()[0].clone();
    assert_eq!(world.driver.signal(&token, "late".to_owned()).await.unwrap(), SignalAnswer::TooLate);
}

/// A pipeline `parent` with one step that runs `test` as a child, and `test` itself.
fn parent_and_child() -> Vec<pipeline::Definition> {
    let mut parent = testing::empty();
    parent.name = PipelineName::new("parent").unwrap();
    let mut step = testing::step("child");
    step.work = Work::Child { pipeline: PipelineName::new("test").unwrap() };
    step.undo = pipeline::Undo::Never;
    parent.steps.push(step);
    vec![parent, testing::linear(&["a"])]
}

async fn run_parent(providers: Providers) -> (World, engine::api::RunView) {
    let world = World::new(parent_and_child(), providers).await;
    let start = engine::api::Start {
        tenant: pipeline::TenantName::new("default").unwrap(),
        pipeline: PipelineName::new("parent").unwrap(),
        input: json!({"order": 1}),
        idempotency_key: None,
        trace: None,
    };
    let run = world.driver.start(start).await.unwrap().run;
    let view = world.ended(&run).await;
    (world, view)
}

#[tokio::test]
async fn a_child_run_belongs_to_its_parent_and_returns_its_output() {
    let (world, parent) = run_parent(done()).await;
    assert_eq!(parent.run.outcome(), Some(&Outcome::Completed));
    assert_eq!(kinds(&parent), ["run-started", "step-scheduled", "child-started", "child-ended", "run-ended"]);
    let child = parent.records.iter().find_map(|record| {
        let pipeline::Event::ChildStarted { child, .. } = &record.event else { return None };
        Some(child.clone())
    });
    let child = world.until(&child.unwrap(), |view| !view.run.owes_parent()).await;
    assert_eq!(child.run.started().parent.as_ref().unwrap().run, *parent.run.id());
    let (ours, its) = (&parent.run.started().trace, &child.run.started().trace);
    assert_eq!((&its.trace_id, its.parent_span_id.as_ref()), (&ours.trace_id, Some(&ours.span_id)));
    assert_eq!(kinds(&child).last().unwrap(), "parent-notified");
}

#[tokio::test]
async fn a_child_that_fails_fails_its_item() {
    let (providers, _) = support::scripted(vec![Err(Failure::new(FailureClass::Rejected, "no", "it will not do"))]);
    let (_world, parent) = run_parent(providers).await;
    let Some(Outcome::Failed { failure, step }) = parent.run.outcome() else { panic!("{:?}", parent.run.outcome()) };
    assert_eq!((failure.message.as_str(), step), ("it will not do", &Some(StepName::new("child").unwrap())));
}

/// Fails its first batch, then takes everything.
#[derive(Debug, Default)]
struct Forgetful {
    seen: Mutex<Vec<(Position, bool)>>,
    failed: Mutex<bool>,
}

#[async_trait]
impl Observer for Forgetful {
    fn name(&self) -> &'static str {
        "forgetful"
    }
    async fn cursor(&self) -> Result<Position, ObserverError> {
        Ok(self.seen.lock().unwrap().last().map_or(Position(0), |(position, _)| *position))
    }
    async fn observe(&self, batch: &[OwnedTransition]) -> Result<(), ObserverError> {
        if !std::mem::replace(&mut *self.failed.lock().unwrap(), true) {
            return Err(ObserverError("not yet".to_owned()));
        }
        self.seen.lock().unwrap().extend(batch.iter().map(|event| (event.position, event.before.is_none())));
        Ok(())
    }
}

#[tokio::test]
async fn an_observer_sees_every_event_in_order_after_it_failed() {
    let observer = Arc::new(Forgetful::default());
    let bindings = table([("jackfield:test/effect@1", pin("effect"))]);
    let (store, clock) = Default::default();
    let world = World::observed(store, clock, vec![testing::linear(&["a", "b"])], done(), bindings, vec![observer.clone()]).await;
    let run = world.start(json!({})).await;
    let view = world.ended(&run).await;
    for _ in 0..100 {
        world.clock.advance_to_next_sleeper();
        world.settle().await;
    }
    let seen = observer.seen.lock().unwrap().clone();
    assert_eq!(seen.iter().map(|(position, _)| position.0).collect::<Vec<_>>(), (1..=view.records.len() as u64).collect::<Vec<_>>());
    assert_eq!(seen.iter().filter(|(_, first)| *first).count(), 1);
}

/// Answers what the script says, each answer once; then the work is done.
fn pended(poll_after: Option<u64>) -> Result<Answer, Failure> {
    Ok(Answer::Pending(PendingAnswer {
        operation: "session".to_owned(),
        checkpoint: "cp".to_owned(),
        poll_after: poll_after.map(Duration::from_secs),
        give_up_after: Duration::from_secs(7 * 86_400),
    }))
}

#[tokio::test]
async fn a_run_is_woken_before_its_time_when_it_is_asked_from_time_to_time() {
    let backoff = || Err(Failure::new(FailureClass::Unavailable, "down", "the device does not answer"));
    let native = || pin("effect");
    // Whether the run goes on by itself, and whether the news makes it do so at once.
    for (what, provider, answer, (goes_on, early)) in [
        ("asks again", native(), pended(Some(21_600)), (true, true)),
        ("a plugin that asks again", plugin(), pended(Some(21_600)), (true, true)),
        ("tries again", native(), backoff(), (true, true)),
        ("a plugin that tries again", plugin(), backoff(), (true, false)),
        ("waits for a callback", native(), pended(None), (false, false)),
    ] {
        let (providers, calls) = support::scripted(vec![answer]);
        let bindings = table([("jackfield:test/effect@1", provider)]);
        let (store, clock) = Default::default();
        let world = World::over(store, clock, vec![testing::linear(&["a"])], providers, bindings).await;
        let run = world.start(json!({})).await;
        world.settle().await;
        assert_eq!((world.driver.driven(), calls.lock().unwrap().len()), (0, 1), "{what}");
        assert_eq!(world.driver.wake(&run).await.unwrap(), goes_on, "{what}");
        world.settle().await;
        let ended = world.view(&run).await.run.outcome().is_some();
        assert_eq!((ended, calls.lock().unwrap().len()), (early, 1 + usize::from(early)), "{what}: no time has passed");
        if early {
            assert!(!world.driver.wake(&run).await.unwrap(), "a run that is over is not woken");
        }
    }
    let world = World::new(vec![testing::linear(&["a"])], done()).await;
    assert!(!world.driver.wake(&testing::run_id(9)).await.unwrap(), "there is no such run");
}

/// The pin of the scripted provider, as if a plugin were it.
fn plugin() -> pipeline::Pin {
    let digest = pipeline::Digest::new("a".repeat(64)).unwrap();
    pipeline::Pin { provider: pipeline::Provider::Plugin { name: "effect".to_owned(), version: "1.0.0".to_owned(), digest }, ..pin("effect") }
}

#[tokio::test]
async fn an_undo_that_waits_to_be_tried_again_is_not_hurried_by_news() {
    let down = || Err(Failure::new(FailureClass::Unavailable, "down", "the device does not answer"));
    let refused = Err(Failure::new(FailureClass::Rejected, "no", "it will not do"));
    let (providers, calls) = support::scripted(vec![Ok(Answer::Done(json!("receipt"))), refused, down()]);
    let world = World::new(vec![testing::linear(&["a", "b"])], providers).await;
    let run = world.start(json!({})).await;
    world.settle().await;
    let called = || calls.lock().unwrap().iter().map(|call| call.verb.function()).collect::<Vec<_>>();
    assert_eq!((called(), world.driver.driven()), (vec!["apply", "apply", "undo"], 0));
    assert!(!world.driver.wake(&run).await.unwrap());
    world.settle().await;
    assert_eq!(called().len(), 3, "no time has passed");
}

#[tokio::test]
async fn news_for_several_items_are_one_append() {
    let mut definition = testing::linear(&["a", "b"]);
    definition.steps[1].after = Vec::new();
    let (providers, calls) = support::scripted(vec![pended(Some(21_600)), pended(Some(21_600)), pended(Some(21_600)), pended(Some(21_600))]);
    let world = World::new(vec![definition], providers).await;
    let run = world.start(json!({})).await;
    world.settle().await;
    let (appends, head) = (world.appends.load(Ordering::SeqCst), world.view(&run).await.records.len());
    assert!(world.driver.wake(&run).await.unwrap());
    world.settle().await;
    assert_eq!(kinds(&world.view(&run).await).split_off(head), ["timer-fired", "timer-fired", "attempt-pended", "attempt-pended"]);
    assert_eq!((world.appends.load(Ordering::SeqCst) - appends, calls.lock().unwrap().len()), (3, 4), "one for the news, one for each answer");
}

#[tokio::test]
async fn a_call_that_was_under_way_when_the_news_came_is_followed_by_another() {
    let (entered, leave) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let (gate, calls) = ((entered.clone(), leave.clone()), Arc::new(Mutex::new(0)));
    let counted = calls.clone();
    let providers = Providers::default().with("effect", move |_: Call| {
        let (entered, leave) = gate.clone();
        let first = std::mem::replace(&mut *counted.lock().unwrap(), 2) == 0;
        async move {
            if !first {
                return Ok(Answer::Done(json!("done")));
            }
            entered.notify_one();
            leave.notified().await;
            pended(Some(21_600))
        }
    });
    let world = World::new(vec![testing::linear(&["a"])], providers).await;
    let run = world.start(json!({})).await;
    entered.notified().await;
    assert!(world.driver.wake(&run).await.unwrap());
    leave.notify_one();
    world.settle().await;
    let view = world.view(&run).await;
    assert_eq!(kinds(&view), ["run-started", "step-scheduled", "attempt-pended", "timer-fired", "attempt-finished", "run-ended"]);
}
