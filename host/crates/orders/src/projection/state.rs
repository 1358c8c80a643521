//! The TMF622 state of an order and of its items.
//!
//! | the run | the order |
//! |---|---|
//! | no step is scheduled yet | `acknowledged` |
//! | it goes forward, or takes back what it did after a failure | `inProgress` |
//! | a fallout is open, or a person cancelled it and it takes back what it did, also after it was over | `held` |
//! | it is over | `completed`, `failed`, `cancelled` |
//!
//! TMF622 knows no way from `inProgress` to `cancelled`, so a held order that is being cancelled stays `held` until it is. `pending` (the customer must say
//! more), `rejected`, `partial` and the states of cancellation requests do not occur: a bad order is refused before it exists.

use std::{collections::BTreeMap, fmt};

use pipeline::{AfterUnwind, Definition, FalloutOpened, Outcome, Phase, Run, StepStatus, Timestamp};
use serde_json::Value;

use crate::order_pipeline::{ACTIVATE, ALLOCATE, BILLING, DECOMPOSE, PROVISION};

/// The state of an order or an item, in TMF622's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderState {
    /// It was accepted.
    Acknowledged,
    /// It is being worked on.
    InProgress,
    /// It waits for a person.
    Held,
    /// Everything is done.
    Completed,
    /// It was given up.
    Failed,
    /// A person cancelled it.
    Cancelled,
}

impl OrderState {
    /// The name in TMF622.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::InProgress => "inProgress",
            Self::Held => "held",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for OrderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// All that a user sees of an order beside what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// The order.
    pub(crate) state: OrderState,
    /// The items that have work, by id; any other item has none.
    pub(crate) items: BTreeMap<String, OrderState>,
    /// When the order was over.
    pub(crate) ended: Option<Timestamp>,
}

impl Snapshot {
    /// Before anything has happened.
    pub(crate) const ACCEPTED: Self = Self { state: OrderState::Acknowledged, items: BTreeMap::new(), ended: None };
}

/// What a user sees of a run; `None` for a run whose input is none of an order.
pub(crate) fn snapshot(definition: &Definition, run: &Run) -> Option<Snapshot> {
    run.input()["order"].as_object()?;
    let state = order_state(run);
    let mut items: BTreeMap<String, OrderState> = item_ids(run).map(|id| (id.to_owned(), state)).collect();
    if state == OrderState::Held {
        hold_only_affected(definition, run, &mut items);
    }
    Some(Snapshot { state, items, ended: run.outcome().map(|_| run.last_at()) })
}

fn order_state(run: &Run) -> OrderState {
    match run.phase() {
        Phase::Ended(Outcome::Completed) => OrderState::Completed,
        Phase::Ended(Outcome::Failed { .. }) => OrderState::Failed,
        Phase::Ended(Outcome::Cancelled) => OrderState::Cancelled,
        Phase::Forward | Phase::Unwinding { .. } if run.open_fallouts().next().is_some() => OrderState::Held,
        Phase::Unwinding { then: AfterUnwind::Cancel, .. } => OrderState::Held,
        Phase::Unwinding { then: AfterUnwind::Fallout | AfterUnwind::Fail, .. } => OrderState::InProgress,
        Phase::Forward if run.steps().iter().all(|step| step.status == StepStatus::Waiting && step.round == 0) => OrderState::Acknowledged,
        Phase::Forward => OrderState::InProgress,
    }
}

fn item_ids(run: &Run) -> impl Iterator<Item = &str> {
    run.input()["items"].as_array().into_iter().flatten().filter_map(|item| item["id"].as_str())
}

/// A fallout about one service holds the item that the service belongs to; one about the order as a whole holds all.
fn hold_only_affected(definition: &Definition, run: &Run, items: &mut BTreeMap<String, OrderState>) {
    let owners: Option<Vec<&str>> = run.open_fallouts().map(|fallout| owner(definition, run, &fallout.opened)).collect();
    let Some(owners) = owners.filter(|owners| !owners.is_empty()) else { return };
    for (id, state) in items {
        if !owners.contains(&id.as_str()) {
            *state = OrderState::InProgress;
        }
    }
}

/// The order item that a fallout is about.
fn owner<'a>(definition: &Definition, run: &'a Run, opened: &FalloutOpened) -> Option<&'a str> {
    let item = opened.item? as usize;
    let position = match opened.step.as_str() {
        DECOMPOSE => Some(item),
        // Services are allocated and provisioned in the order of the decompositions they come from.
        ALLOCATE | PROVISION => {
            let (decompose, _) = definition.steps.iter().enumerate().find(|(_, step)| step.name.as_str() == DECOMPOSE)?;
            let counts = run.steps()[decompose].items.iter().map(|item| item.output().and_then(services).unwrap_or(0));
            let mut last = 0;
            counts.enumerate().find_map(|(position, count)| {
                last += count;
                (item < last).then_some(position)
            })
        }
        ACTIVATE | BILLING => None,
        _ => None,
    };
    item_ids(run).nth(position?)
}

fn services(decomposition: &Value) -> Option<usize> {
    decomposition["services"].as_array().map(Vec::len)
}
