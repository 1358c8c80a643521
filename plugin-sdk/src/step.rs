//! What every contract has in common: the call, the ways to fail and the ways to wait (`jackfield:step`).
//!
//! The bindings use these types directly, so names and field types are those of `wit/step/types.wit`.

use std::{fmt, time::Duration};

/// Why something did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// A code that the manifest declares: 1 to 48 characters of `[a-z0-9_.]`.
    pub code: String,
    /// One sentence for a person: what, where, what was expected.
    pub message: String,
}

/// The other side cannot serve now and nothing was left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// Why.
    pub reason: Reason,
    /// The earliest moment worth trying again, in milliseconds from now.
    pub retry_after_ms: Option<u64>,
}

/// How a call fails. Choose by what is true about the outside world, not by how bad it looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The request is wrong or impossible and will be the next time too. Promises that nothing was left behind. Never
    /// retried.
    Rejected(Reason),
    /// Try again later. Promises that nothing was left behind. Retried by the step's policy.
    Unavailable(Unavailable),
    /// Something was sent and no answer tells whether it worked. The host asks `observe` before anything else.
    UnknownOutcome(Reason),
}

impl Failure {
    /// The request will never work and nothing was left behind.
    pub fn rejected(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Rejected(Reason { code: code.into(), message: message.into() })
    }

    /// The other side cannot serve now and nothing was left behind.
    pub fn unavailable(code: impl Into<String>, message: impl Into<String>) -> Self {
        let reason = Reason { code: code.into(), message: message.into() };
        Self::Unavailable(Unavailable { reason, retry_after_ms: None })
    }

    /// Something was sent and nobody knows whether it worked.
    pub fn unknown_outcome(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::UnknownOutcome(Reason { code: code.into(), message: message.into() })
    }

    /// What the default of a verb that a plugin does not implement answers.
    pub fn unsupported(verb: &str) -> Self {
        Self::rejected("unsupported", format!("this plugin does not implement {verb}"))
    }

    /// The earliest moment worth trying again. Changes only [`Failure::Unavailable`].
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        match self {
            Self::Unavailable(it) => {
                let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                Self::Unavailable(Unavailable { retry_after_ms: Some(wait), ..it })
            }
            other @ (Self::Rejected(_) | Self::UnknownOutcome(_)) => other,
        }
    }

    /// The reason, whichever kind it is.
    pub fn reason(&self) -> &Reason {
        match self {
            Self::Rejected(reason) | Self::UnknownOutcome(reason) => reason,
            Self::Unavailable(it) => &it.reason,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Rejected(_) => "rejected",
            Self::Unavailable(_) => "unavailable",
            Self::UnknownOutcome(_) => "unknown outcome",
        };
        let Reason { code, message } = self.reason();
        write!(f, "{kind} ({code}): {message}")
    }
}

impl std::error::Error for Failure {}

/// Where an outside system may report the end of a long operation, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The host's name of this wait; safe to log.
    pub operation: String,
    /// The URL to hand to the outside system. It holds a one-time token: do not log it.
    pub url: String,
}

/// Who calls, for what, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The run (for example, one order) this call belongs to.
    pub run: String,
    /// The pipeline of the run, for example `order`.
    pub pipeline: String,
    /// The step of the pipeline, for example `allocate_inventory`.
    pub step: String,
    /// The item within the step where the step runs once per item, otherwise empty.
    pub item: String,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// How often the step began anew, from 0.
    pub round: u32,
    /// Identifies the effect: the same in every attempt, other in every round and for `undo`.
    pub idempotency_key: String,
    /// Milliseconds left for this call, HTTP included.
    pub deadline_ms: u64,
    /// Set where the step allows a callback.
    pub callback: Option<Callback>,
}

impl Call {
    /// The time left for this call when it began.
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }
}

/// The work goes on outside: the host calls `resume`. A plugin never sleeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// What is waited for: `call.callback.operation` if the outside system calls back, otherwise a name for people.
    pub operation: String,
    /// Text of the plugin's own (at most 16384 bytes), handed back unchanged to `resume`.
    pub checkpoint: String,
    /// Call `resume` with [`Signal::Timer`] after this many milliseconds.
    pub poll_after_ms: Option<u64>,
    /// Give up after this many milliseconds in total and call `resume` with [`Signal::Cancel`].
    pub give_up_after_ms: u64,
}

/// Why `resume` is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// The poll time is over.
    Timer,
    /// The outside system called back; the body it sent, at most 16384 bytes.
    Callback(String),
    /// The run was cancelled or time is up: stop the outside work if that is possible and say what is true now.
    Cancel,
}

/// How `apply`, `resume` and `undo` end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<R> {
    /// `apply` or its `resume`: the effect is there. The receipt is stored, and `undo` needs it.
    Done(R),
    /// `undo` or its `resume`, or a `resume` with `cancel` that stopped the work: the effect is gone.
    Undone,
    /// Not finished; the host calls `resume`.
    Pending(Pending),
}

/// What `observe` found outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed<R> {
    /// Nothing of this effect is there: `apply` may be called.
    Absent,
    /// The effect of exactly this idempotency key is there and complete.
    Ours(R),
    /// The effect of exactly this idempotency key is being made: the host waits and calls `resume`, as if `apply` had just
    /// answered this. Do not call it `Absent`: it would be made twice.
    Pending(Pending),
    /// What would be made exists already and is somebody else's; says whose.
    Foreign(String),
    /// Ours, but not as requested.
    Drifted(R),
    /// This plugin cannot look.
    Unsupported,
}
