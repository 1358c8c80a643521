//! The pipeline `cpe`: find out whose device it is and what the customer bought, build the parameters, send them, read them all back.
//!
//! A device that nobody knows ends its run: its next contact begins another. What a device refuses or does not apply is held for a person. Nothing is taken
//! back: a device that has part of a configuration is better served than one that has none.

pub(crate) mod device_steps;
mod limits;
mod lookup;
pub(crate) mod selectors;
pub(crate) mod text;

use pipeline::{
    AfterFailure, AttributeValue, Attributes, ContractTrack, Criticality, Definition, Failure, OnFailure, PipelineName, RunTelemetry, StepName,
    StepTelemetry, Undo, View,
};
use serde_json::{Value, json};

use super::{measure::measure, options::Options};

/// The pipeline's name.
pub const PIPELINE: &str = "cpe";

/// The version of the definition. Runs keep the version they began with: raise it when steps, mappings or their order change.
pub const VERSION: u32 = 1;

/// The contract that the host answers itself: everything that is done with a device.
pub const DEVICE_CONTRACT: &str = "jackfield:cpe/device@1";

pub(crate) const AUTHENTICATE: &str = "authenticate";
pub(crate) const FETCH_PROFILE: &str = "fetch_profile";
pub(crate) const READ: &str = "read_device";
pub(crate) const BUILD: &str = "build_config";
pub(crate) const PUSH: &str = "push_config";
pub(crate) const VERIFY: &str = "verify";

/// The instrumentation scope of everything about devices.
pub(crate) const SCOPE: &str = "cpe.acs";

/// The pipeline as the operator wants it.
pub fn definition(options: &Options) -> Definition {
    Definition {
        name: PipelineName::new(PIPELINE).expect("the pipeline's name is a valid name"),
        version: VERSION,
        steps: vec![
            lookup::authenticate(options),
            lookup::fetch_profile(options),
            device_steps::read(options),
            lookup::build(options),
            device_steps::push(options),
            device_steps::verify(options),
        ],
        output: |view| output(view),
        telemetry: RunTelemetry {
            scope: SCOPE,
            root_span: "cpe.inform",
            root_is_server: false,
            root_attributes: |view| root_attributes(view.input()),
            submitted_span: None,
            end_attributes: |_| Attributes::new(),
            phases: &[],
        },
        measure,
    }
}

/// What a parent run gets.
fn output(view: &View<'_>) -> Value {
    let verified = view.outputs(VERIFY).next();
    json!({ "device": view.input()["id"], "checked": verified.map_or(&Value::Null, |verified| &verified["checked"]) })
}

/// What the Inform says of a device. What it does not say is absent.
pub(crate) fn root_attributes(input: &Value) -> Attributes {
    let device = &input["device"];
    let of_device = [
        ("cpe.serial_number", "serial"),
        ("cpe.oui", "oui"),
        ("cpe.manufacturer", "manufacturer"),
        ("cpe.model", "model"),
        ("cpe.firmware_version", "software-version"),
    ];
    let mut attributes = copied(device, &of_device);
    let events: Vec<&str> = input["events"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !events.is_empty() {
        attributes.push(("cpe.event_codes".to_owned(), events.join(",").into()));
    }
    attributes.extend(copied(input, &[("cpe.trigger", "trigger")]));
    attributes
}

/// Computes the attributes of an attempt's span.
type StepAttributes = fn(&View<'_>, &Value, Option<&Value>) -> Attributes;

/// The telemetry of a step of which every attempt is one span.
fn one_span(
    span: fn(&Value) -> String,
    metric_step: &'static str,
    attributes: StepAttributes,
    failure_text: fn(&Value, &Failure) -> String,
) -> StepTelemetry {
    StepTelemetry {
        group_span: None,
        span,
        metric_step,
        attributes,
        group_attributes: |_, _, _| Attributes::new(),
        failure_text,
        undo_span: |_| "cpe.provision.undo".to_owned(),
        count_attributes: |_| Attributes::new(),
        completion: None,
    }
}

fn on_failure(then: AfterFailure, reason: fn(&Failure) -> &'static str) -> OnFailure {
    OnFailure { unwind: false, then, reason }
}

/// Attributes copied from text fields: absent where the field is, or is empty.
pub(super) fn copied(source: &Value, pairs: &[(&str, &str)]) -> Attributes {
    let known = pairs.iter().filter_map(|(key, field)| Some((*key, source[field].as_str().filter(|text| !text.is_empty())?)));
    known.map(|(key, text)| (key.to_owned(), text.into())).collect()
}

fn count(key: &str, number: usize) -> (String, AttributeValue) {
    (key.to_owned(), i64::try_from(number).unwrap_or(i64::MAX).into())
}

/// The steps have no undo, and none can be done without.
const KEPT: (Undo, Criticality) = (Undo::Never, Criticality::Required);

fn word(name: &str) -> StepName {
    StepName::new(name).expect("the steps of the pipeline have valid names")
}

pub(super) fn contract(interface: &str) -> ContractTrack {
    format!("jackfield:cpe/{interface}@1").parse().expect("the contracts of the pipeline are valid tracks")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Policy;

    #[test]
    fn the_definition_is_valid_under_every_policy() {
        for policy in [Policy::Fallout, Policy::Fail] {
            let options = Options { on_lookup_failure: policy, on_push_failure: policy, on_verify_failure: policy, ..Options::default() };
            definition(&options).validate().unwrap();
        }
    }
}
