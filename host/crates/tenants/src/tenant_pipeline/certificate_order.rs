//! Step `certificate_order`: orders a certificate and hears what the authority wants to see in the DNS first.

use pipeline::{Failure, FailureClass, Mapped, MappingError, StepDefinition, View};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{AT_MOST_ONE, CERTIFICATE_ORDER, Plan, effect, reason, tenant_id};
use crate::{
    contract::{CertificateOrderReceipt, CertificateOrderRequest},
    options::Options,
};

/// What the inputs of all pipelines that fetch a certificate say about it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Wanted {
    pub(crate) id: String,
    pub(crate) domain: String,
    pub(crate) zone: String,
    pub(crate) ttl: u32,
    #[serde(default = "yes")]
    certificate: bool,
    #[serde(default)]
    ready_without_tls: bool,
    pub(crate) signing_request: Option<String>,
}

fn yes() -> bool {
    true
}

impl Wanted {
    /// Whether this run fetches it: a tenant that is ready without one gets it from a run of its own.
    pub(crate) fn now(&self) -> bool {
        self.certificate && !self.ready_without_tls
    }
}

pub(crate) fn step(options: &Options, after: &'static [&'static str]) -> StepDefinition {
    let plan = Plan {
        name: CERTIFICATE_ORDER,
        interface: "certificate-order",
        after,
        map,
        accept,
        limits: options.steps.certificate_order,
        reason: reason::certificate,
        span: |_| "tenant.provision.certificate_order".to_owned(),
        label: "certificate_order",
        attributes: |view, _, _| tenant_id(view),
    };
    StepDefinition { fan_out: AT_MOST_ONE, ..effect(options, plan) }
}

fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let wanted: Wanted = view.input_as()?;
    if !wanted.now() {
        return Ok(Vec::new());
    }
    let request = CertificateOrderRequest { owner: wanted.id, names: vec![wanted.domain.clone()] };
    Ok(vec![Mapped { label: wanted.domain, request: json!(request) }])
}

/// An authority may only want to see records below the names of the order: anything else would write what is not the tenant's.
fn accept(request: &Value, output: &Value) -> Result<(), Failure> {
    let misfit = |message: String| Failure::new(FailureClass::Rejected, "plugin.contract", message);
    let receipt = CertificateOrderReceipt::deserialize(output).map_err(|error| misfit(format!("the order is not to be understood: {error}")))?;
    let names: Vec<&str> = request["names"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let below =
        |challenge: &str| names.iter().any(|name| challenge.strip_suffix(name.trim_start_matches("*.")).is_some_and(|rest| rest.ends_with('.')));
    match receipt.challenges.iter().find(|challenge| !below(&challenge.name)) {
        None => Ok(()),
        Some(other) => Err(misfit(format!("the authority wants to see a record `{}`: expected one below {}", other.name, names.join(", ")))),
    }
}
