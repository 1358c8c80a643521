//! What devices are contacted for: an Inform begins a run, wakes one, or is for nothing, which costs nothing.

mod decide;
mod spans;
mod start;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use engine::{
    api::Engine,
    port::{Clock, Document, Documents, LiveSpans, Secrets},
};
use pipeline::{RunId, TenantName};
use serde::Deserialize as _;
use serde_json::json;
use tracing::warn;

pub use self::start::{CommandError, ProvisionError};
use self::{
    decide::{Decision, Seen},
    start::Beginning,
};
use super::{
    book::{Book, Entry, Session, Standing},
    facts::{Facts, digest_of, model_and_firmware},
    input::ConnectionRequest,
    inventory::Inventory,
    options::Options,
    provision::selectors,
    runner::run_of_command_key,
    watcher::root_of,
};
use crate::{
    acs::{Admission, Busy, Contact, Intake as AcsIntake, SessionEnd, SessionId, Work},
    device::DeviceKey,
    quirks::{KeptQuirks, Quirks},
    soap::{DeviceRpc, Inform, TransferComplete},
};

/// The collection of ends of transfers that commands wait for; the ids are the command keys.
pub(crate) const TRANSFER_COLLECTION: &str = "cpe-transfer";

/// What builds the configuration of a device with these selectors now: a digest, or `native:` and a name. `None` where that cannot be said, as in a canary.
pub type Builders = Arc<dyn Fn(&[(&'static str, String)]) -> Option<String> + Send + Sync>;

/// What the intake works with.
#[derive(Clone)]
pub struct IntakeParts {
    /// Starts and wakes runs.
    pub engine: Arc<dyn Engine>,
    /// Where devices are kept.
    pub documents: Arc<dyn Documents>,
    /// Seals the passwords that devices are given.
    pub secrets: Arc<dyn Secrets>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Takes the spans of sessions.
    pub spans: Arc<dyn LiveSpans>,
    /// The book of devices.
    pub book: Arc<Book>,
    /// Devices and plans that the host itself keeps.
    pub inventory: Arc<Inventory>,
    /// How devices differ from the standard.
    pub quirks: Arc<KeptQuirks>,
    /// What builds configurations now.
    pub builders: Builders,
    /// Whose devices these are.
    pub tenant: TenantName,
}

impl fmt::Debug for IntakeParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntakeParts").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// Decides what devices are contacted for.
#[derive(Debug, Clone)]
pub struct Intake {
    parts: IntakeParts,
    options: Arc<Options>,
}

impl Intake {
    /// An intake over a book that was loaded.
    pub fn new(options: &Options, parts: IntakeParts) -> Self {
        Self { parts, options: Arc::new(options.clone()) }
    }

    /// Notes the session and says what it is for.
    fn open(&self, contact: &Contact, facts: &Facts, profile: Option<u64>) -> Opened {
        let now = contact.at;
        let builder = self.builder(&contact.device, facts);
        self.parts.book.write(&contact.device, |entry| {
            // Whoever only claims to be a device that has proved itself before changes nothing and learns nothing.
            let trusted = contact.proof.is_own() || self.options.allow_unproven || !entry.proven;
            let changed = entry.standing.as_ref().is_some_and(|standing| trusted && has_changed(standing, builder.as_ref(), profile));
            let seen = Seen::of(&contact.inform, entry.standing.as_ref(), now, changed, &self.options);
            let decision = if !trusted || entry.starting.is_some() { Decision::Nothing } else { decide::decide(&seen) };
            let commands = if trusted { entry.commands.clone() } else { Vec::new() };
            // What is being begun by somebody else may come to this session.
            let awaited = decision != Decision::Nothing || !commands.is_empty() || (trusted && entry.starting.is_some());
            if let Decision::Start { over, .. } = &decision {
                entry.starting = Some(over.as_ref().map(|(run, _)| run.clone()));
            }
            let (id, inform) = (contact.session, contact.inform.clone());
            let began_run = matches!(decision, Decision::Start { .. });
            entry.resting.clear();
            entry.session = trusted.then(|| Session { id, since: now, inform, began_run, awaited }.into());
            let digest = facts.digest();
            let news = trusted && entry.facts != digest;
            Opened { decision, commands, awaited, news, is_new: entry.facts == 0 }
        })
    }

    /// What would build the configuration of a device now, and the run whose plan that goes by. Asked before the book is looked at: it is not the book's to wait.
    fn builder(&self, device: &DeviceKey, facts: &Facts) -> Option<(RunId, u64)> {
        let matters = |standing: &&Standing| !standing.is_under_way() && standing.plugin.is_some();
        let of = |entry: &mut Entry| entry.standing.as_ref().filter(matters).map(|standing| (standing.run.clone(), standing.plan.clone()));
        let (run, plan) = self.parts.book.known(device, of).flatten()?;
        let builder = (self.parts.builders)(&selectors::of_configuration(&facts.device, plan.as_deref().unwrap_or_default()))?;
        Some((run, digest_of(&builder)))
    }

    /// A number of the version of the profile that the host keeps for a device whose last profile was the host's.
    async fn profile_version(&self, device: &DeviceKey) -> Option<u64> {
        let matters = |standing: &Standing| standing.embedded && !standing.is_under_way();
        let matters = self.parts.book.known(device, |entry| entry.standing.as_ref().is_some_and(matters)).unwrap_or(false);
        if matters { self.parts.inventory.version(device).await.map(|version| digest_of(&version)) } else { None }
    }

    /// Whether there was anything to wake.
    async fn wake(&self, run: &RunId) -> Result<bool, Busy> {
        self.parts.engine.wake(run).await.map_err(|error| busy(&error))
    }

    /// Carries out what was decided, and says whether requests to the device may come. Answers when it is durable.
    async fn carry_out(&self, contact: &Contact, facts: Facts, opened: &Opened) -> Result<bool, Busy> {
        let mut awaited = opened.awaited && opened.decision == Decision::Nothing && opened.commands.is_empty();
        match &opened.decision {
            Decision::Start { trigger, over } => {
                let beginning = Beginning::of_contact(contact, *trigger, over.clone());
                self.begin(&contact.device, beginning, facts, opened.news, opened.is_new).await?;
                awaited = true;
            }
            Decision::Wake(run) => {
                self.renew(&contact.device, facts, opened.news).await?;
                self.learn_trace(&contact.device, run).await;
                awaited |= self.wake(run).await?;
            }
            Decision::Nothing => self.renew(&contact.device, facts, opened.news).await?,
        }
        for run in &opened.commands {
            awaited |= self.wake(run).await?;
        }
        Ok(awaited)
    }

    /// The span of this session names that of the run, which a host that was started meanwhile does not know.
    async fn learn_trace(&self, device: &DeviceKey, run: &RunId) {
        let unknown = |entry: &mut Entry| entry.standing.as_ref().is_some_and(|standing| standing.run == *run && standing.trace.is_none());
        if !self.parts.book.known(device, unknown).unwrap_or(false) {
            return;
        }
        // A link is not worth more than one look.
        if let Ok(Some(view)) = self.parts.engine.query(run).await {
            let root = root_of(&view.run);
            self.parts.book.known(device, |entry| {
                entry.standing.iter_mut().filter(|standing| standing.run == *run).for_each(|standing| standing.trace = Some(root.clone().into()));
            });
        }
    }

    /// Keeps what the device says of itself, where that changed.
    async fn renew(&self, device: &DeviceKey, facts: Facts, news: bool) -> Result<(), Busy> {
        if !news {
            return Ok(());
        }
        let earlier = self.parts.book.facts(device).await.map_err(|error| busy(&error))?;
        let heard = facts.digest();
        let facts = match earlier {
            Some(earlier) => facts.renewed(earlier),
            None => Facts { connection_request: self.given(device).await?, ..facts },
        };
        self.parts.documents.put(vec![facts.document()]).await.map_err(|error| busy(&error))?;
        self.parts.book.write(device, |entry| (entry.facts, entry.proven) = (heard, facts.proven));
        Ok(())
    }

    /// What the run that provisions a device gives it for connection requests. Known from there only where it could not be kept when the run began.
    async fn given(&self, device: &DeviceKey) -> Result<Option<ConnectionRequest>, Busy> {
        let run = self.parts.book.known(device, |entry| entry.standing.as_ref().map(|standing| standing.run.clone())).flatten();
        let Some(run) = run else { return Ok(None) };
        let view = self.parts.engine.query(&run).await.map_err(|error| busy(&error))?;
        Ok(view.and_then(|view| ConnectionRequest::deserialize(&view.run.input()["connection-request"]).ok()))
    }

    async fn transferred(&self, device: &DeviceKey, complete: &TransferComplete) -> Result<(), Busy> {
        let Some(run) = run_of_command_key(&complete.command_key) else { return Ok(()) };
        self.parts.book.ensure(device).await.map_err(|error| busy(&error))?;
        let waits = self.parts.book.known(device, |entry| entry.commands.contains(&run)).unwrap_or(false);
        if !waits {
            return Ok(());
        }
        let body = json!(complete);
        let attributes = vec![("device", device.to_string())];
        let document =
            Document { collection: TRANSFER_COLLECTION, id: complete.command_key.clone(), rank: self.parts.clock.now().0, body, attributes };
        self.parts.documents.put(vec![document]).await.map_err(|error| busy(&error))?;
        self.wake(&run).await.map(drop)
    }
}

/// What was decided about a contact.
#[derive(Debug)]
struct Opened {
    decision: Decision,
    commands: Vec<RunId>,
    /// Whether requests to the device may come.
    awaited: bool,
    /// Whether the device says something new of itself.
    news: bool,
    /// Whether it never said anything before.
    is_new: bool,
}

/// Whether what builds the configuration, or the profile that the host keeps, is another one than when the device was provisioned.
fn has_changed(standing: &Standing, builder: Option<&(RunId, u64)>, profile: Option<u64>) -> bool {
    let other = |(run, now): &(RunId, u64)| *run == standing.run && standing.plugin.is_some_and(|known| known != *now);
    !standing.is_under_way() && (builder.is_some_and(other) || standing.profile.zip(profile).is_some_and(|(known, now)| known != now))
}

/// The device is told to come again later; the operator is told why.
fn busy(error: &dyn fmt::Display) -> Busy {
    warn!("a device is told to come again later: {error}");
    Busy
}

#[async_trait]
impl AcsIntake for Intake {
    async fn inform(&self, contact: Contact) -> Result<Admission, Busy> {
        self.parts.book.ensure(&contact.device).await.map_err(|error| busy(&error))?;
        let facts = Facts::of(&contact, &contact.quirks);
        let profile = self.profile_version(&contact.device).await;
        let opened = self.open(&contact, &facts, profile);
        let carried_out = self.carry_out(&contact, facts, &opened).await;
        if carried_out.is_err() {
            self.parts.book.known(&contact.device, |entry| entry.session.take_if(|open| open.id == contact.session));
        }
        Ok(Admission { work: if carried_out? { Work::Expected } else { Work::None } })
    }

    async fn event(&self, device: &DeviceKey, rpc: &DeviceRpc) -> Result<(), Busy> {
        match rpc {
            DeviceRpc::TransferComplete(complete) => self.transferred(device, complete).await,
            // Answered and nothing more: nobody here asked for them.
            DeviceRpc::AutonomousTransferComplete(_)
            | DeviceRpc::GetRpcMethods
            | DeviceRpc::RequestDownload { .. }
            | DeviceRpc::Kicked { .. }
            | DeviceRpc::DuStateChangeComplete { .. }
            | DeviceRpc::AutonomousDuStateChangeComplete { .. } => Ok(()),
        }
    }

    fn ended(&self, device: &DeviceKey, session: SessionId, end: SessionEnd) {
        let over = self.parts.book.known(device, |entry| {
            let over = entry.session.take_if(|open| open.id == session)?;
            let root = entry.standing.as_ref().filter(|_| over.awaited).and_then(|standing| standing.trace.clone());
            Some((over, root))
        });
        if let Some((over, root)) = over.flatten() {
            spans::record(&*self.parts.spans, self.parts.clock.now(), &over, root.map(|root| *root), end, || self.quirks(&over.inform));
        }
    }

    fn quirks(&self, inform: &Inform) -> Arc<Quirks> {
        let (model, firmware) = model_and_firmware(inform);
        Arc::new(self.parts.quirks.resolve(&inform.device, model, firmware))
    }
}
