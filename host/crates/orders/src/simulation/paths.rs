//! Every way an order can go, one test each: how it is steered stands here, what people and metrics see of it in `paths/NAME.txt`.

use expect_test::expect_file;
use pipeline::{FailureClass::Held, Resolution::*};
use serde_json::{Value, json};

use super::{
    Simulation,
    answers::{activation, done, failed, rejected, silent},
};
use crate::{Options, OrderInput, Policy};

/// An order of one item.
fn order(offering: &str) -> Value {
    with_action("add", offering)
}

fn with_action(action: &str, offering: &str) -> Value {
    json!({"productOrderItem": [{"id": "1", "action": action, "productOffering": {"id": offering}}]})
}

/// An order that says more about itself.
fn detailed() -> Value {
    let place = json!([{"id": "north", "role": "installation"}]);
    json!({
        "relatedParty": [{"id": "c-1", "role": "customer"}], "requestedStartDate": "2031-05-01T00:00:00Z",
        "productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": "fibre"}, "product": {"place": place}}],
    })
}

fn of_several_items() -> Value {
    json!({"productOrderItem": [
        {"id": "a", "action": "add", "productOffering": {"id": "fibre"}}, {"id": "b", "action": "add", "productOffering": {"id": "tv"}},
        {"id": "c", "action": "noChange"}]})
}

fn simulate(order: Value) -> Simulation {
    Simulation::new(&Options::default(), order)
}

/// Where the operator wants an order to end that cannot be fulfilled.
fn failing(order: Value) -> Simulation {
    Simulation::new(&Options { on_failure: Policy::Fail, ..Options::default() }, order)
}

fn two_at_once(order: Value) -> Simulation {
    Simulation::new(&Options { parallel_provisions: 2.try_into().unwrap(), ..Options::default() }, order)
}

/// The input of an order that asks for the end of a product: the interface refuses such orders, a person may still give one to a run.
fn of_an_end() -> Value {
    json!(OrderInput::read(with_action("delete", "tv"), &[]))
}

/// A test for each name.
macro_rules! paths {
    ($($name:ident: $simulation:expr;)+) => {
        $(#[test]
        fn $name() {
            expect_file![concat!("paths/", stringify!($name), ".txt")].assert_eq($simulation.log());
        })+

        #[test]
        fn no_text_is_without_its_path() {
            let mut kept: Vec<_> = [$(stringify!($name)),+].map(|name| format!("{name}.txt")).into();
            let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/simulation/paths")).unwrap();
            let mut found: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
            kept.sort();
            found.sort();
            assert_eq!(found, kept);
        }
    };
}

paths! {
    taken_back_after_it_was_completed: simulate(detailed()).go().reopen();
    taken_back_after_it_was_completed_with_a_fallout:
        simulate(detailed()).answer("activate[0] undo", [failed(Held, "plugin.quarantined")]).go().reopen().resolve(Retry);
    an_order_is_fulfilled: simulate(detailed()).go();
    an_order_that_says_nothing_of_customer_and_place_is_fulfilled: simulate(order("tv")).go();
    an_order_of_several_items_names_the_item_in_each_service:
        simulate(of_several_items()).answer("provision[2]", [rejected("bad_box")]).go();

    an_unknown_offering_falls_out: simulate(order("fibre")).answer("decompose[0]", [rejected("unknown_offering")]).go().resolve(Cancel);
    an_offering_of_nothing_falls_out: simulate(order("nothing")).go().resolve(Fail);
    an_item_that_is_not_to_be_added_falls_out_before_anything_is_done: simulate(with_action("modify", "fibre")).go();
    other_input_that_asks_for_the_end_of_a_product_is_held_and_nothing_is_built:
        simulate(order("tv")).answer("provision[0]", [rejected("bad")]).go().resolve(RetryWith(of_an_end()));
    other_input_that_is_no_order_is_held_and_what_users_see_stays:
        simulate(order("tv")).answer("provision[0]", [rejected("bad")]).go().resolve(RetryWith(json!({"order": "x"})));

    without_inventory_what_was_taken_is_released_and_a_retry_starts_over:
        simulate(order("fibre")).answer("allocate_inventory[1]", [rejected("no_inventory")]).go().resolve(Retry);
    without_inventory_an_order_ends_as_failed_where_the_operator_wants_that:
        failing(order("fibre")).answer("allocate_inventory[1]", [rejected("no_inventory")]).go();
    a_resource_of_another_type_is_given_back: simulate(order("tv"))
        .answer("allocate_inventory[0]", [done(json!({"id": "v-1", "resource-type": "vlan", "service": "box", "network-element": "olt-1", "characteristics": []}))])
        .go();
    a_resource_type_that_nobody_declared_is_other_in_names_and_labels:
        simulate(order("odd")).answer("provision[0]", [rejected("bad")]).go();

    a_failed_provisioning_does_not_go_on_to_activation: failing(order("fibre"))
        .answer("provision[1]", [done(json!({"configuration": "/c/1", "network-element": "olt-1", "result": "failed"}))])
        .go();
    a_back_end_that_fails_twice_only_delays: simulate(order("tv")).answer("provision[0]", silent("http_503", 2)).go();
    a_back_end_that_is_silent_has_a_reason_of_its_own:
        simulate(order("tv")).answer("allocate_inventory[0]", silent("plugin.timeout", 5)).go();
    a_plugin_that_crashes_has_a_reason_of_its_own: failing(order("tv")).answer("provision[0]", [rejected("plugin.trap")]).go();
    an_order_that_is_held_for_several_reasons_entered_fallout_once: two_at_once(order("fibre"))
        .answer("provision[0]", [failed(Held, "host.internal")])
        .answer("provision[1]", [failed(Held, "host.internal")])
        .go()
        .resolve(Retry)
        .resolve(Retry);
    an_undo_that_fails_is_held_and_the_others_go_on: simulate(order("fibre"))
        .answer("provision[0]", [rejected("bad")])
        .answer("allocate_inventory[1] undo", [rejected("locked")])
        .go()
        .resolve(Retry)
        .resolve(Cancel);

    a_failed_activation_is_not_billed: failing(order("tv")).answer("activate[0]", [rejected("no_signal")]).go().resolve(Retry);
    a_service_that_is_not_active_is_not_billed: simulate(order("tv")).answer("activate[0]", [done(activation("inactive", true))]).go();
    a_service_whose_test_failed_is_not_billed_and_a_cancel_takes_it_back:
        simulate(order("tv")).answer("activate[0]", [done(activation("active", false))]).go().resolve(Cancel);

    a_billing_failure_keeps_the_service: failing(order("tv")).answer("billing_setup[0]", [rejected("credit_limit")]).go().resolve(Retry);
    a_billing_receipt_without_a_date_is_no_receipt: simulate(order("tv"))
        .answer("billing_setup[0]", [done(json!({"account": "acc-1", "plan": "p", "effective-date": "soon"}))])
        .go()
        .resolve(SkipWith(json!({"account": "acc-1", "plan": "p", "effective-date": "2031-06-01"})));
}
