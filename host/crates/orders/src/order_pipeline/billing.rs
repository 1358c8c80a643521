//! Step `billing_setup`: makes the customer pay for a service that is active.

use pipeline::{AfterFailure, Attributes, Criticality, Failure, FailureClass, Mapped, MappingError, OnFailure, StepDefinition, Undo, View, Work};
use serde_json::{Value, json};

use super::{ACTIVATE, BILLING, DECOMPOSE, contract, copied, one_span, order_id, reason, selectors, word};
use crate::{
    contract::{ActivationReceipt, BillingRequest, Decomposition},
    input::OrderInput,
    options::Options,
};

pub(super) fn step(options: &Options) -> StepDefinition {
    StepDefinition {
        name: word(BILLING),
        work: Work::Effect { contract: contract("billing"), callback: false },
        after: vec![word(ACTIVATE)],
        fan_out: None,
        map,
        accept,
        retry: options.billing_setup.retry(),
        timeout: options.billing_setup.timeout(),
        undo: Undo::Never,
        criticality: Criticality::Required,
        on_failure: OnFailure { unwind: false, then: AfterFailure::Fallout, reason: reason::billing },
        selectors: selectors::BILLING,
        must_understand: &[],
        telemetry: one_span(|_| "bss.order.billing_setup".to_owned(), "billing", attributes),
    }
}

/// An order is billed under its first offering, and by the first plan that the catalogue named.
fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: OrderInput = view.input_as()?;
    let decompositions: Vec<Decomposition> = view.outputs_as(DECOMPOSE)?;
    let activation: ActivationReceipt = view.output_as(ACTIVATE)?;
    let request = BillingRequest {
        order: view.run().id().to_string(),
        customer: input.customer,
        offering: input.offering,
        plan: decompositions.into_iter().find_map(|decomposition| decomposition.plan),
        service_id: activation.service_id,
        requested_date: input.requested_date,
    };
    Ok(Mapped::one(json!(request)))
}

/// The first billed day must be one: a text that is no date is found out too late by the customer.
fn accept(_: &Value, output: &Value) -> Result<(), Failure> {
    let given = output["effective-date"].as_str().unwrap_or_default();
    if given.len() == "YYYY-MM-DD".len() && given.parse::<jiff::civil::Date>().is_ok() {
        return Ok(());
    }
    let message = format!("the billing system answered the effective date `{given}`: expected a date YYYY-MM-DD");
    Err(Failure::new(FailureClass::Rejected, "plugin.contract", message))
}

fn attributes(view: &View<'_>, _: &Value, output: Option<&Value>) -> Attributes {
    let of_receipt = [("bss.billing.account_id", "account"), ("bss.billing.plan_id", "plan"), ("bss.billing.effective_date", "effective-date")];
    let mut attributes = vec![order_id(view)];
    attributes.extend(output.map(|output| copied(output, &of_receipt)).unwrap_or_default());
    attributes
}
