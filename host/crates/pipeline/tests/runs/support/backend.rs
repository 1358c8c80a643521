//! The providers of the simulated world, as data, and the ledger of the effects that they have made.

use std::collections::BTreeMap;

use pipeline::{CallAnswer, Failure, FailureClass, Observed, PendingAnswer, RunId, StepName};
use serde_json::{Value, json};

/// A function of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Apply,
    Resume,
    Observe,
    Undo,
}

/// What a provider does when it is called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Act {
    /// What was asked: it does, takes back, or says truthfully what is there.
    Obeys,
    /// Refuses, leaving nothing behind.
    Rejected,
    /// Cannot now, leaving nothing behind.
    Unavailable,
    /// Only a person can help.
    Held,
    /// Its answer is lost, with or without the work being done.
    Unknown { did: bool },
    /// Takes the request and wants to be asked again.
    Pending { poll_ms: Option<u64>, give_up_ms: u64 },
    /// `observe`: somebody else's.
    Foreign,
    /// `observe`: ours, but changed.
    Drifted,
}

/// What a step's provider does, call by call; the last act is repeated when `forever`, otherwise the rest obeys.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) acts: Vec<Act>,
    pub(crate) forever: bool,
}

/// The effects made under one key.
#[derive(Debug, Clone)]
pub(crate) struct Effect {
    pub(crate) run: RunId,
    pub(crate) step: StepName,
    /// How often it was made without having been taken back in between.
    pub(crate) copies: u32,
    /// Whether it is there now, perhaps unfinished.
    pub(crate) live: bool,
    /// What its provider says of it while it is not complete.
    under_way: Option<PendingAnswer>,
}

/// One call of a provider.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) run: RunId,
    pub(crate) step: StepName,
    pub(crate) item: u32,
    /// The key of the effect: the one of doing, also when it is undone.
    pub(crate) key: String,
    pub(crate) idempotent: bool,
    pub(crate) pure: bool,
    /// Whether a pending operation is to be given up.
    pub(crate) cancel: bool,
}

/// All providers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backend {
    pub(crate) scripts: BTreeMap<(StepName, Option<u32>, Verb), Script>,
    /// How many answers were recorded: a call whose answer was lost in a crash is answered alike when it is repeated.
    pub(crate) answered: BTreeMap<(StepName, u32, Verb), usize>,
    pub(crate) effects: BTreeMap<String, Effect>,
    /// How often each effect was asked to be undone.
    pub(crate) undone: BTreeMap<String, u32>,
}

impl Backend {
    fn act(&self, call: &Call, verb: Verb) -> Act {
        let script = |item| self.scripts.get(&(call.step.clone(), item, verb));
        let Some(script) = script(Some(call.item)).or_else(|| script(None)) else { return Act::Obeys };
        let position = self.answered.get(&(call.step.clone(), call.item, verb)).copied().unwrap_or(0);
        let last = script.forever.then(|| script.acts.last()).flatten();
        script.acts.get(position).or(last).copied().unwrap_or(Act::Obeys)
    }

    pub(crate) fn apply(&mut self, call: &Call) -> Result<CallAnswer, Failure> {
        match self.act(call, Verb::Apply) {
            Act::Obeys => {
                self.make(call);
                Ok(CallAnswer::Done(receipt(call).into()))
            }
            Act::Pending { poll_ms, give_up_ms } => {
                self.make(call);
                let pending = pending(poll_ms, give_up_ms);
                self.effects.entry(call.key.clone()).and_modify(|effect| effect.under_way = Some(pending.clone()));
                Ok(pending.into())
            }
            Act::Unknown { did } => {
                if did {
                    self.make(call);
                }
                Err(unknown())
            }
            other @ (Act::Rejected | Act::Unavailable | Act::Held | Act::Foreign | Act::Drifted) => Err(failure(other)),
        }
    }

    pub(crate) fn resume(&mut self, call: &Call) -> Result<CallAnswer, Failure> {
        match self.act(call, Verb::Resume) {
            Act::Obeys if call.cancel => {
                self.take_back(call);
                Ok(CallAnswer::Undone)
            }
            Act::Obeys => {
                self.effects.entry(call.key.clone()).and_modify(|effect| effect.under_way = None);
                Ok(CallAnswer::Done(receipt(call).into()))
            }
            Act::Pending { poll_ms, give_up_ms } => Ok(pending(poll_ms, give_up_ms).into()),
            Act::Rejected => {
                self.take_back(call);
                Err(failure(Act::Rejected))
            }
            other @ (Act::Unavailable | Act::Held | Act::Unknown { .. } | Act::Foreign | Act::Drifted) => Err(failure(other)),
        }
    }

    pub(crate) fn undo(&mut self, call: &Call) -> Result<CallAnswer, Failure> {
        match self.act(call, Verb::Undo) {
            Act::Pending { poll_ms, give_up_ms } => Ok(pending(poll_ms, give_up_ms).into()),
            Act::Obeys => {
                self.take_back(call);
                Ok(CallAnswer::Undone)
            }
            Act::Unknown { did } => {
                if did {
                    self.take_back(call);
                }
                Err(unknown())
            }
            other @ (Act::Rejected | Act::Unavailable | Act::Held | Act::Foreign | Act::Drifted) => Err(failure(other)),
        }
    }

    pub(crate) fn observe(&mut self, call: &Call) -> Result<Observed, Failure> {
        let there = match self.effects.get(&call.key) {
            Some(Effect { live: true, under_way: Some(pending), .. }) => Observed::Pending(pending.clone()),
            Some(Effect { live: true, under_way: None, .. }) => Observed::Ours(receipt(call)),
            Some(_) | None => Observed::Absent,
        };
        match (self.act(call, Verb::Observe), there) {
            (Act::Foreign, Observed::Absent) => Ok(Observed::Foreign("another order".to_owned())),
            (Act::Drifted, Observed::Ours(receipt)) => Ok(Observed::Drifted(receipt)),
            (Act::Obeys | Act::Drifted | Act::Foreign, there) => Ok(there),
            (other @ (Act::Rejected | Act::Unavailable | Act::Held | Act::Unknown { .. } | Act::Pending { .. }), _) => Err(failure(other)),
        }
    }

    fn make(&mut self, call: &Call) {
        if call.pure {
            return;
        }
        let new = Effect { run: call.run.clone(), step: call.step.clone(), copies: 1, live: false, under_way: None };
        let effect = self.effects.entry(call.key.clone()).or_insert(new);
        // An idempotent provider recognises the key; any other does the work again, also while it is under way.
        if effect.live && !call.idempotent {
            effect.copies += 1;
        }
        (effect.live, effect.under_way) = (true, None);
    }

    fn take_back(&mut self, call: &Call) {
        *self.undone.entry(call.key.clone()).or_default() += 1;
        if let Some(effect) = self.effects.get_mut(&call.key) {
            effect.live = false;
        }
    }
}

fn receipt(call: &Call) -> Value {
    json!(format!("{}[{}]", call.step, call.item))
}

fn pending(poll_ms: Option<u64>, give_up_ms: u64) -> PendingAnswer {
    let millis = std::time::Duration::from_millis;
    PendingAnswer {
        operation: "op".to_owned(),
        checkpoint: "checkpoint".to_owned(),
        poll_after: poll_ms.map(millis),
        give_up_after: millis(give_up_ms),
    }
}

fn unknown() -> Failure {
    Failure::new(FailureClass::Unknown, "timeout", "the answer was lost")
}

fn failure(act: Act) -> Failure {
    match act {
        Act::Rejected => Failure::new(FailureClass::Rejected, "refused", "refused"),
        Act::Unavailable => Failure::new(FailureClass::Unavailable, "busy", "not now"),
        Act::Held => Failure::new(FailureClass::Held, "odd", "a person must look"),
        Act::Unknown { .. } => unknown(),
        Act::Obeys | Act::Pending { .. } | Act::Foreign | Act::Drifted => {
            Failure::new(FailureClass::Held, "script", "the script does not fit the call")
        }
    }
}
