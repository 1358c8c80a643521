//! What a storm was like for the devices.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::device::{End, SessionReport};

/// The most complaints that a report repeats.
const MAX_COMPLAINTS: usize = 10;

/// What the devices saw.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StormReport {
    /// Devices that had a session to its end.
    pub done: u64,
    /// Devices that had none after all attempts.
    pub unfinished: u64,
    /// Sessions that were begun.
    pub sessions: u64,
    /// Sessions for which the server was too busy.
    pub busy: u64,
    /// Sessions that were refused.
    pub refused: u64,
    /// Sessions that broke, or had no answer in time.
    pub lost: u64,
    /// Answered requests.
    pub exchanges: u64,
    /// Those that were answered with anything but 401.
    pub authenticated_exchanges: u64,
    /// What the devices were asked to do.
    pub rpcs: BTreeMap<String, u64>,
    /// Requests that the devices refused.
    pub faults: u64,
    /// How long everything took, in seconds.
    pub seconds: f64,
    /// How long answers took.
    pub answers: Latencies,
    /// What the server said that it must not say, and how sessions failed; the first of them.
    pub complaints: Vec<String>,
}

/// Times of answers, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Latencies {
    /// Half of them were faster.
    pub p50_us: u32,
    /// 99 of 100 were faster.
    pub p99_us: u32,
    /// The slowest.
    pub max_us: u32,
}

impl StormReport {
    /// Sessions that came to their end, in a second.
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn per_second(&self) -> f64 {
        self.done as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }

    /// Answered requests for each session that came to its end.
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn exchanges_per_session(&self) -> f64 {
        self.authenticated_exchanges as f64 / self.done.max(1) as f64
    }

    pub(super) fn add(&mut self, session: SessionReport, times: &mut Vec<u32>) {
        self.sessions += 1;
        match &session.ended {
            End::Done | End::Rebooted | End::Vanished => {}
            End::Busy(_) => self.busy += 1,
            End::Refused(_) | End::Fault(_) => self.refused += 1,
            End::Lost(_) | End::TimedOut | End::Unexpected(_) => self.lost += 1,
        }
        if !matches!(session.ended, End::Done | End::Busy(_)) {
            self.complain(format!("{:?}", session.ended));
        }
        self.exchanges += u64::from(session.exchanges);
        self.authenticated_exchanges += u64::from(session.authenticated_exchanges);
        self.faults += session.refused.len() as u64;
        for rpc in session.rpcs {
            *self.rpcs.entry(rpc).or_default() += 1;
        }
        times.extend(session.answers.iter().map(|answer| u32::try_from(answer.as_micros()).unwrap_or(u32::MAX)));
        session.complaints.into_iter().for_each(|complaint| self.complain(complaint));
    }

    fn complain(&mut self, complaint: String) {
        if self.complaints.len() < MAX_COMPLAINTS && !self.complaints.contains(&complaint) {
            self.complaints.push(complaint);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.done += other.done;
        self.unfinished += other.unfinished;
        self.sessions += other.sessions;
        self.busy += other.busy;
        self.refused += other.refused;
        self.lost += other.lost;
        self.exchanges += other.exchanges;
        self.authenticated_exchanges += other.authenticated_exchanges;
        self.faults += other.faults;
        for (rpc, count) in other.rpcs {
            *self.rpcs.entry(rpc).or_default() += count;
        }
        other.complaints.into_iter().for_each(|complaint| self.complain(complaint));
    }
}

impl Latencies {
    pub(super) fn of(mut times: Vec<u32>) -> Self {
        times.sort_unstable();
        let at = |hundredths: usize| times.get((times.len() * hundredths / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default();
        Self { p50_us: at(50), p99_us: at(99), max_us: at(100) }
    }
}
