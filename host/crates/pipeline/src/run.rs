//! The state of a run: a fold of its journal and nothing else.

mod wake;

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::wake::Wake;
use crate::{
    contract::{ContractTrack, Pin},
    definition::Definition,
    event::{AfterUnwind, FalloutOpened, Outcome, Pended, RunStarted},
    failure::Failure,
    id::{Epoch, Revision, RunId, Seq, StepName, Timestamp},
    key::{AttemptId, Direction, IdempotencyKey, ItemId},
};

/// A run. Fields are read through methods; only [`crate::apply`] changes them. Clones share everything that has not changed since, so that the states
/// before and after an event can be kept side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub(crate) id: RunId,
    pub(crate) started: Arc<RunStarted>,
    pub(crate) started_at: Timestamp,
    pub(crate) head: Seq,
    pub(crate) epoch: Epoch,
    pub(crate) last_at: Timestamp,
    pub(crate) phase: Phase,
    pub(crate) steps: Vec<Arc<StepState>>,
    /// Items in the order in which they were first allowed to act; undone in reverse.
    pub(crate) order: Vec<(usize, usize)>,
    pub(crate) fallouts: Vec<Fallout>,
    pub(crate) parent_notified: bool,
    /// The binding tables that a person chose for contracts whose steps are scheduled later.
    #[serde(default)]
    pub(crate) repinned: BTreeMap<ContractTrack, Revision>,
    /// When it was reopened for the last time after it had been over.
    #[serde(default)]
    pub(crate) reopened: Option<Timestamp>,
}

/// Which way a run goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Through its steps.
    Forward,
    /// Back: it takes back what it did.
    Unwinding {
        /// Why, unless a person asked for it.
        cause: Option<Failure>,
        /// The step that failed.
        step: Option<StepName>,
        /// The item that failed.
        item: Option<u32>,
        /// What comes after.
        then: AfterUnwind,
    },
    /// It is over.
    Ended(Outcome),
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepState {
    /// The current round; 0 before the first.
    pub round: u32,
    /// Where the step stands.
    pub status: StepStatus,
    /// Its items in the current round.
    pub items: Vec<Arc<ItemState>>,
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepStatus {
    /// Not scheduled in this round.
    Waiting,
    /// It could not be scheduled.
    Refused(Failure),
    /// Its items are being worked on, since then.
    Scheduled(Timestamp),
    /// Every item is done, since then. Undoing an item later does not change this.
    Done {
        /// When it was scheduled.
        scheduled: Timestamp,
        /// When its last item was done.
        done: Timestamp,
    },
}

/// One item of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemState {
    /// What a person calls it.
    pub label: String,
    /// The request.
    pub request: Arc<Value>,
    /// What it is bound to; `None` for a child run.
    pub pin: Option<Arc<Pin>>,
    /// The binding table that says what its provider may reach; `None` for the run's own.
    #[serde(default)]
    pub revision: Option<Revision>,
    /// The item's own round: the step's, unless it was given other input.
    pub round: u32,
    /// What it has come to.
    pub standing: Standing,
    /// What it is doing.
    pub activity: Activity,
    /// Whether an effect may be there that no receipt speaks of. It stays so from attempt to attempt until an answer or an observation settles it.
    pub doubt: bool,
    /// Failed attempts since it was scheduled or retried by a person.
    pub failures: u32,
    /// The last failure.
    pub last_failure: Option<Failure>,
    /// The number of the last attempt in each direction.
    pub attempts: [u32; 2],
    /// When it was scheduled or retried by a person: the beginning of the retry deadline.
    pub since: Timestamp,
    /// A callback that came before the operation pended.
    pub early_callback: Option<String>,
    /// Whether its one-time token was used.
    pub callback_used: bool,
    /// The pending operation that could not be resumed and waits for a person.
    #[serde(default)]
    pub parked: Option<Parked>,
}

/// A pending operation that could not be resumed and waits for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parked {
    /// The operation.
    pub pending: Box<PendingState>,
    /// Whether it was to be cancelled.
    pub cancel: bool,
}

/// What an item has come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing yet.
    Open,
    /// Done; this is its output, which its undo needs.
    Done {
        /// The receipt.
        output: Arc<Value>,
        /// A person supplied it: there is nothing to undo.
        by_hand: bool,
    },
    /// Failed for good.
    Failed {
        /// Whether something may have been done.
        doubt: bool,
        /// The receipt of what was done, when it was refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        receipt: Option<Arc<Value>>,
    },
    /// Failed, and the run goes on without it.
    Forgiven,
    /// Its effect, if there was one, is gone.
    Undone,
    /// Its undo failed for good. The receipt is kept.
    UndoFailed {
        /// The receipt, unless the outcome was in doubt.
        output: Option<Arc<Value>>,
    },
}

/// What an item is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activity {
    /// Not yet allowed to act: the fan-out is bounded.
    Queued,
    /// A call can be made, or is being made.
    Ready(Ready),
    /// It waits for its next attempt.
    Backoff {
        /// Doing or undoing.
        direction: Direction,
        /// When the next attempt starts.
        until: Timestamp,
        /// Whether the outcome of the last one is in doubt.
        doubt: bool,
    },
    /// A provider took the request; it will be asked again.
    Pending(Box<PendingState>),
    /// It waits for a child run.
    Child {
        /// The child, once it exists.
        run: Option<RunId>,
    },
    /// Nothing.
    Idle,
}

/// A call that can be made or is being made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ready {
    /// Doing or undoing.
    pub direction: Direction,
    /// The number of the attempt.
    pub attempt: u32,
    /// Since when.
    pub since: Timestamp,
    /// `observe` comes first because the outcome of an earlier attempt is in doubt.
    pub probe: bool,
    /// Whether the journal says that the call was about to be made.
    pub started: bool,
    /// The pending operation that the call continues.
    pub resume: Option<ResumeState>,
}

/// A pending operation that is about to be continued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResumeState {
    /// The operation.
    pub pending: Box<PendingState>,
    /// Why it is continued.
    pub signal: ResumeSignal,
}

/// Why a pending operation is continued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResumeSignal {
    /// The time to ask again has come.
    Timer,
    /// The event from outside has come.
    Callback(String),
    /// It has taken too long, or the run unwinds.
    Cancel,
}

/// A provider took the request; it will be asked again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingState {
    /// Doing or undoing.
    pub direction: Direction,
    /// The attempt it belongs to.
    pub attempt: u32,
    /// When the attempt's first call began.
    pub started_at: Timestamp,
    /// What the provider said.
    pub pended: Pended,
    /// How often asking again has failed in a row.
    pub stumbles: u32,
}

/// A fallout of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fallout {
    /// What it is about.
    pub opened: FalloutOpened,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was resolved and by whom.
    pub resolved: Option<(Timestamp, String)>,
}

impl Run {
    /// The run's identity.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// The first event.
    pub fn started(&self) -> &RunStarted {
        &self.started
    }

    /// When the run started.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// The pipeline's input.
    pub fn input(&self) -> &Value {
        &self.started.input
    }

    /// The number of the last record.
    pub fn head(&self) -> Seq {
        self.head
    }

    /// The epoch of the last record.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// When the last record was written.
    pub fn last_at(&self) -> Timestamp {
        self.last_at
    }

    /// Which way the run goes.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The steps, in the definition's order.
    pub fn steps(&self) -> &[Arc<StepState>] {
        &self.steps
    }

    /// All fallouts, resolved ones included.
    pub fn fallouts(&self) -> &[Fallout] {
        &self.fallouts
    }

    /// The fallouts that wait for a person.
    pub fn open_fallouts(&self) -> impl Iterator<Item = &Fallout> {
        self.fallouts.iter().filter(|fallout| fallout.resolved.is_none())
    }

    /// The binding table that a person chose for the steps of a contract that are scheduled from now on, if one did.
    pub fn repinned(&self, contract: &ContractTrack) -> Option<&Revision> {
        self.repinned.get(contract)
    }

    /// Every binding table that a person chose for some contract.
    pub fn repinned_revisions(&self) -> impl Iterator<Item = &Revision> {
        self.repinned.values()
    }

    /// When the run was reopened for the last time, if it went on after it had been over.
    pub fn reopened(&self) -> Option<Timestamp> {
        self.reopened
    }

    /// The binding table of an item.
    pub fn revision<'a>(&'a self, item: &'a ItemState) -> &'a Revision {
        item.revision.as_ref().unwrap_or(&self.started.revision)
    }

    /// How the run ended, if it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.phase {
            Phase::Ended(outcome) => Some(outcome),
            Phase::Forward | Phase::Unwinding { .. } => None,
        }
    }

    /// Whether a parent still has to learn that the run is over.
    pub fn owes_parent(&self) -> bool {
        self.outcome().is_some() && self.started.parent.is_some() && !self.parent_notified
    }

    /// The item of an id, if it exists in that round.
    pub fn item(&self, definition: &Definition, id: &ItemId) -> Option<&Arc<ItemState>> {
        let (position, _) = definition.step(&id.step)?;
        self.steps.get(position)?.items.get(id.item as usize).filter(|item| item.round == id.round)
    }

    /// The id of an item by its position.
    pub fn item_id(&self, definition: &Definition, step: usize, item: usize) -> ItemId {
        ItemId { step: definition.steps[step].name.clone(), item: u32::try_from(item).unwrap_or(u32::MAX), round: self.steps[step].items[item].round }
    }

    /// The key of an effect of this run.
    pub fn key(&self, item: &ItemId, direction: Direction) -> IdempotencyKey {
        IdempotencyKey::derive(&self.started.tenant, &self.id, item, direction)
    }

    /// Whether a step that is a point of no return has completed.
    pub fn past_no_return(&self, definition: &Definition) -> bool {
        definition.steps.iter().zip(&self.steps).any(|(definition, state)| {
            definition.criticality == crate::definition::Criticality::PointOfNoReturn && matches!(state.status, StepStatus::Done { .. })
        })
    }
}

impl ItemState {
    /// The output, if the item is done.
    pub fn output(&self) -> Option<&Value> {
        match &self.standing {
            Standing::Done { output, .. } => Some(output),
            Standing::Open | Standing::Failed { .. } | Standing::Forgiven | Standing::Undone | Standing::UndoFailed { .. } => None,
        }
    }

    /// What its undo is given, if anything is known.
    pub fn receipt(&self) -> Option<&Arc<Value>> {
        match &self.standing {
            Standing::Done { output, .. } => Some(output),
            Standing::Failed { receipt, .. } => receipt.as_ref(),
            Standing::UndoFailed { output } => output.as_ref(),
            Standing::Open | Standing::Forgiven | Standing::Undone => None,
        }
    }

    /// Whether the item is neither acting nor able to act without a new event from a person or the run.
    pub fn is_idle(&self) -> bool {
        matches!(self.activity, Activity::Idle | Activity::Queued)
    }

    /// What its provider will be given when the pending operation goes on, if there is one and it is not going on already.
    pub fn checkpoint(&self) -> Option<&str> {
        let pending = match (&self.activity, &self.parked) {
            (Activity::Pending(pending), _) | (_, Some(Parked { pending, .. })) => pending,
            (Activity::Queued | Activity::Ready(_) | Activity::Backoff { .. } | Activity::Child { .. } | Activity::Idle, None) => return None,
        };
        Some(&pending.pended.checkpoint)
    }

    /// Whether an event from outside may still come for it.
    pub fn waits_for_callback(&self) -> bool {
        let doing = |direction: Direction| direction == Direction::Do;
        match &self.activity {
            Activity::Ready(_) | Activity::Backoff { .. } | Activity::Pending(_) => true,
            Activity::Idle => self.parked.as_ref().is_some_and(|parked| doing(parked.pending.direction)),
            Activity::Queued | Activity::Child { .. } => false,
        }
    }

    /// The call that can be made.
    pub fn ready(&self) -> Option<&Ready> {
        match &self.activity {
            Activity::Ready(ready) => Some(ready),
            Activity::Queued | Activity::Backoff { .. } | Activity::Pending(_) | Activity::Child { .. } | Activity::Idle => None,
        }
    }
}

impl Ready {
    /// The identity of the attempt that makes the call.
    pub fn attempt_id(&self, item: ItemId) -> AttemptId {
        AttemptId { item, direction: self.direction, attempt: self.attempt }
    }
}

impl Direction {
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Do => 0,
            Self::Undo => 1,
        }
    }
}
