//! The persisted form of events: every kind survives its round trip, and what is not an event is refused with a reason that can be understood.

use std::collections::BTreeSet;

use pipeline::{Event, Failure, FailureClass, Record, Verdict};
use serde_json::{Value, json};

use crate::{
    scenario::all,
    support::{World, main_run},
};

/// Every kind of event: a new one does not compile until it is named here and occurs in the reference set.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::RunStarted(_) => "run-started",
        Event::StepScheduled { .. } => "step-scheduled",
        Event::StepRefused { .. } => "step-refused",
        Event::AttemptStarted { .. } => "attempt-started",
        Event::AttemptPended { .. } => "attempt-pended",
        Event::ResumeFailed { .. } => "resume-failed",
        Event::ResumeHeld { .. } => "resume-held",
        Event::AttemptFinished { .. } => "attempt-finished",
        Event::AttemptLost { .. } => "attempt-lost",
        Event::RetryAbandoned { .. } => "retry-abandoned",
        Event::TimerFired { .. } => "timer-fired",
        Event::CancelRequested { .. } => "cancel-requested",
        Event::CallbackReceived { .. } => "callback-received",
        Event::ChildStarted { .. } => "child-started",
        Event::ChildEnded { .. } => "child-ended",
        Event::ItemForgiven { .. } => "item-forgiven",
        Event::UnwindStarted { .. } => "unwind-started",
        Event::UndoScheduled { .. } => "undo-scheduled",
        Event::PinChanged(_) => "pin-changed",
        Event::FalloutOpened(_) => "fallout-opened",
        Event::FalloutResolved { .. } => "fallout-resolved",
        Event::RunEnded { .. } => "run-ended",
        Event::ParentNotified => "parent-notified",
        Event::RunReopened { .. } => "run-reopened",
    }
}

const KINDS: usize = 24;

fn records() -> Vec<Record> {
    let finished = |mut world: World| {
        world.finish();
        world.runs.into_values().flat_map(|entry| entry.journal).collect::<Vec<_>>()
    };
    all().iter().flat_map(|scenario| finished(scenario.world())).collect()
}

#[test]
fn every_kind_of_event_survives_its_round_trip() {
    let mut kinds = BTreeSet::new();
    for record in records() {
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record, "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["event"]["kind"], kind(&record.event));
        kinds.insert(kind(&record.event));
    }
    assert_eq!(kinds.len(), KINDS, "the reference set leaves a kind out: {kinds:?}");
}

#[test]
fn every_verdict_survives_its_round_trip() {
    let failure = || Failure { retry_after_ms: Some(3), ..Failure::new(FailureClass::Unavailable, "busy", "not now") };
    let refused = Verdict::Refused { output: json!({"a": [1, null, "x", u64::MAX]}).into(), failure: failure() };
    for verdict in [Verdict::Done(json!(null).into()), Verdict::Undone, refused, Verdict::Failed(failure())] {
        let text = serde_json::to_string(&verdict).unwrap();
        assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict, "{text}");
    }
}

#[test]
fn what_is_not_an_event_is_refused_with_a_reason() {
    let check = |event: Value, reason: &str| {
        let record = json!({"seq": 2, "epoch": 1, "at": 0, "event": event});
        let error = serde_json::from_value::<Record>(record).unwrap_err().to_string();
        assert!(error.contains(reason), "`{error}` does not say `{reason}`");
    };
    check(json!({"kind": "step-invented"}), "unknown variant `step-invented`, expected one of `run-started`, `step-scheduled`");
    check(json!({}), "missing field `kind`");
    check(json!({"kind": "step-scheduled", "step": "a", "items": []}), "missing field `round`");
    check(json!({"kind": "step-scheduled", "step": "No!", "round": 1, "items": []}), "step name `No!` is not valid: expected 1 to 48 characters");
    check(json!({"kind": "run-ended", "outcome": "vanished"}), "unknown variant `vanished`");
    check(json!({"kind": "timer-fired", "item": {"step": "a", "item": -1, "round": 1}, "timer": "poll"}), "invalid value: integer `-1`");
}

#[test]
fn a_field_that_a_later_release_added_is_skipped_by_this_one() {
    let text = r#"{"seq":2,"epoch":1,"at":0,"event":{"kind":"parent-notified","later":1},"later":2}"#;
    assert_eq!(serde_json::from_str::<Record>(text).unwrap().event, Event::ParentNotified);
}

#[test]
fn the_state_of_a_run_survives_its_round_trip_after_every_record() {
    for scenario in all() {
        let mut world = scenario.world();
        world.finish();
        let entry = &world.runs[&main_run()];
        for length in 1..=entry.journal.len() {
            let run = pipeline::replay(&scenario.definition, main_run(), &entry.journal[..length]).unwrap();
            let text = serde_json::to_string(&run).unwrap();
            assert_eq!(serde_json::from_str::<pipeline::Run>(&text).unwrap(), run, "{} after {length}", scenario.name);
        }
    }
}
