//! Step `certificate`: has the certificate issued. The authority takes its time and calls back, or is asked again; the request and its completion are two spans.

use pipeline::{Attributes, Completion, Failure, FailureClass, Mapped, MappingError, StepDefinition, StepTelemetry, View, Work};
use serde_json::{Value, json};

use super::{AT_MOST_ONE, CERTIFICATE, CERTIFICATE_ORDER, CHALLENGE, Plan, certificate_order::Wanted, contract, copied, effect, reason, tenant_id};
use crate::{
    contract::{CertificateOrderReceipt, CertificateRequest},
    options::Options,
};

/// What an authority calls a certificate that was issued.
const ISSUED: [&str; 2] = ["issued", "valid"];

pub(crate) fn step(options: &Options) -> StepDefinition {
    let plan = Plan {
        name: CERTIFICATE,
        interface: "certificate",
        after: &[CHALLENGE],
        map,
        accept,
        limits: options.steps.certificate,
        reason: reason::certificate,
        span: |_| "tenant.provision.ssl.request".to_owned(),
        label: "ssl.request",
        attributes: |view, _, _| {
            let mut attributes = tenant_id(view);
            attributes.extend(copied(view.input(), &[("ssl.domain", "domain")]));
            attributes
        },
    };
    let step = effect(options, plan);
    let completion = Some(Completion { span: "tenant.provision.ssl.complete", attributes: completed });
    StepDefinition {
        work: Work::Effect { contract: contract("certificate"), callback: true },
        fan_out: AT_MOST_ONE,
        telemetry: StepTelemetry { completion, ..step.telemetry },
        ..step
    }
}

fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let wanted: Wanted = view.input_as()?;
    let orders: Vec<CertificateOrderReceipt> = view.outputs_as(CERTIFICATE_ORDER)?;
    let requests = orders.into_iter().map(|order| {
        let missing = || MappingError("the input of the run has no `signing-request`, which a certificate is issued for".to_owned());
        let signing_request = wanted.signing_request.clone().ok_or_else(missing)?;
        let names = vec![wanted.domain.clone()];
        let request = CertificateRequest { owner: wanted.id.clone(), order: order.order, names, signing_request };
        Ok(Mapped { label: wanted.domain.clone(), request: json!(request) })
    });
    requests.collect()
}

/// Whether a receipt speaks of a certificate.
pub(crate) fn is_issued(receipt: &Value) -> bool {
    receipt["status"].as_str().is_some_and(|status| ISSUED.contains(&status))
}

/// A certificate that was not issued is none, however politely the authority said so.
fn accept(_: &Value, output: &Value) -> Result<(), Failure> {
    if is_issued(output) {
        return Ok(());
    }
    let status = output["status"].as_str().unwrap_or_default();
    Err(Failure::new(FailureClass::Rejected, "ssl.failed", format!("the authority ended the order as `{status}`: expected `issued` or `valid`")))
}

fn completed(view: &View<'_>, _: &Value, output: Option<&Value>) -> Attributes {
    let mut attributes = tenant_id(view);
    attributes.extend(output.map(|output| copied(output, &[("ssl.status", "status"), ("ssl.issuer", "issuer")])).unwrap_or_default());
    attributes
}
