//! The pipeline `tenant`: claim the name, make database, storage and address, have a certificate issued, fill the database, tell other systems, make the
//! administrator's account, activate, write to the administrator.
//!
//! Everything before activation is taken back when something fails; then the sign-up ends, or is held, as the operator decided. What proves to the authority that
//! the name is ours goes as soon as the certificate is there. Once the tenant is active it stays: a message that could not be sent is held for a person.

mod activate;
mod admin_user;
pub(crate) mod certificate;
pub(crate) mod certificate_order;
pub(crate) mod challenge;
mod create_record;
pub(crate) mod database;
pub(crate) mod dns;
pub(crate) mod install_certificate;
pub(crate) mod integrations;
mod reason;
pub(crate) mod seed_data;
pub(crate) mod selectors;
pub(crate) mod storage;
pub(crate) mod text;
mod welcome_email;

use std::num::NonZeroU32;

use pipeline::{
    Attributes, ContractTrack, Counted, Criticality, Definition, Failure, FailureClass, OnFailure, Outcome, PipelineName, RunTelemetry, SpanPhase,
    StepDefinition, StepName, StepTelemetry, Undo, View, Work,
};
use serde_json::{Value, json};

pub use self::{reason::REASONS, storage::bucket};
use crate::{
    measure::measure,
    options::{Options, StepOptions},
};

/// The pipeline's name.
pub const PIPELINE: &str = "tenant";

/// The version of the definition. Runs keep the version they began with: raise it when steps, mappings or their order change.
pub const VERSION: u32 = 1;

/// The instrumentation scope of everything about tenants.
pub(crate) const SCOPE: &str = "tenant.provisioning";

pub(crate) const CREATE_RECORD: &str = "create_record";
pub(crate) const DATABASE: &str = "database";
pub(crate) const STORAGE: &str = "storage";
pub(crate) const DNS: &str = "dns";
pub(crate) const CERTIFICATE_ORDER: &str = "certificate_order";
pub(crate) const CHALLENGE: &str = "challenge";
pub(crate) const CERTIFICATE: &str = "certificate";
pub(crate) const INSTALL_CERTIFICATE: &str = "install_certificate";
pub(crate) const SEED_DATA: &str = "seed_data";
pub(crate) const INTEGRATIONS: &str = "integrations";
pub(crate) const ADMIN_USER: &str = "admin_user";
pub(crate) const ACTIVATE: &str = "activate";
pub(crate) const WELCOME_EMAIL: &str = "welcome_email";

const PHASES: &[SpanPhase] = &[
    SpanPhase {
        span: "tenant.provision.infrastructure",
        steps: &[DATABASE, STORAGE, DNS, CERTIFICATE_ORDER, CHALLENGE, CERTIFICATE, INSTALL_CERTIFICATE],
        attributes: |view| tenant_id(view),
    },
    SpanPhase { span: "tenant.provision.finalize", steps: &[ADMIN_USER, ACTIVATE, WELCOME_EMAIL], attributes: |view| tenant_id(view) },
];

/// The pipeline as the operator wants it.
pub fn definition(options: &Options) -> Definition {
    Definition {
        name: PipelineName::new(PIPELINE).expect("the pipeline's name is a valid name"),
        version: VERSION,
        steps: vec![
            create_record::step(options),
            database::step(options),
            storage::step(options),
            dns::step(options),
            certificate_order::step(options, &[DNS]),
            challenge::step(options),
            certificate::step(options),
            install_certificate::step(options),
            seed_data::step(options),
            integrations::step(options),
            admin_user::step(options),
            activate::step(options),
            welcome_email::step(options),
        ],
        output: |view| json!({ "id": view.input()["id"], "domain": view.input()["domain"] }),
        telemetry: RunTelemetry {
            scope: SCOPE,
            root_span: "tenant.provision",
            root_is_server: false,
            root_attributes: |view| {
                let known = [("tenant.name", "name"), ("tenant.plan", "plan"), ("tenant.region", "region"), ("tenant.id", "id")];
                copied(view.input(), &known)
            },
            submitted_span: None,
            end_attributes: |view| {
                let status = if view.run().outcome() == Some(&Outcome::Completed) { "success" } else { "failed" };
                vec![("tenant.provision.status".to_owned(), status.into())]
            },
            phases: PHASES,
        },
        measure,
    }
}

/// What makes a step this one.
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) interface: &'static str,
    pub(crate) after: &'static [&'static str],
    pub(crate) map: fn(&View<'_>) -> Result<Vec<pipeline::Mapped>, pipeline::MappingError>,
    pub(crate) accept: fn(&Value, &Value) -> Result<(), Failure>,
    pub(crate) limits: StepOptions,
    pub(crate) reason: fn(&Failure) -> &'static str,
    /// The name of an attempt's span. What follows `tenant.provision.` in it is the step's label in metrics.
    pub(crate) span: fn(&Value) -> String,
    pub(crate) label: &'static str,
    pub(crate) attributes: fn(&View<'_>, &Value, Option<&Value>) -> Attributes,
}

/// A step as most are: one call with effects, taken back with everything else when the run unwinds.
pub(crate) fn effect(options: &Options, plan: Plan) -> StepDefinition {
    StepDefinition {
        name: word(plan.name),
        work: Work::Effect { contract: contract(plan.interface), callback: false },
        after: plan.after.iter().map(|name| word(name)).collect(),
        fan_out: None,
        map: plan.map,
        accept: plan.accept,
        retry: plan.limits.retry(),
        timeout: plan.limits.timeout(),
        undo: Undo::OnUnwind,
        criticality: Criticality::Required,
        on_failure: OnFailure { unwind: true, then: options.on_failure.into(), reason: plan.reason },
        selectors: selectors::TENANT,
        must_understand: &[],
        telemetry: StepTelemetry {
            group_span: None,
            span: plan.span,
            metric_step: plan.label,
            attributes: plan.attributes,
            group_attributes: |view, _, _| tenant_id(view),
            failure_text: |_, failure| text::failure(failure),
            undo_span: |_| "tenant.provision.rollback".to_owned(),
            count_attributes: counted,
            completion: None,
        },
    }
}

/// At most one item, or none where the plan has no such thing.
pub(crate) const AT_MOST_ONE: Option<NonZeroU32> = Some(NonZeroU32::MIN);

/// What every span of an attempt says.
fn counted(counted: &Counted) -> Attributes {
    vec![
        ("provision.attempt".to_owned(), i64::from(counted.attempt).into()),
        ("provision.max_retries".to_owned(), i64::from(counted.attempts).into()),
        ("provision.step.status".to_owned(), if counted.failed { "failed" } else { "success" }.into()),
    ]
}

/// The id of the tenant, which every span names.
pub(crate) fn tenant_id(view: &View<'_>) -> Attributes {
    copied(view.input(), &[("tenant.id", "id")])
}

/// Attributes copied from text fields: absent where the field is.
pub(crate) fn copied(source: &Value, pairs: &[(&str, &str)]) -> Attributes {
    pairs.iter().filter_map(|(key, field)| Some(((*key).to_owned(), source[field].as_str()?.into()))).collect()
}

/// Whether an answer speaks of what was asked for.
fn same(field: &str, wanted: &Value, given: &Value) -> Result<(), Failure> {
    if wanted == given {
        return Ok(());
    }
    Err(Failure::new(FailureClass::Rejected, "plugin.contract", format!("the answer has the {field} {given}: expected {wanted}")))
}

pub(crate) fn word(name: &str) -> StepName {
    StepName::new(name).expect("the steps of the pipelines of tenants have valid names")
}

pub(crate) fn contract(interface: &str) -> ContractTrack {
    format!("jackfield:tenant/{interface}@1").parse().expect("the contracts of tenants are valid tracks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_valid_under_every_policy() {
        for on_failure in [crate::Policy::Fallout, crate::Policy::Fail] {
            definition(&Options { on_failure, ..Options::default() }).validate().unwrap();
        }
    }

    #[test]
    fn the_label_of_a_step_in_metrics_is_what_follows_in_the_name_of_its_span() {
        for step in definition(&Options::default()).steps {
            let span = (step.telemetry.span)(&Value::Null);
            assert_eq!(span.strip_prefix("tenant.provision."), Some(step.telemetry.metric_step), "{}", step.name);
        }
    }
}
