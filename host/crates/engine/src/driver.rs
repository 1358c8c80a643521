//! The engine over its ports: opens, recovers, drives, drains.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use pipeline::{InvalidDefinition, MAX_CROSSING_BYTES, Revision, RunId, Timestamp, replay};
use tokio::sync::{Notify, Semaphore, oneshot, watch};

use crate::{
    api::{Decision, Engine, EngineError, ResolveError, RunView, SignalAnswer, Start, StartError, Started},
    bindings::{BindingTable, Bindings, SelectorNames},
    definitions::{Definitions, Pack},
    feed,
    intervene::check_person,
    port::{Blobs, Clock, Journal, Observer, Opening, ReadError, RunState, Runner, Timers},
    recovery,
    shared::{Message, Sampler, Shared},
    start,
    tail::Tail,
    tasks::Tasks,
    timers,
    token::Tokens,
};

/// The world of an engine.
#[derive(Debug, Clone)]
pub struct Ports {
    /// Where runs are kept.
    pub journal: Arc<dyn Journal>,
    /// Which runs have something to do.
    pub timers: Arc<dyn Timers>,
    /// Where binding tables are kept.
    pub blobs: Arc<dyn Blobs>,
    /// Who makes calls.
    pub runner: Arc<dyn Runner>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is shown committed events.
    pub observers: Vec<Arc<dyn Observer>>,
}

/// How an engine works.
#[derive(Clone)]
pub struct Options {
    /// The pipelines.
    pub packs: Vec<Pack>,
    /// The binding table that new runs are pinned to.
    pub table: BindingTable,
    /// The revision that the table is stored under. Default: the table is stored when the engine opens.
    pub revision: Option<Revision>,
    /// What callback addresses begin with; the token is appended. Default `http://127.0.0.1/callbacks/`.
    pub callback_base: String,
    /// The largest input of a run in bytes of JSON. Default 1 MiB: a product order of some thousand items.
    pub max_input_bytes: usize,
    /// How many runs are in memory at a time; more wait their turn, except child runs that are just beginning. Default 4096, some 100 MiB.
    pub max_driven: usize,
    /// Where runs are driven. Default: where the engine is opened. On the runtime whose threads make the calls, a call costs no thread two wake-ups.
    pub runs_on: Option<tokio::runtime::Handle>,
    /// Whether the spans of a new run are exported. Default: as the caller decided, otherwise yes.
    pub sampler: Sampler,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("packs", &self.packs.len()).field("max_driven", &self.max_driven).finish_non_exhaustive()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            packs: Vec::new(),
            table: BindingTable::default(),
            revision: None,
            callback_base: "http://127.0.0.1/callbacks/".to_owned(),
            max_input_bytes: 1 << 20,
            max_driven: 4096,
            runs_on: None,
            sampler: Arc::new(|_, inbound| inbound.is_none_or(|trace| trace.sampled)),
        }
    }
}

/// Why an engine could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A pipeline cannot be run.
    #[error(transparent)]
    Definition(#[from] InvalidDefinition),
    /// The store could not be used.
    #[error(transparent)]
    Store(#[from] ReadError),
}

/// The engine: drives runs until it is stopped.
#[derive(Debug, Clone)]
pub struct Driver {
    shared: Arc<Shared>,
}

impl Driver {
    /// Opens the engine, begins recovery and returns at once. Must be called inside a tokio runtime.
    pub async fn open(ports: Ports, opening: &Opening, options: Options) -> Result<Self, OpenError> {
        let Ports { journal, timers, blobs, runner, clock, observers } = ports;
        let shared = Arc::new(Shared {
            journal,
            timers,
            runner,
            clock,
            definitions: Definitions::new(options.packs)?,
            bindings: Bindings::open(blobs, options.table, options.revision).await?,
            tokens: Tokens::new(&opening.secret),
            epoch: opening.epoch,
            callback_base: options.callback_base,
            sampler: options.sampler,
            max_input_bytes: options.max_input_bytes,
            tasks: Tasks::new(options.runs_on),
            places: Arc::new(Semaphore::new(options.max_driven)),
            reserved_places: options.max_driven / 8,
            driven: Mutex::new(HashMap::new()),
            committed: watch::Sender::new(()),
            tail: Tail::default(),
            stopping: watch::Sender::new(false),
            fatal: watch::Sender::new(None),
            next_timer: Mutex::new(Timestamp(0)),
            timer_bell: Notify::new(),
        });
        shared.tasks.spawn(recovery::recover(shared.clone()));
        shared.tasks.spawn(recovery::watch(shared.clone()));
        shared.tasks.spawn(timers::run(shared.clone()));
        for observer in observers {
            shared.tasks.spawn(feed::run(shared.clone(), observer));
        }
        Ok(Self { shared })
    }

    /// Stops taking work, lets calls finish, and returns whether everything came to rest within `budget`.
    pub async fn stop(&self, budget: Duration) -> bool {
        self.shared.stopping.send_replace(true);
        tokio::time::timeout(budget, self.shared.tasks.ended()).await.is_ok()
    }

    /// Returns the reason once the store cannot be used any more: the process must end then.
    pub async fn failed(&self) -> String {
        let mut fatal = self.shared.fatal.subscribe();
        match fatal.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }

    /// Makes a table that is in the store under this revision the current one: for new runs, and for new steps of runs that are pinned by step.
    pub fn rebind(&self, table: Arc<BindingTable>, revision: Revision) {
        self.shared.bindings.rebind(revision, table);
    }

    /// The current table and its revision.
    pub fn current(&self) -> (Revision, Arc<BindingTable>) {
        self.shared.bindings.current()
    }

    /// What the steps of all pipelines can be told apart by, to check a table with.
    pub fn selectors(&self) -> SelectorNames {
        self.shared.definitions.selectors()
    }

    /// Live runs that nothing will wake. Always empty unless there is a fault.
    pub async fn stuck(&self) -> Result<Vec<RunId>, ReadError> {
        recovery::stuck(&self.shared).await
    }

    /// Whether the engine takes no more work.
    pub fn is_stopping(&self) -> bool {
        self.shared.is_stopping()
    }

    /// How many runs are in memory.
    pub fn driven(&self) -> usize {
        self.shared.driven.lock().unwrap_or_else(std::sync::PoisonError::into_inner).len()
    }

    /// Whether a run that is not in memory does anything before somebody else does: it has a timer or something to do at once.
    async fn may_go_on(&self, run: &RunId) -> Result<bool, ReadError> {
        let row = self.shared.journal.row(run).await?;
        Ok(row.is_some_and(|row| row.wake_at.is_some() || row.state == RunState::Active))
    }

    /// What all tasks share.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

#[async_trait]
impl Engine for Driver {
    async fn start(&self, start: Start) -> Result<Started, StartError> {
        start::start(&self.shared, start).await
    }

    async fn signal(&self, token: &str, body: String) -> Result<SignalAnswer, EngineError> {
        if body.len() > MAX_CROSSING_BYTES {
            return Err(EngineError::TooLarge { size: body.len(), limit: MAX_CROSSING_BYTES });
        }
        let Some(named) = self.shared.tokens.read(token) else { return Ok(SignalAnswer::Unknown) };
        if self.shared.journal.row(&named.run).await?.is_none() {
            return Ok(SignalAnswer::Unknown);
        }
        let (reply, answer) = oneshot::channel();
        let run = named.run.clone();
        self.shared.tell(&run, Message::Callback { named, body, reply });
        answer.await.map_err(|_| EngineError::Unavailable("the run could not be brought into memory".to_owned()))?
    }

    async fn wake(&self, run: &RunId) -> Result<bool, EngineError> {
        if !self.shared.is_driven(run) && !self.may_go_on(run).await? {
            return Ok(false);
        }
        let (reply, answer) = oneshot::channel();
        self.shared.tell(run, Message::Nudge { reply });
        match self.shared.patiently(answer).await {
            Some(Ok(woken)) => woken,
            // A run that this process cannot fold is held from now on.
            Some(Err(_)) if !self.may_go_on(run).await? => Ok(false),
            Some(Err(_)) => Err(EngineError::Unavailable("the run could not be brought into memory".to_owned())),
            None => Err(EngineError::Unavailable("the run did not answer in time: as many runs are being driven as may be in memory".to_owned())),
        }
    }

    async fn query(&self, run: &RunId) -> Result<Option<RunView>, EngineError> {
        let records = self.shared.journal.load(run).await?;
        let Some(first) = records.first() else { return Ok(None) };
        let journal = |detail: String| EngineError::Journal { run: run.clone(), detail };
        let pipeline::Event::RunStarted(started) = &first.event else { return Err(journal("it does not begin with run-started".to_owned())) };
        let unknown = || journal(format!("pipeline `{}` version {} is not known to this host", started.pipeline, started.version));
        let pack = self.shared.definitions.get(&started.pipeline, started.version).ok_or_else(unknown)?;
        let folded = replay(&pack.definition, run.clone(), &records).map_err(|illegal| journal(illegal.to_string()))?;
        Ok(Some(RunView { run: folded, records }))
    }

    async fn resolve(&self, decision: Decision) -> Result<(), ResolveError> {
        check_person(&decision.by, &decision.note).map_err(ResolveError::Invalid)?;
        let run = decision.run.clone();
        if self.shared.journal.row(&run).await.map_err(EngineError::from)?.is_none() {
            return Err(ResolveError::UnknownRun(run));
        }
        let (reply, answer) = oneshot::channel();
        self.shared.tell(&run, Message::Resolve { decision, reply });
        answer.await.map_err(|_| EngineError::Unavailable("the run could not be brought into memory".to_owned()))?
    }
}
