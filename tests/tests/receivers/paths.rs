//! Every path of an order as the receiver sees it: `trees/PATH.txt` has all spans with everything they carry.

use std::{collections::BTreeSet, fs};

use expect_test::expect_file;
use package::hex;
use telemetry::{
    Units,
    checker::{Capture, check_metrics, check_traces},
};

use crate::{
    capture::Arrived,
    play::{CALLER, PLAYED, SILENT_CALLER},
    selftest::request,
    tree::tree,
};

/// A test for each path.
macro_rules! paths {
    ($($name:ident: $path:ident;)+) => {
        $(#[test]
        fn $name() {
            let path = stringify!($path);
            let arrived: Vec<Arrived> = PLAYED.arrived.iter().filter(|arrived| is_certain(path, arrived)).cloned().collect();
            expect_file![concat!("trees/", stringify!($path), ".txt")].assert_eq(&tree(&arrived, &PLAYED.paths[path], &PLAYED.words));
        })+

        #[test]
        fn every_path_that_was_played_and_every_text_has_its_test() {
            let tested = BTreeSet::from([$(stringify!($path).to_owned()),+]);
            let mut played: BTreeSet<String> = PLAYED.paths.keys().map(|path| (*path).to_owned()).collect();
            assert!(played.remove("not_sampled"));
            assert_eq!(played, tested);
            let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/receivers/trees")).unwrap();
            let files = files.map(|file| file.unwrap().file_name().into_string().unwrap().trim_end_matches(".txt").to_owned());
            assert_eq!(files.collect::<BTreeSet<String>>(), tested);
        }
    };
}

paths! {
    an_order_that_completes: completed;
    an_order_inside_a_trace_of_its_caller_hangs_below_the_callers_span: in_a_callers_trace;
    an_order_of_several_items_has_a_span_for_each: several_items;
    a_retried_attempt_is_linked_to_the_one_before_it: retried;
    an_effect_whose_answer_was_lost_is_observed_by_the_next_attempt: answer_lost;
    a_call_that_takes_too_long_ends_with_its_error_type: timed_out;
    an_offering_that_nobody_knows_fails_the_decomposition: unknown_offering;
    an_order_takes_the_last_resource: last_equipment;
    a_resource_that_is_missing_fails_the_allocation_and_the_others_are_given_back: no_inventory;
    a_failed_provisioning_takes_everything_back_and_an_undo_is_tried_again: provisioning_failed;
    a_failed_activation_that_is_cancelled_takes_everything_back: activation_failed;
    a_failed_billing_that_a_person_settles_lets_the_order_complete: billing_failed;
    an_attempt_that_a_restart_interrupted_is_followed_by_one_that_is_linked_to_it: interrupted;
    a_step_that_nothing_answers_is_refused: no_plugin;
}

/// A kill costs live spans; what of them arrived before it is a matter of chance.
fn is_certain(path: &str, arrived: &Arrived) -> bool {
    path != "interrupted" || !arrived.is_live()
}

#[test]
fn what_arrived_is_as_the_registry_says() {
    let found: Vec<_> = check_traces(&PLAYED.traces, Capture::Killed).iter().map(ToString::to_string).collect();
    assert_eq!(found, [""; 0]);
    // Of an order that no kill has met nothing is missing.
    let whole = PLAYED.arrived.iter().filter(|arrived| hex(&arrived.span.trace_id) != PLAYED.paths["interrupted"]).cloned().collect();
    let found: Vec<_> = check_traces(&[request(whole)], Capture::Whole).iter().map(ToString::to_string).collect();
    assert_eq!(found, [""; 0]);
    let found: Vec<_> = check_metrics(&PLAYED.metrics, Units::Seed).iter().map(ToString::to_string).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn the_sdk_counts_the_live_spans_that_it_handed_on() {
    let last = PLAYED.metrics.last().unwrap();
    let metrics = last.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics).flat_map(|scope| &scope.metrics);
    let names: Vec<&str> = metrics.map(|metric| metric.name.as_str()).collect();
    assert!(names.contains(&"otel.sdk.processor.span.processed"), "{names:?}");
}

#[test]
fn every_process_says_who_it_is() {
    let resources = PLAYED.traces.iter().flat_map(|request| &request.resource_spans).map(|spans| spans.resource.as_ref().unwrap());
    let text = |key: &str| {
        let pairs = resources.clone().map(|resource| resource.attributes.iter().find(|pair| pair.key == key).unwrap().value.clone().unwrap());
        pairs.map(|value| format!("{:?}", value.value)).collect::<BTreeSet<_>>()
    };
    assert_eq!(text("service.name").len(), 1);
    assert!(text("service.name").iter().all(|name| name.contains("jackfield")));
    assert!(text("service.version").iter().all(|version| version.contains(env!("CARGO_PKG_VERSION"))));
    // The host was started three times; one that is killed soon after its start may have delivered nothing.
    assert!((2..=3).contains(&text("service.instance.id").len()), "{:?}", text("service.instance.id"));
}

#[test]
fn a_caller_that_does_not_want_a_trace_gets_none_and_its_calls_are_measured_all_the_same() {
    let trace = &PLAYED.paths["not_sampled"];
    assert!(SILENT_CALLER.contains(trace.as_str()));
    assert!(!PLAYED.arrived.iter().any(|arrived| hex(&arrived.span.trace_id) == *trace));
    let outbound = PLAYED.outbound.iter().filter(|parent| parent.contains(trace.as_str()));
    assert!(outbound.clone().count() > 0 && outbound.clone().all(|parent| parent.ends_with("-00")), "{:?}", outbound.collect::<Vec<_>>());
}

#[test]
fn back_ends_are_handed_the_span_of_the_call() {
    let calls: BTreeSet<(String, String)> =
        PLAYED.arrived.iter().filter(|arrived| arrived.is_live()).map(|arrived| (hex(&arrived.span.trace_id), arrived.id())).collect();
    assert!(PLAYED.paths["in_a_callers_trace"] == CALLER[3..35] && PLAYED.outbound.len() > 50, "{} requests", PLAYED.outbound.len());
    let sampled = PLAYED.outbound.iter().filter(|parent| parent.ends_with("-01"));
    let interrupted = &PLAYED.paths["interrupted"];
    for parent in sampled.filter(|parent| !parent.contains(interrupted.as_str())) {
        let parts: Vec<&str> = parent.split('-').collect();
        assert!(calls.contains(&(parts[1].to_owned(), parts[2].to_owned())), "{parent} names no span that arrived");
    }
}
