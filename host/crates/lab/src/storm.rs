//! A storm: many devices that call at once, each with a session of its own, and what that was like for them.
//!
//! Devices of a storm are the same virtual devices as any: they parse every request, keep what they were told and answer what they have. A liar among them
//! lies. What a storm measures is what the devices saw.

mod report;

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant};

pub use self::report::{Latencies, StormReport};
use crate::device::{Device, DeviceError, DeviceOptions, End, Faults, Lie};

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

impl StormOptions {
    /// A storm of so many devices like this one, 64 at a time.
    pub fn new(device: DeviceOptions, count: usize) -> Self {
        let pause = Duration::from_secs(1);
        Self { device, count, liar_in: 0, concurrency: 64, per_second: None, attempts: 5, pause, share_nonces: false }
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
