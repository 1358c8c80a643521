//! The steps that ask others: `authenticate`, `fetch_profile`, `build_config`. All are pure.

use pipeline::{AfterFailure, AttributeValue, Attributes, Mapped, MappingError, StepDefinition, View, Work};
use serde_json::{Value, json};

use super::{AUTHENTICATE, BUILD, FETCH_PROFILE, KEPT, READ, contract, copied, count, limits, on_failure, one_span, selectors, text, word};
use crate::flow::{
    contract::{ConfigurationRequest, Parameter, ProfileRequest, ServiceProfile, Subscription},
    input::Provisioning,
    options::Options,
    requests::Readings,
};

pub(super) fn authenticate(options: &Options) -> StepDefinition {
    StepDefinition {
        name: word(AUTHENTICATE),
        work: Work::Pure { contract: contract("inventory") },
        after: Vec::new(),
        fan_out: None,
        map: |view| Ok(Mapped::one(json!({ "device": view.input()["device"] }))),
        accept: limits::subscription,
        retry: options.authenticate.retry(),
        timeout: options.authenticate.timeout(),
        undo: KEPT.0,
        criticality: KEPT.1,
        on_failure: on_failure(AfterFailure::from(options.on_lookup_failure), text::lookup_reason),
        selectors: selectors::OF_DEVICE,
        must_understand: &[],
        telemetry: one_span(|_| "cpe.provision.authenticate".to_owned(), AUTHENTICATE, customer, text::authenticate),
    }
}

pub(super) fn fetch_profile(options: &Options) -> StepDefinition {
    StepDefinition {
        name: word(FETCH_PROFILE),
        work: Work::Pure { contract: contract("profile") },
        after: vec![word(AUTHENTICATE)],
        fan_out: None,
        map: profile_request,
        accept: limits::profile,
        retry: options.fetch_profile.retry(),
        timeout: options.fetch_profile.timeout(),
        undo: KEPT.0,
        criticality: KEPT.1,
        on_failure: on_failure(AfterFailure::from(options.on_lookup_failure), text::lookup_reason),
        selectors: selectors::WITH_PLAN,
        must_understand: &[],
        telemetry: one_span(|_| "cpe.provision.fetch_profile".to_owned(), FETCH_PROFILE, profile_size, text::fetch_profile),
    }
}

pub(super) fn build(options: &Options) -> StepDefinition {
    StepDefinition {
        name: word(BUILD),
        work: Work::Pure { contract: contract("configuration") },
        after: vec![word(READ)],
        fan_out: None,
        map: configuration_request,
        accept: limits::configuration,
        retry: options.build_config.retry(),
        timeout: options.build_config.timeout(),
        undo: KEPT.0,
        criticality: KEPT.1,
        on_failure: on_failure(AfterFailure::from(options.on_push_failure), text::push_reason),
        selectors: selectors::WITH_PLAN,
        must_understand: &[],
        telemetry: one_span(|_| "cpe.provision.build_config".to_owned(), BUILD, configuration_size, text::own),
    }
}

fn profile_request(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let Subscription { customer_id, service_plan, characteristics, .. } = view.output_as(AUTHENTICATE)?;
    let device = view.input_as::<Provisioning>()?.device;
    Ok(Mapped::one(json!(ProfileRequest { device, customer_id, service_plan, characteristics })))
}

fn configuration_request(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: Provisioning = view.input_as()?;
    let subscription: Subscription = view.output_as(AUTHENTICATE)?;
    let profile: ServiceProfile = view.output_as(FETCH_PROFILE)?;
    let current = current(view, input.parameters)?;
    Ok(Mapped::one(json!(ConfigurationRequest { device: input.device, plan: subscription.service_plan, profile, current })))
}

/// What is known of the device's values: what its Inform said, and what was read.
pub(super) fn current(view: &View<'_>, informed: Vec<Parameter>) -> Result<Vec<Parameter>, MappingError> {
    let read: Vec<Readings> = view.outputs_as(READ)?;
    let mut known: Vec<Parameter> = read.into_iter().flat_map(|readings| readings.values).collect();
    let names: std::collections::HashSet<String> = known.iter().map(|parameter| parameter.name.clone()).collect();
    known.extend(informed.into_iter().filter(|parameter| !names.contains(&parameter.name)));
    Ok(known)
}

fn customer(_: &View<'_>, _: &Value, output: Option<&Value>) -> Attributes {
    let all = [("cpe.customer_id", "customer-id"), ("cpe.service_plan", "service-plan"), ("cpe.location_id", "location-id")];
    output.map(|output| copied(output, &all)).unwrap_or_default()
}

fn profile_size(_: &View<'_>, _: &Value, output: Option<&Value>) -> Attributes {
    let Some(output) = output else { return Attributes::new() };
    let mut attributes = vec![count("cpe.profile.parameter_count", output["settings"].as_array().map_or(0, Vec::len))];
    attributes.extend(copied(output, &[("cpe.profile.version", "version")]));
    attributes
}

fn configuration_size(_: &View<'_>, _: &Value, output: Option<&Value>) -> Attributes {
    let sizes = [("cpe.config.param_count", "assignments"), ("cpe.config.object_count", "objects")];
    let of = |output: &Value| sizes.map(|(key, field)| count(key, output[field].as_array().map_or(0, Vec::len))).into();
    output.map(of).unwrap_or_default()
}

/// What the profile says of a configuration, for the span of its sending.
pub(super) fn of_profile(view: &View<'_>) -> Attributes {
    let Some(profile) = view.outputs(FETCH_PROFILE).next() else { return Attributes::new() };
    let texts =
        |field: &str| -> Vec<String> { profile[field].as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect() };
    let services = texts("services");
    let has = |service: &str| AttributeValue::Flag(services.iter().any(|known| known == service));
    vec![
        ("cpe.config.has_voip".to_owned(), has("voip")),
        ("cpe.config.has_iptv".to_owned(), has("iptv")),
        ("cpe.config.wifi_bands".to_owned(), AttributeValue::Texts(texts("wifi-bands"))),
    ]
}
