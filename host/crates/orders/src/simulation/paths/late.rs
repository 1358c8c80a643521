//! Ways that end at activation or billing.

use expect_test::expect;
use pipeline::Resolution;
use serde_json::json;

use super::{super::answers::activation, check, done, failing, order, rejected, simulate};

#[test]
fn a_failed_activation_is_not_billed() {
    check(
        &failing(order("tv")).answer("activate[0]", [rejected("no_signal")]).go().resolve(Resolution::Retry),
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
        span bss.provision.equipment bss.resource_id="equipment-for-box" bss.resource_type="equipment" bss.network_element="olt-1" bss.provision.result="configured"
        group bss.order.provision 
            bss.order.step_duration{step=provisioning} 1000
        span bss.order.activate  ERROR "Activation failed" no_signal
            bss.order.step_duration{step=activation,error.type=no_signal} 1000
        fallout 1: activation_failed (the back end said no_signal)
            bss.order.count{type=add,status=fallout} 1
            bss.order.fallout{reason=activation_failed} 1
        => held [1 held]
        => inProgress [1 inProgress]
        span bss.order.activate bss.activation.result="active" bss.activation.test_call=true
            bss.order.step_duration{step=activation} 1000
        span bss.order.billing_setup bss.billing.account_id="acc-1" bss.billing.plan_id="standard" bss.billing.effective_date="2031-05-01"
            bss.order.step_duration{step=billing} 1000
        root end bss.order.status="completed"
            bss.order.count{type=add,status=completed} 1
            bss.order.duration{type=add} 3614
        => completed [1 completed]
    "#]],
    );
}

#[test]
fn a_service_whose_test_failed_is_not_billed_and_a_cancel_takes_it_back() {
    let simulation = simulate(order("tv")).answer("activate[0]", [done(activation("active", false))]).go();
    check(
        &simulation.resolve(Resolution::Cancel),
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
        span bss.provision.equipment bss.resource_id="equipment-for-box" bss.resource_type="equipment" bss.network_element="olt-1" bss.provision.result="configured"
        group bss.order.provision 
            bss.order.step_duration{step=provisioning} 1000
        span bss.order.activate bss.activation.result="active" bss.activation.test_call=false ERROR "Activation failed" activation_failed
            bss.order.step_duration{step=activation,error.type=activation_failed} 1000
        fallout 1: activation_failed (the service is active but its test did not pass)
            bss.order.count{type=add,status=fallout} 1
            bss.order.fallout{reason=activation_failed} 1
        => held [1 held]
        span bss.order.compensate.service
        span bss.order.compensate.equipment
        span bss.order.compensate.equipment
        root end bss.order.status="cancelled"
            bss.order.count{type=add,status=cancelled} 1
            bss.order.duration{type=add,error.type=host.cancelled} 3617
        => cancelled [1 cancelled]
    "#]],
    );
}

#[test]
fn a_service_that_is_not_active_is_not_billed() {
    check(
        &simulate(order("tv")).answer("activate[0]", [done(activation("inactive", true))]).go(),
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
        span bss.provision.equipment bss.resource_id="equipment-for-box" bss.resource_type="equipment" bss.network_element="olt-1" bss.provision.result="configured"
        group bss.order.provision 
            bss.order.step_duration{step=provisioning} 1000
        span bss.order.activate bss.activation.result="inactive" bss.activation.test_call=true ERROR "Activation failed" activation_failed
            bss.order.step_duration{step=activation,error.type=activation_failed} 1000
        fallout 1: activation_failed (the service is `inactive`: expected `active`)
            bss.order.count{type=add,status=fallout} 1
            bss.order.fallout{reason=activation_failed} 1
        => held [1 held]
    "#]],
    );
}

#[test]
fn a_billing_failure_keeps_the_service() {
    let simulation = failing(order("tv")).answer("billing_setup[0]", [rejected("credit_limit")]).go();
    check(
        &simulation.resolve(Resolution::Retry),
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
        span bss.provision.equipment bss.resource_id="equipment-for-box" bss.resource_type="equipment" bss.network_element="olt-1" bss.provision.result="configured"
        group bss.order.provision 
            bss.order.step_duration{step=provisioning} 1000
        span bss.order.activate bss.activation.result="active" bss.activation.test_call=true
            bss.order.step_duration{step=activation} 1000
        span bss.order.billing_setup  ERROR "the back end said credit_limit" credit_limit
            bss.order.step_duration{step=billing,error.type=credit_limit} 1000
        fallout 1: billing_failed (the back end said credit_limit)
            bss.order.count{type=add,status=fallout} 1
            bss.order.fallout{reason=billing_failed} 1
        => held [1 held]
        => inProgress [1 inProgress]
        span bss.order.billing_setup bss.billing.account_id="acc-1" bss.billing.plan_id="standard" bss.billing.effective_date="2031-05-01"
            bss.order.step_duration{step=billing} 1000
        root end bss.order.status="completed"
            bss.order.count{type=add,status=completed} 1
            bss.order.duration{type=add} 3614
        => completed [1 completed]
    "#]],
    );
}

#[test]
fn a_billing_receipt_without_a_date_is_no_receipt() {
    let receipt = json!({"account": "acc-1", "plan": "p", "effective-date": "soon"});
    let by_hand = json!({"account": "acc-1", "plan": "p", "effective-date": "2031-06-01"});
    check(
        &simulate(order("tv")).answer("billing_setup[0]", [done(receipt)]).go().resolve(Resolution::SkipWith(by_hand)),
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
        span bss.provision.equipment bss.resource_id="equipment-for-box" bss.resource_type="equipment" bss.network_element="olt-1" bss.provision.result="configured"
        group bss.order.provision 
            bss.order.step_duration{step=provisioning} 1000
        span bss.order.activate bss.activation.result="active" bss.activation.test_call=true
            bss.order.step_duration{step=activation} 1000
        span bss.order.billing_setup bss.billing.account_id="acc-1" bss.billing.plan_id="p" bss.billing.effective_date="soon" ERROR "the billing system answered the effective date `soon`: expected a date YYYY-MM-DD" plugin.contract
            bss.order.step_duration{step=billing,error.type=plugin.contract} 1000
        fallout 1: billing_failed (the billing system answered the effective date `soon`: expected a date YYYY-MM-DD)
            bss.order.count{type=add,status=fallout} 1
            bss.order.fallout{reason=billing_failed} 1
        => held [1 held]
        => inProgress [1 inProgress]
        root end bss.order.status="completed"
            bss.order.count{type=add,status=completed} 1
            bss.order.duration{type=add} 3613
        => completed [1 completed]
    "#]],
    );
}
