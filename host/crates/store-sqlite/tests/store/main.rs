//! The store against real files in temporary directories: one folder, one binary, one subject per file.

#![allow(clippy::unwrap_used, reason = "tests")]

mod appends;
mod backups;
mod blobs;
mod common;
mod crashes;
mod documents;
mod full_disk;
mod history;
mod holds;
mod key_values;
mod opening;
mod registry;
mod tallies;
mod timers;
