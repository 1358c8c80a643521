//! The writer thread: takes what is queued, commits it, acknowledges it, and moves the log into the database in between.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use engine::port::{Position, WriteError};
use pipeline::{Epoch, Timestamp};
use rusqlite::{Connection, wal::CheckpointMode};
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

use crate::{
    Options,
    batch::{self, Frame, Outcome, Write},
    error::{Refused, Stage, classify},
    lock::Lock,
    open::Opened,
};

/// What the writer is sent.
#[derive(Debug)]
pub(crate) enum Message {
    /// Something to write.
    Write(Job),
    /// Commit what was queued before and end.
    Stop,
}

/// A write with the one who waits for it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) write: Write,
    pub(crate) reply: oneshot::Sender<Outcome>,
    /// Its place in the queue, free when the job is dropped.
    pub(crate) _place: OwnedSemaphorePermit,
}

/// The thread's state.
#[derive(Debug)]
pub(crate) struct Writer {
    connection: Connection,
    queue: Receiver<Message>,
    options: Options,
    epoch: Epoch,
    position: Position,
    positions: watch::Sender<Position>,
    alive_at: Timestamp,
    failure: Arc<OnceLock<String>>,
    /// The length of the log in pages after the last commit, as SQLite tells it.
    log_pages: Arc<AtomicU64>,
    page_size: u64,
    /// The length of the log in bytes at which it is moved into the database next.
    checkpoint_at: u64,
    stopping: bool,
    fenced: bool,
    _lock: Lock,
}

impl Writer {
    /// Takes over what opening has prepared.
    pub(crate) fn new(
        opened: Opened,
        options: Options,
        queue: Receiver<Message>,
        positions: watch::Sender<Position>,
        failure: Arc<OnceLock<String>>,
    ) -> rusqlite::Result<Self> {
        // The loop's pause: zero would make it spin.
        let options = Options { sign_of_life: options.sign_of_life.max(Duration::from_millis(1)), ..options };
        let Opened { mut connection, lock, opening, alive_at, position, path: _ } = opened;
        let log_pages = Arc::new(AtomicU64::new(0));
        let pages = Arc::clone(&log_pages);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count| {
            pages.store(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        let page_size: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let checkpoint_at = options.checkpoint_bytes;
        Ok(Self {
            connection,
            queue,
            options,
            epoch: opening.epoch,
            position,
            positions,
            alive_at,
            failure,
            log_pages,
            page_size: page_size.into(),
            checkpoint_at,
            stopping: false,
            fenced: false,
            _lock: lock,
        })
    }

    /// Works until it is told to stop or nobody can send any more.
    pub(crate) fn run(mut self) {
        while !self.stopping {
            match self.queue.recv_timeout(self.options.sign_of_life) {
                Ok(Message::Write(job)) => {
                    let batch = self.gather(job);
                    self.commit(batch);
                }
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if self.fenced => {}
                Err(RecvTimeoutError::Timeout) => self.commit(Vec::new()),
            }
        }
        self.finish();
    }

    /// Takes what is queued, without waiting for more: under load the queue fills during the fsync, so that batches grow by themselves.
    fn gather(&mut self, first: Job) -> Vec<Job> {
        let mut bytes = first.write.bytes();
        let mut batch = vec![first];
        while batch.len() < self.options.batch_writes && bytes < self.options.batch_bytes {
            match self.queue.try_recv() {
                Ok(Message::Write(job)) => {
                    bytes += job.write.bytes();
                    batch.push(job);
                }
                Ok(Message::Stop) => {
                    self.stopping = true;
                    break;
                }
                Err(_) => break,
            }
        }
        batch
    }

    /// Commits a batch, tells everybody, and checkpoints if the log has become long.
    fn commit(&mut self, batch: Vec<Job>) {
        if let Some(failure) = self.failure.get() {
            return refuse(batch, &WriteError::Fatal(failure.clone()));
        }
        let now = self.options.clock.now();
        let due = u128::from(now.0.abs_diff(self.alive_at.0)) >= self.options.sign_of_life.as_micros();
        let frame = Frame { epoch: self.epoch, position: self.position, alive_at: due.then_some(now) };
        if batch.is_empty() && !due {
            return;
        }
        match batch::commit(&self.connection, frame, batch.iter().map(|job| &job.write)) {
            Ok(committed) => {
                self.alive_at = frame.alive_at.unwrap_or(self.alive_at);
                self.note_fence(committed.fenced);
                self.announce(committed.position);
                for (job, outcome) in batch.into_iter().zip(committed.outcomes) {
                    // Whoever waited may have gone; the write is made all the same.
                    drop(job.reply.send(outcome));
                }
                self.checkpoint_if_long();
            }
            Err(failure) => {
                self.note(&failure);
                refuse(batch, &failure);
            }
        }
    }

    /// Before the acknowledgements, so that whoever has one finds the position announced.
    fn announce(&mut self, position: Position) {
        if position > self.position {
            self.position = position;
            self.positions.send_replace(position);
        }
    }

    /// Remembers a failure after which nothing may be written any more.
    fn note(&self, failure: &WriteError) {
        match failure {
            WriteError::Fatal(detail) => {
                tracing::error!(detail, "the store failed and refuses everything from now on");
                // Set once: the first failure is the cause of the others.
                drop(self.failure.set(detail.clone()));
            }
            WriteError::Unavailable(detail) => tracing::warn!(detail, "the store could not write"),
            WriteError::Fenced(epoch) => tracing::error!(epoch = epoch.0, "the store was opened by another process"),
        }
    }

    /// Reports once that another process has taken over; every append is told anyway.
    fn note_fence(&mut self, fenced: Option<Epoch>) {
        if let Some(epoch) = fenced
            && !self.fenced
        {
            self.note(&WriteError::Fenced(epoch));
        }
        self.fenced = fenced.is_some();
    }

    /// Moves the log into the database when it is long, so that it is written over from its beginning: that is faster than letting it grow.
    /// A long read can keep the log from being reused; the next attempt then waits until it has grown by as much again.
    fn checkpoint_if_long(&mut self) {
        let length = self.log_pages.load(Ordering::Relaxed) * self.page_size;
        if length < self.options.checkpoint_bytes {
            self.checkpoint_at = self.options.checkpoint_bytes;
        }
        if length >= self.checkpoint_at {
            self.checkpoint_at = length + self.options.checkpoint_bytes;
            self.checkpoint(CheckpointMode::PASSIVE);
        }
    }

    /// A checkpoint that fails loses nothing, because the log keeps what it has, unless an fsync failed: the next checkpoint could then
    /// discard a log whose pages never reached the database.
    fn checkpoint(&self, mode: CheckpointMode) {
        if let Err(error) = self.connection.wal_checkpoint_v2(None::<&str>, mode) {
            self.note(&classify(&error, Stage::Statement));
        }
    }

    /// The last sign of life, the last checkpoint; then the connection closes and the lock is released, in this order.
    fn finish(mut self) {
        if self.failure.get().is_some() || self.fenced {
            return;
        }
        let alive_at = Some(self.options.clock.now());
        let frame = Frame { epoch: self.epoch, position: self.position, alive_at };
        match batch::commit(&self.connection, frame, std::iter::empty()) {
            Ok(committed) => self.note_fence(committed.fenced),
            Err(failure) => self.note(&failure),
        }
        if self.failure.get().is_none() && !self.fenced {
            self.checkpoint(CheckpointMode::TRUNCATE);
        }
    }
}

fn refuse(batch: Vec<Job>, failure: &WriteError) {
    for job in batch {
        drop(job.reply.send(Err(Refused::Write(failure.clone()))));
    }
}
