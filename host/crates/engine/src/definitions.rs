//! The pipelines that this process knows: every version that live runs may have started with.

use std::{collections::HashMap, sync::Arc};

use pipeline::{Definition, InvalidDefinition, PipelineName, Transition};

use crate::{bindings::SelectorNames, port::Document};

/// A pipeline with what its pack projects.
#[derive(Debug, Clone)]
pub struct Pack {
    /// The pipeline.
    pub definition: Arc<Definition>,
    /// The document that shows a run to its users, computed from an event and the state after it; written in the event's transaction.
    pub document: Option<fn(&Transition<'_>) -> Option<Document>>,
}

/// All registered pipelines.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    packs: HashMap<(PipelineName, u32), Pack>,
    newest: HashMap<PipelineName, u32>,
}

impl Definitions {
    pub(crate) fn new(packs: impl IntoIterator<Item = Pack>) -> Result<Self, InvalidDefinition> {
        let mut definitions = Self::default();
        for pack in packs {
            pack.definition.validate()?;
            let (name, version) = (pack.definition.name.clone(), pack.definition.version);
            let newest = definitions.newest.entry(name.clone()).or_insert(version);
            *newest = version.max(*newest);
            definitions.packs.insert((name, version), pack);
        }
        Ok(definitions)
    }

    /// What the steps of all registered pipelines can be told apart by.
    pub(crate) fn selectors(&self) -> SelectorNames {
        SelectorNames::of(self.packs.values().map(|pack| &*pack.definition))
    }

    pub(crate) fn newest(&self, name: &PipelineName) -> Option<&Pack> {
        let version = self.newest.get(name)?;
        self.packs.get(&(name.clone(), *version))
    }

    pub(crate) fn get(&self, name: &PipelineName, version: u32) -> Option<&Pack> {
        self.packs.get(&(name.clone(), version))
    }
}
