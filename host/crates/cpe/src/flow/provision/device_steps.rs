//! The steps that speak with the device: `read_device`, `push_config`, `verify`. The host answers them itself.

use std::{collections::HashSet, num::NonZeroU32, time::Duration};

use pipeline::{AfterFailure, AttributeValue, Attributes, Mapped, MappingError, OnFailure, RetryPolicy, StepDefinition, StepTelemetry, View, Work};
use serde_json::{Value, json};

use super::{AUTHENTICATE, BUILD, FETCH_PROFILE, KEPT, PUSH, READ, VERIFY, contract, count, lookup, on_failure, one_span, selectors, text, word};
use crate::flow::{
    contract::{Assignment, Configuration, ServiceProfile, SettingValue, ValueKind},
    facts::digest_of,
    input::Provisioning,
    options::{Options, StepOptions},
    requests::{DeviceRequest, Push, Pushed, Read, Verify, with_instances},
};

/// Zero or one item: only where the quirks of the device say that values are read before its configuration is built.
pub(super) fn read(options: &Options) -> StepDefinition {
    let reason = on_failure(AfterFailure::from(options.on_push_failure), text::push_reason);
    let telemetry = one_span(|_| "cpe.provision.read_device".to_owned(), READ, read_attributes, text::own);
    let step = device_step([READ, FETCH_PROFILE], read_request, limits(options, options.push_config), reason, telemetry);
    StepDefinition { fan_out: Some(NonZeroU32::MIN), ..step }
}

pub(super) fn push(options: &Options) -> StepDefinition {
    let reason = on_failure(AfterFailure::from(options.on_push_failure), text::push_reason);
    let telemetry = one_span(|_| "cpe.provision.push_config".to_owned(), PUSH, push_attributes, text::own);
    device_step([PUSH, BUILD], push_request, limits(options, options.push_config), reason, telemetry)
}

pub(super) fn verify(options: &Options) -> StepDefinition {
    let reason = on_failure(AfterFailure::from(options.on_verify_failure), text::verify_reason);
    let telemetry = one_span(|_| "cpe.provision.verify".to_owned(), VERIFY, verify_attributes, text::verify);
    device_step([VERIFY, PUSH], verify_request, limits(options, options.verify), reason, telemetry)
}

/// A step that speaks with the device, after another one.
fn device_step(
    [name, after]: [&str; 2],
    map: fn(&View<'_>) -> Result<Vec<Mapped>, MappingError>,
    (retry, timeout): (RetryPolicy, Duration),
    on_failure: OnFailure,
    telemetry: StepTelemetry,
) -> StepDefinition {
    StepDefinition {
        name: word(name),
        work: Work::Effect { contract: contract("device"), callback: false },
        after: vec![word(after)],
        fan_out: None,
        map,
        accept: |_, _| Ok(()),
        retry,
        timeout,
        undo: KEPT.0,
        criticality: KEPT.1,
        on_failure,
        selectors: selectors::OF_DEVICE,
        must_understand: &[],
        telemetry,
    }
}

/// The limits of a step whose first attempt may wait for its device.
fn limits(options: &Options, step: StepOptions) -> (RetryPolicy, Duration) {
    (step.retry_within(options.patience()), step.timeout())
}

fn read_request(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: Provisioning = view.input_as()?;
    if input.read_first.is_empty() {
        return Ok(Vec::new());
    }
    Ok(Mapped::one(json!(DeviceRequest::Read(Read { device: input.id, names: input.read_first }))))
}

fn push_request(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: Provisioning = view.input_as()?;
    let mut configuration: Configuration = view.output_as(BUILD)?;
    let profile: ServiceProfile = view.output_as(FETCH_PROFILE)?;
    only_secrets_of_the_profile(&profile, &configuration)?;
    add_connection_request(&input, &mut configuration);
    leave_out_keys(&mut configuration);
    let assigned: HashSet<&str> = configuration.assignments.iter().map(|assignment| assignment.name.as_str()).collect();
    // What is not assigned saves nothing.
    let current = lookup::current(view, input.parameters)?.into_iter().filter(|known| assigned.contains(known.name.as_str())).collect();
    let same_profile = input.profile == Some(digest_of(&profile.version));
    let push = Push { device: input.id, root: input.device.root, trigger: input.trigger, same_profile, current, configuration };
    Ok(Mapped::one(json!(DeviceRequest::Push(push.into()))))
}

/// A plugin hands on the secrets that it was given, and no others.
fn only_secrets_of_the_profile(profile: &ServiceProfile, configuration: &Configuration) -> Result<(), MappingError> {
    let given: HashSet<&str> = profile.settings.iter().filter_map(|setting| setting.value.handle()).collect();
    let keys = configuration.objects.iter().flat_map(|object| &object.key);
    let strange = configuration.assignments.iter().chain(keys).find(|one| one.value.handle().is_some_and(|handle| !given.contains(handle)));
    match strange {
        Some(Assignment { name, .. }) => Err(MappingError(format!("the configuration sets `{name}` to a secret that the profile does not have"))),
        None => Ok(()),
    }
}

/// What an object is found again by is set with the object: a device refuses a request that sets a parameter twice.
fn leave_out_keys(configuration: &mut Configuration) {
    let objects = configuration.objects.iter().filter(|object| object.instance.is_none());
    let names: HashSet<String> =
        objects.flat_map(|object| object.key.iter().map(|key| format!("{}{{{}}}.{}", object.path, object.label, key.name))).collect();
    configuration.assignments.retain(|assignment| !names.contains(&assignment.name));
}

/// The device is given what it is to ask of whoever wakes it, unless the configuration says it.
fn add_connection_request(input: &Provisioning, configuration: &mut Configuration) {
    let Some(wake) = &input.connection_request else { return };
    let name = |field: &str| format!("{}ManagementServer.{field}", input.device.root);
    let (username, password) = (name("ConnectionRequestUsername"), name("ConnectionRequestPassword"));
    if configuration.assignments.iter().any(|assignment| assignment.name == username || assignment.name == password) {
        return;
    }
    let assignment = |name, value| Assignment { name, value, kind: ValueKind::String };
    configuration.assignments.push(assignment(username, SettingValue::Text(wake.username.clone())));
    configuration.assignments.push(assignment(password, SettingValue::Secret(wake.password.clone())));
}

fn verify_request(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: Provisioning = view.input_as()?;
    let pushed: Pushed = view.output_as(PUSH)?;
    let push = view.items(PUSH).next().ok_or_else(|| MappingError(format!("step `{PUSH}` has no request")))?;
    let Push { configuration, .. } =
        serde::Deserialize::deserialize(&*push.request).map_err(|error| MappingError(format!("the request of `{PUSH}` does not fit: {error}")))?;
    let named = configuration.assignments.into_iter().map(|assignment| {
        let name = with_instances(&assignment.name, &pushed.instances)
            .ok_or_else(|| MappingError(format!("`{}` names an object that has no instance", assignment.name)))?;
        Ok(Assignment { name, ..assignment })
    });
    let keys = key_assignments(&configuration.objects, &pushed)?;
    let verify = Verify {
        device: input.id,
        root: input.device.root,
        key: pushed.key,
        assignments: keys.into_iter().map(Ok).chain(named).collect::<Result<_, MappingError>>()?,
        hidden: configuration.hidden,
        quirks: configuration.quirks,
        reboot: configuration.reboot,
        later: pushed.later,
    };
    Ok(Mapped::one(json!(DeviceRequest::Verify(verify.into()))))
}

/// What objects are found again by was set as well, where they were added.
fn key_assignments(objects: &[crate::flow::contract::Object], pushed: &Pushed) -> Result<Vec<Assignment>, MappingError> {
    let mut keys = Vec::new();
    for object in objects.iter().filter(|object| object.instance.is_none()) {
        let whole = with_instances(&object.path, &pushed.instances).zip(pushed.instances.get(&object.label));
        let (path, instance) = whole.ok_or_else(|| MappingError(format!("the object `{}` has no instance", object.label)))?;
        keys.extend(object.key.iter().map(|key| Assignment { name: format!("{path}{instance}.{}", key.name), ..key.clone() }));
    }
    Ok(keys)
}

fn read_attributes(_: &View<'_>, _: &Value, output: Option<&Value>) -> Attributes {
    let read = output.and_then(|output| output["values"].as_array()).map(Vec::len);
    read.map(|read| count("cpe.read.param_count", read)).into_iter().collect()
}

fn push_attributes(view: &View<'_>, request: &Value, output: Option<&Value>) -> Attributes {
    // A step that was refused has no request: then it is what was built.
    let built = view.outputs(BUILD).next().map(|built| &built["assignments"]);
    let assignments = request["configuration"]["assignments"].as_array().or_else(|| built?.as_array());
    let mut attributes = vec![count("cpe.config.param_count", assignments.map_or(0, Vec::len))];
    attributes.extend(lookup::of_profile(view));
    attributes.extend(output.and_then(|output| output["sent"].as_u64()).map(|sent| number("cpe.config.pushed", sent)));
    attributes
}

fn number(key: &str, number: u64) -> (String, AttributeValue) {
    (key.to_owned(), i64::try_from(number).unwrap_or(i64::MAX).into())
}

/// The figures of a failed attempt are given by the provider.
fn verify_attributes(_: &View<'_>, _: &Value, output: Option<&Value>) -> Attributes {
    let of = |output: &Value, field: &str| output[field].as_u64().unwrap_or(0);
    let all = |output: &Value| {
        vec![
            count("cpe.verify.mismatches", 0),
            number("cpe.verify.checked", of(output, "checked")),
            number("cpe.verify.hidden", of(output, "hidden")),
        ]
    };
    output.map(all).unwrap_or_default()
}

/// The plan that the inventory named, if it has answered.
pub(crate) fn plan(view: &View<'_>) -> Option<String> {
    Some(view.outputs(AUTHENTICATE).next()?["service-plan"].as_str()?.to_owned())
}
