//! What a pipeline's pure functions see of a run: its input and the outputs of completed steps.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    definition::Definition,
    run::{ItemState, Run, Standing},
};

/// A run as mappings and telemetry functions see it.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    definition: &'a Definition,
    run: &'a Run,
}

/// The request of a step could not be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MappingError(pub String);

impl<'a> View<'a> {
    /// Looks at a run.
    pub fn new(definition: &'a Definition, run: &'a Run) -> Self {
        Self { definition, run }
    }

    /// The run itself.
    pub fn run(&self) -> &'a Run {
        self.run
    }

    /// The run's input in JSON form.
    pub fn input(&self) -> &'a Value {
        self.run.input()
    }

    /// The run's input as a type.
    pub fn input_as<T: DeserializeOwned>(&self) -> Result<T, MappingError> {
        T::deserialize(self.input()).map_err(|error| MappingError(format!("the input of the run does not fit: {error}")))
    }

    /// The completed items of a step, in order; empty for a step that has not completed any.
    pub fn items(&self, step: &str) -> impl Iterator<Item = &'a ItemState> + use<'a> {
        let position = self.definition.steps.iter().position(|definition| definition.name.as_str() == step);
        let items = position.map_or(&[][..], |position| self.run.steps()[position].items.as_slice());
        items.iter().map(Arc::as_ref).filter(|item| matches!(item.standing, Standing::Done { .. }))
    }

    /// The outputs of a step's completed items, in order.
    pub fn outputs(&self, step: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.items(step).filter_map(ItemState::output)
    }

    /// The outputs of a step's completed items as a type.
    pub fn outputs_as<T: DeserializeOwned>(&self, step: &str) -> Result<Vec<T>, MappingError> {
        self.outputs(step)
            .map(|output| T::deserialize(output).map_err(|error| MappingError(format!("an output of step `{step}` does not fit: {error}"))))
            .collect()
    }

    /// The output of a step without fan-out as a type.
    pub fn output_as<T: DeserializeOwned>(&self, step: &str) -> Result<T, MappingError> {
        let output = self.outputs(step).next().ok_or_else(|| MappingError(format!("step `{step}` has no output")))?;
        T::deserialize(output).map_err(|error| MappingError(format!("the output of step `{step}` does not fit: {error}")))
    }
}
