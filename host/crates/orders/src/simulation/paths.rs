//! Every way an order can go, one test each.

mod late;

use expect_test::{Expect, expect};
use pipeline::{CallAnswer, Failure, FailureClass, Resolution};
use serde_json::{Value, json};

use super::{Answer, Simulation};
use crate::{Options, Policy};

fn order(offering: &str) -> Value {
    json!({"productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": offering}}]})
}

fn simulate(order: Value) -> Simulation {
    Simulation::new(&Options::default(), order)
}

fn failing(order: Value) -> Simulation {
    Simulation::new(&Options { on_failure: Policy::Fail, ..Options::default() }, order)
}

fn failed(class: FailureClass, error_type: &str) -> Answer {
    Err(Failure::new(class, error_type, format!("the back end said {error_type}")))
}

fn rejected(error_type: &str) -> Answer {
    failed(FailureClass::Rejected, error_type)
}

fn done(output: Value) -> Answer {
    Ok(CallAnswer::Done(output))
}

fn check(simulation: &Simulation, expected: &Expect) {
    expected.assert_eq(simulation.log());
}

#[test]
fn an_order_is_fulfilled() {
    let order = json!({"relatedParty": [{"id": "c-1", "role": "customer"}], "requestedStartDate": "2031-05-01T00:00:00Z", "productOrderItem": [
        {"id": "1", "action": "add", "productOffering": {"id": "fibre"}, "product": {"place": [{"id": "north", "role": "installation"}]}}]});
    check(
        &simulate(order).go(),
        &expect![[r#"
        root bss.order_type="add" bss.customer_id="c-1" bss.product_offering="fibre" bss.channel="web" bss.priority="normal"
            bss.order.count{type=add,status=submitted} 1
        => acknowledged [1 acknowledged]
        => inProgress [1 inProgress]
        span bss.order.decompose bss.decomposition.service_count=2 bss.decomposition.services="access,address"
            bss.order.step_duration{step=decomposition} 1000
        span bss.inventory.allocate.port bss.resource_type="port" bss.location="north" bss.resource_id="port-for-access"
        span bss.inventory.allocate.ipv4 bss.resource_type="ipv4" bss.location="north" bss.resource_id="ipv4-for-address"
        group bss.order.allocate_inventory bss.allocated_resources=2
            bss.order.step_duration{step=inventory} 2000
        span bss.provision.port bss.resource_id="port-for-access" bss.resource_type="port" bss.network_element="olt-1" bss.provision.result="configured"
        span bss.provision.ipv4 bss.resource_id="ipv4-for-address" bss.resource_type="ipv4" bss.network_element="olt-1" bss.provision.result="configured"
        group bss.order.provision 
            bss.order.step_duration{step=provisioning} 2000
        span bss.order.activate bss.activation.result="active" bss.activation.test_call=true
            bss.order.step_duration{step=activation} 1000
        span bss.order.billing_setup bss.billing.account_id="acc-1" bss.billing.plan_id="fibre-30" bss.billing.effective_date="2031-05-01"
            bss.order.step_duration{step=billing} 1000
        root end bss.order.status="completed"
            bss.order.count{type=add,status=completed} 1
            bss.order.duration{type=add} 13
        => completed [1 completed]
    "#]],
    );
}

#[test]
fn an_order_of_several_items_names_the_item_in_each_service() {
    let order = json!({"productOrderItem": [
        {"id": "a", "action": "add", "productOffering": {"id": "fibre"}}, {"id": "b", "action": "modify", "productOffering": {"id": "tv"}}, {"id": "c", "action": "noChange"}]});
    check(
        &simulate(order).answer("provision[2]", [rejected("bad_box")]).go(),
        &expect![[r#"
        root bss.order_type="mixed" bss.product_offering="fibre" bss.channel="web" bss.priority="normal"
            bss.order.count{type=mixed,status=submitted} 1
        => acknowledged [a acknowledged, b acknowledged, c acknowledged]
        => inProgress [a inProgress, b inProgress, c completed]
        span bss.order.decompose bss.decomposition.service_count=2 bss.decomposition.services="access,address"
        span bss.order.decompose bss.decomposition.service_count=1 bss.decomposition.services="box"
            bss.order.step_duration{step=decomposition} 2000
        span bss.inventory.allocate.port bss.resource_type="port" bss.resource_id="port-for-a/access"
        span bss.inventory.allocate.ipv4 bss.resource_type="ipv4" bss.resource_id="ipv4-for-a/address"
        span bss.inventory.allocate.equipment bss.resource_type="equipment" bss.resource_id="equipment-for-b/box"
        group bss.order.allocate_inventory bss.allocated_resources=3
            bss.order.step_duration{step=inventory} 3000
        span bss.provision.port bss.resource_id="port-for-a/access" bss.resource_type="port" bss.network_element="olt-1" bss.provision.result="configured"
        span bss.provision.ipv4 bss.resource_id="ipv4-for-a/address" bss.resource_type="ipv4" bss.network_element="olt-1" bss.provision.result="configured"
        span bss.provision.equipment bss.resource_id="equipment-for-b/box" bss.resource_type="equipment" bss.network_element="olt-1" ERROR "the back end said bad_box" bad_box
        group bss.order.provision 
            bss.order.step_duration{step=provisioning,error.type=bad_box} 3000
        span bss.order.compensate.ipv4
        span bss.order.compensate.port
        span bss.order.compensate.equipment
        span bss.order.compensate.ipv4
        span bss.order.compensate.port
        fallout 1: provisioning_failed (the back end said bad_box)
            bss.order.count{type=mixed,status=fallout} 1
            bss.order.fallout{reason=provisioning_failed,resource_type=equipment} 1
        => held [a inProgress, b held, c completed]
    "#]],
    );
}

#[test]
fn without_inventory_what_was_taken_is_released_and_a_retry_starts_over() {
    let simulation = simulate(order("fibre")).answer("allocate_inventory[1]", [rejected("no_inventory")]).go();
    check(
        &simulation.resolve(Resolution::Retry),
        &expect![[r#"
        root bss.order_type="add" bss.product_offering="fibre" bss.channel="web" bss.priority="normal"
            bss.order.count{type=add,status=submitted} 1
        => acknowledged [1 acknowledged]
        => inProgress [1 inProgress]
        span bss.order.decompose bss.decomposition.service_count=2 bss.decomposition.services="access,address"
            bss.order.step_duration{step=decomposition} 1000
        span bss.inventory.allocate.port bss.resource_type="port" bss.resource_id="port-for-access"
        span bss.inventory.allocate.ipv4 bss.resource_type="ipv4" ERROR "No available ipv4" no_inventory
        group bss.order.allocate_inventory 
            bss.order.step_duration{step=inventory,error.type=no_inventory} 2000
        span bss.order.compensate.port
        fallout 1: no_inventory (the back end said no_inventory)
            bss.order.count{type=add,status=fallout} 1
            bss.order.fallout{reason=no_inventory,resource_type=ipv4} 1
        => held [1 held]
        => inProgress [1 inProgress]
        span bss.inventory.allocate.port bss.resource_type="port" bss.resource_id="port-for-access"
        span bss.inventory.allocate.ipv4 bss.resource_type="ipv4" bss.resource_id="ipv4-for-address"
        group bss.order.allocate_inventory bss.allocated_resources=2
            bss.order.step_duration{step=inventory} 2000
        span bss.provision.port bss.resource_id="port-for-access" bss.resource_type="port" bss.network_element="olt-1" bss.provision.result="configured"
        span bss.provision.ipv4 bss.resource_id="ipv4-for-address" bss.resource_type="ipv4" bss.network_element="olt-1" bss.provision.result="configured"
        group bss.order.provision 
            bss.order.step_duration{step=provisioning} 2000
        span bss.order.activate bss.activation.result="active" bss.activation.test_call=true
            bss.order.step_duration{step=activation} 1000
        span bss.order.billing_setup bss.billing.account_id="acc-1" bss.billing.plan_id="fibre-30" bss.billing.effective_date="2031-05-01"
            bss.order.step_duration{step=billing} 1000
        root end bss.order.status="completed"
            bss.order.count{type=add,status=completed} 1
            bss.order.duration{type=add} 3621
        => completed [1 completed]
    "#]],
    );
}

#[test]
fn without_inventory_an_order_ends_as_failed_where_the_operator_wants_that() {
    check(
        &failing(order("fibre")).answer("allocate_inventory[1]", [rejected("no_inventory")]).go(),
        &expect![[r#"
        root bss.order_type="add" bss.product_offering="fibre" bss.channel="web" bss.priority="normal"
            bss.order.count{type=add,status=submitted} 1
        => acknowledged [1 acknowledged]
        => inProgress [1 inProgress]
        span bss.order.decompose bss.decomposition.service_count=2 bss.decomposition.services="access,address"
            bss.order.step_duration{step=decomposition} 1000
        span bss.inventory.allocate.port bss.resource_type="port" bss.resource_id="port-for-access"
        span bss.inventory.allocate.ipv4 bss.resource_type="ipv4" ERROR "No available ipv4" no_inventory
        group bss.order.allocate_inventory 
            bss.order.step_duration{step=inventory,error.type=no_inventory} 2000
        span bss.order.compensate.port
        root end bss.order.status="failed"
            bss.order.count{type=add,status=failed} 1
            bss.order.duration{type=add,error.type=no_inventory} 9
        => failed [1 failed]
    "#]],
    );
}

#[test]
fn a_failed_provisioning_does_not_go_on_to_activation() {
    let receipt = json!({"configuration": "/c/1", "network-element": "olt-1", "result": "failed"});
    check(
        &failing(order("fibre")).answer("provision[1]", [done(receipt)]).go(),
        &expect![[r#"
        root bss.order_type="add" bss.product_offering="fibre" bss.channel="web" bss.priority="normal"
            bss.order.count{type=add,status=submitted} 1
        => acknowledged [1 acknowledged]
        => inProgress [1 inProgress]
        span bss.order.decompose bss.decomposition.service_count=2 bss.decomposition.services="access,address"
            bss.order.step_duration{step=decomposition} 1000
        span bss.inventory.allocate.port bss.resource_type="port" bss.resource_id="port-for-access"
        span bss.inventory.allocate.ipv4 bss.resource_type="ipv4" bss.resource_id="ipv4-for-address"
        group bss.order.allocate_inventory bss.allocated_resources=2
            bss.order.step_duration{step=inventory} 2000
        span bss.provision.port bss.resource_id="port-for-access" bss.resource_type="port" bss.network_element="olt-1" bss.provision.result="configured"
        span bss.provision.ipv4 bss.resource_id="ipv4-for-address" bss.resource_type="ipv4" bss.network_element="olt-1" bss.provision.result="failed" ERROR "the configuration of `ipv4-for-address` ended as `failed`" provisioning_failed
        group bss.order.provision 
            bss.order.step_duration{step=provisioning,error.type=provisioning_failed} 2000
        span bss.order.compensate.ipv4
        span bss.order.compensate.port
        span bss.order.compensate.ipv4
        span bss.order.compensate.port
        root end bss.order.status="failed"
            bss.order.count{type=add,status=failed} 1
            bss.order.duration{type=add,error.type=provisioning_failed} 18
        => failed [1 failed]
    "#]],
    );
}

#[test]
fn an_unknown_offering_falls_out() {
    check(
        &simulate(order("fibre")).answer("decompose[0]", [rejected("unknown_offering")]).go().resolve(Resolution::Cancel),
        &expect![[r#"
        root bss.order_type="add" bss.product_offering="fibre" bss.channel="web" bss.priority="normal"
            bss.order.count{type=add,status=submitted} 1
        => acknowledged [1 acknowledged]
        => inProgress [1 inProgress]
        span bss.order.decompose  ERROR "the back end said unknown_offering" unknown_offering
            bss.order.step_duration{step=decomposition,error.type=unknown_offering} 1000
        fallout 1: decomposition_failed (the back end said unknown_offering)
            bss.order.count{type=add,status=fallout} 1
            bss.order.fallout{reason=decomposition_failed} 1
        => held [1 held]
        root end bss.order.status="cancelled"
            bss.order.count{type=add,status=cancelled} 1
            bss.order.duration{type=add,error.type=host.cancelled} 3605
        => cancelled [1 cancelled]
    "#]],
    );
}

#[test]
fn an_offering_of_nothing_falls_out() {
    check(
        &simulate(order("nothing")).go().resolve(Resolution::Fail),
        &expect![[r#"
            root bss.order_type="add" bss.product_offering="nothing" bss.channel="web" bss.priority="normal"
                bss.order.count{type=add,status=submitted} 1
            => acknowledged [1 acknowledged]
            => inProgress [1 inProgress]
            span bss.order.decompose  ERROR "offering \"nothing\" was decomposed into no service: expected at least one" decomposition_failed
                bss.order.step_duration{step=decomposition,error.type=decomposition_failed} 1000
            fallout 1: decomposition_failed (offering "nothing" was decomposed into no service: expected at least one)
                bss.order.count{type=add,status=fallout} 1
                bss.order.fallout{reason=decomposition_failed} 1
            => held [1 held]
            root end bss.order.status="failed"
                bss.order.count{type=add,status=failed} 1
                bss.order.duration{type=add,error.type=decomposition_failed} 3605
            => failed [1 failed]
        "#]],
    );
}

#[test]
fn a_plugin_that_crashes_and_a_back_end_that_is_silent_have_reasons_of_their_own() {
    check(
        &failing(order("tv")).answer("provision[0]", [rejected("plugin.trap")]).go(),
        &expect![[r#"
        root bss.order_type="add" bss.product_offering="tv" bss.channel="web" bss.priority="normal"
            bss.order.count{type=add,status=submitted} 1
        => acknowledged [1 acknowledged]
        => inProgress [1 inProgress]
        span bss.order.decompose bss.decomposition.service_count=1 bss.decomposition.services="box"
            bss.order.step_duration{step=decomposition} 1000
        span bss.inventory.allocate.equipment bss.resource_type="equipment" bss.resource_id="equipment-for-box"
        group bss.order.allocate_inventory bss.allocated_resources=1
            bss.order.step_duration{step=inventory} 1000
        span bss.provision.equipment bss.resource_id="equipment-for-box" bss.resource_type="equipment" bss.network_element="olt-1" ERROR "the back end said plugin.trap" plugin.trap
        group bss.order.provision 
            bss.order.step_duration{step=provisioning,error.type=plugin.trap} 1000
        span bss.order.compensate.equipment
        root end bss.order.status="failed"
            bss.order.count{type=add,status=failed} 1
            bss.order.duration{type=add,error.type=plugin.trap} 10
        => failed [1 failed]
    "#]],
    );
    let silent = || failed(FailureClass::Unavailable, "plugin.timeout");
    check(
        &simulate(order("tv")).answer("allocate_inventory[0]", [silent(), silent(), silent(), silent(), silent()]).go(),
        &expect![[r#"
        root bss.order_type="add" bss.product_offering="tv" bss.channel="web" bss.priority="normal"
            bss.order.count{type=add,status=submitted} 1
        => acknowledged [1 acknowledged]
        => inProgress [1 inProgress]
        span bss.order.decompose bss.decomposition.service_count=1 bss.decomposition.services="box"
            bss.order.step_duration{step=decomposition} 1000
        span bss.inventory.allocate.equipment bss.resource_type="equipment" ERROR "the back end said plugin.timeout" plugin.timeout
        span bss.inventory.allocate.equipment bss.resource_type="equipment" ERROR "the back end said plugin.timeout" plugin.timeout
        span bss.inventory.allocate.equipment bss.resource_type="equipment" ERROR "the back end said plugin.timeout" plugin.timeout
        span bss.inventory.allocate.equipment bss.resource_type="equipment" ERROR "the back end said plugin.timeout" plugin.timeout
        span bss.inventory.allocate.equipment bss.resource_type="equipment" ERROR "the back end said plugin.timeout" plugin.timeout
        group bss.order.allocate_inventory 
            bss.order.step_duration{step=inventory,error.type=plugin.timeout} 11857.849
        fallout 1: timeout (the back end said plugin.timeout)
            bss.order.count{type=add,status=fallout} 1
            bss.order.fallout{reason=timeout,resource_type=equipment} 1
        => held [1 held]
    "#]],
    );
}

#[test]
fn a_back_end_that_fails_twice_only_delays() {
    let away = || failed(FailureClass::Unavailable, "http_503");
    check(
        &simulate(order("tv")).answer("provision[0]", [away(), away()]).go(),
        &expect![[r#"
        root bss.order_type="add" bss.product_offering="tv" bss.channel="web" bss.priority="normal"
            bss.order.count{type=add,status=submitted} 1
        => acknowledged [1 acknowledged]
        => inProgress [1 inProgress]
        span bss.order.decompose bss.decomposition.service_count=1 bss.decomposition.services="box"
            bss.order.step_duration{step=decomposition} 1000
        span bss.inventory.allocate.equipment bss.resource_type="equipment" bss.resource_id="equipment-for-box"
        group bss.order.allocate_inventory bss.allocated_resources=1
            bss.order.step_duration{step=inventory} 1000
        span bss.provision.equipment bss.resource_id="equipment-for-box" bss.resource_type="equipment" bss.network_element="olt-1" ERROR "the back end said http_503" http_503
        span bss.provision.equipment bss.resource_id="equipment-for-box" bss.resource_type="equipment" bss.network_element="olt-1" ERROR "the back end said http_503" http_503
        span bss.provision.equipment bss.resource_id="equipment-for-box" bss.resource_type="equipment" bss.network_element="olt-1" bss.provision.result="configured"
        group bss.order.provision 
            bss.order.step_duration{step=provisioning} 5000
        span bss.order.activate bss.activation.result="active" bss.activation.test_call=true
            bss.order.step_duration{step=activation} 1000
        span bss.order.billing_setup bss.billing.account_id="acc-1" bss.billing.plan_id="standard" bss.billing.effective_date="2031-05-01"
            bss.order.step_duration{step=billing} 1000
        root end bss.order.status="completed"
            bss.order.count{type=add,status=completed} 1
            bss.order.duration{type=add} 15
        => completed [1 completed]
    "#]],
    );
}

#[test]
fn a_resource_type_that_nobody_declared_is_other_in_names_and_labels() {
    check(
        &simulate(order("odd")).answer("provision[0]", [rejected("bad")]).go(),
        &expect![[r#"
        root bss.order_type="add" bss.product_offering="odd" bss.channel="web" bss.priority="normal"
            bss.order.count{type=add,status=submitted} 1
        => acknowledged [1 acknowledged]
        => inProgress [1 inProgress]
        span bss.order.decompose bss.decomposition.service_count=1 bss.decomposition.services="odd"
            bss.order.step_duration{step=decomposition} 1000
        span bss.inventory.allocate._other bss.resource_type="moonbeam" bss.resource_id="moonbeam-for-odd"
        group bss.order.allocate_inventory bss.allocated_resources=1
            bss.order.step_duration{step=inventory} 1000
        span bss.provision._other bss.resource_id="moonbeam-for-odd" bss.resource_type="moonbeam" bss.network_element="olt-1" ERROR "the back end said bad" bad
        group bss.order.provision 
            bss.order.step_duration{step=provisioning,error.type=bad} 1000
        span bss.order.compensate._other
        fallout 1: provisioning_failed (the back end said bad)
            bss.order.count{type=add,status=fallout} 1
            bss.order.fallout{reason=provisioning_failed,resource_type=_other} 1
        => held [1 held]
    "#]],
    );
}

#[test]
fn an_order_that_is_held_for_several_reasons_entered_fallout_once() {
    let lost = || failed(FailureClass::Held, "host.internal");
    let options = Options { parallel_provisions: 2.try_into().unwrap(), ..Options::default() };
    let simulation = Simulation::new(&options, order("fibre")).answer("provision[0]", [lost()]).answer("provision[1]", [lost()]).go();
    check(
        &simulation.resolve(Resolution::Retry).resolve(Resolution::Retry),
        &expect![[r#"
        root bss.order_type="add" bss.product_offering="fibre" bss.channel="web" bss.priority="normal"
            bss.order.count{type=add,status=submitted} 1
        => acknowledged [1 acknowledged]
        => inProgress [1 inProgress]
        span bss.order.decompose bss.decomposition.service_count=2 bss.decomposition.services="access,address"
            bss.order.step_duration{step=decomposition} 1000
        span bss.inventory.allocate.port bss.resource_type="port" bss.resource_id="port-for-access"
        span bss.inventory.allocate.ipv4 bss.resource_type="ipv4" bss.resource_id="ipv4-for-address"
        group bss.order.allocate_inventory bss.allocated_resources=2
            bss.order.step_duration{step=inventory} 2000
        span bss.provision.port bss.resource_id="port-for-access" bss.resource_type="port" bss.network_element="olt-1" ERROR "the back end said host.internal" host.internal
        group bss.order.provision 
            bss.order.step_duration{step=provisioning,error.type=host.internal} 1000
        span bss.provision.ipv4 bss.resource_id="ipv4-for-address" bss.resource_type="ipv4" bss.network_element="olt-1" ERROR "the back end said host.internal" host.internal
        fallout 1: plugin_error (the back end said host.internal)
            bss.order.count{type=add,status=fallout} 1
            bss.order.fallout{reason=plugin_error,resource_type=port} 1
        => held [1 held]
        fallout 2: plugin_error (the back end said host.internal)
        span bss.provision.port bss.resource_id="port-for-access" bss.resource_type="port" bss.network_element="olt-1" bss.provision.result="configured"
        => inProgress [1 inProgress]
        span bss.provision.ipv4 bss.resource_id="ipv4-for-address" bss.resource_type="ipv4" bss.network_element="olt-1" bss.provision.result="configured"
        group bss.order.provision 
            bss.order.step_duration{step=provisioning} 1000
        span bss.order.activate bss.activation.result="active" bss.activation.test_call=true
            bss.order.step_duration{step=activation} 1000
        span bss.order.billing_setup bss.billing.account_id="acc-1" bss.billing.plan_id="fibre-30" bss.billing.effective_date="2031-05-01"
            bss.order.step_duration{step=billing} 1000
        root end bss.order.status="completed"
            bss.order.count{type=add,status=completed} 1
            bss.order.duration{type=add} 7219
        => completed [1 completed]
    "#]],
    );
}

#[test]
fn an_undo_that_fails_is_held_and_the_others_go_on() {
    let simulation =
        simulate(order("fibre")).answer("provision[0]", [rejected("bad")]).answer("allocate_inventory[1] undo", [rejected("locked")]).go();
    check(
        &simulation.resolve(Resolution::Retry).resolve(Resolution::Cancel),
        &expect![[r#"
        root bss.order_type="add" bss.product_offering="fibre" bss.channel="web" bss.priority="normal"
            bss.order.count{type=add,status=submitted} 1
        => acknowledged [1 acknowledged]
        => inProgress [1 inProgress]
        span bss.order.decompose bss.decomposition.service_count=2 bss.decomposition.services="access,address"
            bss.order.step_duration{step=decomposition} 1000
        span bss.inventory.allocate.port bss.resource_type="port" bss.resource_id="port-for-access"
        span bss.inventory.allocate.ipv4 bss.resource_type="ipv4" bss.resource_id="ipv4-for-address"
        group bss.order.allocate_inventory bss.allocated_resources=2
            bss.order.step_duration{step=inventory} 2000
        span bss.provision.port bss.resource_id="port-for-access" bss.resource_type="port" bss.network_element="olt-1" ERROR "the back end said bad" bad
        group bss.order.provision 
            bss.order.step_duration{step=provisioning,error.type=bad} 1000
        span bss.order.compensate.ipv4
        fallout 1: undo_failed (the back end said locked)
            bss.order.count{type=add,status=fallout} 1
            bss.order.fallout{reason=undo_failed,resource_type=ipv4} 1
        => held [1 held]
        span bss.order.compensate.port
        => inProgress [1 inProgress]
        span bss.order.compensate.ipv4
        fallout 2: provisioning_failed (the back end said bad)
            bss.order.fallout{reason=provisioning_failed,resource_type=port} 1
        => held [1 held]
        root end bss.order.status="cancelled"
            bss.order.count{type=add,status=cancelled} 1
            bss.order.duration{type=add,error.type=host.cancelled} 7217
        => cancelled [1 cancelled]
    "#]],
    );
}

#[test]
fn other_input_that_is_no_order_is_held_and_what_users_see_stays() {
    let simulation = simulate(order("tv")).answer("provision[0]", [rejected("bad")]).go();
    check(
        &simulation.resolve(Resolution::RetryWith(json!({"order": "x"}))),
        &expect![[r#"
        root bss.order_type="add" bss.product_offering="tv" bss.channel="web" bss.priority="normal"
            bss.order.count{type=add,status=submitted} 1
        => acknowledged [1 acknowledged]
        => inProgress [1 inProgress]
        span bss.order.decompose bss.decomposition.service_count=1 bss.decomposition.services="box"
            bss.order.step_duration{step=decomposition} 1000
        span bss.inventory.allocate.equipment bss.resource_type="equipment" bss.resource_id="equipment-for-box"
        group bss.order.allocate_inventory bss.allocated_resources=1
            bss.order.step_duration{step=inventory} 1000
        span bss.provision.equipment bss.resource_id="equipment-for-box" bss.resource_type="equipment" bss.network_element="olt-1" ERROR "the back end said bad" bad
        group bss.order.provision 
            bss.order.step_duration{step=provisioning,error.type=bad} 1000
        span bss.order.compensate.equipment
        fallout 1: provisioning_failed (the back end said bad)
            bss.order.count{type=add,status=fallout} 1
            bss.order.fallout{reason=provisioning_failed,resource_type=equipment} 1
        => held [1 held]
            bss.order.step_duration{step=decomposition,error.type=host.internal} 0
        fallout 2: plugin_error (the request of step `decompose` cannot be made: the input of the run does not fit: missing field `type`)
            bss.order.fallout{reason=plugin_error} 1
    "#]],
    );
}

#[test]
fn a_resource_of_another_type_is_given_back() {
    let receipt = json!({"id": "v-1", "resource-type": "vlan", "service": "box", "network-element": "olt-1", "characteristics": []});
    check(
        &simulate(order("tv")).answer("allocate_inventory[0]", [done(receipt)]).go(),
        &expect![[r#"
        root bss.order_type="add" bss.product_offering="tv" bss.channel="web" bss.priority="normal"
            bss.order.count{type=add,status=submitted} 1
        => acknowledged [1 acknowledged]
        => inProgress [1 inProgress]
        span bss.order.decompose bss.decomposition.service_count=1 bss.decomposition.services="box"
            bss.order.step_duration{step=decomposition} 1000
        span bss.inventory.allocate.equipment bss.resource_type="equipment" ERROR "the inventory gave `v-1` of type `vlan`: expected type `equipment`" plugin.contract
        group bss.order.allocate_inventory 
            bss.order.step_duration{step=inventory,error.type=plugin.contract} 1000
        span bss.order.compensate.equipment
        fallout 1: plugin_error (the inventory gave `v-1` of type `vlan`: expected type `equipment`)
            bss.order.count{type=add,status=fallout} 1
            bss.order.fallout{reason=plugin_error,resource_type=equipment} 1
        => held [1 held]
    "#]],
    );
}
