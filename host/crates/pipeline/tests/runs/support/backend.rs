//! The providers of the simulated world, as data, and the ledger of the effects that they have made.

use std::collections::BTreeMap;

use pipeline::{CallAnswer, Failure, FailureClass, Observed, RunId, StepName};
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
    /// Whether it is complete. The contract has no word for an operation that is under way: here `observe` calls it absent when the work is to be
    /// done, so that `apply` joins it, and ours when it is to be undone.
    finished: bool,
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
    /// Whether the attempt takes the effect back.
    pub(crate) undoing: bool,
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
                Ok(CallAnswer::Done(receipt(call)))
            }
            Act::Pending { poll_ms, give_up_ms } => {
                self.make(call);
                self.effects.entry(call.key.clone()).and_modify(|effect| effect.finished = false);
                Ok(pending(poll_ms, give_up_ms))
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
                self.effects.entry(call.key.clone()).and_modify(|effect| effect.finished = true);
                Ok(CallAnswer::Done(receipt(call)))
            }
            Act::Pending { poll_ms, give_up_ms } => Ok(pending(poll_ms, give_up_ms)),
            Act::Rejected => {
                self.take_back(call);
                Err(failure(Act::Rejected))
            }
            other @ (Act::Unavailable | Act::Held | Act::Unknown { .. } | Act::Foreign | Act::Drifted) => Err(failure(other)),
        }
    }

    pub(crate) fn undo(&mut self, call: &Call) -> Result<CallAnswer, Failure> {
        match self.act(call, Verb::Undo) {
            Act::Pending { poll_ms, give_up_ms } => Ok(pending(poll_ms, give_up_ms)),
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
        let live = self.effects.get(&call.key).is_some_and(|effect| effect.live && (effect.finished || call.undoing));
        match self.act(call, Verb::Observe) {
            Act::Foreign if !live => Ok(Observed::Foreign("another order".to_owned())),
            Act::Drifted if live => Ok(Observed::Drifted(receipt(call))),
            Act::Obeys | Act::Drifted | Act::Foreign => Ok(if live { Observed::Ours(receipt(call)) } else { Observed::Absent }),
            other @ (Act::Rejected | Act::Unavailable | Act::Held | Act::Unknown { .. } | Act::Pending { .. }) => Err(failure(other)),
        }
    }

    fn make(&mut self, call: &Call) {
        if call.pure {
            return;
        }
        let new = Effect { run: call.run.clone(), step: call.step.clone(), copies: 1, live: false, finished: true };
        let effect = self.effects.entry(call.key.clone()).or_insert(new);
        // An idempotent provider recognises the key; any other does the work again.
        if effect.live && effect.finished && !call.idempotent {
            effect.copies += 1;
        }
        (effect.live, effect.finished) = (true, true);
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

fn pending(poll_ms: Option<u64>, give_up_ms: u64) -> CallAnswer {
    let millis = std::time::Duration::from_millis;
    CallAnswer::Pending {
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
