//! The rules R1 to R14 of the telemetry contract: which test holds each, and those that hold for the registry as a whole.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{collections::BTreeSet, fs, path::Path, sync::Arc};

use common::history::{History, attempt, completed, done, finished, two_items, unwound};
use pipeline::{Event, StepName, testing};
use telemetry::{
    Telemetry,
    projection::{ProjectedSpan, Projector, SpanStatus},
    registry::{self, Kind},
};

/// Tests: the file, relative to this crate, and the name.
type Tests = &'static [(&'static str, &'static str)];

/// The rule, what it says in a few words, and the tests that hold it.
const RULES: &[(&str, &str, Tests)] = &[
    (
        "R1",
        "the customer's names, byte for byte; others are only added",
        &[
            ("tests/registry.rs", "the_customers_rows_were_not_changed"),
            ("tests/projection.rs", "a_completed_order"),
            ("tests/checker.rs", "the_profile_of_names_adds_and_takes_nothing_away"),
            ("src/policy.rs", "names_of_the_semantic_conventions_are_added_on_request_and_replace_nothing"),
        ],
    ),
    (
        "R2",
        "the profile of units changes values with units",
        &[
            ("tests/metrics.rs", "the_profile_semconv_changes_units_and_values"),
            ("src/metrics/instruments.rs", "the_unit_of_a_metric_changes_together_with_its_values"),
        ],
    ),
    (
        "R3",
        "every span is INTERNAL but the customer's SERVER",
        &[("tests/rules.rs", "the_order_alone_is_a_server"), ("tests/checker.rs", "every_single_deviation_is_caught")],
    ),
    ("R4", "OK for a completed order alone", &[("tests/rules.rs", "a_completed_order_alone_is_ok_even_when_it_failed_on_the_way")]),
    (
        "R5",
        "`error.type` on every failure and on no success",
        &[
            ("tests/checker.rs", "every_single_deviation_is_caught"),
            ("tests/projection.rs", "an_order_without_inventory_gives_back_what_it_took"),
            ("tests/calls.rs", "a_failed_call_says_why_and_tells_no_exception_of_its_own"),
        ],
    ),
    (
        "R6",
        "one exception per failure, on the span, in the log, or in both",
        &[
            ("tests/logs.rs", "a_failure_has_one_exception_where_the_operator_wants_it"),
            ("tests/env.rs", "samplers_limits_and_intervals_are_taken_over"),
        ],
    ),
    ("R7", "no duration is negative", &[("tests/rules.rs", "a_clock_that_steps_back_makes_no_duration_negative")]),
    (
        "R8",
        "counters equal the store, spans come at least once with the same ids",
        &[
            ("tests/metrics.rs", "counters_equal_the_store_and_go_on_over_restarts"),
            ("tests/metrics.rs", "what_is_shown_twice_counts_once_and_nothing_runs_ahead_of_the_store"),
            ("tests/delivery.rs", "spans_that_were_not_exported_are_exported_by_the_next_process"),
            ("tests/delivery.rs", "spans_that_are_exported_again_are_the_same_byte_for_byte"),
        ],
    ),
    (
        "R9",
        "long spans are made at their end, from what was persisted",
        &[
            ("tests/projection.rs", "whatever_fails_every_id_is_exported_once_and_every_parent_is_there"),
            ("tests/projection.rs", "an_attempt_that_was_lost_ends_with_its_process_and_the_next_links_to_it"),
            ("tests/projection.rs", "a_run_inside_a_callers_trace_hangs_under_the_callers_span"),
        ],
    ),
    (
        "R10",
        "every series that is known beforehand begins at 0",
        &[
            ("tests/metrics.rs", "counters_equal_the_store_and_go_on_over_restarts"),
            ("tests/metrics.rs", "the_count_of_a_histogram_that_was_declared_is_there_before_anything_was_recorded"),
            ("src/labels.rs", "every_series_that_there_can_be_begins_at_zero"),
            ("../orders/src/measure.rs", "every_series_is_there_before_the_first_order"),
        ],
    ),
    (
        "R11",
        "figures of what is under way are observed",
        &[
            ("tests/metrics.rs", "figures_in_progress_are_observed"),
            ("tests/metrics.rs", "a_figure_that_is_kept_in_memory_is_told_as_it_is_now"),
            ("tests/metrics.rs", "a_census_that_panics_does_not_stop_the_other_metrics"),
        ],
    ),
    (
        "R12",
        "values are cut between characters, keys are set once",
        &[
            ("src/policy.rs", "a_text_is_cut_between_characters"),
            ("src/policy.rs", "a_key_is_set_once_and_keeps_its_last_value"),
            ("tests/limits.rs", "values_of_a_megabyte_are_cut_wherever_they_come_from"),
        ],
    ),
    (
        "R13",
        "personal values as the operator wants them, never on metrics",
        &[
            ("src/policy.rs", "personal_values_are_emitted_hashed_or_dropped"),
            ("src/policy.rs", "what_is_added_is_as_personal_as_what_it_is_added_to"),
            ("tests/calls.rs", "what_a_plugin_logs_keeps_personal_values_as_the_operator_wants_them"),
            ("tests/rules.rs", "no_label_is_an_identifier_or_personal"),
        ],
    ),
    ("R14", "no identifier is a label", &[("tests/rules.rs", "no_label_is_an_identifier_or_personal")]),
];

#[test]
fn every_rule_has_a_test() {
    assert_eq!(
        RULES.iter().map(|(rule, ..)| (*rule).to_owned()).collect::<Vec<_>>(),
        (1..=14).map(|number| format!("R{number}")).collect::<Vec<_>>()
    );
    for (rule, about, tests) in RULES {
        assert!(!tests.is_empty(), "{rule}: {about}");
        for (file, test) in *tests {
            let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
            assert!(text.contains(&format!("fn {test}()")), "{rule} ({about}): {file} has no test `{test}`");
        }
    }
}

#[test]
fn no_label_is_an_identifier_or_personal() {
    for row in registry::metrics() {
        for label in row.required.iter().chain(row.optional).chain(row.opt_in) {
            let attribute = registry::attribute(label).unwrap();
            assert!(!attribute.id && !attribute.pii, "{} is labelled by {label}", row.name);
        }
    }
    // The flags are those of the contract's dictionary: 13 identifiers, and two of ours; what is added to one is one as well.
    let ids: BTreeSet<&str> = registry::attributes().iter().filter(|row| row.id).map(|row| row.key).collect();
    assert_eq!(ids.len(), 13 + 2 + ["bss.order.id", "device.id", "aws.s3.bucket"].len(), "{ids:?}");
    assert!(registry::attributes().iter().filter(|row| row.pii).count() >= 10);
}

#[test]
fn the_order_alone_is_a_server() {
    let servers: Vec<_> =
        ["bss.order.lifecycle", "bss.order.submitted", "bss.inventory.allocate.port", "cpe.inform", "tenant.provision", "plugin.call a/b"]
            .into_iter()
            .filter(|name| registry::span(name).unwrap().kind == Kind::Server)
            .collect();
    assert_eq!(servers, ["bss.order.lifecycle"]);
    for span in [completed(1), unwound(2)].iter().flat_map(spans) {
        assert_eq!(span.kind, registry::span(&span.name).unwrap().kind, "{}", span.name);
    }
}

#[test]
fn a_completed_order_alone_is_ok_even_when_it_failed_on_the_way() {
    use pipeline::{AfterFailure, Failure, FailureClass, Resolution, Verdict};
    let is_ok = |span: &ProjectedSpan| span.status == SpanStatus::Ok;
    assert_eq!(spans(&unwound(1)).iter().filter(|span| is_ok(span)).count(), 0);
    let mut definition = (*common::definition::order()).clone();
    (definition.steps[0].on_failure.unwind, definition.steps[0].on_failure.then) = (false, AfterFailure::Fallout);
    let mut history = History::start(&Arc::new(definition), 1, two_items());
    history.drive(0, |_| Verdict::Failed(Failure::new(FailureClass::Rejected, "decomposition_failed", "no")));
    history.push(5000, Event::FalloutResolved { id: 1, resolution: Resolution::Retry, by: "ada".to_owned(), note: String::new() });
    history.drive(5000, |_| done("RES-7"));
    let spans = spans(&history);
    assert_eq!(spans.iter().filter(|span| is_ok(span)).map(|span| span.name.as_str()).collect::<Vec<_>>(), ["bss.order.lifecycle"]);
    assert!(spans.iter().any(|span| matches!(span.status, SpanStatus::Error(_))), "it did fail on the way");
}

#[tokio::test]
async fn a_clock_that_steps_back_makes_no_duration_negative() {
    let mut history = History::start(&common::definition::order(), 1, two_items());
    let item = pipeline::ScheduledItem { label: String::new(), request: serde_json::json!({"type": "port"}).into(), pin: None };
    history.push(10, testing::scheduled(StepName::new("decompose").unwrap(), 1, vec![item]));
    // It began ten seconds after it ended, says the clock.
    history.push(20, finished(attempt("decompose", 0, 1), 11_000_000, done("x")));
    let spans = spans(&history);
    let span = spans.iter().find(|span| span.name == "bss.order.decompose").unwrap();
    assert_eq!((span.start.0, span.end.0), (11_000_000, 11_000_000));
    let telemetry = Telemetry::start(common::options(&Arc::default(), Vec::new())).await.unwrap();
    for observer in telemetry.observers() {
        observer.observe(&history.transitions).await.unwrap();
    }
    let text = telemetry.metrics_text();
    let sum = text.lines().find(|line| line.starts_with("bss_order_step_duration_milliseconds_sum")).unwrap();
    assert!(sum.ends_with("} 0"), "{sum}");
}

fn spans(history: &History) -> Vec<ProjectedSpan> {
    history.transitions.iter().flat_map(|transition| Projector::default().spans(transition)).collect()
}
