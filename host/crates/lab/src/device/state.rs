//! What a device remembers between its sessions.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    envelope::Event,
    options::{DeviceOptions, Faults, Later},
    report::{End, Statistics},
    transfer::{Completed, Transfer},
    tree::Tree,
    wake,
};
use crate::wire::LoginSession;

/// The memory of a device.
#[derive(Debug)]
pub(super) struct State {
    pub(super) tree: Tree,
    pub(super) faults: Arc<Faults>,
    pub(super) login: LoginSession,
    /// With which it challenges whoever wakes it, on whatever connection.
    pub(super) nonce: String,
    /// Events that no server has been told of.
    pub(super) pending: Vec<Event>,
    /// Parameters that have changed by themselves since the last Inform.
    pub(super) changed: BTreeSet<String>,
    /// What an Inform tells that has not been answered.
    telling: News,
    staged: Vec<Staged>,
    pub(super) transfers: Vec<Transfer>,
    pub(super) completed: Vec<Completed>,
    /// Messages of its own, each a method with its content.
    pub(super) sayings: Vec<(String, String)>,
    /// When to inform because it was asked to, and its command keys.
    pub(super) scheduled: Vec<(Instant, String)>,
    pub(super) after: After,
    pub(super) retries: u32,
    /// Whether the server has heard of its first start.
    pub(super) bootstrapped: bool,
    pub(super) statistics: Statistics,
    requests: u64,
}

/// What an Inform tells.
#[derive(Debug, Clone, Default)]
pub(super) struct News {
    pub(super) events: Vec<Event>,
    /// Parameters that have changed by themselves.
    pub(super) changed: BTreeSet<String>,
}

/// A value that applies later: at a time, or when something happens.
#[derive(Debug)]
struct Staged {
    name: String,
    value: String,
    due: Option<Instant>,
}

/// What happens when the session is over.
#[derive(Debug, Default)]
pub(super) struct After {
    /// A reboot, with its command key.
    pub(super) reboot: Option<String>,
    pub(super) factory_reset: bool,
}

impl State {
    pub(super) fn new(options: &DeviceOptions) -> Self {
        Self {
            tree: Tree::new(options),
            faults: Arc::new(options.faults.clone()),
            login: LoginSession::default(),
            nonce: wake::nonce(),
            pending: Vec::new(),
            changed: BTreeSet::new(),
            telling: News::default(),
            staged: Vec::new(),
            transfers: Vec::new(),
            completed: Vec::new(),
            sayings: Vec::new(),
            scheduled: Vec::new(),
            after: After::default(),
            retries: 0,
            bootstrapped: false,
            statistics: Statistics::default(),
            requests: 0,
        }
    }

    /// A fresh id for a request of the device.
    pub(super) fn id(&mut self) -> String {
        self.requests += 1;
        self.requests.to_string()
    }

    /// An event that the next Inform is to tell of. Events without a command key are told once.
    pub(super) fn happened(&mut self, code: &str, key: &str) {
        let event = Event { code: code.to_owned(), key: key.to_owned() };
        if code.starts_with('M') || !self.pending.contains(&event) {
            self.pending.push(event);
        }
    }

    /// What there is to tell now. What happens from now on is told another time.
    pub(super) fn tell(&mut self) -> News {
        self.telling = News { events: std::mem::take(&mut self.pending), changed: std::mem::take(&mut self.changed) };
        self.telling.clone()
    }

    /// What was told has been heard.
    pub(super) fn heard(&mut self) {
        let mut events = std::mem::take(&mut self.telling).events;
        self.bootstrapped |= events.iter().any(|event| event.code == "0 BOOTSTRAP");
        // Transfers are over for the server when it has answered to their own message.
        events.retain(|event| !self.completed.is_empty() && event.is_of_transfer());
        self.put_back(events);
    }

    /// What was told and has not been heard is to be told again.
    pub(super) fn unheard(&mut self) {
        let News { events, changed } = std::mem::take(&mut self.telling);
        self.changed.extend(changed);
        self.put_back(events);
    }

    fn put_back(&mut self, events: Vec<Event>) {
        for Event { code, key } in std::mem::replace(&mut self.pending, events) {
            self.happened(&code, &key);
        }
    }

    /// The server has heard that this transfer is over.
    pub(super) fn forget(&mut self, told: &Completed) {
        let Some(position) = self.completed.iter().position(|completed| completed == told) else { return };
        self.completed.remove(position);
        if let Some(position) = self.pending.iter().position(|event| event.code == told.event && event.key == told.key) {
            self.pending.remove(position);
        }
        if self.completed.is_empty() {
            self.pending.retain(|event| event.code != "7 TRANSFER COMPLETE");
        }
    }

    /// Power comes back.
    pub(super) fn boot(&mut self) {
        self.apply();
        self.happened("1 BOOT", "");
    }

    /// Everything is the factory's again.
    pub(super) fn factory_reset(&mut self, options: &DeviceOptions) {
        self.tree.reset(options);
        self.staged.clear();
        self.transfers.clear();
        self.completed.clear();
        self.sayings.clear();
        self.scheduled.clear();
        self.after = After::default();
        self.telling = News::default();
        self.changed.clear();
        self.login = LoginSession::default();
        self.bootstrapped = false;
        self.pending.clear();
        self.happened("0 BOOTSTRAP", "");
        self.happened("1 BOOT", "");
    }

    /// A value applies after this time, or when something happens.
    pub(super) fn stage(&mut self, name: &str, value: &str, after: Option<Duration>) {
        let due = after.map(|after| Instant::now() + after);
        self.staged.push(Staged { name: name.to_owned(), value: value.to_owned(), due });
    }

    /// What was staged for a time that has come is applied.
    pub(super) fn settle(&mut self) {
        if !self.staged.is_empty() {
            let now = Instant::now();
            self.apply_if(|staged| staged.due.is_some_and(|due| due <= now));
        }
    }

    /// What was staged is applied.
    fn apply(&mut self) {
        self.apply_if(|_| true);
    }

    fn apply_if(&mut self, applies: impl Fn(&Staged) -> bool) {
        for Staged { name, value, .. } in self.staged.extract_if(.., |staged| applies(staged)) {
            self.tree.write(&name, &value);
        }
    }

    /// Does what had to wait for the end of the session.
    pub(super) fn finish(&mut self, options: &DeviceOptions, end: &End) {
        self.unheard();
        self.statistics.count(end);
        self.retries = if *end == End::Done { 0 } else { self.retries + 1 };
        if self.faults.status1 == Some(Later::End) {
            self.apply();
        }
        let after = std::mem::take(&mut self.after);
        if after.factory_reset {
            self.factory_reset(options);
        } else if let Some(key) = after.reboot {
            self.boot();
            self.happened("M Reboot", &key);
        } else if *end == End::Rebooted {
            self.boot();
        }
    }
}
