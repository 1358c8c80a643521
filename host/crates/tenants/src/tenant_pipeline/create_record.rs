//! Step `create_record`: claims the id and the slug. The tenant is there from now on, and not active.

use pipeline::{Mapped, MappingError, StepDefinition, View};
use serde_json::json;

use super::{CREATE_RECORD, Plan, effect, reason, same, tenant_id};
use crate::{contract::DirectoryRequest, input::TenantInput, options::Options};

pub(super) fn step(options: &Options) -> StepDefinition {
    let plan = Plan {
        name: CREATE_RECORD,
        interface: "directory",
        after: &[],
        map,
        accept: |request, output| {
            same("operation", &request["operation"], &output["operation"])?;
            same("id", &request["tenant"]["id"], &output["id"])
        },
        limits: options.steps.create_record,
        reason: reason::record,
        span: |_| "tenant.provision.create_record".to_owned(),
        label: "create_record",
        attributes: |view, _, _| tenant_id(view),
    };
    effect(options, plan)
}

fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: TenantInput = view.input_as()?;
    let tenant = input.tenant();
    Ok(Mapped::one(json!(DirectoryRequest::Create { tenant, name: input.name, domain: input.domain })))
}
