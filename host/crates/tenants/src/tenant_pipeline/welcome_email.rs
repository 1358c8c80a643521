//! Step `welcome_email`: writes to the administrator. It cannot be taken back, so it is the last.

use pipeline::{AfterFailure, Mapped, MappingError, OnFailure, StepDefinition, StepTelemetry, Undo, View};
use serde_json::json;

use super::{ACTIVATE, Plan, WELCOME_EMAIL, certificate_order::Wanted, effect, reason, same, tenant_id};
use crate::{contract::MailRequest, input::TenantInput, options::Options};

pub(super) fn step(options: &Options) -> StepDefinition {
    let plan = Plan {
        name: WELCOME_EMAIL,
        interface: "mail",
        after: &[ACTIVATE],
        map,
        accept: |request, output| same("message-id", &request["message-id"], &output["message-id"]),
        limits: options.steps.welcome_email,
        reason: reason::mail,
        span: |_| "tenant.provision.welcome_email".to_owned(),
        label: "welcome_email",
        attributes: |view, _, _| tenant_id(view),
    };
    let step = effect(options, plan);
    StepDefinition {
        undo: Undo::Never,
        on_failure: OnFailure { unwind: false, then: AfterFailure::Fallout, ..step.on_failure },
        // Servers repeat the address that they refuse.
        telemetry: StepTelemetry { failure_text: |_, _| "The message was not taken".to_owned(), ..step.telemetry },
        ..step
    }
}

/// The same message however often it is sent: its id is the tenant's.
fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: TenantInput = view.input_as()?;
    let scheme = if view.input_as::<Wanted>()?.now() { "https" } else { "http" };
    let TenantInput { id, name, domain, zone, admin, .. } = input;
    let text = format!("Hello {},\n\n{name} is ready: {scheme}://{domain}/\n\nYour account is {}.\n", admin.name, admin.email);
    let request = MailRequest { message_id: format!("welcome.{id}@{zone}"), to: admin.email, subject: format!("{name} is ready"), text };
    Ok(Mapped::one(json!(request)))
}
