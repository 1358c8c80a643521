//! A small order pipeline whose telemetry has the contract's names.

use std::{num::NonZeroU32, sync::Arc};

use pipeline::{
    AttributeValue, Attributes, Definition, Event, Failure, Mapped, Measurement, PipelineName, RunTelemetry, Transition, Verdict, View, testing,
};
use serde_json::Value;

/// Steps `decompose`, then `allocate_inventory` for each of the input's `items`, then `activate`.
pub fn order() -> Arc<Definition> {
    let mut definition = testing::linear(&["decompose", "allocate_inventory", "activate"]);
    definition.name = PipelineName::new("order").unwrap();
    definition.measure = measure;
    definition.telemetry = RunTelemetry {
        scope: "bss.order_management",
        root_span: "bss.order.lifecycle",
        root_is_server: true,
        root_attributes,
        submitted_span: Some("bss.order.submitted"),
        end_attributes: |view| {
            vec![text("bss.order.status", if view.run().outcome() == Some(&pipeline::Outcome::Completed) { "completed" } else { "failed" })]
        },
        phases: &[],
    };
    let [decompose, allocate, activate] = &mut definition.steps[..] else { unreachable!("three steps were made") };
    decompose.telemetry.span = |_| "bss.order.decompose".to_owned();
    decompose.telemetry.undo_span = |_| "bss.order.compensate.decompose".to_owned();
    activate.telemetry.undo_span = |_| "bss.order.compensate.service".to_owned();
    decompose.telemetry.attributes = |view, _, output| {
        let mut attributes = vec![order_id(view)];
        if output.is_some() {
            attributes.push(("bss.decomposition.service_count".to_owned(), AttributeValue::Int(2)));
            attributes.push(text("bss.decomposition.services", "access,voip"));
        }
        attributes
    };
    allocate.fan_out = NonZeroU32::new(8);
    allocate.map = |view| {
        Ok(view.input()["items"].as_array().into_iter().flatten().map(|item| Mapped { label: String::new(), request: item.clone() }).collect())
    };
    allocate.telemetry.group_span = Some("bss.order.allocate_inventory");
    allocate.telemetry.span = |request| format!("bss.inventory.allocate.{}", resource_type(request));
    allocate.telemetry.undo_span = |request| format!("bss.order.compensate.{}", resource_type(request));
    allocate.telemetry.failure_text = |request, _| format!("No available {}", resource_type(request));
    allocate.telemetry.attributes = |view, request, output| {
        let mut attributes = vec![order_id(view), text("bss.resource_type", resource_type(request))];
        attributes.extend(output.map(|output| text("bss.resource_id", output.as_str().unwrap_or("RES-1"))));
        attributes
    };
    allocate.telemetry.group_attributes = |view, completed, failed| {
        let mut attributes = vec![order_id(view)];
        if !failed {
            attributes.push(("bss.allocated_resources".to_owned(), AttributeValue::Int(i64::try_from(completed).unwrap())));
        }
        attributes
    };
    activate.telemetry.span = |_| "bss.order.activate".to_owned();
    activate.telemetry.failure_text = |_, _: &Failure| "Activation failed".to_owned();
    activate.telemetry.attributes = |view, _, output| {
        let mut attributes = vec![order_id(view)];
        if output.is_some() {
            attributes.push(text("bss.activation.result", "active"));
            attributes.push(("bss.activation.test_call".to_owned(), AttributeValue::Flag(true)));
        }
        attributes
    };
    Arc::new(definition)
}

fn root_attributes(view: &View<'_>) -> Attributes {
    vec![order_id(view), text("bss.order_type", "add"), text("bss.customer_id", "C-42"), text("bss.channel", "web"), text("bss.priority", "normal")]
}

fn order_id(view: &View<'_>) -> (String, AttributeValue) {
    text("bss.order_id", view.input()["id"].as_str().unwrap_or("ORD-1"))
}

fn resource_type(request: &Value) -> &str {
    request["type"].as_str().unwrap_or("_other")
}

fn text(key: &str, value: &str) -> (String, AttributeValue) {
    (key.to_owned(), value.into())
}

/// M1 at the start and at the end, M2, M3 of `decompose`.
fn measure(transition: &Transition<'_>) -> Vec<Measurement> {
    let count = |status: &str| Measurement {
        instrument: "bss.order.count",
        value: 1.0,
        // The channel is a label for those who want it.
        labels: vec![("type", "add".to_owned()), ("status", status.to_owned()), ("channel", "web".to_owned())],
    };
    match &transition.record.event {
        Event::RunStarted(_) => vec![count("submitted")],
        Event::AttemptFinished { attempt, started_at, verdict: Verdict::Done(_), .. } if attempt.item.step.as_str() == "decompose" => {
            let value = transition.record.at.since(*started_at).as_secs_f64() * 1000.0;
            vec![Measurement { instrument: "bss.order.step_duration", value, labels: vec![("step", "decomposition".to_owned())] }]
        }
        Event::RunEnded { outcome: pipeline::Outcome::Completed } => {
            let value = transition.record.at.since(transition.after.started_at()).as_secs_f64();
            vec![count("completed"), Measurement { instrument: "bss.order.duration", value, labels: vec![("type", "add".to_owned())] }]
        }
        _ => Vec::new(),
    }
}
