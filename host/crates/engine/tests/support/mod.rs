//! A world for engine tests: the real driver over a store in memory, a clock that jumps to the next sleeper, providers written as functions.
#![allow(dead_code, reason = "each test binary uses its own part of the support")]

pub(crate) mod plugins;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use engine::{
    BindingTable, Driver, Options, Pack, Ports,
    api::{Engine, RunView, Start, Started},
    port::{Answer, Append, AppendError, Appended, Call, Committed, Journal, Position, ReadError, RunRow},
    testing::{MemoryStore, Providers, SimClock, pin, table},
};
use pipeline::{Definition, Failure, FailureClass, PipelineName, Record, RunId, TenantName};
use serde_json::{Value, json};

pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) driver: Driver,
    pub(crate) appends: Arc<AtomicU32>,
}

/// Counts the appends that the engine makes.
#[derive(Debug)]
struct Counting(Arc<MemoryStore>, Arc<AtomicU32>);

#[async_trait::async_trait]
impl Journal for Counting {
    async fn append(&self, append: &Append) -> Result<Appended, AppendError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Journal::append(&*self.0, append).await
    }
    async fn load(&self, run: &RunId) -> Result<Vec<Record>, ReadError> {
        self.0.load(run).await
    }
    async fn row(&self, run: &RunId) -> Result<Option<RunRow>, ReadError> {
        self.0.row(run).await
    }
    async fn committed(&self, after: Position, limit: usize) -> Result<Vec<Committed>, ReadError> {
        self.0.committed(after, limit).await
    }
}

impl World {
    pub(crate) async fn new(definitions: Vec<Definition>, providers: Providers) -> Self {
        Self::over(Arc::new(MemoryStore::default()), Arc::new(SimClock::default()), definitions, providers, default_table()).await
    }

    pub(crate) async fn over(
        store: Arc<MemoryStore>,
        clock: Arc<SimClock>,
        definitions: Vec<Definition>,
        providers: Providers,
        table: BindingTable,
    ) -> Self {
        Self::observed(store, clock, definitions, providers, table, Vec::new()).await
    }

    pub(crate) async fn observed(
        store: Arc<MemoryStore>,
        clock: Arc<SimClock>,
        definitions: Vec<Definition>,
        providers: Providers,
        table: BindingTable,
        observers: Vec<Arc<dyn engine::port::Observer>>,
    ) -> Self {
        let opening = store.open();
        let appends = Arc::new(AtomicU32::new(0));
        let journal = Arc::new(Counting(store.clone(), appends.clone()));
        let ports = Ports { journal, timers: store.clone(), blobs: store.clone(), runner: Arc::new(providers), clock: clock.clone(), observers };
        let packs = definitions.into_iter().map(|definition| Pack { definition: Arc::new(definition), document: None }).collect();
        let driver = Driver::open(ports, &opening, Options { packs, table, ..Options::default() }).await.unwrap();
        Self { store, clock, driver, appends }
    }

    pub(crate) async fn start(&self, input: Value) -> RunId {
        self.start_as(input, None).await.run
    }

    pub(crate) async fn start_as(&self, input: Value, key: Option<&str>) -> Started {
        let start = Start {
            tenant: TenantName::new("default").unwrap(),
            pipeline: PipelineName::new("test").unwrap(),
            input,
            idempotency_key: key.map(str::to_owned),
            trace: None,
        };
        self.driver.start(start).await.unwrap()
    }

    pub(crate) async fn view(&self, run: &RunId) -> RunView {
        self.driver.query(run).await.unwrap().unwrap()
    }

    /// Lets the engine work until `done` holds; time jumps to the next sleeper whenever nothing moves. Bounded by turns, not by time.
    pub(crate) async fn until(&self, run: &RunId, done: impl Fn(&RunView) -> bool) -> RunView {
        for _ in 0..10_000 {
            self.settle().await;
            let view = self.view(run).await;
            if done(&view) {
                return view;
            }
            self.clock.advance_to_next_sleeper();
        }
        panic!("the run did not get there: {:#?}", self.view(run).await.records);
    }

    pub(crate) async fn ended(&self, run: &RunId) -> RunView {
        self.until(run, |view| view.run.outcome().is_some()).await
    }

    /// Lets every task run until it waits for the clock or for nothing.
    pub(crate) async fn settle(&self) {
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn stop(self) -> (Arc<MemoryStore>, Arc<SimClock>) {
        self.driver.stop(Duration::from_secs(5)).await;
        (self.store, self.clock)
    }
}

pub(crate) fn default_table() -> BindingTable {
    table([("jackfield:test/effect@1", pin("effect"))])
}

/// A provider that does its work at once.
pub(crate) fn done() -> Providers {
    Providers::default().with("effect", |call: Call| async move {
        Ok(match call.verb {
            engine::port::Verb::Apply | engine::port::Verb::Resume { .. } => Answer::Done(json!({"key": call.key.as_str()})),
            engine::port::Verb::Observe => Answer::Observed(pipeline::Observed::Absent),
            engine::port::Verb::Undo { .. } => Answer::Undone,
        })
    })
}

/// A provider that follows a script, then does its work; it keeps what it was asked.
pub(crate) fn scripted(script: Vec<Result<Answer, Failure>>) -> (Providers, Arc<Mutex<Vec<Call>>>) {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (seen, script) = (calls.clone(), Arc::new(Mutex::new(script.into_iter())));
    let providers = Providers::default().with("effect", move |call: Call| {
        let next = script.lock().unwrap().next();
        seen.lock().unwrap().push(call);
        async move { next.unwrap_or_else(|| Ok(Answer::Done(json!("done")))) }
    });
    (providers, calls)
}

pub(crate) fn unavailable() -> Result<Answer, Failure> {
    Err(Failure::new(FailureClass::Unavailable, "down", "the back end is down"))
}

/// The kinds of a journal's events, in order.
pub(crate) fn kinds(view: &RunView) -> Vec<String> {
    view.records.iter().map(|record| serde_json::to_value(&record.event).unwrap()["kind"].as_str().unwrap().to_owned()).collect()
}
