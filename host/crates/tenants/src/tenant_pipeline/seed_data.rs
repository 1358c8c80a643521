//! Step `seed_data`: fills the database of a new tenant, where its plan has something to begin with.

use pipeline::{Mapped, MappingError, StepDefinition, View};
use serde_json::json;

use super::{AT_MOST_ONE, DATABASE, INSTALL_CERTIFICATE, Plan, SEED_DATA, STORAGE, effect, reason, same, selectors, tenant_id};
use crate::{contract::SeedRequest, input::TenantInput, options::Options};

pub(crate) fn step(options: &Options) -> StepDefinition {
    let plan = Plan {
        name: SEED_DATA,
        interface: "seed",
        after: &[DATABASE, STORAGE, INSTALL_CERTIFICATE],
        map,
        accept: |request, output| same("template", &request["template"], &output["template"]),
        limits: options.steps.seed_data,
        reason: reason::seed,
        span: |_| "tenant.provision.seed_data".to_owned(),
        label: "seed_data",
        attributes: |view, _, _| tenant_id(view),
    };
    StepDefinition { fan_out: AT_MOST_ONE, selectors: selectors::TEMPLATE, ..effect(options, plan) }
}

fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: TenantInput = view.input_as()?;
    let tenant = input.tenant();
    let Some(template) = input.template else { return Ok(Vec::new()) };
    let request = SeedRequest { tenant, name: input.name, template: template.clone(), settings: input.settings };
    Ok(vec![Mapped { label: template, request: json!(request) }])
}
