//! Step `activate`: the tenant may be used. The point of no return: from here on it stays.

use pipeline::{Criticality, Mapped, MappingError, StepDefinition, View};
use serde_json::json;

use super::{ACTIVATE, ADMIN_USER, CERTIFICATE, Plan, certificate, certificate_order::Wanted, effect, reason, same, tenant_id};
use crate::{contract::DirectoryRequest, options::Options};

pub(super) fn step(options: &Options) -> StepDefinition {
    let plan = Plan {
        name: ACTIVATE,
        interface: "directory",
        after: &[ADMIN_USER],
        map,
        accept: |request, output| same("id", &request["id"], &output["id"]),
        limits: options.steps.activate,
        reason: reason::activation,
        span: |_| "tenant.provision.activate".to_owned(),
        label: "activate",
        attributes: |view, _, _| tenant_id(view),
    };
    StepDefinition { criticality: Criticality::PointOfNoReturn, ..effect(options, plan) }
}

/// A tenant that is to have a certificate is not activated without: a person may have sent the run on with nothing in its place.
fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let wanted: Wanted = view.input_as()?;
    if wanted.now() && !view.outputs(CERTIFICATE).any(certificate::is_issued) {
        return Err(MappingError(format!("step `{CERTIFICATE}` has brought no certificate for {}", wanted.domain)));
    }
    Ok(Mapped::one(json!(DirectoryRequest::Activate { id: wanted.id })))
}
