//! What a device saw.

use std::time::Duration;

use serde::Serialize;

/// A session as a device saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SessionReport {
    /// The events that it told of.
    pub events: Vec<String>,
    /// Requests that were answered.
    pub exchanges: u32,
    /// Those that were answered with anything but 401.
    pub authenticated_exchanges: u32,
    /// What it was asked to do, in order.
    pub rpcs: Vec<String>,
    /// What the server answered to messages of the device's own: a method, or `Fault` with a code.
    pub told: Vec<String>,
    /// The codes with which it refused something.
    pub refused: Vec<u32>,
    /// Whether the server asked it to keep its own messages to itself (`HoldRequests`).
    pub held: bool,
    /// How it ended.
    pub ended: End,
    /// How long each answer took.
    #[serde(skip)]
    pub answers: Vec<Duration>,
    /// What the server said that it must not say.
    pub complaints: Vec<String>,
}

/// How a session ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The server had nothing more to say.
    #[default]
    Done,
    /// The server answered with this status, and the device does not know better.
    Refused(u16),
    /// The server answered 503, and perhaps said for how many seconds.
    Busy(Option<u64>),
    /// The server answered with a fault.
    Fault(u32),
    /// The server cannot be reached, or the connection broke.
    Lost(String),
    /// There was no answer in time.
    TimedOut,
    /// The server said something that means nothing here.
    Unexpected(String),
    /// The device lost its power.
    Rebooted,
    /// The device left without a word.
    Vanished,
}

/// What a device has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Sessions that were begun.
    pub sessions: u64,
    /// Those that the server ended.
    pub done: u64,
    /// Those that were refused, by status or fault.
    pub refused: u64,
    /// Those for which the server was too busy.
    pub busy: u64,
    /// Those that broke or took too long.
    pub lost: u64,
    /// Requests that were answered.
    pub exchanges: u64,
    /// Connection requests that were accepted.
    pub woken: u64,
    /// Connection requests that were refused.
    pub not_woken: u64,
}

impl Statistics {
    pub(super) fn count(&mut self, end: &End) {
        self.sessions += 1;
        match end {
            End::Done => self.done += 1,
            End::Refused(_) | End::Fault(_) => self.refused += 1,
            End::Busy(_) => self.busy += 1,
            End::Lost(_) | End::TimedOut | End::Unexpected(_) => self.lost += 1,
            End::Rebooted | End::Vanished => {}
        }
    }
}
