//! Spans over several steps, and steps whose request and completion are two spans.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{
    history::{History, attempt, done, finished},
    shown::render,
    sign_up::sign_up,
};
use expect_test::{Expect, expect};
use pipeline::{AfterUnwind, AttemptId, Direction, Event, Failure, FailureClass, Pended, Resolution, Timer, Timestamp, Verdict};
use telemetry::projection::{ProjectedSpan, Projector, SpanStatus};

/// A sign-up in the trace of a caller with a state of its own.
fn start() -> History {
    History::start_with(&sign_up(), 1, serde_json::json!({}), |started| started.trace.trace_state = "vendor=1".to_owned())
}

fn spans(history: &History) -> Vec<ProjectedSpan> {
    history.transitions.iter().flat_map(|transition| Projector::default().spans(transition)).collect()
}

fn check(history: &History, expected: &Expect) {
    let spans = spans(history);
    assert!(spans.iter().all(|span| span.trace_state == "vendor=1"), "every span keeps the state of the trace");
    expected.assert_eq(&render(&spans));
}

/// The authority took the request; it is asked every minute and given up after an hour.
fn pended(attempt: &AttemptId, started_at: u64) -> Event {
    let pending = Pended {
        operation: "order-1".to_owned(),
        checkpoint: "1".to_owned(),
        poll_at: Some(Timestamp(started_at + 60_000_000)),
        poll_after_ms: Some(60_000),
        give_up_at: Timestamp(started_at + 3_600_000_000),
    };
    Event::AttemptPended { attempt: attempt.clone(), started_at: Timestamp(started_at), pending }
}

fn failed(attempt: &AttemptId, started_at: u64, class: FailureClass, error: &str) -> Event {
    finished(attempt.clone(), started_at, Verdict::Failed(Failure::new(class, error, format!("the server said {error}"))))
}

/// Everything goes well but for what `certificate` gives.
fn act(history: &mut History, ms: u64, mut certificate: impl FnMut(&AttemptId, u64) -> Event) {
    history.act(ms, |attempt, started_at| match (attempt.direction, attempt.item.step.as_str()) {
        (Direction::Undo, _) => finished(attempt.clone(), started_at, Verdict::Undone),
        (Direction::Do, "certificate") => certificate(attempt, started_at),
        (Direction::Do, _) => finished(attempt.clone(), started_at, done("ok")),
    });
}

/// A sign-up whose certificate is waited for.
fn waiting() -> History {
    let mut history = start();
    act(&mut history, 0, pended);
    history
}

fn issued(attempt: &AttemptId, started_at: u64) -> Event {
    finished(attempt.clone(), started_at, done("issued"))
}

fn certificate() -> AttemptId {
    attempt("certificate", 0, 1)
}

#[test]
fn a_certificate_by_callback_is_two_spans_and_the_second_is_linked_to_the_first() {
    let mut history = waiting();
    let before = spans(&history);
    assert!(before.iter().any(|span| span.name == "tenant.provision.ssl.request"), "the request is seen at once");
    history.push(240_000, Event::CallbackReceived { item: certificate().item, body: "{}".to_owned() });
    act(&mut history, 240_000, issued);
    check(
        &history,
        &expect![[r#"
        tenant.provision.create_record <- tenant.provision Internal 15..20
            tenant.id = "t-1"
            provision.attempt = 1
            provision.max_retries = 3
            provision.step.status = "success"
        tenant.provision.dns <- tenant.provision.infrastructure Internal 35..40
            tenant.id = "t-1"
            dns.provider = "powerdns"
            dns.subdomain = "acme.example.com"
            provision.attempt = 1
            provision.max_retries = 3
            provision.step.status = "success"
        tenant.provision.ssl.request <- tenant.provision.infrastructure Internal 55..60
            tenant.id = "t-1"
            ssl.domain = "acme.example.com"
            provision.attempt = 1
            provision.max_retries = 3
            provision.step.status = "success"
        tenant.provision.ssl.complete <- tenant.provision.infrastructure Internal 240000..240010
            tenant.id = "t-1"
            ssl.status = "issued"
            ssl.issuer = "Test CA"
            provision.attempt = 1
            provision.max_retries = 3
            provision.step.status = "success"
            link tenant.provision.ssl.request "callback_of"
        tenant.provision.infrastructure <- tenant.provision Internal 30..240010
            tenant.id = "t-1"
        tenant.provision.activate <- tenant.provision.finalize Internal 240025..240030
            tenant.id = "t-1"
            provision.attempt = 1
            provision.max_retries = 3
            provision.step.status = "success"
        tenant.provision.finalize <- tenant.provision Internal 240020..240030
            tenant.id = "t-1"
        tenant.provision <- - Internal 0..240040
            tenant.id = "t-1"
            tenant.name = "Acme"
            tenant.plan = "pro"
            tenant.region = "eu"
            tenant.provision.status = "success"
    "#]],
    );
    let all = spans(&history);
    let scope = |name: &str| all.iter().find(|span| span.name == name).unwrap().scope;
    assert_eq!((scope("tenant.provision.ssl.complete"), scope("tenant.provision.dns")), ("tenant.provisioning.async", "tenant.provisioning"));
}

#[test]
fn an_authority_that_is_asked_again_makes_no_more_spans() {
    let mut history = waiting();
    let item = certificate().item;
    history.push(60_100, Event::TimerFired { item: item.clone(), timer: Timer::Poll });
    act(&mut history, 60_100, pended);
    assert_eq!(spans(&history).iter().filter(|span| span.name.starts_with("tenant.provision.ssl")).count(), 1);
    history.push(120_200, Event::TimerFired { item, timer: Timer::Poll });
    act(&mut history, 120_200, issued);
    let all = spans(&history);
    let completion = all.iter().find(|span| span.name == "tenant.provision.ssl.complete").unwrap();
    assert_eq!(completion.start, Timestamp(1_000_000 + 120_200_000), "the completion begins with the last signal");
}

#[test]
fn a_certificate_that_is_there_at_once_is_two_spans_all_the_same() {
    let mut history = start();
    act(&mut history, 0, issued);
    let all = spans(&history);
    let of = |name: &str| all.iter().find(|span| span.name == name).unwrap();
    let (request, completion) = (of("tenant.provision.ssl.request"), of("tenant.provision.ssl.complete"));
    assert_eq!((completion.start, completion.end), (request.end, request.end));
    assert_eq!(completion.links[0].span_id, request.span_id);
}

#[test]
fn a_request_that_fails_has_no_completion_and_its_phase_fails_with_it() {
    let mut history = start();
    act(&mut history, 0, |attempt, started_at| failed(attempt, started_at, FailureClass::Rejected, "rate_limited"));
    check(
        &history,
        &expect![[r#"
        tenant.provision.create_record <- tenant.provision Internal 15..20
            tenant.id = "t-1"
            provision.attempt = 1
            provision.max_retries = 3
            provision.step.status = "success"
        tenant.provision.dns <- tenant.provision.infrastructure Internal 35..40
            tenant.id = "t-1"
            dns.provider = "powerdns"
            dns.subdomain = "acme.example.com"
            provision.attempt = 1
            provision.max_retries = 3
            provision.step.status = "success"
        tenant.provision.ssl.request <- tenant.provision.infrastructure Internal 55..60
            tenant.id = "t-1"
            ssl.domain = "acme.example.com"
            provision.attempt = 1
            provision.max_retries = 3
            provision.step.status = "failed"
            error.type = "rate_limited"
            status ERROR the server said rate_limited
            event exception at 60 exception.type="rate_limited" exception.message="the server said rate_limited"
        tenant.provision.infrastructure <- tenant.provision Internal 30..60
            tenant.id = "t-1"
            error.type = "rate_limited"
            status ERROR the server said rate_limited
        tenant.provision.rollback <- tenant.provision Internal 85..90
            pipeline.name = "tenant"
            pipeline.run.id = "00000000-0000-7000-8000-000000000001"
            pipeline.step.name = "dns"
            pipeline.attempt = 1
        tenant.provision.rollback <- tenant.provision Internal 105..110
            pipeline.name = "tenant"
            pipeline.run.id = "00000000-0000-7000-8000-000000000001"
            pipeline.step.name = "create_record"
            pipeline.attempt = 1
        tenant.provision <- - Internal 0..120
            tenant.id = "t-1"
            tenant.name = "Acme"
            tenant.plan = "pro"
            tenant.region = "eu"
            tenant.provision.status = "failed"
            error.type = "rate_limited"
            status ERROR test_failed
    "#]],
    );
}

#[test]
fn a_certificate_that_is_refused_or_cancelled_fails_its_completion_only() {
    let refused = |attempt: &AttemptId, started_at: u64| {
        let failure = Failure::new(FailureClass::Rejected, "ssl.failed", "the authority ended the order as `invalid`");
        finished(attempt.clone(), started_at, Verdict::Refused { output: std::sync::Arc::new("invalid".into()), failure })
    };
    let mut history = waiting();
    history.push(1_000, Event::CallbackReceived { item: certificate().item, body: "{}".to_owned() });
    act(&mut history, 1_000, refused);
    let mut cancelled = waiting();
    let unwind = Event::UnwindStarted { cause: None, step: None, item: None, then: AfterUnwind::Cancel };
    cancelled.push(1_000, unwind);
    act(&mut cancelled, 1_000, |attempt, started_at| finished(attempt.clone(), started_at, Verdict::Undone));
    for (history, error, status) in [(history, "ssl.failed", Some("invalid")), (cancelled, "host.cancelled", None)] {
        let all = spans(&history);
        let of = |name: &str| all.iter().find(|span| span.name == name).unwrap();
        let (request, completion) = (of("tenant.provision.ssl.request"), of("tenant.provision.ssl.complete"));
        let said = |span: &ProjectedSpan, key: &str| span.attributes.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone());
        assert_eq!((&request.status, said(request, "provision.step.status")), (&SpanStatus::Unset, Some("success".into())));
        assert!(matches!(completion.status, SpanStatus::Error(_)), "{:?}", completion.status);
        assert_eq!((said(completion, "error.type"), said(completion, "ssl.status")), (Some(error.into()), status.map(Into::into)));
        assert_eq!((completion.events.len(), request.events.len()), (1, 0), "one exception, where it happened");
        assert_eq!(all.iter().filter(|span| span.name == "tenant.provision.infrastructure").count(), 1);
    }
}

#[test]
fn what_a_run_was_taken_back_for_stays_its_error_when_an_undo_fails_too() {
    let mut history = start();
    history.act(0, |attempt, started_at| match (attempt.direction, attempt.item.step.as_str()) {
        (Direction::Do, "certificate") => failed(attempt, started_at, FailureClass::Rejected, "rate_limited"),
        (Direction::Undo, "dns") => failed(attempt, started_at, FailureClass::Rejected, "zone_locked"),
        (Direction::Undo, _) => finished(attempt.clone(), started_at, Verdict::Undone),
        (Direction::Do, _) => finished(attempt.clone(), started_at, done("ok")),
    });
    let given_up = Event::FalloutResolved { id: 1, resolution: Resolution::Fail, by: "ann".to_owned(), note: String::new() };
    history.push(3_600_000, given_up);
    let all = spans(&history);
    let root = all.iter().find(|span| span.name == "tenant.provision").unwrap();
    assert!(root.attributes.contains(&("error.type".to_owned(), "rate_limited".into())), "{:?}", root.attributes);
    assert_eq!(root.status, SpanStatus::Error("test_failed".to_owned()));
    let rollbacks: Vec<_> = all.iter().filter(|span| span.name == "tenant.provision.rollback").map(|span| &span.status).collect();
    assert_eq!(rollbacks, [&SpanStatus::Error("the server said zone_locked".to_owned()), &SpanStatus::Unset]);
}

#[test]
fn every_parent_is_there_and_every_id_is_exported_once_whatever_fails() {
    let steps = ["create_record", "dns", "certificate", "activate"];
    for failing in steps {
        let mut history = start();
        history.act(0, |attempt, started_at| match attempt.direction {
            Direction::Undo => finished(attempt.clone(), started_at, Verdict::Undone),
            Direction::Do if attempt.item.step.as_str() == failing => failed(attempt, started_at, FailureClass::Rejected, "broken"),
            Direction::Do => finished(attempt.clone(), started_at, done("ok")),
        });
        let all = spans(&history);
        let mut ids: Vec<_> = all.iter().map(|span| &span.span_id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all.len(), "{failing}");
        for span in &all {
            let parent = span.parent.as_ref().map(|parent| &parent.span_id);
            assert!(parent.is_none_or(|parent| ids.contains(&parent)), "{failing}: {} has no parent", span.name);
        }
    }
}
