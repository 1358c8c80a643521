//! A virtual device (CPE) that speaks CWMP (TR-069) over real HTTP and SOAP, as a good one does or as a bad one.
//!
//! ```no_run
//! use lab::device::{Device, DeviceOptions, End, Model};
//!
//! # async fn example() -> Result<(), lab::device::DeviceError> {
//! let options = DeviceOptions { acs_url: "http://127.0.0.1:7547/".to_owned(), ..DeviceOptions::of(Model::Tr181Router, "R0000001") };
//! let device = Device::new(options);
//! let report = device.session(&["0 BOOTSTRAP", "1 BOOT"]).await?;
//! assert_eq!(report.ended, End::Done);
//! println!("{:?}", device.value("Device.WiFi.SSID.1.SSID"));
//! # Ok(())
//! # }
//! ```

mod envelope;
mod kind;
mod life;
mod model;
mod options;
mod report;
mod rpc;
mod session;
mod soap;
mod state;
mod transfer;
mod tree;
mod wake;

use std::sync::{Arc, Mutex, MutexGuard, atomic::AtomicU32};

use tokio::{sync::Notify, time::Instant};

pub use self::{
    life::Listener,
    model::Model,
    options::{DeviceOptions, Faults, Later, Lie, Login, Missing, Vanish},
    report::{End, SessionReport, Statistics},
};
use self::{session::Visit, state::State};
pub use crate::wire::{Tls, TlsError};

/// A virtual device; a clone is the same device.
#[derive(Debug, Clone)]
pub struct Device(Arc<Inner>);

/// Why a device cannot do anything.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The address of its server is none.
    #[error("the device {device} cannot begin a session: {reason}")]
    Url {
        /// Which device.
        device: String,
        /// What is wrong.
        reason: String,
    },
    /// It cannot listen for connection requests.
    #[error("the device {device} cannot listen for connection requests: {error}")]
    Listen {
        /// Which device.
        device: String,
        /// What the system said.
        error: std::io::Error,
    },
}

#[derive(Debug)]
struct Inner {
    options: DeviceOptions,
    state: Mutex<State>,
    woken: Notify,
    in_session: AtomicU32,
}

impl Device {
    /// A device as it leaves the factory. It does nothing by itself.
    pub fn new(options: DeviceOptions) -> Self {
        let state = Mutex::new(State::new(&options));
        Self(Arc::new(Inner { options, state, woken: Notify::new(), in_session: AtomicU32::new(0) }))
    }

    /// What it was made of.
    pub fn options(&self) -> &DeviceOptions {
        &self.0.options
    }

    /// One session, which tells of these events and of those that wait to be told. Transfers that are due are made before.
    pub async fn session(&self, events: &[&str]) -> Result<SessionReport, DeviceError> {
        self.transfer().await;
        self.schedule();
        let visit =
            Visit::begin(&self.0, events).map_err(|error| DeviceError::Url { device: self.0.options.username(), reason: error.to_string() })?;
        let _in_session = wake::InSession::begin(&self.0);
        Ok(visit.run().await)
    }

    /// The value that a parameter really has, hidden or not.
    pub fn value(&self, name: &str) -> Option<String> {
        let mut state = self.0.state();
        state.settle();
        state.tree.value(name, &self.0.options)
    }

    /// How often a server has written a parameter.
    pub fn writes(&self, name: &str) -> u32 {
        self.0.state().tree.writes(name)
    }

    /// The instances of a table, such as `Device.WiFi.SSID.`.
    pub fn instances(&self, table: &str) -> Vec<u32> {
        self.0.state().tree.instances(table).into_iter().collect()
    }

    /// The level of notification of a parameter.
    pub fn notification(&self, name: &str) -> u8 {
        self.0.state().tree.notification(name)
    }

    /// A parameter changes by itself, and is told of if the server wants to know.
    pub fn change(&self, name: &str, value: &str) {
        let mut state = self.0.state();
        state.tree.change(name, value);
        if state.tree.notification(name) > 0 {
            state.changed.insert(name.to_owned());
            state.happened("4 VALUE CHANGE", "");
            self.0.woken.notify_one();
        }
    }

    /// Power is off for a moment.
    pub fn reboot(&self) {
        self.0.state().boot();
        self.0.woken.notify_one();
    }

    /// Somebody holds the button.
    pub fn factory_reset(&self) {
        self.0.state().factory_reset(&self.0.options);
        self.0.woken.notify_one();
    }

    /// What is wrong with it from the next session on.
    pub fn set_faults(&self, faults: Faults) {
        self.0.state().faults = Arc::new(faults);
    }

    /// A message of the device's own, such as `Kicked`, which the next session sends after its Inform. `content` is what the element contains.
    pub fn say(&self, method: &str, content: &str) {
        self.0.state().sayings.push((method.to_owned(), content.to_owned()));
    }

    /// The events that the next session will tell of.
    pub fn pending(&self) -> Vec<String> {
        self.0.state().pending.iter().map(|event| event.code.clone()).collect()
    }

    /// What it has done so far.
    pub fn statistics(&self) -> Statistics {
        self.0.state().statistics
    }

    /// Uses the nonce that another device was given, which can use it no longer.
    pub(crate) fn take_nonce_of(&self, other: &Self) {
        let login = std::mem::take(&mut other.0.state().login);
        self.0.state().login = login;
    }

    /// Makes the transfers that are due.
    async fn transfer(&self) {
        let (due, fault, silent) = {
            let mut state = self.0.state();
            let now = Instant::now();
            let due: Vec<_> = state.transfers.extract_if(.., |transfer| transfer.due <= now).collect();
            (due, state.faults.transfer_fault, state.faults.no_transfer_complete)
        };
        for transfer in due {
            let configuration = self.0.state().tree.configuration(&self.0.options);
            let completed = transfer.make(&configuration, fault).await;
            let mut state = self.0.state();
            if let Some(version) = &completed.version {
                let name = self.0.options.parameter("DeviceInfo.SoftwareVersion");
                state.tree.change(&name, version);
                state.changed.insert(name);
                state.boot();
                state.happened("4 VALUE CHANGE", "");
            }
            if !silent {
                state.happened("7 TRANSFER COMPLETE", "");
                state.happened(completed.event, &transfer.key);
                state.completed.push(completed);
            }
        }
    }

    /// Turns what was scheduled into events.
    fn schedule(&self) {
        let mut state = self.0.state();
        let now = Instant::now();
        let due: Vec<_> = state.scheduled.extract_if(.., |(at, _)| *at <= now).collect();
        for (_, key) in due {
            state.happened("3 SCHEDULED", "");
            state.happened("M ScheduleInform", &key);
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A parameter of the device's own management.
    fn managed(&self, state: &State, name: &str) -> String {
        state.tree.value(&self.options.parameter(&format!("ManagementServer.{name}")), &self.options).unwrap_or_default()
    }
}
