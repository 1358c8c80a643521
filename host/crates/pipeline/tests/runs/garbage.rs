//! Events that are well formed and otherwise arbitrary.

use pipeline::{
    AfterUnwind, AttemptId, Direction, Event, Failure, FailureClass, FalloutOpened, FalloutSubject, ItemId, Outcome, Pended, PinChanged, Resolution,
    ScheduledItem, Timer, Timestamp, Verdict, testing,
};
use proptest::{prelude::*, sample::select};
use serde_json::json;

use crate::support::{digest, name, plugin, revision};

/// A few events in a row.
pub(crate) fn events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(event(), 1..40)
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![of_runs(), of_attempts(), of_items(), of_fallouts()]
}

fn of_runs() -> impl Strategy<Value = Event> {
    let items = || prop::collection::vec(any::<bool>(), 0..3);
    let scheduled = |bound: bool| ScheduledItem { label: String::new(), request: json!(0).into(), pin: bound.then(testing::pin).map(Into::into) };
    let then = select(vec![AfterUnwind::Fallout, AfterUnwind::Fail, AfterUnwind::Cancel]);
    let outcome =
        prop_oneof![Just(Outcome::Completed), Just(Outcome::Cancelled), failure().prop_map(|failure| Outcome::Failed { failure, step: None })];
    prop_oneof![
        (step(), 0..4_u32, items()).prop_map(move |(step, round, items)| {
            Event::StepScheduled { step, round, items: items.into_iter().map(scheduled).collect(), revision: None }
        }),
        (step(), failure()).prop_map(|(step, failure)| Event::StepRefused { step, failure }),
        (prop::option::of(failure()), prop::option::of(step()), prop::option::of(0..4_u32), then)
            .prop_map(|(cause, step, item, then)| Event::UnwindStarted { cause, step, item, then }),
        outcome.prop_map(|outcome| Event::RunEnded { outcome }),
        Just(Event::ParentNotified),
        Just(Event::RunReopened { by: String::new(), note: String::new() }),
    ]
}

fn of_attempts() -> impl Strategy<Value = Event> {
    let verdict = || {
        prop_oneof![
            Just(Verdict::Done(json!(1).into())),
            Just(Verdict::Undone),
            failure().prop_map(Verdict::Failed),
            failure().prop_map(|failure| Verdict::Refused { output: json!(2).into(), failure }),
        ]
    };
    let pended = (prop::option::of(time()), time()).prop_map(|(poll_at, give_up_at)| Pended {
        operation: String::new(),
        checkpoint: String::new(),
        poll_at,
        poll_after_ms: None,
        give_up_at,
    });
    prop_oneof![
        attempt().prop_map(|attempt| Event::AttemptStarted { attempt }),
        (attempt(), pended).prop_map(|(attempt, pending)| Event::AttemptPended { attempt, started_at: Timestamp(0), pending }),
        (attempt(), failure(), time()).prop_map(|(attempt, failure, due)| Event::ResumeFailed { attempt, failure, due }),
        (attempt(), failure()).prop_map(|(attempt, failure)| Event::ResumeHeld { attempt, failure }),
        (attempt(), verdict(), prop::option::of(time())).prop_map(|(attempt, verdict, retry_at)| Event::AttemptFinished {
            attempt,
            started_at: Timestamp(0),
            verdict,
            retry_at,
            attributes: Vec::new(),
        }),
        attempt().prop_map(|attempt| Event::AttemptLost { attempt, started_at: Timestamp(0) }),
    ]
}

fn of_items() -> impl Strategy<Value = Event> {
    let child = || (0..3_u64).prop_map(testing::run_id);
    let result = || prop_oneof![Just(Ok(json!(3))), failure().prop_map(Err)];
    prop_oneof![
        item().prop_map(|item| Event::RetryAbandoned { item }),
        (item(), select(vec![Timer::Retry, Timer::Poll, Timer::GiveUp])).prop_map(|(item, timer)| Event::TimerFired { item, timer }),
        item().prop_map(|item| Event::CancelRequested { item }),
        item().prop_map(|item| Event::CallbackReceived { item, body: String::new() }),
        (item(), child()).prop_map(|(item, child)| Event::ChildStarted { item, child }),
        (item(), child(), result()).prop_map(|(item, child, result)| Event::ChildEnded { item, child, result }),
        item().prop_map(|item| Event::ItemForgiven { item }),
        item().prop_map(|item| Event::UndoScheduled { item }),
        (prop::collection::vec(item(), 0..3), select(vec!["a", "b"])).prop_map(|(items, from)| Event::PinChanged(Box::new(repinned(items, from)))),
    ]
}

fn repinned(items: Vec<ItemId>, from: &str) -> PinChanged {
    let pin = plugin("b", testing::pin()).into();
    PinChanged { contract: testing::contract(), items, from: digest(from), pin, revision: revision("c"), by: String::new(), note: String::new() }
}

fn of_fallouts() -> impl Strategy<Value = Event> {
    let subject = select(vec![FalloutSubject::Failed, FalloutSubject::Unwound, FalloutSubject::UndoFailed]);
    let opened = (1..4_u32, subject, step(), prop::option::of(0..4_u32), failure()).prop_map(|(id, subject, step, item, failure)| {
        Event::FalloutOpened(Box::new(FalloutOpened { id, subject, step, item, reason: String::new(), failure }))
    });
    let resolution = prop_oneof![
        Just(Resolution::Retry),
        Just(Resolution::RetryWith(json!({"items": [4, 5]}))),
        Just(Resolution::SkipWith(json!(6))),
        Just(Resolution::Cancel),
        Just(Resolution::Fail),
    ];
    let resolved =
        (1..4_u32, resolution).prop_map(|(id, resolution)| Event::FalloutResolved { id, resolution, by: String::new(), note: String::new() });
    prop_oneof![opened, resolved]
}

fn step() -> impl Strategy<Value = pipeline::StepName> {
    select(vec!["s0", "s1", "s2", "s3", "s4", "nowhere"]).prop_map(name)
}

fn item() -> impl Strategy<Value = ItemId> {
    (step(), 0..4_u32, 1..4_u32).prop_map(|(step, item, round)| ItemId { step, item, round })
}

fn attempt() -> impl Strategy<Value = AttemptId> {
    (item(), any::<bool>(), 1..4_u32).prop_map(|(item, undo, attempt)| {
        let direction = if undo { Direction::Undo } else { Direction::Do };
        AttemptId { item, direction, attempt }
    })
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0..2_000_000_u64).prop_map(Timestamp)
}

fn failure() -> impl Strategy<Value = Failure> {
    let classes = vec![FailureClass::Rejected, FailureClass::Unavailable, FailureClass::Unknown, FailureClass::Held];
    select(classes).prop_map(|class| Failure::new(class, "odd", "odd"))
}
