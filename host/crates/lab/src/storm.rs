//! A storm: many devices that call at once, each with a session of its own, and what that was like for them.
//!
//! Devices of a storm are the same virtual devices as any: they parse every request, keep what they were told and answer what they have. A liar among them
//! lies. What a storm measures is what the devices saw.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use tokio::{task::JoinSet, time::Instant};

use crate::device::{Device, DeviceError, DeviceOptions, End, Faults, Lie, SessionReport};

/// The most complaints that a report repeats.
const MAX_COMPLAINTS: usize = 10;

/// How a storm is made.
#[derive(Debug, Clone)]
pub struct StormOptions {
    /// What each device is made of; its serial number is the beginning of theirs.
    pub device: DeviceOptions,
    /// How many devices.
    pub count: usize,
    /// Of so many devices one is a liar; 0 for none.
    pub liar_in: usize,
    /// How many sessions are under way at a time.
    pub concurrency: usize,
    /// How many sessions begin in a second at most.
    pub per_second: Option<NonZeroU32>,
    /// How often a device tries before it gives up.
    pub attempts: u32,
    /// How long a device waits after an attempt that failed, unless the server says less.
    pub pause: Duration,
    /// Whether devices use a nonce that another one was given, so that nobody needs to be challenged. Servers that do not tie nonces to names take it.
    pub share_nonces: bool,
}

/// The devices of a storm. They stay what they are from one storm to the next.
#[derive(Debug, Clone)]
pub struct Storm {
    options: StormOptions,
    devices: Arc<[Device]>,
}

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

impl StormOptions {
    /// A storm of so many devices like this one, 64 at a time.
    pub fn new(device: DeviceOptions, count: usize) -> Self {
        let pause = Duration::from_secs(1);
        Self { device, count, liar_in: 0, concurrency: 64, per_second: None, attempts: 5, pause, share_nonces: false }
    }
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

    fn add(&mut self, session: SessionReport, times: &mut Vec<u32>) {
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

    fn merge(&mut self, other: Self) {
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
    fn of(mut times: Vec<u32>) -> Self {
        times.sort_unstable();
        let at = |hundredths: usize| times.get((times.len() * hundredths / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default();
        Self { p50_us: at(50), p99_us: at(99), max_us: at(100) }
    }
}

impl Storm {
    /// The devices, which have done nothing yet. Their serial numbers end in seven digits, from 1.
    pub fn new(options: StormOptions) -> Self {
        let device = |number: usize| {
            let mut made = options.device.clone();
            made.serial = format!("{}{number:07}", made.serial);
            if options.liar_in > 0 && number.is_multiple_of(options.liar_in) {
                made.faults = Faults { lie: Some(Lie::Everything), ..made.faults };
            }
            Device::new(made)
        };
        let devices = (1..=options.count).map(device).collect();
        Self { options, devices }
    }

    /// The devices.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// One session of each device, which tells of these events and whatever the device has to tell.
    pub async fn run(&self, events: &[&str]) -> Result<StormReport, DeviceError> {
        let events: Arc<[String]> = events.iter().map(|event| (*event).to_owned()).collect();
        let (next, begun) = (Arc::new(AtomicUsize::new(0)), Instant::now());
        let mut workers = JoinSet::new();
        for _ in 0..self.options.concurrency.clamp(1, self.devices.len().max(1)) {
            workers.spawn(self.clone().work(events.clone(), next.clone(), begun));
        }
        let (mut report, mut times) = (StormReport::default(), Vec::new());
        while let Some(done) = workers.join_next().await {
            let (part, part_times) = done.expect("a worker of a storm neither panics nor is cancelled")?;
            report.merge(part);
            times.extend(part_times);
        }
        report.seconds = begun.elapsed().as_secs_f64();
        report.answers = Latencies::of(times);
        Ok(report)
    }

    async fn work(self, events: Arc<[String]>, next: Arc<AtomicUsize>, begun: Instant) -> Result<(StormReport, Vec<u32>), DeviceError> {
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        let (mut report, mut times) = (StormReport::default(), Vec::new());
        let mut last: Option<&Device> = None;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(device) = self.devices.get(number) else { return Ok((report, times)) };
            if let Some(rate) = self.options.per_second {
                tokio::time::sleep_until(begun + Duration::from_secs(1).mul_f64(precise(number) / f64::from(rate.get()))).await;
            }
            if let Some(last) = last.replace(device).filter(|_| self.options.share_nonces) {
                device.take_nonce_of(last);
            }
            let done = self.visit(device, &events, &mut report, &mut times).await?;
            *(if done { &mut report.done } else { &mut report.unfinished }) += 1;
        }
    }

    /// Whether the device had a session to its end.
    async fn visit(&self, device: &Device, events: &[&str], report: &mut StormReport, times: &mut Vec<u32>) -> Result<bool, DeviceError> {
        for attempt in 1..=self.options.attempts {
            let session = device.session(events).await?;
            let ended = session.ended.clone();
            report.add(session, times);
            if ended == End::Done {
                return Ok(true);
            }
            let asked = if let End::Busy(Some(seconds)) = ended { Duration::from_secs(seconds) } else { self.options.pause };
            if attempt < self.options.attempts {
                tokio::time::sleep(asked.min(self.options.pause)).await;
            }
        }
        Ok(false)
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn precise(number: usize) -> f64 {
    number as f64
}
