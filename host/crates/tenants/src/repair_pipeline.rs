//! The pipeline `tenant_repair`: makes again what a tenant had and has not any more, or not as it was made.
//!
//! The requests are those of the run that made it, so what is made is the same thing under the same names, and the receipts of that run are still good: what is
//! repaired is taken back with the tenant, and not with the repair.

use pipeline::{AfterFailure, Definition, Mapped, MappingError, OnFailure, PipelineName, RunTelemetry, StepDefinition, Undo, View};
use serde_json::json;

use crate::{
    input::{RepairInput, RepairItem},
    options::Options,
    tenant_pipeline::{
        DATABASE, DNS, INTEGRATIONS, SCOPE, SEED_DATA, STORAGE, copied, database, dns, integrations, seed_data, storage, tenant_id, word,
    },
};

/// The pipeline's name.
pub const REPAIR_PIPELINE: &str = "tenant_repair";

/// The steps of the pipeline `tenant` whose work can be done again.
pub const REPAIRED_STEPS: [&str; 5] = [DATABASE, STORAGE, DNS, SEED_DATA, INTEGRATIONS];

/// How a step makes its requests.
type Map = fn(&View<'_>) -> Result<Vec<Mapped>, MappingError>;

/// The pipeline as the operator wants it. A repair that fails is over: whoever asked for it can ask again.
pub fn repair_definition(options: &Options) -> Definition {
    Definition {
        name: PipelineName::new(REPAIR_PIPELINE).expect("the pipeline's name is a valid name"),
        version: 1,
        steps: vec![
            repairing(database::step(options), &[], |view| items(view, DATABASE)),
            repairing(storage::step(options), &[], |view| items(view, STORAGE)),
            repairing(dns::step(options), &[], |view| items(view, DNS)),
            repairing(seed_data::step(options), &[DATABASE, STORAGE], |view| items(view, SEED_DATA)),
            repairing(integrations::step(options), &[SEED_DATA], |view| items(view, INTEGRATIONS)),
        ],
        output: |view| json!({ "id": view.input()["id"] }),
        telemetry: RunTelemetry {
            scope: SCOPE,
            root_span: "tenant.repair",
            root_is_server: false,
            root_attributes: |view| {
                let mut attributes = tenant_id(view);
                attributes.extend(copied(view.input(), &[("tenant.plan", "plan"), ("tenant.region", "region")]));
                attributes
            },
            submitted_span: None,
            end_attributes: |_| pipeline::Attributes::new(),
            phases: &[],
        },
        // Figures of sign-ups are of sign-ups only.
        measure: |_| Vec::new(),
    }
}

fn repairing(step: StepDefinition, after: &[&str], map: Map) -> StepDefinition {
    StepDefinition {
        after: after.iter().map(|name| word(name)).collect(),
        fan_out: step.fan_out.or(crate::tenant_pipeline::AT_MOST_ONE),
        map,
        undo: Undo::Never,
        on_failure: OnFailure { unwind: false, then: AfterFailure::Fail, ..step.on_failure },
        ..step
    }
}

fn items(view: &View<'_>, step: &str) -> Result<Vec<Mapped>, MappingError> {
    let input: RepairInput = view.input_as()?;
    if let Some(other) = input.items.iter().find(|item| !REPAIRED_STEPS.contains(&item.step.as_str())) {
        return Err(MappingError(format!("`{}` is no step that can be repaired: expected one of {}", other.step, REPAIRED_STEPS.join(", "))));
    }
    let own = input.items.into_iter().filter(|item| item.step == step);
    Ok(own.map(|RepairItem { label, request, .. }| Mapped { label, request }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_valid_and_takes_nothing_back() {
        let definition = repair_definition(&Options::default());
        definition.validate().unwrap();
        let steps: Vec<_> = definition.steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(steps, REPAIRED_STEPS);
        assert!(definition.steps.iter().all(|step| step.undo == Undo::Never && step.fan_out.is_some()));
    }
}
