//! Begins provisionings and commands.

use std::fmt::Write;

use engine::{
    api::{InboundTrace, Start, StartError},
    port::WriteError,
};
use pipeline::{PipelineName, RunId, Timestamp};
use serde_json::json;
use tracing::warn;

use super::{Intake, busy};
use crate::{
    acs::{Busy, Contact},
    device::{DeviceId, DeviceKey},
    flow::{
        book::{Book, Entry, MAX_COMMANDS, Standing},
        command::{COMMAND_PIPELINE, Command},
        contract::Device,
        facts::{DEVICE_COLLECTION, Facts, parameters},
        input::{ConnectionRequest, DeviceCommand, Provisioning, Trigger},
        measure::OTHER,
        projection::{DeviceState, STATE_COLLECTION},
        provision::PIPELINE,
        watcher,
    },
    quirks::Quirks,
    soap::Inform,
};

/// What a provisioning begins with, besides its device.
#[derive(Debug)]
pub(super) struct Beginning<'a> {
    trigger: Trigger,
    /// The run that it takes over from, and whether that is held.
    over: Option<(RunId, bool)>,
    inform: Option<&'a Inform>,
    trace: Option<InboundTrace>,
    key: Option<String>,
}

impl<'a> Beginning<'a> {
    pub(super) fn of_contact(contact: &'a Contact, trigger: Trigger, over: Option<(RunId, bool)>) -> Self {
        Self { trigger, over, inform: Some(&contact.inform), trace: None, key: None }
    }
}

/// A provisioning that is being begun, as the book has it.
struct Starting<'a> {
    book: &'a Book,
    device: &'a DeviceKey,
    /// The book knows what came of it.
    over: bool,
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.book.known(self.device, |entry| entry.starting = None);
        }
    }
}

/// Why a device cannot be provisioned now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProvisionError {
    /// It never contacted the host, which does not know what it is. It is provisioned when it does.
    #[error("device {0} has not contacted the host yet: it is provisioned when it does")]
    NotSeen(DeviceKey),
    /// Try again later.
    #[error("the device cannot be provisioned now: try again later")]
    Busy,
}

/// Why a command cannot be given now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Nobody knows the device.
    #[error("device {0} has not contacted the host yet")]
    NotSeen(DeviceKey),
    /// As many wait as may.
    #[error("as many commands wait for device {0} as may: {MAX_COMMANDS}")]
    TooMany(DeviceKey),
    /// The engine refuses.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Try again later.
    #[error("the command cannot be given now: {0}")]
    Unavailable(String),
}

impl Intake {
    /// Provisions a device that contacted the host before. In session or not: the run waits for it. A key makes the same request begin one run only.
    ///
    /// # Errors
    ///
    /// The device is not known, or nothing can be begun now.
    pub async fn provision(
        &self,
        device: &DeviceKey,
        trigger: Trigger,
        trace: Option<InboundTrace>,
        key: Option<String>,
    ) -> Result<RunId, ProvisionError> {
        let unavailable = |error: &dyn std::fmt::Display| {
            busy(error);
            ProvisionError::Busy
        };
        self.parts.book.ensure(device).await.map_err(|error| unavailable(&error))?;
        let facts = self.parts.book.facts(device).await.map_err(|error| unavailable(&error))?;
        let facts = facts.ok_or_else(|| ProvisionError::NotSeen(device.clone()))?;
        let over = self.parts.book.write(device, |entry| {
            if entry.starting.is_some() {
                return Err(ProvisionError::Busy);
            }
            let standing = entry.standing.as_ref().filter(|standing| matches!(standing.state, DeviceState::Provisioning | DeviceState::Held));
            let over = standing.map(|standing| (standing.run.clone(), standing.state == DeviceState::Held));
            entry.starting = Some(over.as_ref().map(|(run, _)| run.clone()));
            Ok(over)
        })?;
        let beginning = Beginning { trigger, over, inform: None, trace, key };
        self.begin(device, beginning, facts, false, false).await.map_err(|Busy| ProvisionError::Busy)
    }

    /// Has something done with a device, now or when it is in session next.
    ///
    /// # Errors
    ///
    /// The device is not known, or the command cannot be kept.
    pub async fn command(&self, device: &DeviceKey, command: Command, by: &str) -> Result<RunId, CommandError> {
        let unavailable = |error: engine::port::ReadError| CommandError::Unavailable(error.to_string());
        self.parts.book.ensure(device).await.map_err(unavailable)?;
        let facts = self.parts.book.facts(device).await.map_err(unavailable)?.ok_or_else(|| CommandError::NotSeen(device.clone()))?;
        let place = self.parts.book.place(device).ok_or_else(|| CommandError::TooMany(device.clone()))?;
        let input = json!(DeviceCommand { id: facts.id, serial: facts.device.serial, oui: facts.device.oui, command, by: by.to_owned() });
        let start = Start { tenant: self.parts.tenant.clone(), pipeline: word(COMMAND_PIPELINE), input, idempotency_key: None, trace: None };
        let run = self.parts.engine.start(start).await?.run;
        self.parts.book.write(device, |entry| entry.add_command(run.clone()));
        drop(place);
        // It may be over already, and whoever follows it have said so before it was noted.
        let over = self.parts.engine.query(&run).await.is_ok_and(|view| view.is_some_and(|view| view.run.outcome().is_some()));
        if over {
            self.parts.book.known(device, |entry| entry.remove_command(&run));
        }
        Ok(run)
    }

    /// Tries devices again at their next contact whose provisioning failed: what they lacked may be there now.
    pub fn try_again(&self, devices: &[DeviceKey]) {
        for device in devices {
            self.parts.book.known(device, |entry| {
                if let Some(standing) = entry.standing.as_mut().filter(|standing| standing.state == DeviceState::Failed) {
                    standing.since = Timestamp(0);
                }
            });
        }
    }

    /// Forgets what a device said of itself and where its provisioning stands: its next contact is its first. What waits for it ends.
    ///
    /// # Errors
    ///
    /// The store cannot be written to.
    pub async fn forget(&self, device: &DeviceKey) -> Result<(), WriteError> {
        self.parts.book.ensure(device).await.map_err(|error| WriteError::Unavailable(error.to_string()))?;
        for collection in [DEVICE_COLLECTION, STATE_COLLECTION] {
            self.parts.documents.remove(collection, device.as_str()).await?;
        }
        let (standing, waiting) = self.parts.book.write(device, |entry| {
            (entry.facts, entry.proven) = (0, false);
            (entry.standing.take(), entry.commands.clone())
        });
        let held = standing.as_ref().filter(|standing| standing.state == DeviceState::Held).map(|standing| &standing.run);
        if let Some(run) = held
            && let Err(error) = watcher::fail(&*self.parts.engine, run, "the device was forgotten").await
        {
            warn!(%run, "a run of a device that was forgotten stays held: {error}");
        }
        // What waits finds that nobody knows the device; if it cannot be woken now, that is later.
        let under_way = standing.filter(Standing::is_under_way).map(|standing| standing.run);
        for run in under_way.into_iter().chain(waiting) {
            if let Err(error) = self.parts.engine.wake(&run).await {
                warn!(%run, "a run of a device that was forgotten goes on waiting: {error}");
            }
        }
        Ok(())
    }

    /// Begins a provisioning, durably, and ends the one that it takes over from.
    pub(super) async fn begin(&self, device: &DeviceKey, beginning: Beginning<'_>, heard: Facts, news: bool, is_new: bool) -> Result<RunId, Busy> {
        // Whatever becomes of this, also when nobody waits for it any more, others may begin something afterwards.
        let mut starting = Starting { book: &self.parts.book, device, over: false };
        let Beginning { trigger, over, inform, trace, key } = beginning;
        let engine = &*self.parts.engine;
        let digest = heard.digest();
        let (facts, given) = self.facts_for_run(device, heard, is_new, inform.is_none()).await?;
        let keep = news || is_new || given;
        let quirks = self.parts.quirks.resolve(&named(&facts.device), &facts.device.model, &facts.device.software_version);
        let trace = match trace {
            Some(trace) => Some(trace),
            // What an order began goes on in its trace when the device comes for the first time.
            None if self.parts.book.known(device, |entry| entry.standing.is_none()).unwrap_or(true) => self.parts.inventory.trace_of(device).await,
            None => None,
        };
        let start = Start {
            tenant: self.parts.tenant.clone(),
            pipeline: word(PIPELINE),
            input: json!(self.input(device, &facts, trigger, inform, &quirks)),
            idempotency_key: key,
            trace,
        };
        // Both are durable before the device has its answer; together they share one write.
        let (kept, started) = tokio::join!(self.keep(&facts, keep), engine.start(start));
        let started = started.map_err(|error| busy(&error))?;
        self.parts.book.write(device, |entry| {
            entry.starting = None;
            if keep && kept.is_ok() && inform.is_some() {
                (entry.facts, entry.proven) = (digest, facts.proven);
            }
            // It may be over already, and the book may know.
            let unknown = entry.standing.as_ref().is_none_or(|known| known.run < started.run);
            if started.created && unknown {
                entry.stand(standing(&started.run, trigger, self.parts.clock.now()));
            }
        });
        starting.over = true;
        kept?;
        // A request that is repeated takes over from nothing.
        match over.filter(|(old, _)| started.created && *old < started.run) {
            // Only a person would end it otherwise.
            Some((old, true)) => watcher::fail(engine, &old, "another provisioning of the device took over").await.map_err(|error| busy(&error))?,
            // It notices by itself that its time is over; if nothing waits, that is later.
            Some((old, false)) => drop(engine.wake(&old).await.inspect_err(|error| warn!(run = %old, "a run goes on waiting: {error}"))),
            None => {}
        }
        Ok(started.run)
    }

    /// What is known of the device, with what it was given for connection requests, and whether that is new.
    async fn facts_for_run(&self, device: &DeviceKey, heard: Facts, is_new: bool, as_kept: bool) -> Result<(Facts, bool), Busy> {
        let earlier = match is_new || as_kept {
            true => None,
            false => self.parts.book.facts(device).await.map_err(|error| busy(&error))?,
        };
        let facts = earlier.map_or(heard.clone(), |earlier| heard.renewed(earlier));
        // A device that has not proved who it is gets no secret, also not this one.
        let may_have = self.options.connection_requests && (facts.proven || self.options.allow_unproven);
        if facts.connection_request.is_some() || !may_have || as_kept {
            return Ok((facts, false));
        }
        let connection_request = self.credentials(&facts.id);
        let given = connection_request.is_some();
        Ok((Facts { connection_request, ..facts }, given))
    }

    async fn keep(&self, facts: &Facts, news: bool) -> Result<(), Busy> {
        if news { self.parts.documents.put(vec![facts.document()]).await.map_err(|error| busy(&error)) } else { Ok(()) }
    }

    /// A password that nobody knows but the device and the host. Without a key to seal with, devices are given none.
    fn credentials(&self, id: &str) -> Option<ConnectionRequest> {
        let mut bytes = [0_u8; 12];
        getrandom::fill(&mut bytes).ok()?;
        let mut password = String::with_capacity(24);
        for byte in bytes {
            write!(password, "{byte:02x}").ok()?;
        }
        let password = zeroize::Zeroizing::new(password);
        let handle = self.parts.secrets.seal(&self.parts.tenant, &password).ok()?;
        Some(ConnectionRequest { username: id.to_owned(), password: handle })
    }

    fn input(&self, device: &DeviceKey, facts: &Facts, trigger: Trigger, inform: Option<&Inform>, quirks: &Quirks) -> Provisioning {
        let known = self.options.models.contains(&facts.device.model);
        Provisioning {
            id: facts.id.clone(),
            device: facts.device.clone(),
            events: inform.map(|inform| inform.events.iter().map(|event| event.code.clone()).collect()).unwrap_or_default(),
            trigger,
            model_label: if known { facts.device.model.clone() } else { OTHER.to_owned() },
            parameters: inform.map(|inform| parameters(inform, quirks)).unwrap_or_default(),
            profile: self.parts.book.known(device, Entry::provisioned_with).flatten(),
            read_first: quirks.read_first.clone(),
            connection_request: facts.connection_request.clone().filter(|_| facts.proven || self.options.allow_unproven),
        }
    }
}

/// A device as quirks know it.
fn named(device: &Device) -> DeviceId {
    let Device { manufacturer, oui, product_class, serial, .. } = device.clone();
    DeviceId { manufacturer, oui, product_class, serial }
}

fn standing(run: &RunId, trigger: Trigger, now: Timestamp) -> Standing {
    let bootstrap = trigger == Trigger::Bootstrap;
    Standing {
        run: run.clone(),
        state: DeviceState::Provisioning,
        since: now,
        bootstrap,
        plan: None,
        plugin: None,
        profile: None,
        embedded: false,
        timed_out: false,
        trace: None,
    }
}

fn word(name: &str) -> PipelineName {
    PipelineName::new(name).expect("the names of the pipelines are valid names")
}
