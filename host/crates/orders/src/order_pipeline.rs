//! The pipeline `order`: decompose, allocate inventory, provision, activate, set up billing.
//!
//! Everything before activation is taken back when something fails; then the order is held or ends, as the operator decided. An activation that fails is
//! held and nothing is billed. Once the service is active it stays: a billing failure is held for a person.

mod activate;
mod allocate;
mod billing;
mod decompose;
mod provision;
mod reason;
mod selectors;
mod text;

use pipeline::{Attributes, ContractTrack, Definition, PipelineName, RunTelemetry, StepName, StepTelemetry, View};
use serde_json::{Value, json};

pub(crate) use self::text::{known_type, resource_type};
use crate::{measure::measure, options::Options};

/// The pipeline's name.
pub const PIPELINE: &str = "order";

/// The version of the definition. Runs keep the version they began with: raise it when steps, mappings or their order change.
pub const VERSION: u32 = 1;

/// The resource types that get span names and metric series of their own; any other appears there as `_other`.
pub const RESOURCE_TYPES: [&str; 6] = ["port", "ipv4", "ipv6", "vlan", "equipment", "phone_number"];

pub(crate) const DECOMPOSE: &str = "decompose";
pub(crate) const ALLOCATE: &str = "allocate_inventory";
pub(crate) const PROVISION: &str = "provision";
pub(crate) const ACTIVATE: &str = "activate";
pub(crate) const BILLING: &str = "billing_setup";

/// The pipeline as the operator wants it.
pub fn definition(options: &Options) -> Definition {
    Definition {
        name: PipelineName::new(PIPELINE).expect("the pipeline's name is a valid name"),
        version: VERSION,
        steps: vec![decompose::step(options), allocate::step(options), provision::step(options), activate::step(options), billing::step(options)],
        output: |view| output(view),
        telemetry: RunTelemetry {
            scope: "bss.order_management",
            root_span: "bss.order.lifecycle",
            root_is_server: true,
            root_attributes: |view| root_attributes(view),
            submitted_span: Some("bss.order.submitted"),
            end_attributes: |view| end_attributes(view),
            phases: &[],
        },
        measure,
    }
}

/// What a parent run gets: the order, the service and the account, as far as there are any.
fn output(view: &View<'_>) -> Value {
    let of = |step, field: &str| view.outputs(step).next().map_or(Value::Null, |output| output[field].clone());
    json!({ "order": view.run().id().as_str(), "service-id": of(ACTIVATE, "service-id"), "account": of(BILLING, "account") })
}

fn root_attributes(view: &View<'_>) -> Attributes {
    let mut attributes = vec![order_id(view)];
    let from_input = [
        ("bss.order_type", "type"),
        ("bss.customer_id", "customer"),
        ("bss.product_offering", "offering"),
        ("bss.channel", "channel"),
        ("bss.priority", "priority"),
    ];
    // What the order does not say is absent, never empty.
    let known = from_input.iter().filter_map(|(key, field)| Some(((*key).to_owned(), view.input()[field].as_str()?.into())));
    attributes.extend(known);
    attributes.push(("bss.product_offerings".to_owned(), pipeline::AttributeValue::Texts(offerings(view))));
    attributes
}

/// Every product offering of the order, once, in the order of the items.
fn offerings(view: &View<'_>) -> Vec<String> {
    let mut offerings: Vec<String> = Vec::new();
    for offering in view.input()["items"].as_array().into_iter().flatten().filter_map(|item| item["offering"].as_str()) {
        if !offerings.iter().any(|known| known == offering) {
            offerings.push(offering.to_owned());
        }
    }
    offerings
}

fn end_attributes(view: &View<'_>) -> Attributes {
    let status = view.run().outcome().map(|outcome| match outcome {
        pipeline::Outcome::Completed => "completed",
        pipeline::Outcome::Failed { .. } => "failed",
        pipeline::Outcome::Cancelled => "cancelled",
    });
    status.map(|status| ("bss.order.status".to_owned(), status.into())).into_iter().collect()
}

/// The attribute that every span of an order has.
fn order_id(view: &View<'_>) -> (String, pipeline::AttributeValue) {
    ("bss.order_id".to_owned(), view.run().id().as_str().into())
}

/// Computes the attributes of an attempt's span.
type StepAttributes = fn(&View<'_>, &Value, Option<&Value>) -> Attributes;

/// The telemetry of a step of which every attempt is one span, without a group around them.
fn one_span(span: fn(&Value) -> String, metric_step: &'static str, attributes: StepAttributes) -> StepTelemetry {
    StepTelemetry {
        group_span: None,
        span,
        metric_step,
        attributes,
        group_attributes: |_, _, _| Attributes::new(),
        failure_text: |_, failure| text::failure(failure),
        undo_span: text::compensation,
        count_attributes: |_| Attributes::new(),
        completion: None,
    }
}

/// Attributes copied from text fields: absent where the field is.
fn copied(source: &Value, pairs: &[(&str, &str)]) -> Attributes {
    pairs.iter().filter_map(|(key, field)| Some(((*key).to_owned(), source[field].as_str()?.into()))).collect()
}

fn word(name: &str) -> StepName {
    StepName::new(name).expect("the steps of the order pipeline have valid names")
}

fn contract(interface: &str) -> ContractTrack {
    format!("jackfield:order/{interface}@1").parse().expect("the contracts of the order pipeline are valid tracks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_valid_under_every_policy() {
        for policy in [crate::Policy::Fallout, crate::Policy::Fail] {
            definition(&Options { on_failure: policy, ..Options::default() }).validate().unwrap();
        }
    }
}
