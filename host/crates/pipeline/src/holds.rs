//! What a run needs to be kept: binding tables and plugins that it may still call.

use std::collections::BTreeMap;

use crate::{
    definition::{Definition, StepDefinition, Undo, Work},
    id::{Digest, Revision},
    run::{Activity, ItemState, Phase, Run, Standing},
};

/// A plugin under the binding table that says what it may reach; without a plugin the binding table itself.
pub type Hold = (Revision, Option<Digest>);

impl Run {
    /// What the run needs, and how many of its parts need it. A live run needs the tables that its next steps are bound by and the plugin of each item.
    /// A run that is over needs what can take back the effects that it left, and its own table to be read again.
    pub fn holds(&self, definition: &Definition) -> BTreeMap<Hold, u64> {
        let over = matches!(self.phase, Phase::Ended(_));
        let mut holds = BTreeMap::new();
        let mut hold = |revision: &Revision, digest: Option<&Digest>| *holds.entry((revision.clone(), digest.cloned())).or_insert(0) += 1;
        let mut owes = false;
        for (step, state) in definition.steps.iter().zip(&self.steps) {
            for item in &state.items {
                let owed = owes_undo(step, item);
                owes |= owed;
                if let (true, Some(digest)) = (!over || owed, item.pin.as_ref().and_then(|pin| pin.provider.digest())) {
                    hold(self.revision(item), Some(digest));
                }
            }
        }
        if !over || owes {
            hold(&self.started.revision, None);
            self.repinned.values().for_each(|revision| hold(revision, None));
        }
        holds
    }
}

/// Whether an effect of the item may be there whose undo is not confirmed and can still be wanted.
pub(crate) fn owes_undo(step: &StepDefinition, item: &ItemState) -> bool {
    if step.undo == Undo::Never || !matches!(step.work, Work::Effect { .. }) {
        return false;
    }
    match &item.standing {
        Standing::Done { by_hand, .. } => !by_hand,
        Standing::Failed { doubt, receipt } => *doubt || receipt.is_some(),
        Standing::UndoFailed { .. } => true,
        Standing::Forgiven => item.doubt,
        // A person may have failed the run in the middle of it.
        Standing::Open => item.doubt || !matches!(item.activity, Activity::Queued | Activity::Idle | Activity::Backoff { doubt: false, .. }),
        Standing::Undone => false,
    }
}
