//! Step `provision`: configures each resource for its service.

use pipeline::{Attributes, Criticality, Failure, FailureClass, Mapped, MappingError, OnFailure, StepDefinition, StepTelemetry, Undo, View, Work};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ALLOCATE, PROVISION, contract, copied, order_id, reason, selectors, text, word};
use crate::{
    contract::{InventoryRequest, ProvisioningRequest, Resource, ServiceSpec},
    options::Options,
};

pub(super) fn step(options: &Options) -> StepDefinition {
    StepDefinition {
        name: word(PROVISION),
        work: Work::Effect { contract: contract("provisioning"), callback: false },
        after: vec![word(ALLOCATE)],
        fan_out: Some(options.parallel_provisions),
        map,
        accept,
        retry: options.provision.retry(),
        timeout: options.provision.timeout(),
        undo: Undo::OnUnwind,
        criticality: Criticality::Required,
        on_failure: OnFailure { unwind: true, then: options.on_failure.into(), reason: reason::provisioning },
        selectors: selectors::PROVISION,
        must_understand: &[],
        telemetry: StepTelemetry {
            group_span: Some("bss.order.provision"),
            span: |request| format!("bss.provision.{}", text::known_type(text::resource_type(request))),
            metric_step: "provisioning",
            attributes,
            group_attributes: |view, _, _| vec![order_id(view)],
            failure_text: |_, failure| text::failure(failure),
            undo_span: text::compensation,
            count_attributes: |_| Attributes::new(),
            completion: None,
        },
    }
}

fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let taken = taken(view)?.into_iter().map(|taken| {
        let Taken { request, resource } = taken;
        let label = request.service.name.clone();
        let request = ProvisioningRequest { order: request.order, location: request.location, service: request.service, resource };
        Mapped { label, request: json!(request) }
    });
    Ok(taken.collect())
}

/// A resource with what it was taken for.
struct Taken {
    request: InventoryRequest,
    resource: Resource,
}

/// The service comes from the request that took the resource: a person may have retried it with another one.
fn taken(view: &View<'_>) -> Result<Vec<Taken>, MappingError> {
    let misfit = |error| MappingError(format!("an item of step `{ALLOCATE}` does not fit: {error}"));
    let items = view.items(ALLOCATE).map(|item| {
        let request = InventoryRequest::deserialize(&*item.request).map_err(misfit)?;
        let resource = Resource::deserialize(item.output().unwrap_or(&Value::Null)).map_err(misfit)?;
        Ok(Taken { request, resource })
    });
    items.collect()
}

/// The services of the order and their resources, in the same order.
pub(super) fn services(view: &View<'_>) -> Result<(Vec<ServiceSpec>, Vec<Resource>), MappingError> {
    Ok(taken(view)?.into_iter().map(|taken| (taken.request.service, taken.resource)).unzip())
}

/// An answer that says `failed` is a failure, however politely it came.
fn accept(request: &Value, output: &Value) -> Result<(), Failure> {
    if output["result"] != "failed" {
        return Ok(());
    }
    let message = format!("the configuration of `{}` ended as `failed`", request["resource"]["id"].as_str().unwrap_or_default());
    Err(Failure::new(FailureClass::Rejected, "provisioning_failed", message))
}

fn attributes(view: &View<'_>, request: &Value, output: Option<&Value>) -> Attributes {
    let resource = &request["resource"];
    let of_resource = [("bss.resource_id", "id"), ("bss.resource_type", "resource-type"), ("bss.network_element", "network-element")];
    let mut attributes = vec![order_id(view)];
    attributes.extend(copied(resource, &of_resource));
    attributes.extend(output.map(|output| copied(output, &[("bss.provision.result", "result")])).unwrap_or_default());
    attributes
}
