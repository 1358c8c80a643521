//! Starting runs: from outside, and as children of other runs.

use std::sync::{Arc, PoisonError};

use pipeline::{Event, Parent, PipelineName, Record, Revision, RunId, RunStarted, Seq, TenantName, TraceIdentity, begin};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::{
    api::{Start, StartError, Started},
    attempt::json_size,
    bindings::Tables,
    definitions::Pack,
    fold::{Context, Folded, fold},
    ids,
    port::{AppendError, WriteError},
    shared::{Shared, Unplaced},
    task,
};

/// The longest idempotency key, in bytes.
const MAX_KEY_BYTES: usize = 256;

/// A child run as its parent asks for it.
pub(crate) struct Child {
    pub(crate) tenant: TenantName,
    pub(crate) pipeline: PipelineName,
    pub(crate) input: Value,
    pub(crate) key: String,
    pub(crate) parent: Parent,
    pub(crate) trace: TraceIdentity,
}

/// Starts a run for somebody outside.
pub(crate) async fn start(shared: &Arc<Shared>, start: Start) -> Result<Started, StartError> {
    let Start { tenant, pipeline, input, idempotency_key, trace } = start;
    check_size("the input", json_size(&input), shared.max_input_bytes)?;
    check_size("the idempotency key", idempotency_key.as_ref().map_or(0, String::len), MAX_KEY_BYTES)?;
    if shared.is_stopping() {
        return Err(StartError::Unavailable("the host is stopping".to_owned()));
    }
    let pack = shared.definitions.newest(&pipeline).ok_or_else(|| StartError::UnknownPipeline(pipeline.clone()))?.clone();
    let sampled = (shared.sampler)(&pipeline, trace.as_ref());
    let full = || StartError::Unavailable("as many runs are being driven as may be in memory".to_owned());
    let place = place(shared).await.ok_or_else(full)?;
    let version = pack.definition.version;
    let started =
        |revision| RunStarted { pipeline, version, tenant, input, idempotency_key, revision, trace: ids::trace(trace, sampled), parent: None };
    begin_run(shared, pack, Some(place), started).await
}

/// Starts a child run, or finds the one that was started before under the same key. It belongs to its parent's trace.
pub(crate) async fn child(shared: &Arc<Shared>, child: Child) -> Result<RunId, String> {
    let Child { tenant, pipeline, input, key, parent, trace } = child;
    let pack = shared.definitions.newest(&pipeline).ok_or_else(|| format!("no pipeline `{pipeline}` is registered"))?.clone();
    let inbound = crate::api::InboundTrace {
        parent_span_id: trace.span_id.clone(),
        trace_id: trace.trace_id,
        sampled: trace.sampled,
        trace_state: trace.trace_state,
    };
    // The parent keeps its own place meanwhile: a child that waited for one could wait for ever, so it goes beyond the bound.
    let place = shared.places.clone().try_acquire_owned().ok();
    let (version, idempotency_key) = (pack.definition.version, Some(key));
    let trace = ids::trace(Some(inbound), trace.sampled);
    let started = |revision| RunStarted { pipeline, version, tenant, input, idempotency_key, revision, trace, parent: Some(parent) };
    begin_run(shared, pack, place, started).await.map(|started| started.run).map_err(|error| error.to_string())
}

/// Begins a run under the table that is current once it has its place: another one may have become so while it waited, and the old one may be gone.
async fn begin_run(
    shared: &Arc<Shared>,
    pack: Pack,
    place: Option<OwnedSemaphorePermit>,
    started: impl FnOnce(Revision) -> RunStarted,
) -> Result<Started, StartError> {
    let unavailable = |reason: String| StartError::Unavailable(reason);
    let (revision, table) = shared.bindings.current();
    let now = shared.clock.now();
    let first = Record { seq: Seq(1), epoch: shared.epoch, at: now, event: Event::RunStarted(Arc::new(started(revision))) };
    let tables = Tables::new(table);
    let context = Context { pack: &pack, tables: &tables, current: shared.bindings.by_step(&tables), epoch: shared.epoch };
    let run = begin(&pack.definition, ids::run_id(), &first).map_err(|illegal| unavailable(illegal.to_string()))?;
    let folded = fold(context, Arc::new(run), now, Some(first), Vec::new()).map_err(|illegal| unavailable(illegal.to_string()))?;
    let Folded { run, append, states, commands } = folded;
    let id = run.id().clone();
    let mailbox = register(shared, &id);
    let driven = Driven { pack, tables, run, states, commands, mailbox, place };
    // The append and what follows it go on even when the caller stops waiting.
    let (answer, answered) = tokio::sync::oneshot::channel();
    let task = shared.clone();
    shared.tasks.spawn_run(async move {
        let result = task.journal.append(&append).await;
        let _nobody_waits = answer.send(result.clone());
        drive(task, result, append.records, driven).await;
    });
    match answered.await {
        Ok(Ok(_)) => Ok(Started { run: id, created: true }),
        Ok(Err(AppendError::Exists(run))) => Ok(Started { run, created: false }),
        Ok(Err(error)) => Err(unavailable(error.to_string())),
        Err(_) => Err(unavailable("the host is stopping".to_owned())),
    }
}

/// A place for a run that somebody waits for; `None` when there is none for a while.
async fn place(shared: &Shared) -> Option<OwnedSemaphorePermit> {
    shared.patiently(shared.places.clone().acquire_owned()).await?.ok()
}

/// A run that is about to be driven.
struct Driven {
    pack: Pack,
    tables: Tables,
    run: Arc<pipeline::Run>,
    states: Vec<Arc<pipeline::Run>>,
    commands: Vec<pipeline::Command>,
    mailbox: mpsc::UnboundedReceiver<crate::shared::Message>,
    place: Option<OwnedSemaphorePermit>,
}

async fn drive(shared: Arc<Shared>, result: Result<crate::port::Appended, AppendError>, records: Vec<Record>, driven: Driven) {
    let Driven { pack, tables, run, states, commands, mailbox, place } = driven;
    match result {
        Ok(appended) => {
            shared.announce(appended, Unplaced { definition: pack.definition.clone(), before: None, records, states });
            task::begin(shared, (pack, tables, run), commands, mailbox, place).await;
        }
        Err(error) => {
            shared.driven.lock().unwrap_or_else(PoisonError::into_inner).remove(run.id());
            match &error {
                AppendError::Write(WriteError::Fenced(_) | WriteError::Fatal(_)) => shared.fail(&error.to_string()),
                AppendError::Exists(_)
                | AppendError::Stale { .. }
                | AppendError::Conflict { .. }
                | AppendError::Write(WriteError::Unavailable(_)) => {}
            }
        }
    }
}

/// Puts a new run on the list of driven ones, so that a callback that comes at once finds it.
fn register(shared: &Shared, id: &RunId) -> mpsc::UnboundedReceiver<crate::shared::Message> {
    let (sender, mailbox) = mpsc::unbounded_channel();
    shared.driven.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), sender);
    mailbox
}

fn check_size(what: &'static str, size: usize, limit: usize) -> Result<(), StartError> {
    if size > limit { Err(StartError::TooLarge { what, size, limit }) } else { Ok(()) }
}
