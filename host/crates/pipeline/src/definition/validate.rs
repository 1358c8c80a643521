//! Checks of a definition that the types cannot express.

use super::{Definition, StepDefinition, Undo, Work};
use crate::id::StepName;

/// Why a definition cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDefinition {
    /// No step at all.
    #[error("pipeline `{0}` has no step")]
    Empty(String),
    /// Two steps of one name.
    #[error("step `{0}` is defined twice")]
    Duplicate(StepName),
    /// A reference to a step that does not come earlier.
    #[error("step `{step}` comes after `{missing}`, which is not an earlier step")]
    NotEarlier {
        /// The step with the reference.
        step: StepName,
        /// What it names.
        missing: StepName,
    },
    /// `undo: after(x)` where x is not a later step.
    #[error("step `{step}` is undone after `{missing}`, which is not a later step")]
    NotLater {
        /// The step with the reference.
        step: StepName,
        /// What it names.
        missing: StepName,
    },
    /// An undo of something that has none.
    #[error("step `{0}` cannot be undone: only contracts with effects have an undo")]
    NoUndo(StepName),
    /// A phase over a step that there is not, or that another phase has.
    #[error("the phase `{phase}` has step `{step}`, which no other has and which must be a step of the pipeline")]
    Phase {
        /// The name of the phase's span.
        phase: &'static str,
        /// The step.
        step: &'static str,
    },
}

pub(super) fn validate(definition: &Definition) -> Result<(), InvalidDefinition> {
    if definition.steps.is_empty() {
        return Err(InvalidDefinition::Empty(definition.name.to_string()));
    }
    for (position, step) in definition.steps.iter().enumerate() {
        let (earlier, later) = (&definition.steps[..position], &definition.steps[position + 1..]);
        check_step(step, earlier, later)?;
    }
    check_phases(definition)
}

fn check_phases(definition: &Definition) -> Result<(), InvalidDefinition> {
    let mut known: Vec<&str> = Vec::new();
    for phase in definition.telemetry.phases {
        for step in phase.steps {
            if known.contains(step) || !definition.steps.iter().any(|other| other.name.as_str() == *step) {
                return Err(InvalidDefinition::Phase { phase: phase.span, step });
            }
            known.push(step);
        }
    }
    Ok(())
}

fn check_step(step: &StepDefinition, earlier: &[StepDefinition], later: &[StepDefinition]) -> Result<(), InvalidDefinition> {
    let within = |steps: &[StepDefinition], name: &StepName| steps.iter().any(|other| other.name == *name);
    if within(earlier, &step.name) {
        return Err(InvalidDefinition::Duplicate(step.name.clone()));
    }
    if let Some(missing) = step.after.iter().find(|name| !within(earlier, name)) {
        return Err(InvalidDefinition::NotEarlier { step: step.name.clone(), missing: missing.clone() });
    }
    match (&step.undo, &step.work) {
        (Undo::Never, _) => Ok(()),
        (_, Work::Pure { .. } | Work::Child { .. }) => Err(InvalidDefinition::NoUndo(step.name.clone())),
        (Undo::After(name), Work::Effect { .. }) if !within(later, name) => {
            Err(InvalidDefinition::NotLater { step: step.name.clone(), missing: name.clone() })
        }
        (Undo::After(_) | Undo::OnUnwind, Work::Effect { .. }) => Ok(()),
    }
}
