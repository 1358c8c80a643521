//! What went wrong in the tracing of orders that this pipeline comes in the place of, and the tests that show that it does not go wrong here.
//!
//! | defect | shown not to be there by |
//! |---|---|
//! | a failed provisioning went on to activation and billing | `a_failed_provisioning_does_not_go_on_to_activation` |
//! | a failed activation was billed, and counted nowhere | `a_failed_activation_is_not_billed`, `an_activation_that_fails_is_not_billed` |
//! | a service whose test failed counted as completed | `a_service_whose_test_failed_is_not_billed_and_a_cancel_takes_it_back` |
//! | what was taken stayed taken when something later failed | `without_inventory_what_was_taken_is_released_and_a_retry_starts_over`, `a_failure_before_activation_releases_what_was_taken` |
//! | a step crashed when the one before it had brought nothing | `without_inventory_an_order_ends_as_failed_where_the_operator_wants_that`, `a_resource_of_another_type_is_given_back` |
//! | a failure of billing had no consequence | `a_billing_failure_keeps_the_service` |
//! | a failed decomposition was counted nowhere | `an_unknown_offering_falls_out` |
//! | an offering of nothing was fulfilled and billed | `an_offering_of_nothing_falls_out` |
//! | an order that takes something away was built | `an_item_that_is_not_to_be_added_falls_out_before_anything_is_done`, `items_that_are_wrong` |
//! | steps ran in any order, twice, or before the start | `events_that_no_driver_would_write_neither_panic_nor_leave_a_run_that_nothing_wakes`, `a_record_is_refused_out_of_its_turn`, `a_journal_begins_with_its_run_and_its_definition` |
//! | an order that was over could be ended again | `a_run_that_is_over_stays_over` |
//! | nothing was tried again | `a_back_end_that_fails_twice_only_delays` |
//! | nothing had a time limit | `a_back_end_that_is_silent_has_a_reason_of_its_own` |
//! | a repetition was a second order | `the_same_key_makes_one_order_and_another_body_under_it_is_a_conflict` |
//! | a restart lost the orders under way | `orders_survive_kill_9_at_any_moment` |
//! | the duration of an order was never recorded | `an_order_is_fulfilled` |
//! | the duration of a step was recorded for good runs only | `without_inventory_an_order_ends_as_failed_where_the_operator_wants_that` |
//! | orders in progress were counted up and down: twice, not at all, never out of fallout, from 0 after a restart | `figures_in_progress_are_observed`, `counters_and_figures_equal_the_store_before_and_after_kills` |
//! | fallout counted resources, so that its rate could pass 100 % | `an_order_that_is_held_for_several_reasons_entered_fallout_once` |
//! | an order counted as completed before it was billed, or although it had fallen out | `a_billing_failure_keeps_the_service`, `a_failed_provisioning_does_not_go_on_to_activation` |
//! | the first failure of a kind was no increase | `every_series_that_there_can_be_begins_at_zero` |
//! | no label said which product, which channel | `a_label_is_there_when_it_is_wanted_and_has_a_value_that_was_named` |
//! | no label said what went wrong | `a_failed_provisioning_does_not_go_on_to_activation` |
//! | seconds stood beside milliseconds, in buckets that fit neither | `the_profile_semconv_changes_units_and_values`, `what_is_pushed_has_the_contracts_names_units_and_kinds` |
//! | intervals went back with the wall clock | `an_interval_never_goes_below_zero` |
//! | steps had one name in spans and another in metrics, and nothing that joined them | `an_order_is_fulfilled` |
//! | the root span ended only where all went well, and its children had no parent | `whatever_fails_every_id_is_exported_once_and_every_parent_is_there` |
//! | the root span said OK after a failure | `an_order_without_inventory_gives_back_what_it_took` |
//! | a step said nothing while its part had failed | `a_group_is_exported_once_although_a_person_lets_its_step_go_on` |
//! | spans were lost with the process | `spans_that_were_not_exported_are_exported_by_the_next_process`, `no_span_is_missing_over_http_after_kills_and_repeats_are_byte_identical` |
//! | the trace began and ended at the process | `a_run_inside_a_callers_trace_hangs_under_the_callers_span`, `back_ends_are_handed_the_span_of_the_call` |
//! | no span said which plugin, which attempt, which error | `a_sampled_call_has_a_span_under_its_attempt`, `a_failed_call_says_why_and_tells_no_exception_of_its_own` |
//! | no link joined an attempt to the one before it | `an_attempt_that_was_lost_ends_with_its_process_and_the_next_links_to_it` |
//! | an exception was recorded twice | `a_failure_has_one_exception_where_the_operator_wants_it` |
//! | what was taken back left no trace | `an_undo_that_fails_is_held_and_the_others_go_on` |
//! | personal values went wherever spans go | `personal_values_are_emitted_hashed_or_dropped` |
//! | an address that was not given was an empty attribute, and an order without a customer was lost | `an_order_that_says_nothing_of_customer_and_place_is_fulfilled` |
//! | data in the names of spans and series had no bound | `a_resource_type_that_nobody_declared_is_other_in_names_and_labels`, `too_many_label_values_become_one_series` |
//! | metrics and spans told different stories | `what_is_shown_twice_counts_once_and_nothing_runs_ahead_of_the_store` |

use std::{fs, path::Path};

#[test]
fn every_test_that_the_table_names_is_there() {
    let mut sources = String::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    for folder in ["host/crates", "tests/tests"] {
        read(&root.join(folder), &mut sources);
    }
    let rows = include_str!("defects.rs").lines().filter(|line| line.starts_with("//! |"));
    let named: Vec<&str> = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect();
    assert!(named.len() > 40);
    // A path of an order is a line of a table.
    let is_there = |name: &&&str| sources.contains(&format!("fn {name}(")) || sources.contains(&format!("\n    {name}:"));
    let missing: Vec<_> = named.iter().filter(|name| !is_there(name)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Puts the Rust sources below a folder together.
fn read(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}
