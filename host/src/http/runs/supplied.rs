//! What a person supplies in place of a request or an output is looked at before it is recorded: what cannot be used would hold the run again, and
//! sometimes for good.

use engine::api::RunView;
use pipeline::{Command, Definition, Event, Fallout, FalloutSubject, Record, Resolution, Run, apply, check_resolution, decide};
use serde_json::Value;

/// Why it cannot be used. `None` also where the decision itself does not fit: that is for the engine to say.
pub(super) fn misfit(definition: &Definition, view: &RunView, fallout: Option<u32>, resolution: &Resolution) -> Option<String> {
    let run = &view.run;
    let mut open = run.open_fallouts().filter(|open| fallout.is_none_or(|id| open.opened.id == id));
    let (Some(fallout), None) = (open.next(), open.next()) else { return None };
    // What is supplied for an undo that failed is not used.
    if fallout.opened.subject == FalloutSubject::UndoFailed || check_resolution(definition, run, fallout.opened.id, resolution).is_err() {
        return None;
    }
    if let Resolution::SkipWith(output) = resolution
        && let Some(refused) = refused_output(definition, run, fallout, output)
    {
        return Some(refused);
    }
    refused_step(definition, view, fallout, resolution)
}

/// An output that the step would not accept from its provider.
fn refused_output(definition: &Definition, run: &Run, fallout: &Fallout, output: &Value) -> Option<String> {
    let (_, step) = definition.step(&fallout.opened.step)?;
    let item = run.item(definition, &run.fallout_item(definition, &fallout.opened)?)?;
    let failure = (step.accept)(&item.request, output).err()?;
    Some(format!("the output does not fit step `{}`: {}", step.name, failure.message))
}

/// A step whose request could not be made from what was supplied.
fn refused_step(definition: &Definition, RunView { run, records }: &RunView, fallout: &Fallout, resolution: &Resolution) -> Option<String> {
    let event = Event::FalloutResolved { id: fallout.opened.id, resolution: resolution.clone(), by: String::new(), note: String::new() };
    let record = Record { seq: run.head().next(), epoch: records.last()?.epoch, at: run.last_at(), event };
    let after = apply(definition, run.clone(), &record).ok()?;
    decide(definition, &after).into_iter().find_map(|command| match command {
        Command::Record(Event::StepRefused { failure, .. }) => Some(format!("what is supplied cannot be used: {}", failure.message)),
        Command::Record(_) | Command::Schedule { .. } | Command::Attempt { .. } | Command::StartChild { .. } | Command::NotifyParent { .. } => None,
    })
}
