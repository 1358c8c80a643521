//! The pipeline `tenant_certificate`: a new certificate for a tenant that is there. Begun when the old one is about to end, or when a tenant is ready without one.

use pipeline::{AfterFailure, Definition, OnFailure, PipelineName, RunTelemetry, StepDefinition};
use serde_json::json;

use crate::{
    options::Options,
    tenant_pipeline::{SCOPE, certificate, certificate_order, challenge, copied, install_certificate, tenant_id},
};

/// The pipeline's name.
pub const CERTIFICATE_PIPELINE: &str = "tenant_certificate";

/// The pipeline as the operator wants it. A run that fails is over: the next look at the certificate begins another.
pub fn certificate_definition(options: &Options) -> Definition {
    Definition {
        name: PipelineName::new(CERTIFICATE_PIPELINE).expect("the pipeline's name is a valid name"),
        version: 1,
        steps: vec![
            ending(certificate_order::step(options, &[])),
            ending(challenge::step(options)),
            ending(certificate::step(options)),
            ending(install_certificate::step(options)),
        ],
        output: |view| json!({ "id": view.input()["id"], "domain": view.input()["domain"] }),
        telemetry: RunTelemetry {
            scope: SCOPE,
            root_span: "tenant.certificate",
            root_is_server: false,
            root_attributes: |view| {
                let mut attributes = tenant_id(view);
                attributes.extend(copied(view.input(), &[("tenant.plan", "plan"), ("tenant.region", "region"), ("ssl.domain", "domain")]));
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

/// A person changes nothing on a renewal that failed: it is tried again.
fn ending(step: StepDefinition) -> StepDefinition {
    let on_failure = OnFailure { then: AfterFailure::Fail, ..step.on_failure };
    StepDefinition { on_failure, ..step }
}

#[cfg(test)]
mod tests {
    use pipeline::Undo;

    use super::*;
    use crate::tenant_pipeline::{CERTIFICATE, CERTIFICATE_ORDER, CHALLENGE, INSTALL_CERTIFICATE, word};

    #[test]
    fn the_definition_is_valid_and_takes_the_challenge_away_when_the_certificate_is_there() {
        let definition = certificate_definition(&Options::default());
        definition.validate().unwrap();
        let steps: Vec<_> = definition.steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(steps, [CERTIFICATE_ORDER, CHALLENGE, CERTIFICATE, INSTALL_CERTIFICATE]);
        assert_eq!(definition.steps[1].undo, Undo::After(word(CERTIFICATE)));
    }
}
