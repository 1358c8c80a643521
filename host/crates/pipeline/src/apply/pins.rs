//! Repinning: items that are at rest are bound to another provider, because a person says so.
//!
//! What a provider did is taken back by the same provider, so items that did something keep their binding unless they are meant expressly. Steps of the
//! contract that are scheduled later are bound by the revision that the repin names; steps of other contracts as before.

use std::sync::Arc;

use serde_json::Value;

use super::{Fold, Step};
use crate::{
    contract::{ContractTrack, Pin},
    definition::{Definition, StepDefinition, Undo, Work},
    event::PinChanged,
    id::{Digest, Revision},
    key::{Direction, ItemId},
    run::{Activity, ItemState, Phase, Run, Standing},
};

/// What a person wants to be bound otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Repin {
    /// The plugin that items leave.
    pub from: Digest,
    /// What they are bound to from now on. It answers one contract: only items of that contract are moved.
    pub to: Arc<Pin>,
    /// The binding table that says what it may reach.
    pub revision: Revision,
    /// Whether items that did something are moved as well, so that the new provider takes back what the old one did.
    pub include_done: bool,
    /// Who decided.
    pub by: String,
    /// Why, in the person's words.
    pub note: String,
}

/// An item that could be bound to another provider, with all that the new provider would be given.
#[derive(Debug, Clone, PartialEq)]
pub struct RepinItem {
    /// The item.
    pub item: ItemId,
    /// The contract.
    pub contract: ContractTrack,
    /// The request.
    pub request: Arc<Value>,
    /// What its undo would be given.
    pub receipt: Option<Arc<Value>>,
    /// What its resume would be given.
    pub checkpoint: Option<String>,
    /// Whether it did something: it is moved only when that is asked for.
    pub done: bool,
}

/// Why the items of a plugin cannot be bound otherwise now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAtRest {
    /// Nothing more will be called.
    #[error("the run is over")]
    Over,
    /// A call is being made.
    #[error("step `{}` item {} is being called", .0.step, .0.item)]
    Calling(ItemId),
}

/// Why items are not bound otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepinRefused {
    /// Not now.
    #[error(transparent)]
    NotAtRest(#[from] NotAtRest),
    /// The plugin has no such items in the run.
    #[error("no item of the run is bound to plugin {from} for contract {contract}, or only such as did something, which are moved only expressly")]
    Nothing {
        /// The plugin.
        from: Digest,
        /// The new provider's contract.
        contract: String,
    },
    /// The new provider lacks a verb.
    #[error("`{provider}` has no `{verb}`, which step `{}` item {} needs", .item.step, .item.item)]
    MissingVerb {
        /// The new provider.
        provider: String,
        /// What it lacks.
        verb: &'static str,
        /// The item.
        item: ItemId,
    },
    /// The event names an item that is not bound so.
    #[error("step `{}` item {} is not bound to plugin {from} for that contract", .item.step, .item.item)]
    NotBound {
        /// The item.
        item: ItemId,
        /// The plugin.
        from: Digest,
    },
}

/// What could be moved away from a plugin, for a dry run and for the check that its data fit the new provider.
pub fn repinnable(definition: &Definition, run: &Run, from: &Digest) -> Result<Vec<RepinItem>, NotAtRest> {
    if matches!(run.phase, Phase::Ended(_)) {
        return Err(NotAtRest::Over);
    }
    let mut items = Vec::new();
    for (s, (step, state)) in definition.steps.iter().zip(&run.steps).enumerate() {
        let Some(contract) = step.work.contract() else { continue };
        for (i, item) in state.items.iter().enumerate().filter(|(_, item)| is_bound(item, from)) {
            let id = run.item_id(definition, s, i);
            if item.ready().is_some() {
                return Err(NotAtRest::Calling(id));
            }
            items.push(RepinItem {
                item: id,
                contract: contract.clone(),
                request: item.request.clone(),
                receipt: item.receipt().cloned(),
                checkpoint: item.checkpoint().map(str::to_owned),
                done: has_done(run, item),
            });
        }
    }
    Ok(items)
}

/// What binds items otherwise, to be recorded as [`Event::PinChanged`](crate::Event::PinChanged).
pub fn repin(definition: &Definition, run: &Run, repin: Repin) -> Result<PinChanged, RepinRefused> {
    let Repin { from, to: pin, revision, include_done, by, note } = repin;
    let fitting = repinnable(definition, run, &from)?.into_iter().filter(|item| item.contract.admits(&pin.contract));
    let moved: Vec<RepinItem> = fitting.filter(|item| include_done || !item.done).collect();
    let Some(first) = moved.first() else { return Err(RepinRefused::Nothing { from, contract: pin.contract.clone() }) };
    let contract = first.contract.clone();
    let items = moved.into_iter().map(|item| item.item).collect();
    let changed = PinChanged { contract, items, from, pin, revision, by, note };
    check(definition, run, &changed)?;
    Ok(changed)
}

fn is_bound(item: &ItemState, from: &Digest) -> bool {
    item.pin.as_ref().and_then(|pin| pin.provider.digest()) == Some(from)
}

/// Whether an effect may be there that would have to be taken back by what made it.
fn has_done(run: &Run, item: &ItemState) -> bool {
    let undoing = match &item.activity {
        Activity::Backoff { direction, .. } => *direction == Direction::Undo,
        Activity::Pending(pending) => pending.direction == Direction::Undo,
        Activity::Queued | Activity::Ready(_) | Activity::Child { .. } | Activity::Idle => false,
    };
    match &item.standing {
        Standing::Done { by_hand, .. } => !by_hand,
        Standing::UndoFailed { .. } | Standing::Failed { receipt: Some(_), .. } => true,
        Standing::Forgiven => item.doubt,
        Standing::Failed { doubt, receipt: None } => *doubt && (undoing || matches!(run.phase, Phase::Unwinding { .. })),
        Standing::Open | Standing::Undone => false,
    }
}

fn check(definition: &Definition, run: &Run, changed: &PinChanged) -> Result<(), RepinRefused> {
    let PinChanged { contract, items, from, pin, .. } = changed;
    let at_rest = repinnable(definition, run, from)?;
    if items.is_empty() || !contract.admits(&pin.contract) {
        return Err(RepinRefused::Nothing { from: from.clone(), contract: pin.contract.clone() });
    }
    for id in items {
        let bound = at_rest.iter().any(|item| item.item == *id && item.contract == *contract);
        let (Some((_, step)), Some(item)) = (definition.step(&id.step), run.item(definition, id).filter(|_| bound)) else {
            return Err(RepinRefused::NotBound { item: id.clone(), from: from.clone() });
        };
        if let Some(verb) = missing(step, item, pin) {
            return Err(RepinRefused::MissingVerb { provider: pin.provider.name().to_owned(), verb, item: id.clone() });
        }
    }
    Ok(())
}

/// The first verb that the item needs and the provider lacks.
fn missing(step: &StepDefinition, item: &ItemState, pin: &Pin) -> Option<&'static str> {
    let effect = matches!(step.work, Work::Effect { .. });
    let in_doubt = item.doubt || matches!(item.activity, Activity::Backoff { doubt: true, .. });
    if effect && step.undo != Undo::Never && !pin.verbs.undo {
        return Some("undo");
    }
    if item.checkpoint().is_some() && !pin.verbs.resume {
        return Some("resume");
    }
    // Without it an effect that may be there would be made a second time.
    (effect && in_doubt && !pin.can_settle_doubt()).then_some("observe")
}

impl Fold<'_> {
    pub(super) fn pin_changed(&mut self, changed: &PinChanged) -> Step {
        check(self.definition, self.run, changed).map_err(|refused| refused.to_string())?;
        for id in &changed.items {
            let (_, item) = self.item_mut(id)?;
            (item.pin, item.revision) = (Some(changed.pin.clone()), Some(changed.revision.clone()));
        }
        self.run.repinned.insert(changed.contract.clone(), changed.revision.clone());
        Ok(())
    }
}
