//! Spans of whole histories, as a person reviews them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{
    history::{History, attempt, completed, done, finished, two_items, unwound},
    shown::{render, show},
};
use engine::port::OwnedTransition;
use expect_test::{Expect, expect};
use pipeline::{Epoch, Event, Failure, FailureClass, Resolution, StepName, Timestamp, Verdict, testing};
use telemetry::projection::{ProjectedSpan, Projector, SpanStatus};

fn spans(projector: &Projector, transitions: &[OwnedTransition]) -> Vec<ProjectedSpan> {
    transitions.iter().flat_map(|transition| projector.spans(transition)).collect()
}

fn check(transitions: &[OwnedTransition], expected: &Expect) {
    expected.assert_eq(&render(&spans(&Projector::default(), transitions)));
}

#[test]
fn a_completed_order() {
    check(
        &completed(1).transitions,
        &expect![[r#"
        bss.order.submitted <- bss.order.lifecycle Internal 0..0
            bss.order_id = "ORD-1"
            bss.order_type = "add"
            bss.customer_id = "C-42"
            bss.channel = "web"
            bss.priority = "normal"
        bss.order.decompose <- bss.order.lifecycle Internal 15..20
            bss.order_id = "ORD-1"
            bss.decomposition.service_count = 2
            bss.decomposition.services = "access,voip"
        bss.inventory.allocate.port <- bss.order.allocate_inventory Internal 35..40
            bss.order_id = "ORD-1"
            bss.resource_type = "port"
            bss.resource_id = "RES-7"
        bss.inventory.allocate.vlan <- bss.order.allocate_inventory Internal 45..50
            bss.order_id = "ORD-1"
            bss.resource_type = "vlan"
            bss.resource_id = "RES-7"
        bss.order.allocate_inventory <- bss.order.lifecycle Internal 30..50
            bss.order_id = "ORD-1"
            bss.allocated_resources = 2
        bss.order.activate <- bss.order.lifecycle Internal 65..70
            bss.order_id = "ORD-1"
            bss.activation.result = "active"
            bss.activation.test_call = true
        bss.order.lifecycle <- - Server 0..80
            bss.order_id = "ORD-1"
            bss.order_type = "add"
            bss.customer_id = "C-42"
            bss.channel = "web"
            bss.priority = "normal"
            bss.order.status = "completed"
            status OK
    "#]],
    );
}

#[test]
fn an_order_without_inventory_gives_back_what_it_took() {
    check(
        &unwound(1).transitions,
        &expect![[r#"
        bss.order.submitted <- bss.order.lifecycle Internal 0..0
            bss.order_id = "ORD-1"
            bss.order_type = "add"
            bss.customer_id = "C-42"
            bss.channel = "web"
            bss.priority = "normal"
        bss.order.decompose <- bss.order.lifecycle Internal 15..20
            bss.order_id = "ORD-1"
            bss.decomposition.service_count = 2
            bss.decomposition.services = "access,voip"
        bss.inventory.allocate.port <- bss.order.allocate_inventory Internal 35..40
            bss.order_id = "ORD-1"
            bss.resource_type = "port"
            bss.resource_id = "RES-7"
        bss.inventory.allocate.vlan <- bss.order.allocate_inventory Internal 45..50
            bss.order_id = "ORD-1"
            bss.resource_type = "vlan"
            error.type = "no_inventory"
            status ERROR No available vlan
            event exception at 50 exception.type="no_inventory" exception.message="the pool is empty" exception.stacktrace="at pool.rs"
        bss.order.allocate_inventory <- bss.order.lifecycle Internal 30..50
            bss.order_id = "ORD-1"
            error.type = "no_inventory"
            status ERROR No available vlan
        bss.order.compensate.port <- bss.order.lifecycle Internal 75..80
            pipeline.name = "order"
            pipeline.run.id = "00000000-0000-7000-8000-000000000001"
            pipeline.step.name = "allocate_inventory"
            pipeline.attempt = 1
        bss.order.compensate.decompose <- bss.order.lifecycle Internal 95..100
            pipeline.name = "order"
            pipeline.run.id = "00000000-0000-7000-8000-000000000001"
            pipeline.step.name = "decompose"
            pipeline.attempt = 1
        bss.order.lifecycle <- - Server 0..110
            bss.order_id = "ORD-1"
            bss.order_type = "add"
            bss.customer_id = "C-42"
            bss.channel = "web"
            bss.priority = "normal"
            bss.order.status = "failed"
            error.type = "no_inventory"
            status ERROR test_failed
    "#]],
    );
}

#[test]
fn an_attempt_that_was_lost_ends_with_its_process_and_the_next_links_to_it() {
    let mut history = History::start(&common::definition::order(), 1, two_items());
    history.push(10, testing::scheduled(StepName::new("decompose").unwrap(), 1, vec![item()]));
    let mut lost =
        testing::record(history.run(), 9_000_000, Event::AttemptLost { attempt: attempt("decompose", 0, 1), started_at: Timestamp(1_010_000) });
    lost.epoch = Epoch(2);
    history.append(lost);
    history.push(8_100, finished(attempt("decompose", 0, 2), 9_050_000, done("x")));
    let projector = Projector { signs_of_life: [(Epoch(2), Timestamp(4_000_000))].into(), ..Projector::default() };
    expect![[r#"
        bss.order.decompose <- ? Internal 10..3000
            bss.order_id = "ORD-1"
            error.type = "host.restarted"
            status ERROR the host was restarted during the attempt
            event exception at 3000 exception.type="host.restarted" exception.message="the host was restarted during the attempt"
        bss.order.decompose <- ? Internal 8050..8100
            bss.order_id = "ORD-1"
            bss.decomposition.service_count = 2
            bss.decomposition.services = "access,voip"
            link bss.order.decompose "retry_of"
    "#]]
    .assert_eq(&render(&spans(&projector, &history.transitions)[1..]));
}

#[test]
fn a_group_is_exported_once_although_a_person_lets_its_step_go_on() {
    let mut definition = (*common::definition::order()).clone();
    definition.steps[1].on_failure.unwind = false;
    definition.steps[1].on_failure.then = pipeline::AfterFailure::Fallout;
    let mut history = History::start(&std::sync::Arc::new(definition), 1, two_items());
    history.drive(0, |id| match id.item.item {
        1 => Verdict::Failed(Failure::new(FailureClass::Rejected, "no_inventory", "the pool is empty")),
        _ => done("RES-7"),
    });
    assert_eq!(history.run().open_fallouts().count(), 1);
    history.push(5000, Event::FalloutResolved { id: 1, resolution: Resolution::Retry, by: "ada".to_owned(), note: String::new() });
    history.drive(5000, |_| done("RES-8"));
    let spans = spans(&Projector::default(), &history.transitions);
    let groups: Vec<_> = spans.iter().filter(|span| span.name == "bss.order.allocate_inventory").collect();
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].status, SpanStatus::Error("No available vlan".to_owned()));
    let root = spans.last().unwrap();
    assert_eq!((root.name.as_str(), &root.status), ("bss.order.lifecycle", &SpanStatus::Ok));
    // Every id appears once.
    let mut ids: Vec<_> = spans.iter().map(|span| &span.span_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), spans.len());
}

/// Every step fails in turn, under every policy, and a person decides in every way: no span is missing, none has two meanings.
#[test]
fn whatever_fails_every_id_is_exported_once_and_every_parent_is_there() {
    use pipeline::{AfterFailure, decide};
    let resolutions = [
        Resolution::Retry,
        Resolution::RetryWith(serde_json::json!({"type": "port"})),
        Resolution::SkipWith("by hand".into()),
        Resolution::Cancel,
        Resolution::Fail,
    ];
    let mut orders = 0;
    for (step, failing) in [("decompose", 0), ("allocate_inventory", 0), ("allocate_inventory", 1), ("activate", 0)] {
        for (unwind, then) in [(true, AfterFailure::Fail), (true, AfterFailure::Fallout), (false, AfterFailure::Fail), (false, AfterFailure::Fallout)]
        {
            for resolution in &resolutions {
                let mut definition = (*common::definition::order()).clone();
                definition.steps.iter_mut().for_each(|step| (step.on_failure.unwind, step.on_failure.then) = (unwind, then));
                let mut history = History::start(&std::sync::Arc::new(definition), 1, two_items());
                let mut failures = 1;
                let mut answer = |id: &pipeline::AttemptId| match id.direction {
                    pipeline::Direction::Undo => Verdict::Undone,
                    pipeline::Direction::Do if failures > 0 && (id.item.step.as_str(), id.item.item) == (step, failing) => {
                        failures -= 1;
                        Verdict::Failed(Failure::new(FailureClass::Rejected, "no_inventory", "no"))
                    }
                    pipeline::Direction::Do => done("RES-7"),
                };
                history.drive(0, &mut answer);
                let open = history.run().open_fallouts().next().map(|fallout| fallout.opened.id);
                if let Some(id) = open {
                    let resolution = if matches!(resolution, Resolution::RetryWith(_)) && unwind {
                        Resolution::RetryWith(two_items())
                    } else {
                        resolution.clone()
                    };
                    if pipeline::check_resolution(history.definition(), history.run(), id, &resolution).is_err() {
                        continue;
                    }
                    history.push(5000, Event::FalloutResolved { id, resolution, by: "ada".to_owned(), note: String::new() });
                    history.drive(5000, &mut answer);
                }
                assert!(history.run().outcome().is_some(), "{:?}", decide(history.definition(), history.run()));
                check_whole(&history);
                orders += 1;
            }
        }
    }
    assert!(orders > 50, "{orders}");
}

fn check_whole(history: &History) {
    let spans = spans(&Projector::default(), &history.transitions);
    let mut ids: Vec<_> = spans.iter().map(|span| span.span_id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), spans.len(), "an id has two meanings:\n{}", render(&spans));
    for span in &spans {
        let parent = span.parent.as_ref().is_none_or(|parent| spans.iter().any(|other| other.span_id == parent.span_id));
        assert!(parent && span.start <= span.end, "{}:\n{}", span.name, render(&spans));
    }
    let finished = history.transitions.iter().filter(|transition| matches!(transition.record.event, Event::AttemptFinished { .. })).count();
    let others = spans
        .iter()
        .filter(|span| ["bss.order.submitted", "bss.order.lifecycle", "bss.order.allocate_inventory"].contains(&span.name.as_str()))
        .count();
    assert_eq!(spans.len(), finished + others);
}

#[test]
fn a_step_that_cannot_be_scheduled_is_seen() {
    let mut history = History::start(&common::definition::order(), 1, two_items());
    let failure = Failure::new(FailureClass::Held, "host.internal", "nothing answers jackfield:test/effect@1");
    history.push(10, Event::StepRefused { step: StepName::new("decompose").unwrap(), failure });
    expect![[r#"
        bss.order.decompose <- ? Internal 10..10
            bss.order_id = "ORD-1"
            error.type = "host.internal"
            status ERROR nothing answers jackfield:test/effect@1
            event exception at 10 exception.type="host.internal" exception.message="nothing answers jackfield:test/effect@1"
    "#]]
    .assert_eq(&render(&spans(&Projector::default(), &history.transitions)[1..]));
}

#[test]
fn a_run_that_is_not_sampled_has_no_spans() {
    let mut history = History::start_with(&common::definition::order(), 1, two_items(), |started| started.trace.sampled = false);
    history.drive(0, |_| done("RES-7"));
    assert!(spans(&Projector::default(), &history.transitions).is_empty());
}

#[test]
fn a_run_inside_a_callers_trace_hangs_under_the_callers_span() {
    let mut history = History::start_with(&common::definition::order(), 1, two_items(), |started| {
        started.trace.parent_span_id = Some("00f067aa0ba902b7".to_owned());
        started.trace.trace_state = "vendor=1".to_owned();
    });
    history.drive(0, |_| done("RES-7"));
    let spans = spans(&Projector::default(), &history.transitions);
    let root = spans.last().unwrap();
    assert_eq!(root.parent.as_ref().map(|parent| (parent.span_id.as_str(), parent.remote)), Some(("00f067aa0ba902b7", true)));
    assert!(spans.iter().all(|span| span.trace_state == "vendor=1"));
}

#[test]
fn the_same_event_gives_the_same_spans_byte_for_byte() {
    for history in [completed(7), unwound(8)] {
        let once = spans(&Projector::default(), &history.transitions);
        for (transition, again) in history.transitions.iter().rev().zip(history.transitions.iter().rev()) {
            assert_eq!(format!("{:?}", Projector::default().spans(transition)), format!("{:?}", Projector::default().spans(again)));
        }
        let again = spans(&Projector::default(), &history.transitions);
        assert_eq!(format!("{once:?}"), format!("{again:?}"));
    }
}

#[test]
fn a_provider_may_only_say_what_the_contract_lets_it_say() {
    let mut history = History::start(&common::definition::order(), 1, two_items());
    history.push(10, testing::scheduled(StepName::new("decompose").unwrap(), 1, vec![item()]));
    let Event::AttemptFinished { attempt, started_at, verdict, retry_at, .. } = finished(attempt("decompose", 0, 1), 1_010_000, done("x")) else {
        unreachable!()
    };
    let attributes = vec![
        ("bss.decomposition.services".to_owned(), "forged".into()),
        ("acme.own".to_owned(), "x".into()),
        ("error.type".to_owned(), "forged".into()),
        ("bss.order_type".to_owned(), "forged".into()),
    ];
    history.push(20, Event::AttemptFinished { attempt, started_at, verdict, retry_at, attributes });
    let spans = spans(&Projector::default(), &history.transitions);
    let keys: Vec<_> = spans[1].attributes.iter().map(|(key, value)| format!("{key}={}", show(value))).collect();
    assert_eq!(keys, ["bss.order_id=\"ORD-1\"", "bss.decomposition.service_count=2", "bss.decomposition.services=\"access,voip\""]);
}

fn item() -> pipeline::ScheduledItem {
    pipeline::ScheduledItem { label: String::new(), request: serde_json::json!({"type": "port"}).into(), pin: None }
}

/// What is taken back is seen; the root span, which was exported when the run was over for the first time, is not made again.
#[test]
fn a_run_that_is_reopened_shows_what_it_takes_back_and_ends_once() {
    let mut history = completed(1);
    let first = history.transitions.len();
    history.push(90, Event::RunReopened { by: "ann".to_owned(), note: "wrong order".to_owned() });
    history.drive(100, |_| pipeline::Verdict::Undone);
    check(
        &history.transitions[first..],
        &expect![[r#"
        bss.order.compensate.service <- ? Internal 115..120
            pipeline.name = "order"
            pipeline.run.id = "00000000-0000-7000-8000-000000000001"
            pipeline.step.name = "activate"
            pipeline.attempt = 1
        bss.order.compensate.vlan <- ? Internal 135..140
            pipeline.name = "order"
            pipeline.run.id = "00000000-0000-7000-8000-000000000001"
            pipeline.step.name = "allocate_inventory"
            pipeline.attempt = 1
        bss.order.compensate.port <- ? Internal 155..160
            pipeline.name = "order"
            pipeline.run.id = "00000000-0000-7000-8000-000000000001"
            pipeline.step.name = "allocate_inventory"
            pipeline.attempt = 1
        bss.order.compensate.decompose <- ? Internal 175..180
            pipeline.name = "order"
            pipeline.run.id = "00000000-0000-7000-8000-000000000001"
            pipeline.step.name = "decompose"
            pipeline.attempt = 1
    "#]],
    );
}
