//! Step `admin_user`: makes the account of the tenant's administrator.

use pipeline::{Mapped, MappingError, StepDefinition, StepTelemetry, View};
use serde_json::json;

use super::{ADMIN_USER, INTEGRATIONS, Plan, effect, reason, same, tenant_id};
use crate::{contract::DirectoryRequest, input::TenantInput, options::Options};

pub(super) fn step(options: &Options) -> StepDefinition {
    let plan = Plan {
        name: ADMIN_USER,
        interface: "directory",
        after: &[INTEGRATIONS],
        map,
        accept: |request, output| same("id", &request["id"], &output["id"]),
        limits: options.steps.admin_user,
        reason: reason::account,
        span: |_| "tenant.provision.admin_user".to_owned(),
        label: "admin_user",
        attributes: |view, _, _| tenant_id(view),
    };
    let step = effect(options, plan);
    // The words of the failure may name the person.
    StepDefinition { telemetry: StepTelemetry { failure_text: |_, _| "The account was not made".to_owned(), ..step.telemetry }, ..step }
}

fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: TenantInput = view.input_as()?;
    Ok(Mapped::one(json!(DirectoryRequest::Account { id: input.id, email: input.admin.email, password: input.sealed.admin })))
}
