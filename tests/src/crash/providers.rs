//! The providers of the reference set: their effects are entries in the ledger, which outlives the process.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use engine::port::{Answer, Call, CallReport, Observed, PendingAnswer, Runner, Signal, Verb};
use pipeline::{Attributes, Failure, FailureClass};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{ledger::Ledger, reference::effect_name};

/// Makes all calls of the reference set.
#[derive(Debug)]
pub(super) struct Providers {
    pub(super) ledger: Arc<Ledger>,
    /// Becomes true when all runs have started, so that all of them are in flight together.
    pub(super) open: watch::Receiver<bool>,
}

#[async_trait]
impl Runner for Providers {
    async fn call(&self, call: Call) -> CallReport {
        let mut open = self.open.clone();
        // The sender lives as long as the child.
        drop(open.wait_for(|open| *open).await);
        let answer = match &call.verb {
            Verb::Apply => self.apply(&call).await,
            Verb::Resume { signal, .. } => self.resume(&call, signal).await,
            Verb::Observe => self.observe(&call).await,
            Verb::Undo { receipt } => self.undo(&call, receipt).await,
        };
        CallReport { answer, sent: true, attributes: Attributes::new(), writes: Vec::new() }
    }
}

impl Providers {
    async fn apply(&self, call: &Call) -> Result<Answer, Failure> {
        let provider = call.pin.provider.name();
        match provider {
            "refusing" => return Err(Failure::new(FailureClass::Rejected, "refused", "refused for good")),
            "stubborn" => self.only_if_fixed(call).await?,
            "shaky" => not_at_first(call)?,
            _ => {}
        }
        self.ledger.word(&format!("apply {} {provider} {}", call.key, what(call))).await;
        match (provider, &call.callback) {
            ("poll" | "watched", _) => Ok(Answer::Pending(pending(call, Some(POLL)))),
            ("callback", Some(callback)) => {
                self.ledger.word(&format!("token {} {}", call.key, callback.url)).await;
                Ok(Answer::Pending(pending(call, None)))
            }
            _ => Ok(Answer::Done(receipt(call.key.as_str(), &what(call)))),
        }
    }

    async fn resume(&self, call: &Call, signal: &Signal) -> Result<Answer, Failure> {
        let heard = match signal {
            Signal::Timer => "a timer",
            Signal::Callback(body) => body,
            Signal::Cancel => return Err(Failure::new(FailureClass::Held, "odd", "nothing is cancelled in the reference set")),
        };
        self.ledger.word(&format!("complete {}", call.key)).await;
        let mut receipt = receipt(call.key.as_str(), &what(call));
        receipt["heard"] = json!(heard);
        Ok(Answer::Done(receipt))
    }

    /// The effect is looked up by the key that it was made under.
    async fn observe(&self, call: &Call) -> Result<Answer, Failure> {
        let found = self.ledger.ask(&format!("observe {}", call.key)).await;
        Ok(Answer::Observed(match found.as_slice() {
            [present, what] if present == "present" => Observed::Ours(receipt(call.key.as_str(), what)),
            [under_way, _] if under_way == "under-way" => Observed::Pending(pending(call, Some(POLL))),
            _ => Observed::Absent,
        }))
    }

    async fn undo(&self, call: &Call, receipt: &Value) -> Result<Answer, Failure> {
        match call.pin.provider.name() {
            "clinging" => self.only_if_fixed(call).await?,
            "shaky" => not_at_first(call)?,
            _ => {}
        }
        self.ledger.word(&format!("undo {}", receipt["key"].as_str().unwrap_or_default())).await;
        Ok(Answer::Undone)
    }

    /// Refuses until the operator has fixed what is wrong with the run's back end.
    async fn only_if_fixed(&self, call: &Call) -> Result<(), Failure> {
        match self.ledger.word(&format!("fixed {}", name(call))).await.as_str() {
            "yes" => Ok(()),
            _ => Err(Failure::new(FailureClass::Rejected, "refused", "refused until it is fixed")),
        }
    }
}

/// The time between two looks at an operation that takes a while.
const POLL: Duration = Duration::from_millis(5);

fn pending(call: &Call, poll_after: Option<Duration>) -> PendingAnswer {
    PendingAnswer { operation: "operation".to_owned(), checkpoint: what(call), poll_after, give_up_after: Duration::from_secs(3600) }
}

fn not_at_first(call: &Call) -> Result<(), Failure> {
    match call.attempt.attempt {
        1 => Err(Failure::new(FailureClass::Unavailable, "busy", "busy at first")),
        _ => Ok(()),
    }
}

/// What a provider returns and what its undo needs.
pub(super) fn receipt(key: &str, what: &str) -> Value {
    json!({"key": key, "what": what})
}

/// The name of the case that a call belongs to.
pub(super) fn name(call: &Call) -> &str {
    call.request["name"].as_str().unwrap_or_default()
}

/// What the effect of a call is called in the ledger.
pub(super) fn what(call: &Call) -> String {
    effect_name(name(call), &call.attempt.item)
}
