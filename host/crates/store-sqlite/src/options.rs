//! What an operator may change about the store, each with its default and the reason for it.

use std::{sync::Arc, time::Duration};

use engine::port::{Clock, SystemClock};

/// Settings of a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many writes may wait for the writer thread; a further one waits for room. Default 1,024: four full batches, so that
    /// the writer never runs dry and a stalled disk is felt by the callers within a second.
    pub queue_length: usize,
    /// How many writes share a commit at most. Default 256: beyond that the fsync is already a small part of the cost and
    /// only the latency grows.
    pub batch_writes: usize,
    /// How many bytes of payload share a commit, about; a single larger write gets a commit of its own. Default 1 MiB.
    pub batch_bytes: usize,
    /// How many connections read at the same time. Default 4: reads are short, and each connection keeps 2 MiB of cache.
    pub readers: usize,
    /// The size that the database file may not exceed, in bytes; writes are refused as on a full disk. Default none. The
    /// write-ahead log comes on top, usually `checkpoint_bytes`. A file that is larger already only stops growing.
    pub max_bytes: Option<u64>,
    /// The length of the write-ahead log, in bytes, at which the writer moves it into the database. Default 8 MiB: rare enough
    /// that pages changed often are written once, short enough to stay in the page cache.
    pub checkpoint_bytes: u64,
    /// How often the store notes that it is alive. Default 1 s: the end of an attempt that a crash lost is known to a second.
    pub sign_of_life: Duration,
    /// The clock that the signs of life are read from. Default the system's.
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue_length: 1024,
            batch_writes: 256,
            batch_bytes: 1024 * 1024,
            readers: 4,
            max_bytes: None,
            checkpoint_bytes: 8 * 1024 * 1024,
            sign_of_life: Duration::from_secs(1),
            clock: Arc::new(SystemClock),
        }
    }
}
