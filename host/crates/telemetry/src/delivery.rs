//! Delivery of projected spans, at least once: a batch is exported, then the exporter's cursor is saved.
//!
//! While a receiver is down, the cursor stands still and at most a few batches are in memory: everything else waits in the journal.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use engine::port::{Observer, ObserverError, OwnedTransition, Position};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};

use crate::{
    cursor::CursorStore,
    export::SpanSink,
    logs::SharedLogs,
    options::DeliveryOptions,
    projection::{ProjectedSpan, Projector},
    span_data,
};

/// How many parts of batches wait for the exporter before the feed of events waits itself.
const QUEUED_PARTS: usize = 4;
/// The longest pause between two tries.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Shows committed events to one exporter.
pub(crate) struct SpanObserver {
    name: &'static str,
    projector: Arc<Projector>,
    cursors: Arc<dyn CursorStore>,
    queue: mpsc::Sender<Message>,
    max_batch: usize,
}

pub(crate) enum Message {
    /// Spans of events up to a position.
    Part { spans: Vec<ProjectedSpan>, position: Position },
    /// Deliver what there is, then answer.
    Flush(oneshot::Sender<()>),
}

impl fmt::Debug for SpanObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanObserver").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What delivers to one exporter.
pub(crate) struct Delivery {
    pub(crate) name: &'static str,
    pub(crate) sink: Arc<SpanSink>,
    pub(crate) cursors: Arc<dyn CursorStore>,
    pub(crate) options: DeliveryOptions,
    /// Where exceptions are written as log records, if this delivery is the one that does.
    pub(crate) exceptions: SharedLogs,
    /// Set when the process ends: no try is repeated any more.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// The observer of an exporter, its queue, and the task that must run for it.
pub(crate) fn channel(projector: Arc<Projector>, delivery: Delivery) -> (SpanObserver, mpsc::Sender<Message>, impl Future<Output = ()> + Send) {
    let (queue, parts) = mpsc::channel(QUEUED_PARTS);
    let observer = SpanObserver {
        name: delivery.name,
        projector,
        cursors: delivery.cursors.clone(),
        queue: queue.clone(),
        max_batch: delivery.options.max_batch.max(1),
    };
    (observer, queue, delivery.run(parts))
}

#[async_trait]
impl Observer for SpanObserver {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn cursor(&self) -> Result<Position, ObserverError> {
        self.cursors.load(self.name).await.map_err(|error| ObserverError(error.to_string()))
    }

    async fn observe(&self, batch: &[OwnedTransition]) -> Result<(), ObserverError> {
        let mut spans = Vec::new();
        for transition in batch {
            spans.extend(self.projector.spans(transition));
            if spans.len() >= self.max_batch {
                self.hand_over(std::mem::take(&mut spans), transition.position).await?;
            }
        }
        match batch.last() {
            Some(last) => self.hand_over(spans, last.position).await,
            None => Ok(()),
        }
    }
}

impl SpanObserver {
    async fn hand_over(&self, spans: Vec<ProjectedSpan>, position: Position) -> Result<(), ObserverError> {
        self.queue.send(Message::Part { spans, position }).await.map_err(|_| ObserverError("telemetry was shut down".to_owned()))
    }
}

/// Spans that leave together, and how far the cursor moves then.
#[derive(Default)]
struct Batch {
    spans: Vec<ProjectedSpan>,
    position: Option<Position>,
}

impl Delivery {
    async fn run(mut self, mut parts: mpsc::Receiver<Message>) {
        let mut batch = Batch::default();
        let mut due: Option<Instant> = None;
        loop {
            let wait = due.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            // The loser of this race is a message that stays in the queue, or a deadline that is computed again.
            let message = tokio::select! {
                message = parts.recv() => message,
                () = tokio::time::sleep_until(wait), if due.is_some() => None,
            };
            let mut flushed = None;
            match message {
                Some(Message::Part { spans, position }) => {
                    batch.spans.extend(spans);
                    batch.position = Some(position);
                    if batch.spans.len() < self.options.max_batch {
                        due.get_or_insert_with(|| Instant::now() + self.options.delay);
                        continue;
                    }
                }
                Some(Message::Flush(done)) => flushed = Some(done),
                None => {}
            }
            due = None;
            // Nothing may be delivered after a batch that was not: the cursor would pass it.
            if !self.deliver(&mut batch).await {
                return;
            }
            // Whoever asked for a flush may have stopped waiting; that is no failure.
            flushed.map(|done| done.send(()).ok());
            if parts.is_closed() && parts.is_empty() {
                return;
            }
        }
    }

    /// Exports the batch and saves the cursor; `false` when the process ends meanwhile: the next start exports the batch again.
    async fn deliver(&mut self, batch: &mut Batch) -> bool {
        let Batch { spans, position } = std::mem::take(batch);
        let Some(position) = position else { return true };
        for spans in spans.chunks(self.options.max_batch) {
            if !self.export(spans).await {
                return false;
            }
        }
        if let Err(error) = self.cursors.save(self.name, position).await {
            tracing::warn!(observer = self.name, "exported spans are exported again after a restart: {error}");
        }
        true
    }

    /// Whether the spans are done with: delivered, or given up and counted.
    async fn export(&mut self, spans: &[ProjectedSpan]) -> bool {
        let begun = Instant::now();
        let mut pause = self.options.retry_pause;
        loop {
            let data = spans.iter().filter_map(span_data::of_projected).collect();
            let Err(error) = self.sink.export(data).await else {
                self.exceptions.iter().for_each(|logs| spans.iter().for_each(|span| logs.exception(span)));
                return true;
            };
            if *self.stopping.borrow() {
                return false;
            }
            if begun.elapsed() >= self.options.give_up_after {
                tracing::error!(observer = self.name, spans = spans.len(), "spans are given up: {error}");
                self.sink.stats.lost(spans.len());
                return true;
            }
            // A stop that wins the race leads to one last try.
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = self.stopping.changed() => {}
            }
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}
