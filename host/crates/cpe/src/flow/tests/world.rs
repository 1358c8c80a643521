//! A host in memory: the engine, the intake and the provider over devices made of maps.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use engine::{
    Driver, Options as EngineOptions, Pack, Ports, Routed,
    api::Engine,
    port::{
        Answer, Document, DocumentError, DocumentPage, DocumentQuery, Documents, Journal, ReadError, RunState, Runner, SpanContext, SystemClock,
        WriteError,
    },
    testing::{MemorySecrets, MemorySpans, MemoryStore, Providers, pin, table},
};
use pipeline::{Failure, Outcome, Pin, RunId, TenantName, Verbs};
use serde_json::Value;
use tokio::sync::Notify;

use super::device::{Device, Reply};
use crate::{
    acs::{Admission, AskError, Busy, Contact, Intake as _, Live, Proof, SessionEnd, SessionId, Work},
    device::DeviceKey,
    flow::{
        Caller, DEVICE_CONTRACT, DeviceRunner, EmbeddedInventory, EmbeddedProfile, Intake, IntakeParts, Inventory, NewDevice, NewPlan, Options,
        Sessions, StepOptions, Watcher,
        book::{Book, Standing},
        command_definition, command_document, definition, document,
    },
    quirks::{KeptQuirks, QuirkRecord, QuirkTable},
    soap::{Namespace, Rpc},
    wake::{WakeOptions, Waker},
};

/// Answers the contract `configuration`.
pub(crate) type Builder = Arc<dyn Fn(&Value) -> Result<Value, Failure> + Send + Sync>;

/// How a host is set up.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) options: Options,
    pub(crate) builder: Builder,
    /// What the inventory answers instead of its own answer.
    pub(crate) profile: Option<Arc<dyn Fn() -> Failure + Send + Sync>>,
    pub(crate) proof: Proof,
    /// What the plugin is called.
    pub(crate) plugin: &'static str,
    /// How devices differ from the standard.
    pub(crate) quirks: Vec<QuirkRecord>,
    /// How devices that are waited for are called, if they are.
    pub(crate) calls: Option<WakeOptions>,
    /// Whether what the intake keeps of devices cannot be written.
    pub(crate) keeps_nothing: Arc<AtomicBool>,
}

impl Default for Setup {
    fn default() -> Self {
        let quick = StepOptions { retry_initial_ms: 1, retry_max_ms: 2, ..StepOptions::default() };
        let defaults = Options::default();
        let options = Options {
            models: vec!["R-1".to_owned()],
            authenticate: quick,
            fetch_profile: quick,
            build_config: quick,
            push_config: quick,
            verify: StepOptions { max_attempts: defaults.verify.max_attempts, ..quick },
            ..defaults
        };
        let builder: Builder = Arc::new(|request| Ok(super::story::configuration(request)));
        Self { options, builder, profile: None, proof: Proof::Own, plugin: "builder", quirks: Vec::new(), calls: None, keeps_nothing: Arc::default() }
    }
}

/// What outlives a host that is killed.
pub(crate) struct Ground {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) secrets: Arc<MemorySecrets>,
    pub(crate) spans: Arc<MemorySpans>,
    sessions: AtomicU64,
}

impl Default for Ground {
    fn default() -> Self {
        Self { store: Arc::default(), secrets: Arc::default(), spans: Arc::default(), sessions: AtomicU64::new(0) }
    }
}

/// A host.
pub(crate) struct World {
    pub(crate) ground: Arc<Ground>,
    pub(crate) setup: Setup,
    pub(crate) driver: Arc<Driver>,
    pub(crate) intake: Intake,
    pub(crate) inventory: Arc<Inventory>,
    pub(crate) quirks: Arc<KeptQuirks>,
    book: Arc<Book>,
    pub(crate) lines: Arc<Lines>,
}

/// Documents of the intake, which can be full while everything else has room.
#[derive(Debug)]
struct Keeper {
    store: Arc<MemoryStore>,
    full: Arc<AtomicBool>,
}

#[async_trait]
impl Documents for Keeper {
    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError> {
        Documents::get(&*self.store, collection, id).await
    }

    async fn put(&self, documents: Vec<Document>) -> Result<(), DocumentError> {
        if self.full.load(Ordering::SeqCst) {
            return Err(WriteError::Unavailable("there is no room".to_owned()).into());
        }
        Documents::put(&*self.store, documents).await
    }

    async fn remove(&self, collection: &str, id: &str) -> Result<(), WriteError> {
        self.store.remove(collection, id).await
    }

    async fn find(&self, query: DocumentQuery) -> Result<DocumentPage, ReadError> {
        self.store.find(query).await
    }
}

/// The devices that are in session.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    open: Mutex<HashMap<DeviceKey, Line>>,
    over: Notify,
    /// The host is dead: what devices say is not heard any more.
    dead: AtomicBool,
    /// After so many answers the host dies.
    pub(crate) dies_after: Mutex<Option<(u32, bool)>>,
}

#[derive(Debug)]
struct Line {
    live: Live,
    device: Device,
    ended: Option<SessionEnd>,
}

#[async_trait]
impl Sessions for Lines {
    fn in_session(&self, device: &DeviceKey) -> Option<Live> {
        self.open.lock().unwrap().get(device).filter(|line| line.ended.is_none()).map(|line| line.live.clone())
    }

    async fn ask(&self, device: &DeviceKey, session: SessionId, rpc: Rpc, _: Option<SpanContext>) -> Result<crate::soap::Answer, AskError> {
        if let Some(how) = self.dies() {
            // The request was carried out or not; its answer is never heard.
            if how && let Some(line) = self.open.lock().unwrap().get_mut(device) {
                line.device.ask(&rpc);
            }
            self.dead.store(true, Ordering::SeqCst);
            self.over.notify_waiters();
            std::future::pending::<()>().await;
        }
        let mut open = self.open.lock().unwrap();
        let line = open.get_mut(device).filter(|line| line.live.session == session && line.ended.is_none()).ok_or(AskError::NotInSession)?;
        match line.device.ask(&rpc) {
            Reply::Answer(answer) => Ok(answer),
            Reply::Fault(fault) => Err(AskError::Fault(fault)),
            Reply::Gone => {
                line.ended = Some(SessionEnd::DeviceLeft);
                drop(open);
                self.over.notify_waiters();
                Err(AskError::Lost { sent: true })
            }
        }
    }

    fn expect(&self, device: &DeviceKey, session: SessionId, more: bool) {
        if let (Some(line), false) = (self.open.lock().unwrap().get_mut(device).filter(|line| line.live.session == session), more) {
            line.ended.get_or_insert(SessionEnd::Done);
        }
        self.over.notify_waiters();
    }
}

impl Lines {
    fn dies(&self) -> Option<bool> {
        let mut after = self.dies_after.lock().unwrap();
        match &mut *after {
            Some((0, how)) => Some(*how),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }
}

impl World {
    pub(crate) async fn new(setup: Setup) -> Self {
        let world = Self::on(Arc::default(), setup).await;
        let plan = serde_json::from_value::<NewPlan>(super::story::plan()).unwrap();
        world.inventory.put_plan(plan).await.unwrap();
        let device: NewDevice = serde_json::from_value(super::story::known_device()).unwrap();
        world.inventory.import(vec![device]).await.unwrap();
        world
    }

    /// A host over what another one left.
    pub(crate) async fn on(ground: Arc<Ground>, setup: Setup) -> Self {
        let Ground { store, secrets, spans, .. } = &*ground;
        let (store, options, clock) = (store.clone(), setup.options.clone(), Arc::new(SystemClock));
        let documents: Arc<dyn Documents> = store.clone();
        let lines = Arc::new(Lines::default());
        let book = Arc::new(Book::new(documents.clone(), &options));
        book.load().await.unwrap();
        let tenant = TenantName::new("default").unwrap();
        let inventory = Arc::new(Inventory::new(documents.clone(), secrets.clone(), clock.clone(), tenant.clone(), "cwmp".to_owned()));
        let mut device = DeviceRunner::new(lines.clone(), book.clone(), documents.clone(), secrets.clone(), clock.clone(), &options);
        if let Some(calls) = &setup.calls {
            device = device.with_caller(Caller::new(documents.clone(), secrets.clone(), Arc::new(Waker::new(calls.clone(), clock.clone()))));
        }
        let watcher = Arc::new(Watcher::new(book.clone(), lines.clone(), documents.clone(), clock.clone()));
        let mut native: HashMap<String, Arc<dyn Runner>> = HashMap::new();
        native.insert("cwmp".to_owned(), Arc::new(device));
        native.insert("embedded-inventory".to_owned(), Arc::new(EmbeddedInventory(inventory.clone())));
        native.insert("embedded-profile".to_owned(), Arc::new(EmbeddedProfile(inventory.clone())));
        let (build, profile) = (setup.builder.clone(), setup.profile.clone());
        let builder = Providers::default().with(setup.plugin, move |call| {
            let answer = build(&call.request);
            async move { answer.map(Answer::Done) }
        });
        let down = Providers::default().with("profile-down", move |_| {
            let failure = profile.as_ref().map(|profile| profile());
            async move { Err(failure.expect("a failure")) }
        });
        native.insert(setup.plugin.to_owned(), Arc::new(builder));
        native.insert("profile-down".to_owned(), Arc::new(down));
        let profile = if setup.profile.is_some() { "profile-down" } else { "embedded-profile" };
        let pure = |name: &str| Pin { verbs: Verbs::default(), idempotent: true, ..pin(name) };
        let bound = table([
            (DEVICE_CONTRACT, DeviceRunner::pin()),
            ("jackfield:cpe/inventory@1", pure("embedded-inventory")),
            ("jackfield:cpe/profile@1", pure(profile)),
            ("jackfield:cpe/configuration@1", pure(setup.plugin)),
        ]);
        let packs = vec![
            Pack { definition: Arc::new(definition(&options)), document: Some(document) },
            Pack { definition: Arc::new(command_definition(&options)), document: Some(command_document) },
        ];
        let ports = Ports {
            journal: store.clone(),
            timers: store.clone(),
            blobs: store.clone(),
            runner: Arc::new(Routed { plugins: None, native }),
            clock: clock.clone(),
            observers: vec![watcher.clone()],
        };
        let opening = store.open();
        let driver = Driver::open(ports, &opening, EngineOptions { packs, table: bound, ..EngineOptions::default() }).await.unwrap();
        let driver = Arc::new(driver);
        watcher.connect(driver.clone());
        let plugin = setup.plugin;
        let table = QuirkTable::new(setup.quirks.clone()).unwrap();
        let quirks = Arc::new(KeptQuirks::load(documents.clone(), clock.clone(), table).await.unwrap());
        let parts = IntakeParts {
            engine: driver.clone(),
            documents: Arc::new(Keeper { store: store.clone(), full: setup.keeps_nothing.clone() }),
            secrets: secrets.clone(),
            clock,
            spans: spans.clone(),
            book: book.clone(),
            inventory: inventory.clone(),
            quirks: quirks.clone(),
            builders: Arc::new(move |_| Some(format!("native:{plugin}"))),
            tenant,
        };
        let intake = Intake::new(&options, parts);
        Self { ground, setup, driver, intake, inventory, quirks, book, lines }
    }

    /// A session of a device, from its Inform to its end. Says what the session was for.
    pub(crate) async fn session(&self, device: &mut Device) -> Work {
        self.try_session(device).await.unwrap()
    }

    /// The same, of a device that may be told to come again later.
    pub(crate) async fn try_session(&self, device: &mut Device) -> Result<Work, Busy> {
        let session = SessionId(self.ground.sessions.fetch_add(1, Ordering::SeqCst) + 1);
        let inform = Arc::new(device.inform());
        let key = device.key();
        let proof = self.setup.proof;
        let quirks = self.intake.quirks(&inform);
        let live = Live { session, inform: inform.clone(), namespace: Namespace::default(), proof, quirks: quirks.clone(), exchanges: 0 };
        self.lines.open.lock().unwrap().insert(key.clone(), Line { live, device: device.clone(), ended: None });
        let peer: SocketAddr = "192.0.2.7:40000".parse().unwrap();
        let at = engine::port::Clock::now(&SystemClock);
        let contact = Contact { device: key.clone(), inform, quirks, namespace: Namespace::default(), session, proof, peer, at };
        let admission = self.intake.inform(contact).await;
        let Ok(Admission { work }) = admission else {
            *device = self.lines.open.lock().unwrap().remove(&key).unwrap().device;
            return Err(Busy);
        };
        for said in std::mem::take(&mut device.says) {
            self.intake.event(&key, &said).await.unwrap();
        }
        let mut end = SessionEnd::Done;
        if work == Work::Expected {
            end = self.until_over(&key).await;
        }
        *device = self.lines.open.lock().unwrap().remove(&key).unwrap().device;
        device.session_ended();
        if !self.lines.is_dead() {
            self.intake.ended(&key, session, end);
        }
        Ok(work)
    }

    /// Waits until the device is let go, or leaves, or the host dies.
    async fn until_over(&self, key: &DeviceKey) -> SessionEnd {
        for _ in 0..3_000 {
            let notified = self.lines.over.notified();
            if let Some(end) = self.lines.open.lock().unwrap().get(key).and_then(|line| line.ended) {
                return end;
            }
            if self.lines.is_dead() {
                return SessionEnd::DeviceLeft;
            }
            // A device that nobody asks anything waits; so does the test, for as long as a device would.
            let _either = tokio::time::timeout(Duration::from_millis(10), notified).await;
        }
        let document = Documents::get(&*self.ground.store, crate::flow::STATE_COLLECTION, key.as_str()).await.unwrap().unwrap();
        let run = RunId::new(document.body["run"].as_str().unwrap()).unwrap();
        let records = self.driver.query(&run).await.unwrap().unwrap().records;
        let events: Vec<_> = records.iter().map(|record| format!("{:?} {:?}\n", record.epoch, record.event)).collect();
        panic!("the device is kept waiting by run {run}:\n{}", events.concat());
    }

    /// The run that provisions a device.
    pub(crate) async fn run_of(&self, device: &Device) -> RunId {
        let document = Documents::get(&*self.ground.store, crate::flow::STATE_COLLECTION, device.key().as_str()).await.unwrap().unwrap();
        RunId::new(document.body["run"].as_str().unwrap()).unwrap()
    }

    /// What users see of a device.
    pub(crate) async fn state_of(&self, device: &Device) -> String {
        let document = Documents::get(&*self.ground.store, crate::flow::STATE_COLLECTION, device.key().as_str()).await.unwrap();
        document.map_or("unknown".to_owned(), |document| document.body["state"].as_str().unwrap().to_owned())
    }

    /// Waits until a run is over, or held.
    pub(crate) async fn rest(&self, run: &RunId) -> Option<Outcome> {
        for _ in 0..10_000 {
            let view = self.driver.query(run).await.unwrap().unwrap();
            if let Some(outcome) = view.run.outcome() {
                return Some(outcome.clone());
            }
            if view.run.open_fallouts().next().is_some() {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("the run does not come to rest: {:#?}", self.driver.query(run).await.unwrap().unwrap().records.last());
    }

    /// When a run goes on by itself, from now.
    pub(crate) async fn goes_on_in(&self, run: &RunId) -> Duration {
        self.at_rest(run).await;
        let row = Journal::row(&*self.ground.store, run).await.unwrap().unwrap();
        row.wake_at.unwrap().since(engine::port::Clock::now(&SystemClock))
    }

    /// Waits until a run has looked for its device so often.
    pub(crate) async fn has_looked(&self, run: &RunId, times: usize) {
        for _ in 0..1_000 {
            let records = self.driver.query(run).await.unwrap().unwrap().records;
            if records.iter().filter(|record| matches!(record.event, pipeline::Event::AttemptPended { .. })).count() >= times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("the run does not look for its device");
    }

    /// Waits until a run does nothing for now.
    pub(crate) async fn at_rest(&self, run: &RunId) {
        for _ in 0..1_000 {
            let row = Journal::row(&*self.ground.store, run).await.unwrap().unwrap();
            // What was only interrupted to be written down goes on at once.
            let soon = row.wake_at.is_some_and(|at| at.since(engine::port::Clock::now(&SystemClock)) < Duration::from_secs(1));
            if row.state != RunState::Active && !(soon && row.state == RunState::Waiting) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("the run is never at rest");
    }

    /// Waits until a run does nothing for now, and the book knows where it stands.
    async fn quiet(&self, device: &DeviceKey, run: &RunId) {
        for _ in 0..10_000 {
            let row = Journal::row(&*self.ground.store, run).await.unwrap().unwrap();
            let document = Documents::get(&*self.ground.store, crate::flow::STATE_COLLECTION, device.as_str()).await.unwrap().unwrap();
            let known = self.book.known(device, |entry| {
                let followed = |standing: &Standing| standing.trace.is_some() && document.body["state"] == standing.state.as_str();
                entry.standing.as_ref().is_some_and(followed)
            });
            if row.state != RunState::Active && known == Some(true) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("the run is never quiet");
    }

    /// Provisions a device, however many sessions it takes, and tells the story.
    pub(crate) async fn provision(&self, device: &mut Device) -> String {
        for _ in 0..12 {
            self.session(device).await;
            let run = self.run_of(device).await;
            self.quiet(&device.key(), &run).await;
            let view = self.driver.query(&run).await.unwrap().unwrap();
            if view.run.outcome().is_some() || view.run.open_fallouts().next().is_some() {
                return super::story::tell(&definition(&self.setup.options), &view.records);
            }
        }
        panic!("the device is never provisioned: {:?} {:?}", device.wrong, device.asked);
    }
}
