//! Things that meet at a bad moment: each with what must and must not be in the journal then.

use std::num::NonZeroU32;

use pipeline::{
    AfterFailure, AttemptId, CallAnswer, CallResult, Criticality, Definition, Direction, Event, Failure, FailureClass, ItemId, Parent, Pended, Pin,
    PipelineName, Resolution, Run, Timer, Timestamp, Undo, Verbs, Verdict, Work, apply, begin, settle, testing,
};
use serde_json::json;

use crate::{
    scenario::with,
    support::{Act, Callback, Script, Verb, When, World, name, outcome_text},
};

const WAIT: Act = Act::Pending { poll_ms: None, give_up_ms: 1000 };
const POLL: Act = Act::Pending { poll_ms: Some(10), give_up_ms: 1000 };

/// Drives a run to its end and looks at its journal.
fn check(definition: &Definition, setup: impl Fn(&mut World), ends: &str, has: &[&str], lacks: &[&str]) {
    let mut world = World::new(definition, json!({"items": [0, 1]}));
    setup(&mut world);
    world.finish();
    world.audit();
    let log = world.log();
    assert_eq!(outcome_text(world.outcome()), ends, "{log}");
    has.iter().for_each(|text| assert!(log.contains(text), "`{text}` is missing:\n{log}"));
    lacks.iter().for_each(|text| assert!(!log.contains(text), "`{text}` is there:\n{log}"));
}

/// Two steps that do not wait for one another, then `z`.
fn side_by_side() -> Definition {
    let definition = with(testing::linear(&["l", "r", "z"]), "r", |step| step.after.clear());
    with(definition, "z", |step| step.after = vec![name("l"), name("r")])
}

fn blind() -> Pin {
    Pin { verbs: Verbs { observe: false, ..testing::pin().verbs }, ..testing::pin() }
}

#[test]
fn a_step_that_lasts_until_another_is_not_undone_while_it_is_still_being_worked_on() {
    let definition = with(side_by_side(), "l", |step| {
        (step.undo, step.fan_out, step.map) = (Undo::After(name("r")), NonZeroU32::new(1), testing::map_items);
    });
    let setup = |world: &mut World| {
        world.backend.scripts.insert((name("l"), Some(1), Verb::Apply), Script { acts: vec![POLL], forever: false });
    };
    check(&definition, setup, "completed", &["undo-scheduled l[0]", "undo-scheduled l[1]"], &[]);
}

#[test]
fn a_step_that_was_unwound_before_it_had_served_its_purpose_runs_again() {
    let definition = with(testing::linear(&["a", "b", "c"]), "a", |step| step.undo = Undo::After(name("c")));
    let definition = with(definition, "b", |step| step.on_failure.then = AfterFailure::Fallout);
    let setup = |world: &mut World| {
        world.script("b", Verb::Apply, &[Act::Rejected]);
        world.operator.extend([Resolution::Retry]);
    };
    check(&definition, setup, "completed", &["step-scheduled a round 2", "step-scheduled b round 2", "undo-scheduled a[0] round 2"], &[]);
}

#[test]
fn a_step_that_served_a_purpose_which_was_then_undone_runs_again() {
    let definition = with(testing::linear(&["a", "b", "c"]), "a", |step| step.undo = Undo::After(name("b")));
    let definition = with(definition, "c", |step| step.on_failure.then = AfterFailure::Fallout);
    let setup = |world: &mut World| {
        world.script("c", Verb::Apply, &[Act::Unavailable, Act::Rejected]);
        world.operator.extend([Resolution::Retry]);
    };
    check(&definition, setup, "completed", &["step-scheduled a round 2", "step-scheduled b round 2"], &[]);
}

#[test]
fn a_best_effort_step_that_nothing_answers_does_not_end_the_run() {
    let definition = with(testing::linear(&["a", "b", "c"]), "b", |step| step.criticality = Criticality::BestEffort);
    let setup = |world: &mut World| {
        world.refusals.insert(name("b"), Failure::new(FailureClass::Rejected, "nobody", "nothing answers"));
    };
    check(&definition, setup, "completed", &["step-refused b", "attempt-finished c[0] round 1 attempt 1: done"], &["fallout"]);
}

#[test]
fn what_a_forgiven_attempt_may_have_done_is_undone() {
    let definition = with(testing::linear(&["a", "b", "c"]), "b", |step| step.criticality = Criticality::BestEffort);
    let setup = |world: &mut World| {
        world.always("b", Verb::Apply, Act::Unknown { did: true });
        world.always("b", Verb::Observe, Act::Unavailable);
        world.always("c", Verb::Apply, Act::Rejected);
        world.operator.extend([Resolution::Cancel]);
    };
    check(&definition, setup, "failed in b: Unknown busy", &["item-forgiven b[0]", "undo-scheduled b[0]", "fallout-opened 1 UndoFailed b[0]"], &[]);
}

#[test]
fn two_fallouts_are_both_cancelled_and_nothing_runs_forward_again() {
    let setup = |world: &mut World| {
        world.always("l", Verb::Apply, Act::Held);
        world.always("r", Verb::Apply, Act::Held);
        world.operator.extend([Resolution::Cancel, Resolution::Cancel]);
    };
    check(&side_by_side(), setup, "cancelled", &["fallout-opened 1 Failed l", "fallout-opened 2 Failed r"], &["attempt 2", "refused: "]);
}

#[test]
fn a_fallout_that_is_retried_while_the_run_unwinds_is_undone_like_the_rest() {
    let setup = |world: &mut World| {
        world.script("l", Verb::Apply, &[Act::Held]);
        world.script("r", Verb::Apply, &[Act::Unavailable, Act::Rejected]);
        world.operator.extend([Resolution::Retry]);
    };
    check(&side_by_side(), setup, "failed in r: Rejected refused", &["fallout-resolved 1 Retry", "undo-scheduled l[0]"], &["z[0]"]);
}

#[test]
fn a_doomed_run_begins_nothing_new() {
    let definition = with(side_by_side(), "l", |step| (step.on_failure.unwind, step.undo) = (false, Undo::Never));
    let mut definition = with(definition, "z", |step| step.after = vec![name("r")]);
    definition.steps.push(testing::step("slow"));
    let setup = |world: &mut World| {
        world.script("l", Verb::Apply, &[Act::Rejected]);
        world.script("slow", Verb::Apply, &[POLL]);
    };
    let done = ["r[0] round 1 attempt 1: done", "slow[0] round 1 attempt 1: done"];
    check(&definition, setup, "failed in l: Rejected refused", &done, &["step-scheduled z"]);
}

#[test]
fn a_pure_step_is_simply_called_again_after_a_crash_or_a_lost_answer() {
    let definition = with(testing::linear(&["a", "b"]), "a", |step| {
        (step.work, step.undo) = (Work::Pure { contract: testing::contract() }, Undo::Never);
    });
    let setup = |world: &mut World| {
        world.pins.insert(name("a"), blind());
        world.script("a", Verb::Apply, &[Act::Unknown { did: false }]);
        world.crashes.push(2);
    };
    check(&definition, setup, "completed", &["attempt-lost a[0] round 1 attempt 1"], &["fallout"]);
}

#[test]
fn an_operation_that_cannot_be_asked_about_is_not_begun_anew_by_a_blind_provider() {
    let setup = |world: &mut World| {
        world.pins.insert(name("a"), blind());
        world.script("a", Verb::Apply, &[POLL]);
        world.always("a", Verb::Resume, Act::Unavailable);
        world.operator.extend([Resolution::Fail]);
    };
    check(
        &testing::linear(&["a", "b"]),
        setup,
        "failed in a: Held host.internal",
        &["fallout-opened 1 UndoFailed a[0]"],
        &["a[0] round 1 attempt 2"],
    );
}

#[test]
fn an_undo_without_a_receipt_looks_again_after_each_failure() {
    let setup = |world: &mut World| {
        world.always("b", Verb::Apply, Act::Unknown { did: true });
        world.always("b", Verb::Observe, Act::Drifted);
        world.script("b", Verb::Undo, &[Act::Unavailable]);
        world.operator.extend([Resolution::Cancel]);
    };
    check(&testing::linear(&["a", "b"]), setup, "cancelled", &["b[0] round 1 undo attempt 2: undone"], &["UndoFailed"]);
}

/// `a` takes too long, is cancelled, and is still being made when it is to be undone.
fn cannot_be_cancelled_in_time(world: &mut World, answers: &[Act]) {
    world.script("a", Verb::Apply, &[WAIT]);
    world.script("a", Verb::Resume, answers);
    world.operator.extend([Resolution::Cancel]);
}

#[test]
fn an_operation_that_is_found_under_way_when_it_is_to_be_undone_is_cancelled() {
    let cancelled = |answers: &[Act], undone: &str| {
        let setup = |world: &mut World| cannot_be_cancelled_in_time(world, answers);
        check(&testing::linear(&["a", "b"]), setup, "cancelled", &[undone], &["UndoFailed"]);
    };
    cancelled(&[POLL], "a[0] round 1 undo attempt 1: undone");
    // As long as it goes on, the next attempt looks again, and also after a refusal: that may mean that there is nothing left.
    cancelled(&[POLL, POLL], "a[0] round 1 undo attempt 2: undone");
    cancelled(&[POLL, Act::Rejected], "a[0] round 1 undo attempt 2: undone");
}

#[test]
fn an_operation_under_way_that_its_provider_cannot_resume_is_left_to_a_person_and_not_to_chance() {
    let setup = |world: &mut World| {
        cannot_be_cancelled_in_time(world, &[POLL]);
        world.pins.insert(name("a"), Pin { verbs: Verbs { resume: false, ..testing::pin().verbs }, ..testing::pin() });
    };
    check(&testing::linear(&["a", "b"]), setup, "failed in a: Unknown _OTHER", &["fallout-opened 2 UndoFailed a[0]"], &["undone"]);
}

#[test]
fn the_body_of_a_callback_outlives_the_attempt_that_failed_to_use_it() {
    let definition = with(testing::linear(&["a"]), "a", calls_back);
    let setup = |world: &mut World| {
        world.script("a", Verb::Apply, &[WAIT, WAIT]);
        world.script("a", Verb::Resume, &[Act::Unavailable; 3]);
        world.callbacks.push(Callback { step: "a", when: When::InTime, body: "hello" });
    };
    check(&definition, setup, "completed", &["a[0] round 1 attempt 2: done"], &["GiveUp"]);
}

fn calls_back(step: &mut pipeline::StepDefinition) {
    step.work = Work::Effect { contract: testing::contract(), callback: true };
}

/// A run of one step `a` with a callback, event by event.
struct Bench {
    definition: Definition,
    run: Run,
}

impl Bench {
    fn new(change: impl Fn(&mut pipeline::StepDefinition)) -> Self {
        let definition = with(testing::linear(&["a"]), "a", change);
        let run = begin(&definition, testing::run_id(1), &testing::started(&definition)).unwrap();
        Self { definition, run }
    }

    fn scheduled(self, pin: Option<Pin>) -> Self {
        let item = pipeline::ScheduledItem { label: String::new(), request: json!(0).into(), pin: pin.map(Into::into) };
        self.then(Event::StepScheduled { step: name("a"), round: 1, items: vec![item], revision: None })
    }

    fn then(mut self, event: Event) -> Self {
        self.run = apply(&self.definition, self.run.clone(), &testing::record(&self.run, 1, event)).unwrap();
        self
    }

    fn but_not(self, event: Event, reason: &str) -> Self {
        let illegal = apply(&self.definition, self.run.clone(), &testing::record(&self.run, 1, event)).unwrap_err();
        assert_eq!(illegal.reason, reason);
        self
    }
}

fn item() -> ItemId {
    ItemId { step: name("a"), item: 0, round: 1 }
}

fn attempt(direction: Direction) -> AttemptId {
    AttemptId { item: item(), direction, attempt: 1 }
}

fn pended(direction: Direction) -> Event {
    let pending = Pended {
        operation: "op".to_owned(),
        checkpoint: String::new(),
        poll_at: Some(Timestamp(5)),
        poll_after_ms: Some(1),
        give_up_at: Timestamp(9),
    };
    Event::AttemptPended { attempt: attempt(direction), started_at: Timestamp(0), pending }
}

fn callback(round: u32) -> Event {
    Event::CallbackReceived { item: ItemId { round, ..item() }, body: "hello".to_owned() }
}

fn unwind() -> Event {
    Event::UnwindStarted { cause: None, step: None, item: None, then: pipeline::AfterUnwind::Fail }
}

#[test]
fn a_callback_is_refused_before_its_round_after_it_and_twice() {
    let bench = Bench::new(calls_back).but_not(callback(1), "step `a` has no item 0 in round 1").scheduled(Some(testing::pin()));
    let bench = bench.but_not(callback(2), "step `a` has no item 0 in round 2").then(callback(1));
    bench.but_not(callback(1), "the callback was used already");
}

#[test]
fn a_callback_of_the_work_is_not_taken_for_an_answer_about_its_undo() {
    let done = testing::finished(attempt(Direction::Do), Verdict::Done(json!("receipt").into()));
    let bench = Bench::new(calls_back).scheduled(Some(testing::pin())).then(done).then(unwind());
    let bench = bench.then(Event::UndoScheduled { item: item() }).but_not(callback(1), "the item is being undone");
    bench.then(pended(Direction::Undo)).but_not(callback(1), "the item is being undone");
}

#[test]
fn a_timer_does_not_fire_after_the_operation_was_cancelled_or_called_back() {
    let pending = || Bench::new(calls_back).scheduled(Some(testing::pin())).then(pended(Direction::Do));
    let poll = || Event::TimerFired { item: item(), timer: Timer::Poll };
    let refused = "no such timer is set: the item is being called";
    pending().then(callback(1)).but_not(poll(), refused);
    pending().then(unwind()).then(Event::CancelRequested { item: item() }).but_not(poll(), refused);
    // The callback came while the operation was given up: it is kept, and does not disturb the call that is being made.
    let racing = pending().then(Event::TimerFired { item: item(), timer: Timer::GiveUp }).then(callback(1));
    let ready = racing.run.steps()[0].items[0].ready().unwrap();
    assert_eq!(ready.resume.as_ref().unwrap().signal, pipeline::ResumeSignal::Cancel);
}

#[test]
fn a_child_may_end_before_its_parent_knows_that_it_exists() {
    let child = |step: &mut pipeline::StepDefinition| {
        (step.work, step.undo) = (Work::Child { pipeline: PipelineName::new("child").unwrap() }, Undo::Never);
    };
    let ended = |n| Event::ChildEnded { item: item(), child: testing::run_id(n), result: Ok(json!("output")) };
    let started = |n| Event::ChildStarted { item: item(), child: testing::run_id(n) };
    let bench = Bench::new(child).scheduled(None).then(ended(2)).but_not(started(2), "the item is at rest and starts no child");
    bench.but_not(ended(2), "the item is at rest and waits for no such child");
    Bench::new(child).scheduled(None).then(started(2)).but_not(ended(3), "the item is waiting for a child run and waits for no such child");
}

#[test]
fn an_answer_that_comes_after_the_end_is_nothing_to_record() {
    let failure = Failure::new(FailureClass::Held, "odd", "odd");
    let bench =
        Bench::new(|_| {}).scheduled(Some(testing::pin())).then(Event::RunEnded { outcome: pipeline::Outcome::Failed { failure, step: None } });
    let result = CallResult { started_at: Timestamp(0), answer: Ok(CallAnswer::Done(json!(1).into())), attributes: Vec::new() };
    assert_eq!(settle(&bench.definition, &bench.run, &attempt(Direction::Do), Timestamp(1), result), None);
}

#[test]
fn a_provider_that_wants_to_be_asked_again_at_once_is_asked_after_a_pause() {
    let bench = Bench::new(|_| {}).scheduled(Some(testing::pin()));
    let none = std::time::Duration::ZERO;
    let pending = CallAnswer::Pending { operation: "o".into(), checkpoint: "c".into(), poll_after: Some(none), give_up_after: none };
    let result = CallResult { started_at: Timestamp(0), answer: Ok(pending), attributes: Vec::new() };
    let event = settle(&bench.definition, &bench.run, &attempt(Direction::Do), Timestamp(5), result);
    let Some(Event::AttemptPended { pending, .. }) = event else { panic!("{event:?}") };
    assert_eq!(pending.poll_at, Some(Timestamp(5).plus(pipeline::MIN_POLL)));
}

#[test]
fn a_parent_is_told_once_and_only_when_the_run_is_over() {
    let definition = testing::linear(&["a"]);
    let mut first = testing::started(&definition);
    if let Event::RunStarted(started) = &mut first.event {
        std::sync::Arc::make_mut(started).parent = Some(Parent { run: testing::run_id(7), item: item() });
    }
    let run = begin(&definition, testing::run_id(1), &first).unwrap();
    let failure = Failure::new(FailureClass::Held, "odd", "odd");
    let bench = Bench { definition, run }.but_not(Event::ParentNotified, "the run is not over");
    let bench = bench.then(Event::RunEnded { outcome: pipeline::Outcome::Failed { failure, step: None } }).then(Event::ParentNotified);
    bench.but_not(Event::ParentNotified, "the run is over");
}

#[test]
fn a_run_does_not_complete_nor_cancel_out_of_turn_and_does_not_turn_back_past_its_point_of_no_return() {
    let ended = |outcome| Event::RunEnded { outcome };
    let bench = Bench::new(|step| step.criticality = Criticality::PointOfNoReturn).scheduled(Some(testing::pin()));
    let bench = bench.but_not(ended(pipeline::Outcome::Completed), "the run cannot end so from here");
    let bench = bench.but_not(ended(pipeline::Outcome::Cancelled), "the run cannot end so from here");
    let bench = bench.then(testing::finished(attempt(Direction::Do), Verdict::Done(json!(1).into())));
    bench.but_not(unwind(), "the run has passed its point of no return").then(ended(pipeline::Outcome::Completed));
}

/// A person has failed the run while its item was still doing something, and wants it back later.
#[test]
fn a_run_that_was_failed_in_the_middle_is_reopened_to_what_can_be_taken_back() {
    let failed = || {
        let failure = Failure::new(FailureClass::Held, "odd", "odd");
        Event::RunEnded { outcome: pipeline::Outcome::Failed { failure, step: None } }
    };
    let reopened = || Event::RunReopened { by: "ann".to_owned(), note: String::new() };
    let next = |bench: &Bench| pipeline::decide(&bench.definition, &bench.run).into_iter().next();
    let scheduled = || Bench::new(|_| {}).scheduled(Some(testing::pin()));
    let unknown = Verdict::Failed(Failure::new(FailureClass::Unknown, "lost", "lost"));
    let backoff = Event::AttemptFinished {
        attempt: attempt(Direction::Do),
        started_at: Timestamp(0),
        verdict: unknown,
        retry_at: Some(Timestamp(7)),
        attributes: Vec::new(),
    };
    // A call that may have been made: its outcome is in doubt, and what is there is looked for.
    let called = scheduled().then(failed()).then(reopened());
    assert_eq!(next(&called), Some(pipeline::Command::Record(Event::UndoScheduled { item: item() })));
    let looking = called.then(Event::UndoScheduled { item: item() });
    assert!(looking.run.steps()[0].items[0].ready().unwrap().probe);
    // An operation under way is cancelled, whether it waits or is being asked about.
    let cancelled = Some(pipeline::Command::Record(Event::CancelRequested { item: item() }));
    assert_eq!(next(&scheduled().then(pended(Direction::Do)).then(failed()).then(reopened())), cancelled);
    let asked = scheduled().then(pended(Direction::Do)).then(Event::TimerFired { item: item(), timer: Timer::Poll });
    assert_eq!(next(&asked.then(failed()).then(reopened())), cancelled);
    // A retry is given up.
    let waits = scheduled().then(backoff).then(failed()).then(reopened());
    assert_eq!(next(&waits), Some(pipeline::Command::Record(Event::RetryAbandoned { item: item() })));
    // Nothing was begun: there is nothing to take back.
    Bench::new(|_| {}).then(failed()).but_not(reopened(), "the run has nothing to take back");
    Bench::new(|_| {}).but_not(reopened(), "the run is not over");
}

#[test]
fn a_callback_that_comes_while_nobody_may_call_the_provider_is_kept() {
    let held = Event::ResumeHeld { attempt: attempt(Direction::Do), failure: Failure::new(FailureClass::Held, "plugin.quarantined", "held") };
    let bench = Bench::new(calls_back).scheduled(Some(testing::pin())).then(pended(Direction::Do));
    let parked = bench.then(Event::TimerFired { item: item(), timer: Timer::Poll }).then(held);
    let opened = pipeline::decide(&parked.definition, &parked.run).into_iter().find_map(|command| {
        let pipeline::Command::Record(event @ Event::FalloutOpened(_)) = command else { return None };
        Some(event)
    });
    let decided = Event::FalloutResolved { id: 1, resolution: pipeline::Resolution::Retry, by: "ann".to_owned(), note: String::new() };
    let resumed = parked.then(opened.unwrap()).then(callback(1)).then(decided);
    let ready = resumed.run.steps()[0].items[0].ready().unwrap();
    assert_eq!((ready.attempt, &ready.resume.as_ref().unwrap().signal), (1, &pipeline::ResumeSignal::Callback("hello".to_owned())));
}
