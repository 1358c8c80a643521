//! Step `allocate_inventory`: takes one resource per service.

use pipeline::{Attributes, Criticality, Failure, FailureClass, Mapped, MappingError, OnFailure, StepDefinition, StepTelemetry, Undo, View, Work};
use serde_json::{Value, json};

use super::{ALLOCATE, DECOMPOSE, contract, copied, order_id, reason, selectors, text, word};
use crate::{
    contract::{Decomposition, InventoryRequest},
    input::OrderInput,
    options::Options,
};

pub(super) fn step(options: &Options) -> StepDefinition {
    StepDefinition {
        name: word(ALLOCATE),
        work: Work::Effect { contract: contract("inventory"), callback: false },
        after: vec![word(DECOMPOSE)],
        fan_out: Some(options.parallel_allocations),
        map,
        accept,
        retry: options.allocate_inventory.retry(),
        timeout: options.allocate_inventory.timeout(),
        undo: Undo::OnUnwind,
        criticality: Criticality::Required,
        on_failure: OnFailure { unwind: true, then: options.on_failure.into(), reason: reason::inventory },
        selectors: selectors::ALLOCATE,
        must_understand: &[],
        telemetry: StepTelemetry {
            group_span: Some("bss.order.allocate_inventory"),
            span: |request| format!("bss.inventory.allocate.{}", text::known_type(text::resource_type(request))),
            metric_step: "inventory",
            attributes,
            group_attributes,
            failure_text,
            undo_span: text::compensation,
            count_attributes: |_| Attributes::new(),
            completion: None,
        },
    }
}

/// The services of all order items in order. In an order of several items a service's name begins with its item's id, since the contract promises unique
/// names only within one decomposition.
fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: OrderInput = view.input_as()?;
    let decompositions: Vec<Decomposition> = view.outputs_as(DECOMPOSE)?;
    if decompositions.len() != input.items.len() {
        return Err(MappingError(format!("{} order items have {} decompositions", input.items.len(), decompositions.len())));
    }
    let several = input.items.len() > 1;
    let mut mapped = Vec::new();
    for (item, decomposition) in input.items.iter().zip(decompositions) {
        for mut service in decomposition.services {
            if several {
                service.name = format!("{}/{}", item.id, service.name);
            }
            let label = service.name.clone();
            let request =
                InventoryRequest { order: view.run().id().to_string(), customer: input.customer.clone(), location: item.location.clone(), service };
            mapped.push(Mapped { label, request: json!(request) });
        }
    }
    Ok(mapped)
}

/// A resource of another type than the service needs is no help to it.
fn accept(request: &Value, output: &Value) -> Result<(), Failure> {
    let (wanted, got) = (text::resource_type(request), output["resource-type"].as_str().unwrap_or_default());
    if wanted == got {
        return Ok(());
    }
    let message = format!("the inventory gave `{}` of type `{got}`: expected type `{wanted}`", output["id"].as_str().unwrap_or_default());
    Err(Failure::new(FailureClass::Rejected, "plugin.contract", message))
}

fn attributes(view: &View<'_>, request: &Value, output: Option<&Value>) -> Attributes {
    let mut attributes = vec![order_id(view), ("bss.resource_type".to_owned(), text::resource_type(request).into())];
    attributes.extend(copied(request, &[("bss.location", "location")]));
    // A resource that was not accepted is not the service's.
    let accepted = output.filter(|output| accept(request, output).is_ok());
    attributes.extend(accepted.map(|output| copied(output, &[("bss.resource_id", "id")])).unwrap_or_default());
    attributes
}

fn group_attributes(view: &View<'_>, completed: usize, failed: bool) -> Attributes {
    let mut attributes = vec![order_id(view)];
    if !failed {
        attributes.push(("bss.allocated_resources".to_owned(), i64::try_from(completed).unwrap_or(i64::MAX).into()));
    }
    attributes
}

/// The seed's words are kept for what they say; an inventory that crashed or did not answer is described as what it is.
fn failure_text(request: &Value, failure: &Failure) -> String {
    if failure.error_type == "no_inventory" { format!("No available {}", text::resource_type(request)) } else { text::failure(failure) }
}
