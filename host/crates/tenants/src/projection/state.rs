//! Where a tenant stands.
//!
//! | the run | the tenant |
//! |---|---|
//! | it goes forward, or takes back what it did after a failure | `provisioning` |
//! | it is over and everything is done; or it is over in another way and the tenant was active | `ready` |
//! | a person is needed | `held` |
//! | something could not be taken back | `manual_cleanup_required` |
//! | a person cancelled it or the tenant is deleted, and everything is taken back | `removing` |
//! | it is over and nothing of the tenant is left | `failed`, `cancelled`, and after a deletion `removed` |

use pipeline::{AfterUnwind, Definition, FalloutSubject, Outcome, Phase, Run, StepStatus};
use serde_json::Value;

use super::ledger::LEFT;
use crate::tenant_pipeline::ACTIVATE;

/// Where a tenant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TenantState {
    /// It is being made.
    Provisioning,
    /// It can be used.
    Ready,
    /// It could not be made; nothing of it is left.
    Failed,
    /// A person is needed.
    Held,
    /// A person gave the sign-up up; nothing of it is left.
    Cancelled,
    /// It is being taken away.
    Removing,
    /// It was deleted; nothing of it is left.
    Removed,
    /// Something of it is left that could not be taken away.
    ManualCleanupRequired,
}

impl TenantState {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Provisioning, Self::Ready, Self::Failed, Self::Held, Self::Cancelled, Self::Removing, Self::Removed, Self::ManualCleanupRequired];

    /// The name in documents and interfaces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Cancelled => "cancelled",
            Self::Removing => "removing",
            Self::Removed => "removed",
            Self::ManualCleanupRequired => "manual_cleanup_required",
        }
    }

    /// The state of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether something still happens to the tenant, or must.
    pub fn is_open(self) -> bool {
        match self {
            Self::Provisioning | Self::Held | Self::Removing | Self::ManualCleanupRequired => true,
            Self::Ready | Self::Failed | Self::Cancelled | Self::Removed => false,
        }
    }
}

/// Where the tenant of a run stands, given what exists of it.
pub(super) fn tenant_state(definition: &Definition, run: &Run, resources: &[Value]) -> TenantState {
    let cleaned = |state| if resources.iter().any(|resource| resource["state"] == LEFT) { TenantState::ManualCleanupRequired } else { state };
    let stuck = || run.open_fallouts().any(|fallout| fallout.opened.subject == FalloutSubject::UndoFailed);
    match run.phase() {
        Phase::Ended(Outcome::Completed) => TenantState::Ready,
        Phase::Ended(_) if is_active(definition, run) => TenantState::Ready,
        Phase::Ended(Outcome::Failed { .. }) if run.reopened().is_none() => cleaned(TenantState::Failed),
        Phase::Ended(Outcome::Cancelled) if run.reopened().is_none() => cleaned(TenantState::Cancelled),
        Phase::Ended(Outcome::Failed { .. } | Outcome::Cancelled) => cleaned(TenantState::Removed),
        Phase::Forward | Phase::Unwinding { .. } if stuck() => TenantState::ManualCleanupRequired,
        Phase::Forward | Phase::Unwinding { .. } if run.open_fallouts().next().is_some() => TenantState::Held,
        Phase::Unwinding { then: AfterUnwind::Cancel, .. } => TenantState::Removing,
        Phase::Forward | Phase::Unwinding { then: AfterUnwind::Fail | AfterUnwind::Fallout, .. } => TenantState::Provisioning,
    }
}

/// Whether the tenant was activated, and that was not taken back.
pub(super) fn is_active(definition: &Definition, run: &Run) -> bool {
    let Some(position) = definition.steps.iter().position(|step| step.name.as_str() == ACTIVATE) else { return false };
    let state = &run.steps()[position];
    matches!(state.status, StepStatus::Done { .. }) && state.items.iter().all(|item| item.output().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_names_that_lead_back_to_them() {
        assert!(TenantState::ALL.into_iter().all(|state| TenantState::of_name(state.as_str()) == Some(state)));
        assert_eq!(TenantState::of_name("gone"), None);
    }
}
