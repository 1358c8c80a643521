//! Step `database`: a database of the tenant's own, with its tables.

use pipeline::{Attributes, Mapped, MappingError, StepDefinition, View};
use serde_json::{Value, json};

use super::{CREATE_RECORD, DATABASE, Plan, copied, effect, reason, same, tenant_id};
use crate::{input::TenantInput, options::Options};

pub(crate) fn step(options: &Options) -> StepDefinition {
    let plan = Plan {
        name: DATABASE,
        interface: "database",
        after: &[CREATE_RECORD],
        map,
        accept: |request, output| same("tenant", &request["tenant"], &output["tenant"]),
        limits: options.steps.database,
        reason: reason::database,
        span: |_| "tenant.provision.database".to_owned(),
        label: "database",
        attributes,
    };
    effect(options, plan)
}

/// The contract is the host's own and its types belong to the crate that answers it.
fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: TenantInput = view.input_as()?;
    Ok(Mapped::one(json!({ "tenant": input.id, "password": input.sealed.database })))
}

/// Which system it is, only the receipt knows.
fn attributes(view: &View<'_>, _: &Value, output: Option<&Value>) -> Attributes {
    let mut attributes = tenant_id(view);
    attributes.push(("db.operation".to_owned(), "create_schema".into()));
    let Some(output) = output else { return attributes };
    attributes.extend(copied(output, &[("db.system", "system"), ("db.schema", "schema")]));
    attributes.push(("db.migrations.applied".to_owned(), output["migrations"].as_u64().is_some_and(|version| version > 0).into()));
    attributes
}
