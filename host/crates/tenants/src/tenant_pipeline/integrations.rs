//! Step `integrations`: tells other systems of the tenant.

use pipeline::{Attributes, Mapped, MappingError, StepDefinition, StepTelemetry, View};
use serde_json::{Value, json};

use super::{INTEGRATIONS, Plan, SEED_DATA, copied, effect, reason, same, selectors, tenant_id};
use crate::{contract::IntegrationRequest, input::TenantInput, options::Options};

pub(crate) fn step(options: &Options) -> StepDefinition {
    let plan = Plan {
        name: INTEGRATIONS,
        interface: "integration",
        after: &[SEED_DATA],
        map,
        accept: |request, output| same("integration", &request["integration"], &output["integration"]),
        limits: options.steps.integrations,
        reason: reason::integration,
        span: |_| "tenant.provision.integration".to_owned(),
        label: "integration",
        attributes,
    };
    let step = effect(options, plan);
    StepDefinition {
        fan_out: Some(options.steps.parallel_integrations),
        selectors: selectors::INTEGRATION,
        telemetry: StepTelemetry { group_span: Some("tenant.provision.integrations"), ..step.telemetry },
        ..step
    }
}

fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: TenantInput = view.input_as()?;
    let tenant = input.tenant();
    let requests = input.integrations.into_iter().map(|integration| {
        let request = IntegrationRequest {
            tenant: tenant.clone(),
            name: input.name.clone(),
            integration: integration.name.clone(),
            domain: input.domain.clone(),
            settings: integration.settings,
        };
        Mapped { label: integration.name, request: json!(request) }
    });
    Ok(requests.collect())
}

fn attributes(view: &View<'_>, request: &Value, _: Option<&Value>) -> Attributes {
    let mut attributes = tenant_id(view);
    attributes.extend(copied(request, &[("tenant.integration", "integration")]));
    attributes
}
