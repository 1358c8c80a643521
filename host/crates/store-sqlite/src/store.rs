//! The store as its users hold it: a queue to the writer thread and a pool of readers.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError, mpsc},
    thread::JoinHandle,
};

use engine::port::{Opening, Position, ReadError, WriteError};
use pipeline::Epoch;
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot, watch};

use crate::{
    OpenError, Options,
    batch::{Outcome, Write},
    error::Refused,
    open::open,
    readers::Readers,
    writer::{Job, Message, Writer},
};

/// A store on one SQLite file; implements all storage ports of the engine.
///
/// Dropping it (or [`Store::close`]) commits what is queued, moves the log into the database and releases the lock.
pub struct Store {
    path: PathBuf,
    epoch: Epoch,
    messages: mpsc::Sender<Message>,
    room: Arc<Semaphore>,
    positions: watch::Receiver<Position>,
    failure: Arc<OnceLock<String>>,
    pub(crate) readers: Readers,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.path).field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store of that file, creating it and its directory if need be, and takes it over from any earlier process.
    ///
    /// # Errors
    /// [`OpenError`]: in use, not ours, newer, damaged, or refused by the system. An existing file is unchanged then.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<(Arc<Self>, Opening), OpenError> {
        let opened = open(path.as_ref(), &options)?;
        let path = opened.path.clone();
        let opening = opened.opening.clone();
        let readers = Readers::new(path.clone(), options.readers);
        let room = Arc::new(Semaphore::new(options.queue_length.clamp(1, Semaphore::MAX_PERMITS)));
        let (messages, queue) = mpsc::channel();
        let (announce, positions) = watch::channel(opened.position);
        let failure = Arc::new(OnceLock::new());
        let writer = Writer::new(opened, options, queue, announce, Arc::clone(&failure)).map_err(|error| OpenError::from_sqlite(&path, &error))?;
        let writer = std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || writer.run()).map_err(|source| OpenError::Io {
            path: path.clone(),
            action: "given a writer thread",
            source,
        })?;
        let store = Self { path, epoch: opening.epoch, messages, room, positions, failure, readers, writer: Mutex::new(Some(writer)) };
        Ok((Arc::new(store), opening))
    }

    /// The absolute path of the database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Tells the position of the last committed record, now and whenever it changes.
    pub fn positions(&self) -> watch::Receiver<Position> {
        self.positions.clone()
    }

    /// Commits what is queued, closes the file and releases the lock, while others still hold the store; everything they ask of it afterwards
    /// is refused as unavailable. Dropping the last holder does the same.
    pub async fn close(&self) {
        if let Some(writer) = self.stop() {
            // A panic of the writer has been reported by its thread; there is nothing left to do about it here.
            drop(tokio::task::spawn_blocking(move || writer.join()).await);
        }
    }

    /// This process's epoch.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Queues a write and waits until it is durable. Once queued, it is made even if nobody waits any more; a caller that goes away while
    /// the queue is full has written nothing and never will.
    pub(crate) async fn submit(&self, write: Write) -> Outcome {
        let place = Arc::clone(&self.room).acquire_owned().await.map_err(|_| self.gone())?;
        let (reply, answer) = oneshot::channel();
        self.messages.send(Message::Write(Job { write, reply, _place: place })).map_err(|_| self.gone())?;
        answer.await.unwrap_or_else(|_| Err(self.gone()))
    }

    /// Why nobody answers: the store was closed and has not taken the write, or the writer thread ended by a defect and may have made it.
    fn gone(&self) -> Refused {
        Refused::Write(if self.room.is_closed() {
            WriteError::Unavailable("the store is closed".to_owned())
        } else {
            WriteError::Fatal("its writer thread has ended".to_owned())
        })
    }

    /// A write without preconditions.
    pub(crate) async fn write(&self, write: Write) -> Result<(), WriteError> {
        self.submit(write).await.map(drop).map_err(WriteError::from)
    }

    /// A query on one of the readers; refused once the store has failed, because what it shows may not be durable.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ReadError> {
        match self.failure.get() {
            Some(failure) => Err(ReadError::Unavailable(format!("the store failed: {failure}"))),
            None => self.readers.read(query).await,
        }
    }

    fn stop(&self) -> Option<JoinHandle<()>> {
        self.room.close();
        self.readers.close();
        // The writer may be gone already.
        drop(self.messages.send(Message::Stop));
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(writer) = self.stop() {
            // As in `close`; waiting here makes "dropped" mean "the file may be opened again".
            drop(writer.join());
        }
    }
}
