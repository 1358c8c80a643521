//! One switch.

use serde::Deserialize;

use super::Headers;
use crate::server::Delivery;

/// When a switch acts, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rule {
    /// How many requests it acts on; 0 means until reset.
    pub(crate) count: u32,
    /// The request's method, if it matters.
    pub(crate) method: Option<String>,
    /// What the request's path contains.
    pub(crate) path: String,
    /// What the request's body contains.
    pub(crate) body: String,
    /// The status of a failure.
    pub(crate) status: u16,
    /// The headers of a failure, such as `retry-after`.
    pub(crate) headers: Headers,
    /// The body of a failure, or the message of a failed activation.
    pub(crate) answer: String,
    /// The size of a failure's body, if it is to be large.
    pub(crate) bytes: usize,
    /// How long a delay or an activation takes, in milliseconds.
    pub(crate) ms: u64,
    /// What becomes of an activation.
    pub(crate) result: Outcome,
}

/// What becomes of an activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// The service works.
    Active,
    /// The service is active but its test failed.
    TestFailed,
    /// The activation ends without an active service.
    Inactive,
    /// The monitor ends in error.
    InError,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            count: 1,
            method: None,
            path: String::new(),
            body: String::new(),
            status: 503,
            headers: Headers::new(),
            answer: String::new(),
            bytes: 0,
            ms: 0,
            result: Outcome::Active,
        }
    }
}

impl Rule {
    pub(super) fn matches(&self, method: &str, path: &str, body: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted == method) && path.contains(&self.path) && body.contains(&self.body)
    }
}

/// What a switch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Fail,
    Delay,
    DelayAnswer,
    DropAnswer,
    Twice,
    Outcome,
    Finish,
}

/// When it does it.
pub(super) enum Kind {
    /// Instead of the work.
    Instead,
    /// Before the work.
    Before,
    /// After the work, before the answer.
    Between,
    /// After the work, with the answer.
    After(Delivery),
    /// In the back end itself.
    Elsewhere,
}

impl Action {
    /// The names, for a message.
    pub(super) const NAMES: &str = "fail, delay, delay-answer, drop-answer, twice, outcome, finish or reset";

    /// Those that act on any request.
    pub(super) const ON_REQUESTS: [Self; 5] = [Self::Fail, Self::Delay, Self::DelayAnswer, Self::DropAnswer, Self::Twice];

    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "fail" => Some(Self::Fail),
            "delay" => Some(Self::Delay),
            "delay-answer" => Some(Self::DelayAnswer),
            "drop-answer" => Some(Self::DropAnswer),
            "twice" => Some(Self::Twice),
            "outcome" => Some(Self::Outcome),
            "finish" => Some(Self::Finish),
            _ => None,
        }
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Fail => Kind::Instead,
            Self::Delay => Kind::Before,
            Self::DelayAnswer => Kind::Between,
            Self::DropAnswer => Kind::After(Delivery::Dropped),
            Self::Twice => Kind::After(Delivery::Twice),
            Self::Outcome | Self::Finish => Kind::Elsewhere,
        }
    }
}
