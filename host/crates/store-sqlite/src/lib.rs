//! The storage ports on SQLite: one file, one writer thread, readers on their own connections.
//!
//! Every write goes through one thread that takes what is queued, writes it in one transaction and acknowledges it after
//! one `fsync` (group commit). A precondition that does not hold refuses one append and leaves the rest of the batch alone.
//! Two processes never write to one file: a lock file keeps the second out, and should the lock not work (some network file
//! systems), the epoch that each opening raises refuses whatever the older process still tries to write.
//!
//! ```
//! use engine::port::Blobs;
//! use store_sqlite::{Options, Store};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let directory = tempfile::tempdir().unwrap();
//! let (store, opening) = Store::open(directory.path().join("jackfield.db"), Options::default()).unwrap();
//! let hash = store.put(b"a component".to_vec()).await.unwrap();
//! store.close().await;
//!
//! // Opened again, the epoch is higher and everything is there.
//! let (store, again) = Store::open(directory.path().join("jackfield.db"), Options::default()).unwrap();
//! assert!(again.epoch > opening.epoch);
//! assert_eq!(store.get(&hash).await.unwrap().unwrap(), b"a component");
//! # });
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod append;
mod backup;
mod batch;
mod blobs;
mod document_rows;
mod documents;
mod error;
mod files;
mod holds;
mod journal;
mod key_value;
mod lock;
mod migrate;
mod mounts;
mod names;
mod number;
mod open;
mod options;
mod prepare;
mod readers;
mod registry;
mod run_rows;
mod store;
mod tallies;
mod timers;
mod writer;

pub use self::{
    backup::{BackupError, RestoreError, restore},
    error::OpenError,
    options::Options,
    store::Store,
    tallies::{Tally, TallyChange},
};
