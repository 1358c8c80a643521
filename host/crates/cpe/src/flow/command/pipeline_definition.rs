//! The pipeline `device_command`: one thing that is done with one device, however long the device takes.

use engine::port::Document;
use pipeline::{
    AfterFailure, Attributes, Criticality, Definition, Event, Failure, Mapped, OnFailure, Outcome, PipelineName, RunTelemetry, Selectors,
    StepDefinition, StepName, StepTelemetry, Transition, Undo, View, Work,
};
use serde_json::{Value, json};

use crate::flow::{
    input::DeviceCommand,
    options::Options,
    provision::{SCOPE, contract, copied},
    requests::{CommandRequest, DeviceRequest},
};

/// The pipeline's name.
pub const COMMAND_PIPELINE: &str = "device_command";

/// The collection of the documents of commands; their ids are those of the runs.
pub const COMMAND_COLLECTION: &str = "cpe-command";

const STEP: &str = "command";

/// The pipeline as the operator wants it. A command that fails is over: whoever gave it can give it again.
pub fn command_definition(options: &Options) -> Definition {
    Definition {
        name: PipelineName::new(COMMAND_PIPELINE).expect("the pipeline's name is a valid name"),
        version: 1,
        steps: vec![step(options)],
        output: |view| view.outputs(STEP).next().cloned().unwrap_or_default(),
        telemetry: RunTelemetry {
            scope: SCOPE,
            root_span: "cpe.command",
            root_is_server: false,
            root_attributes: |view| {
                let mut attributes = copied(view.input(), &[("cpe.serial_number", "serial"), ("cpe.oui", "oui")]);
                attributes.extend(operation(&view.input()["command"]));
                attributes
            },
            submitted_span: None,
            end_attributes: |_| Attributes::new(),
            phases: &[],
        },
        measure: |_| Vec::new(),
    }
}

fn step(options: &Options) -> StepDefinition {
    StepDefinition {
        name: StepName::new(STEP).expect("the step's name is a valid name"),
        work: Work::Effect { contract: contract("device"), callback: false },
        after: Vec::new(),
        fan_out: None,
        map: |view| {
            let DeviceCommand { id, command, .. } = view.input_as()?;
            Ok(Mapped::one(json!(DeviceRequest::Command(CommandRequest { device: id, command }.into()))))
        },
        accept: |_, _| Ok(()),
        retry: options.push_config.retry_within(options.command_patience()),
        timeout: options.push_config.timeout(),
        undo: Undo::Never,
        criticality: Criticality::Required,
        on_failure: OnFailure { unwind: false, then: AfterFailure::Fail, reason },
        selectors: Selectors::NONE,
        must_understand: &[],
        telemetry: StepTelemetry {
            group_span: None,
            span: |request| format!("cpe.command.{}", request["command"]["name"].as_str().unwrap_or("_other")),
            metric_step: STEP,
            attributes: |_, request, _| operation(&request["command"]),
            group_attributes: |_, _, _| Attributes::new(),
            failure_text: |_, failure| failure.message.chars().take(200).collect(),
            undo_span: |_| "cpe.command.undo".to_owned(),
            count_attributes: |_| Attributes::new(),
            completion: None,
        },
    }
}

/// What is done.
fn operation(command: &Value) -> Attributes {
    copied(command, &[("cpe.command.operation", "name")])
}

fn reason(failure: &Failure) -> &'static str {
    if failure.error_type == "timeout" { "timeout" } else { "command_failed" }
}

/// The command after an event, if the event changed what a user sees of it.
pub fn command_document(transition: &Transition<'_>) -> Option<Document> {
    let Transition { definition, record, after, .. } = transition;
    let shows = matches!(record.event, Event::RunStarted(_) | Event::FalloutOpened(_) | Event::FalloutResolved { .. } | Event::RunEnded { .. });
    if !shows {
        return None;
    }
    let input = after.input();
    let (state, message) = match after.outcome() {
        Some(Outcome::Completed) => ("done", None),
        Some(Outcome::Failed { failure, .. }) => ("failed", Some(&failure.message)),
        Some(Outcome::Cancelled) => ("cancelled", None),
        None => match after.open_fallouts().last() {
            Some(fallout) => ("held", Some(&fallout.opened.failure.message)),
            None => ("waiting", None),
        },
    };
    let mut body = json!({
        "run": after.id().as_str(), "device": input["id"], "command": input["command"]["name"], "by": input["by"], "state": state, "since": after.last_at().0,
    });
    if let Some(message) = message {
        body["message"] = message.as_str().into();
    }
    if let Some(output) = View::new(definition, after).outputs(STEP).next().filter(|output| !output.is_null()) {
        body["output"] = output.clone();
    }
    let open = if after.outcome().is_some() { "false" } else { "true" };
    let mut attributes = vec![("open", open.to_owned()), ("state", state.to_owned())];
    attributes.extend(input["id"].as_str().filter(|id| (1..=256).contains(&id.len())).map(|id| ("device", id.to_owned())));
    Some(Document { collection: COMMAND_COLLECTION, id: after.id().to_string(), rank: after.started_at().0, body, attributes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_valid() {
        command_definition(&Options::default()).validate().unwrap();
    }
}
