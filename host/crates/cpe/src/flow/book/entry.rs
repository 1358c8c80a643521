//! What is known of one device.

use std::sync::Arc;

use engine::port::SpanContext;
use pipeline::{RunId, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    acs::SessionId,
    flow::{
        facts::{DEVICE_COLLECTION, Facts, digest_of},
        inventory::EMBEDDED,
        projection::DeviceState,
    },
    soap::Inform,
};

/// What is known of one device.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// A number of what it says of itself; 0 before it said anything.
    pub(crate) facts: u64,
    /// Whether it ever proved who it is.
    pub(crate) proven: bool,
    /// Its provisioning.
    pub(crate) standing: Option<Standing>,
    /// A provisioning is about to be begun, which takes over from this run if there is one.
    pub(crate) starting: Option<Option<RunId>>,
    /// The commands that wait for it.
    pub(crate) commands: Vec<RunId>,
    /// How many are about to be given.
    pub(crate) giving: usize,
    /// The last run for which it was called, and how often.
    pub(crate) called: Option<(RunId, usize)>,
    /// The runs that have nothing more to say to it in its session.
    pub(crate) resting: Vec<RunId>,
    /// Its session.
    pub(crate) session: Option<Box<Session>>,
}

/// Where the provisioning of a device stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The last run.
    pub(crate) run: RunId,
    /// What has come of it.
    pub(crate) state: DeviceState,
    /// Since when.
    pub(crate) since: Timestamp,
    /// Whether a reset began it.
    pub(crate) bootstrap: bool,
    /// The plan of the customer, once it is known.
    pub(crate) plan: Option<Arc<str>>,
    /// A number of what built the configuration.
    pub(crate) plugin: Option<u64>,
    /// A number of the version of the profile.
    pub(crate) profile: Option<u64>,
    /// Whether the host itself keeps the profile.
    pub(crate) embedded: bool,
    /// Whether it is held because the device did not come.
    pub(crate) timed_out: bool,
    /// The root span of the run.
    pub(crate) trace: Option<Box<SpanContext>>,
}

/// A session of a device.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// Which.
    pub(crate) id: SessionId,
    /// When it began.
    pub(crate) since: Timestamp,
    /// How it began.
    pub(crate) inform: Arc<Inform>,
    /// Whether it is the root span of a run.
    pub(crate) began_run: bool,
    /// Whether the device was waited for.
    pub(crate) awaited: bool,
}

impl Entry {
    /// Takes in a document.
    pub(crate) fn read(&mut self, collection: &str, body: &Value) {
        if collection == DEVICE_COLLECTION {
            if let Ok(facts) = Facts::deserialize(body) {
                (self.facts, self.proven) = (facts.digest(), facts.proven);
            }
        } else if let Some(standing) = Standing::read(body) {
            self.stand(standing);
        }
    }

    /// Takes in where a provisioning stands, unless a newer one is known.
    pub(crate) fn stand(&mut self, new: Standing) {
        match &mut self.standing {
            Some(known) if known.run > new.run => {}
            Some(known) if known.run == new.run => {
                // Events are shown late, and again after a restart: what is over is over.
                if known.is_under_way() || new.since >= known.since {
                    let trace = new.trace.clone().or_else(|| known.trace.take());
                    *known = Standing { trace, ..new };
                }
            }
            Some(_) | None => self.standing = Some(new),
        }
    }

    /// The number of the version of the profile that the device has, if all of it was read back.
    pub(crate) fn provisioned_with(&mut self) -> Option<u64> {
        self.standing.as_ref().filter(|standing| standing.state == DeviceState::Provisioned)?.profile
    }

    pub(crate) fn add_command(&mut self, run: RunId) {
        if !self.commands.contains(&run) {
            self.commands.push(run);
        }
    }

    pub(crate) fn remove_command(&mut self, run: &RunId) {
        self.commands.retain(|known| known != run);
    }
}

impl Standing {
    /// What a document of the state of a device says.
    pub(crate) fn read(body: &Value) -> Option<Self> {
        let text = |field: &str| body[field].as_str();
        Some(Self {
            run: RunId::new(text("run")?).ok()?,
            state: DeviceState::of_name(text("state")?)?,
            since: Timestamp(body["since"].as_u64()?),
            bootstrap: text("trigger") == Some("bootstrap"),
            plan: text("plan").map(Arc::from),
            plugin: text("plugin").map(digest_of),
            profile: text("profile").map(digest_of),
            embedded: text("profile").is_some_and(|version| version.starts_with(EMBEDDED)),
            timed_out: text("result") == Some("timeout"),
            trace: None,
        })
    }

    /// Whether the run goes on by itself.
    pub(crate) fn is_under_way(&self) -> bool {
        self.state == DeviceState::Provisioning
    }
}
