//! Step `activate`: switches the service on and tests it. The point of no return: once the service is active it stays.

use pipeline::{
    AfterFailure, Attributes, Criticality, Failure, FailureClass, Mapped, MappingError, OnFailure, StepDefinition, StepTelemetry, Undo, View, Work,
};
use serde_json::{Value, json};

use super::{ACTIVATE, PROVISION, contract, copied, one_span, order_id, provision, reason, selectors, word};
use crate::{contract::ActivationRequest, input::OrderInput, options::Options};

pub(super) fn step(options: &Options) -> StepDefinition {
    StepDefinition {
        name: word(ACTIVATE),
        work: Work::Effect { contract: contract("activation"), callback: false },
        after: vec![word(PROVISION)],
        fan_out: None,
        map,
        accept,
        retry: options.activate.retry(),
        timeout: options.activate.timeout(),
        // Only while it has not completed: a person who cancels a held order takes back what is there of it.
        undo: Undo::OnUnwind,
        criticality: Criticality::PointOfNoReturn,
        // What is configured is kept: a person can repair the activation, and needs to see what was tried.
        on_failure: OnFailure { unwind: false, then: AfterFailure::Fallout, reason: reason::activation },
        selectors: selectors::ACTIVATE,
        must_understand: &[],
        telemetry: StepTelemetry {
            failure_text: |_, _| "Activation failed".to_owned(),
            undo_span: |_| "bss.order.compensate.service".to_owned(),
            count_attributes: |_| Attributes::new(),
            completion: None,
            ..one_span(|_| "bss.order.activate".to_owned(), "activation", attributes)
        },
    }
}

fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: OrderInput = view.input_as()?;
    let (services, resources) = provision::services(view)?;
    let request = ActivationRequest { order: view.run().id().to_string(), customer: input.customer, services, resources };
    Ok(Mapped::one(json!(request)))
}

/// A service that is not active, or whose test failed, is not billed.
fn accept(_: &Value, output: &Value) -> Result<(), Failure> {
    let (result, tested) = (output["result"].as_str().unwrap_or_default(), output["test-passed"] == true);
    let message = match (result, tested) {
        ("active", true) => return Ok(()),
        ("active", false) => "the service is active but its test did not pass".to_owned(),
        (result, _) => format!("the service is `{result}`: expected `active`"),
    };
    Err(Failure::new(FailureClass::Rejected, "activation_failed", message))
}

fn attributes(view: &View<'_>, _: &Value, output: Option<&Value>) -> Attributes {
    let mut attributes = vec![order_id(view)];
    if let Some(output) = output {
        attributes.extend(copied(output, &[("bss.activation.result", "result")]));
        attributes.extend(output["test-passed"].as_bool().map(|passed| ("bss.activation.test_call".to_owned(), passed.into())));
    }
    attributes
}
