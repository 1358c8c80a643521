//! What the journal of a run consists of. These types are the persisted form: a field is never renamed, only added.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    contract::{ContractTrack, Pin},
    definition::AfterFailure,
    failure::Failure,
    id::{Digest, Epoch, PipelineName, Revision, RunId, Seq, StepName, TenantName, Timestamp},
    key::{AttemptId, ItemId},
    measure::Attributes,
    trace::TraceIdentity,
};

/// An event with its place in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its number within the run.
    pub seq: Seq,
    /// Which opening of the store wrote it.
    pub epoch: Epoch,
    /// When it happened, by the store's clock.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// What happened to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// The run exists. Always the first event.
    RunStarted(Arc<RunStarted>),
    /// A step was bound to its providers and its requests were fixed.
    StepScheduled {
        /// The step.
        step: StepName,
        /// The round, from 1.
        round: u32,
        /// The items, in order.
        items: Vec<ScheduledItem>,
        /// The binding table that they were bound by; `None` for the run's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<Revision>,
    },
    /// A step could not be scheduled: its mapping failed or nothing answers its contract.
    StepRefused {
        /// The step.
        step: StepName,
        /// Why.
        failure: Failure,
    },
    /// A call is about to be made to a provider that is neither observable nor idempotent.
    AttemptStarted {
        /// Which attempt.
        attempt: AttemptId,
    },
    /// The provider took the request and will be asked again.
    AttemptPended {
        /// Which attempt.
        attempt: AttemptId,
        /// When its first call began.
        started_at: Timestamp,
        /// What it waits for.
        pending: Pended,
    },
    /// A pending attempt could not be resumed and will be asked again.
    ResumeFailed {
        /// Which attempt.
        attempt: AttemptId,
        /// Why.
        failure: Failure,
        /// When it is asked again.
        due: Timestamp,
    },
    /// A pending attempt could not be resumed and a person must look. The operation is kept: a retry resumes it.
    ResumeHeld {
        /// Which attempt.
        attempt: AttemptId,
        /// Why.
        failure: Failure,
    },
    /// An attempt ended.
    AttemptFinished {
        /// Which attempt.
        attempt: AttemptId,
        /// When its first call began.
        started_at: Timestamp,
        /// How it ended.
        verdict: Verdict,
        /// When the next attempt starts, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
        /// Attributes that the provider set on its span.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attributes: Attributes,
    },
    /// An attempt of an older epoch was under way when its process died; what it did is not known.
    AttemptLost {
        /// Which attempt.
        attempt: AttemptId,
        /// When it could have begun at the earliest.
        started_at: Timestamp,
    },
    /// An attempt that waited for its retry is given up because the run unwinds.
    RetryAbandoned {
        /// Which item.
        item: ItemId,
    },
    /// A timer of an item fired.
    TimerFired {
        /// Which item.
        item: ItemId,
        /// Which of its timers.
        timer: Timer,
    },
    /// A pending operation is to be cancelled because the run unwinds.
    CancelRequested {
        /// Which item.
        item: ItemId,
    },
    /// The event from outside that an item needs has come.
    CallbackReceived {
        /// Which item.
        item: ItemId,
        /// What was sent, at most 16 KiB.
        body: String,
    },
    /// The child run of an item exists.
    ChildStarted {
        /// Which item.
        item: ItemId,
        /// The child.
        child: RunId,
    },
    /// The child run of an item ended.
    ChildEnded {
        /// Which item.
        item: ItemId,
        /// The child.
        child: RunId,
        /// What it returned.
        result: Result<Value, Failure>,
    },
    /// The failure of a best-effort item was accepted.
    ItemForgiven {
        /// Which item.
        item: ItemId,
    },
    /// The run begins to take back what it did.
    UnwindStarted {
        /// Why, unless a person asked for it.
        cause: Option<Failure>,
        /// The step that failed, unless a person asked for it.
        step: Option<StepName>,
        /// The item that failed.
        item: Option<u32>,
        /// What comes after.
        then: AfterUnwind,
    },
    /// The compensation of an item is due.
    UndoScheduled {
        /// Which item.
        item: ItemId,
    },
    /// Items were bound to another provider by a person.
    PinChanged(Box<PinChanged>),
    /// The run is held for a person.
    FalloutOpened(Box<FalloutOpened>),
    /// A person decided how to go on.
    FalloutResolved {
        /// Which fallout.
        id: u32,
        /// What was decided.
        resolution: Resolution,
        /// Who decided.
        by: String,
        /// Why, in the person's words.
        note: String,
    },
    /// The run is over.
    RunEnded {
        /// How.
        outcome: Outcome,
    },
    /// The parent run knows that this one is over.
    ParentNotified,
    /// A person wants what the run did to be taken back after it was over.
    RunReopened {
        /// Who.
        by: String,
        /// Why, in the person's words.
        note: String,
    },
}

/// The first event of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// The pipeline.
    pub pipeline: PipelineName,
    /// The version of its definition.
    pub version: u32,
    /// Whose run it is.
    pub tenant: TenantName,
    /// The pipeline's typed input.
    pub input: Value,
    /// The key under which a repeated start finds this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// The binding table that the run is pinned to.
    pub revision: Revision,
    /// The trace that the run belongs to.
    pub trace: TraceIdentity,
    /// The item that started this run, if a run did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
}

/// The item of another run that started this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The parent run.
    pub run: RunId,
    /// The item that waits.
    pub item: ItemId,
}

/// One item of a scheduled step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduledItem {
    /// What a person calls it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// The request; never recomputed.
    pub request: Arc<Value>,
    /// What it is bound to; `None` for a child run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Arc<Pin>>,
}

/// Items were bound to another provider by a person. Steps of the same contract that are scheduled later are bound by the same revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PinChanged {
    /// The contract whose binding changes.
    pub contract: ContractTrack,
    /// The items, all of them bound to `from` before.
    pub items: Vec<ItemId>,
    /// The plugin that they leave.
    pub from: Digest,
    /// What they are bound to from now on.
    pub pin: Arc<Pin>,
    /// The binding table that says what the new provider may reach.
    pub revision: Revision,
    /// Who decided.
    pub by: String,
    /// Why, in the person's words.
    pub note: String,
}

/// What a provider said when it took a request without finishing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pended {
    /// The provider's name of the operation.
    pub operation: String,
    /// What `resume` is given, at most 16 KiB.
    pub checkpoint: String,
    /// When to ask again without being called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_at: Option<Timestamp>,
    /// The pause between two polls, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_after_ms: Option<u64>,
    /// When to stop waiting.
    pub give_up_at: Timestamp,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The work is done; this is the receipt.
    Done(Arc<Value>),
    /// There is nothing (any more) to take back.
    Undone,
    /// The provider did something, but not what the run needs.
    Refused {
        /// The receipt of what it did.
        output: Arc<Value>,
        /// Why it will not do.
        failure: Failure,
    },
    /// It did not succeed.
    Failed(Failure),
}

/// A timer of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timer {
    /// The pause before the next attempt is over.
    Retry,
    /// A pending operation is asked again.
    Poll,
    /// A pending operation has taken too long.
    GiveUp,
}

/// What follows when everything is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterUnwind {
    /// The run is held for a person.
    Fallout,
    /// The run ends as failed.
    Fail,
    /// The run ends as cancelled.
    Cancel,
}

impl From<AfterFailure> for AfterUnwind {
    fn from(then: AfterFailure) -> Self {
        match then {
            AfterFailure::Fallout => Self::Fallout,
            AfterFailure::Fail => Self::Fail,
        }
    }
}

/// A run is held for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FalloutOpened {
    /// Its number within the run, from 1.
    pub id: u32,
    /// What kind of help is needed.
    pub subject: FalloutSubject,
    /// The step.
    pub step: StepName,
    /// The item, unless the step as a whole was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// The bounded reason, used as a metric label.
    pub reason: String,
    /// What went wrong.
    pub failure: Failure,
}

/// What a fallout is about; it decides which resolutions make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FalloutSubject {
    /// An item or a step failed and the run keeps what it has.
    Failed,
    /// An item failed and everything before it was undone.
    Unwound,
    /// A compensation failed.
    UndoFailed,
}

/// What a person decided about a fallout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "action", content = "with")]
pub enum Resolution {
    /// Try again.
    Retry,
    /// Try again with this request (or, after an unwind, with this input of the whole run).
    RetryWith(Value),
    /// Go on as if this had been the output.
    SkipWith(Value),
    /// Undo everything and end as cancelled.
    Cancel,
    /// End as failed and leave things as they are.
    Fail,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every step completed.
    Completed,
    /// It did not.
    Failed {
        /// What went wrong.
        failure: Failure,
        /// The step that failed.
        step: Option<StepName>,
    },
    /// A person cancelled it.
    Cancelled,
}
