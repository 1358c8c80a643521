//! Step `install_certificate`: the directory keeps the certificate for the tenant's domain, with its sealed key.

use pipeline::{Mapped, MappingError, StepDefinition, View};
use serde_json::json;

use super::{AT_MOST_ONE, CERTIFICATE, INSTALL_CERTIFICATE, Plan, effect, reason, same, tenant_id};
use crate::{
    contract::{CertificateReceipt, DirectoryRequest},
    options::Options,
};

pub(crate) fn step(options: &Options) -> StepDefinition {
    let plan = Plan {
        name: INSTALL_CERTIFICATE,
        interface: "directory",
        after: &[CERTIFICATE],
        map,
        accept: |request, output| same("id", &request["id"], &output["id"]),
        limits: options.steps.activate,
        reason: reason::certificate,
        span: |_| "tenant.provision.install_certificate".to_owned(),
        label: "install_certificate",
        attributes: |view, _, _| tenant_id(view),
    };
    StepDefinition { fan_out: AT_MOST_ONE, ..effect(options, plan) }
}

/// A sign-up has its key among what is sealed for it, a renewal has one of its own.
fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let Some(certificate) = view.outputs_as::<CertificateReceipt>(CERTIFICATE)?.pop() else { return Ok(Vec::new()) };
    let input = view.input();
    let text = |field: &serde_json::Value| field.as_str().map(str::to_owned);
    let key = text(&input["certificate-key"]).or_else(|| text(&input["sealed"]["certificate-key"]));
    let (Some(id), Some(key)) = (text(&input["id"]), key) else {
        return Err(MappingError("the input has no id or no sealed key of a certificate".to_owned()));
    };
    Ok(vec![Mapped { label: String::new(), request: json!(DirectoryRequest::Certificate { id, certificate, key }) }])
}
