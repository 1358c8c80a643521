//! An engine and a document store in memory: runs begin and, where a test wants it, go through their events.

use std::sync::Mutex;

use async_trait::async_trait;
use engine::{
    api::{Decision, Engine, EngineError, ResolveError, RunView, SignalAnswer, Start, StartError, Started},
    port::{Document, DocumentError, DocumentPage, DocumentQuery, Documents, ReadError, WriteError},
};
use pipeline::{Epoch, Event, Failure, FailureClass, Record, Resolution, RunId, RunStarted, Seq, Timestamp, Transition, begin, testing};

use crate::{Options, definition, document, simulation::Simulation};

#[derive(Debug, Default)]
pub(super) struct Memory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    runs: Vec<RunView>,
    documents: Vec<Document>,
    starts: Vec<Start>,
    unavailable: bool,
    blind: bool,
}

impl Memory {
    /// How often a run was really started.
    pub(super) fn started(&self) -> usize {
        self.state.lock().unwrap().runs.len()
    }

    /// The last request to start a run.
    pub(super) fn last_start(&self) -> Start {
        self.state.lock().unwrap().starts.last().unwrap().clone()
    }

    /// From now on no run can be started.
    pub(super) fn fill_up(&self) {
        self.state.lock().unwrap().unavailable = true;
    }

    /// From now on no run can be read.
    pub(super) fn go_blind(&self) {
        self.state.lock().unwrap().blind = true;
    }

    /// Lets a run go its normal way to the end.
    pub(super) fn complete(&self, id: &str) {
        self.replace(id, Simulation::go);
    }

    /// Lets a run fall out, and a person cancel it.
    pub(super) fn cancel(&self, id: &str) {
        let unknown = Failure::new(FailureClass::Rejected, "unknown_offering", "there is no such offering");
        self.replace(id, |simulation| simulation.answer("decompose[0]", [Err(unknown)]).go().resolve(Resolution::Cancel));
    }

    fn replace(&self, id: &str, how: impl FnOnce(Simulation) -> Simulation) {
        let mut state = self.state.lock().unwrap();
        let state = &mut *state;
        let view = state.runs.iter_mut().find(|view| view.run.id().as_str() == id).unwrap();
        let Simulation { definition, run, records, .. } = how(Simulation::of(view.run.clone(), view.records.clone()));
        let last = Transition { definition: &definition, before: None, record: records.last().unwrap(), after: &run };
        state.documents.retain(|document| document.id != id);
        state.documents.push(document(&last).unwrap());
        *view = RunView { run, records };
    }
}

#[async_trait]
impl Engine for Memory {
    async fn start(&self, start: Start) -> Result<Started, StartError> {
        let mut state = self.state.lock().unwrap();
        state.starts.push(start.clone());
        if state.unavailable {
            return Err(StartError::Unavailable("the disk is full".to_owned()));
        }
        let same = |view: &&RunView| start.idempotency_key.is_some() && view.run.started().idempotency_key == start.idempotency_key;
        if let Some(view) = state.runs.iter().find(same) {
            return Ok(Started { run: view.run.id().clone(), created: false });
        }
        let number = state.runs.len() as u64 + 1;
        let definition = definition(&Options::default());
        let Event::RunStarted(template) = testing::started(&definition).event else { unreachable!("a journal begins so") };
        let started = RunStarted { input: start.input, idempotency_key: start.idempotency_key, tenant: start.tenant, ..RunStarted::clone(&template) };
        let at = Timestamp(1_900_000_000_000_000 + number * 1_000_000);
        let record = Record { seq: Seq(1), epoch: Epoch(1), at, event: Event::RunStarted(started.into()) };
        let run = begin(&definition, testing::run_id(number), &record).unwrap();
        state.documents.push(document(&Transition { definition: &definition, before: None, record: &record, after: &run }).unwrap());
        let id = run.id().clone();
        state.runs.push(RunView { run, records: vec![record] });
        Ok(Started { run: id, created: true })
    }

    async fn signal(&self, _: &str, _: String) -> Result<SignalAnswer, EngineError> {
        Ok(SignalAnswer::Unknown)
    }

    async fn wake(&self, _: &RunId) -> Result<bool, EngineError> {
        Ok(false)
    }

    async fn query(&self, run: &RunId) -> Result<Option<RunView>, EngineError> {
        let state = self.state.lock().unwrap();
        if state.blind {
            return Err(EngineError::Read(ReadError::Unavailable("the store is closed".to_owned())));
        }
        Ok(state.runs.iter().find(|view| view.run.id() == run).cloned())
    }

    async fn resolve(&self, decision: Decision) -> Result<(), ResolveError> {
        Err(ResolveError::UnknownRun(decision.run))
    }
}

#[async_trait]
impl Documents for Memory {
    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError> {
        let state = self.state.lock().unwrap();
        Ok(state.documents.iter().find(|document| document.collection == collection && document.id == id).cloned())
    }

    async fn put(&self, documents: Vec<Document>) -> Result<(), DocumentError> {
        self.state.lock().unwrap().documents.extend(documents);
        Ok(())
    }

    async fn remove(&self, collection: &str, id: &str) -> Result<(), WriteError> {
        self.state.lock().unwrap().documents.retain(|document| (document.collection, document.id.as_str()) != (collection, id));
        Ok(())
    }

    async fn find(&self, query: DocumentQuery) -> Result<DocumentPage, ReadError> {
        let state = self.state.lock().unwrap();
        if state.blind {
            return Err(ReadError::Unavailable("the store is closed".to_owned()));
        }
        let is_wanted = |name: &str, value: &String| query.equal.iter().any(|(n, v)| n == name && v == value);
        let has = |document: &Document, wanted: &str| document.attributes.iter().any(|(name, value)| *name == wanted && is_wanted(name, value));
        let fits = |document: &&Document| query.equal.iter().all(|(name, _)| has(document, name));
        let mut matches: Vec<Document> = state.documents.iter().filter(fits).cloned().collect();
        matches.sort_by_key(|document| std::cmp::Reverse(document.rank));
        let total = matches.len() as u64;
        let documents = matches.into_iter().skip(query.offset as usize).take(query.limit as usize).collect();
        Ok(DocumentPage { documents, total })
    }
}
