//! What all tasks of an engine share: ports, definitions, bindings, and who is driving which run.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use pipeline::{Definition, Epoch, Failure, ItemId, PipelineName, Record, Run, RunId, Timestamp};
use serde_json::Value;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};

use crate::{
    api::{Decision, EngineError, InboundTrace, ResolveError, SignalAnswer},
    bindings::{BindingTable, Bindings},
    definitions::Definitions,
    intervene::{Repin, RepinError, UndoError},
    port::{Appended, Clock, Journal, OwnedTransition, Position, Runner, Timers},
    tail::Tail,
    task,
    tasks::Tasks,
    token::{Named, Tokens},
};

/// Whether the spans of a new run are exported, decided once per run.
pub type Sampler = Arc<dyn Fn(&PipelineName, Option<&InboundTrace>) -> bool + Send + Sync>;

/// How long somebody outside waits for a place in memory. A client that waits longer has given up, and does not know what became of what it asked for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What all tasks of an engine share.
pub(crate) struct Shared {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) timers: Arc<dyn Timers>,
    pub(crate) runner: Arc<dyn Runner>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) definitions: Definitions,
    pub(crate) bindings: Bindings,
    pub(crate) tokens: Tokens,
    pub(crate) epoch: Epoch,
    pub(crate) callback_base: String,
    pub(crate) sampler: Sampler,
    pub(crate) max_input_bytes: usize,
    pub(crate) tasks: Tasks,
    /// Bounds the runs that are in memory at a time.
    pub(crate) places: Arc<Semaphore>,
    /// How many places woken runs leave to new ones, so that a long outage does not keep intake waiting.
    pub(crate) reserved_places: usize,
    /// The runs that are being driven, by whom.
    pub(crate) driven: Mutex<HashMap<RunId, mpsc::UnboundedSender<Message>>>,
    /// Rung at every commit.
    pub(crate) committed: watch::Sender<()>,
    /// The last commits, for observers.
    pub(crate) tail: Tail,
    /// Set once when the engine is to stop taking work.
    pub(crate) stopping: watch::Sender<bool>,
    /// Set once when the store cannot be used any more and the process must end.
    pub(crate) fatal: watch::Sender<Option<String>>,
    /// The earliest timer the timer loop knows of, and the bell that tells it of an earlier one.
    pub(crate) next_timer: Mutex<Timestamp>,
    pub(crate) timer_bell: Notify,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// What a run is told from outside its own task.
#[derive(Debug)]
pub(crate) enum Message {
    /// See whether there is something to do.
    Wake,
    /// What it waits for may be there before the time to look.
    Nudge { reply: oneshot::Sender<Result<bool, EngineError>> },
    /// An event from outside.
    Callback { named: Named, body: String, reply: oneshot::Sender<Result<SignalAnswer, EngineError>> },
    /// A person's decision.
    Resolve { decision: Decision, reply: oneshot::Sender<Result<(), ResolveError>> },
    /// A person binds items otherwise, by this table.
    Repin { repin: Box<Repin>, table: Arc<BindingTable>, reply: oneshot::Sender<Result<u32, RepinError>> },
    /// A person wants what the run did to be taken back.
    Reopen { by: String, note: String, reply: oneshot::Sender<Result<(), UndoError>> },
    /// A child run is over.
    ChildEnded { item: ItemId, child: RunId, result: Result<Value, Failure>, reply: oneshot::Sender<()> },
}

/// What an append commits, before the store has given it its places in the common order.
#[derive(Debug)]
pub(crate) struct Unplaced {
    pub(crate) definition: Arc<Definition>,
    /// The run before the first record; `None` when that one starts it.
    pub(crate) before: Option<Arc<Run>>,
    pub(crate) records: Vec<Record>,
    /// The run after each record.
    pub(crate) states: Vec<Arc<Run>>,
}

impl Shared {
    /// Tells a run something, bringing it into memory when it is not. Answers through the message.
    pub(crate) fn tell(self: &Arc<Self>, run: &RunId, message: Message) {
        let mut driven = self.driven.lock().unwrap_or_else(PoisonError::into_inner);
        // A send fails when the run's task died; a new one takes over.
        let message = match driven.get(run) {
            Some(sender) => match sender.send(message) {
                Ok(()) => return,
                Err(mpsc::error::SendError(message)) => message,
            },
            None => message,
        };
        let (sender, mailbox) = mpsc::unbounded_channel();
        if sender.send(message).is_ok() {
            driven.insert(run.clone(), sender);
            self.tasks.spawn_run(task::wake(self.clone(), run.clone(), mailbox));
        }
    }

    /// Whether a task drives the run.
    pub(crate) fn is_driven(&self, run: &RunId) -> bool {
        self.driven.lock().unwrap_or_else(PoisonError::into_inner).contains_key(run)
    }

    /// What is waited for, unless it takes longer than whoever asked has patience.
    pub(crate) async fn patiently<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        // The losers of this race hold nothing.
        tokio::select! {
            biased;
            found = wait => Some(found),
            () = self.clock.sleep_until(self.clock.now().plus(PATIENCE)) => None,
        }
    }

    /// How many runs may be woken now. Waking takes a moment to take a place, so this is a guide and not a bound.
    pub(crate) fn room_to_wake(&self) -> usize {
        self.places.available_permits().saturating_sub(self.reserved_places)
    }

    /// Tells the timer loop of a timer.
    pub(crate) fn announce_timer(&self, due: Timestamp) {
        let mut next = self.next_timer.lock().unwrap_or_else(PoisonError::into_inner);
        if due < *next {
            *next = due;
            self.timer_bell.notify_one();
        }
    }

    /// Shows observers a commit.
    pub(crate) fn announce(&self, appended: Appended, committed: Unplaced) {
        let Unplaced { definition, mut before, records, states } = committed;
        let first = (appended.position.0 + 1).saturating_sub(records.len() as u64);
        let transitions = records.into_iter().zip(states).zip(first..).map(|((record, after), position)| {
            let before = before.replace(after.clone());
            OwnedTransition { position: Position(position), definition: definition.clone(), before, record: Arc::new(record), after }
        });
        self.tail.push(transitions, appended.bytes);
        self.committed.send_replace(());
    }

    /// Whether the engine takes no more work.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// The store cannot be used any more.
    pub(crate) fn fail(&self, reason: &str) {
        self.fatal.send_if_modified(|known| {
            let first = known.is_none();
            known.get_or_insert_with(|| reason.to_owned());
            first
        });
        self.stopping.send_replace(true);
    }
}
