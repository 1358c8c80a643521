//! A small pipeline with spans over several steps and one step whose request and completion are two spans.

use std::sync::Arc;

use pipeline::{AttributeValue, Attributes, Completion, Definition, PipelineName, RunTelemetry, SpanPhase, StepName, View, Work, testing};

const PHASES: &[SpanPhase] = &[
    SpanPhase { span: "tenant.provision.infrastructure", steps: &["dns", "certificate"], attributes: tenant },
    SpanPhase { span: "tenant.provision.finalize", steps: &["activate"], attributes: tenant },
];

/// Steps `create_record`, then `dns` and `certificate` at once, then `activate`.
pub fn sign_up() -> Arc<Definition> {
    let mut definition = testing::linear(&["create_record", "dns", "certificate", "activate"]);
    definition.name = PipelineName::new("tenant").unwrap();
    definition.telemetry = RunTelemetry {
        scope: "tenant.provisioning",
        root_span: "tenant.provision",
        root_is_server: false,
        root_attributes: |view| {
            let mut attributes = tenant(view);
            attributes.extend([text("tenant.name", "Acme"), text("tenant.plan", "pro"), text("tenant.region", "eu")]);
            attributes
        },
        submitted_span: None,
        end_attributes: |view| {
            let completed = view.run().outcome() == Some(&pipeline::Outcome::Completed);
            vec![text("tenant.provision.status", if completed { "success" } else { "failed" })]
        },
        phases: PHASES,
    };
    for step in &mut definition.steps {
        step.telemetry.undo_span = |_| "tenant.provision.rollback".to_owned();
        step.telemetry.attributes = |view, _, _| tenant(view);
        step.telemetry.count_attributes = |counted| {
            let status = if counted.failed { "failed" } else { "success" };
            vec![
                ("provision.attempt".to_owned(), i64::from(counted.attempt).into()),
                ("provision.max_retries".to_owned(), i64::from(counted.attempts).into()),
                text("provision.step.status", status),
            ]
        };
    }
    let [create, dns, certificate, activate] = &mut definition.steps[..] else { unreachable!("four steps were made") };
    let after = |name| vec![StepName::new(name).unwrap()];
    certificate.after = after("create_record");
    certificate.work = Work::Effect { contract: testing::contract(), callback: true };
    activate.after = [after("dns"), after("certificate")].concat();
    create.telemetry.span = |_| "tenant.provision.create_record".to_owned();
    dns.telemetry.span = |_| "tenant.provision.dns".to_owned();
    dns.telemetry.attributes = |view, _, output| {
        let mut attributes = tenant(view);
        attributes.extend(output.into_iter().flat_map(|_| [text("dns.provider", "powerdns"), text("dns.subdomain", "acme.example.com")]));
        attributes
    };
    certificate.telemetry.span = |_| "tenant.provision.ssl.request".to_owned();
    certificate.telemetry.attributes = |view, _, _| {
        let mut attributes = tenant(view);
        attributes.push(text("ssl.domain", "acme.example.com"));
        attributes
    };
    certificate.telemetry.completion = Some(Completion {
        span: "tenant.provision.ssl.complete",
        attributes: |view, _, output| {
            let mut attributes = tenant(view);
            let status = output.and_then(|output| output.as_str());
            attributes.extend(status.into_iter().flat_map(|status| [text("ssl.status", status), text("ssl.issuer", "Test CA")]));
            attributes
        },
    });
    activate.telemetry.span = |_| "tenant.provision.activate".to_owned();
    Arc::new(definition)
}

fn tenant(_: &View<'_>) -> Attributes {
    vec![text("tenant.id", "t-1")]
}

fn text(key: &str, value: &str) -> (String, AttributeValue) {
    (key.to_owned(), value.into())
}
