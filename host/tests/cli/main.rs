//! The command line over the real binary: what goes in badly comes out as an error that says what, where and what was expected, with its own exit code.
#![allow(clippy::unwrap_used, reason = "tests")]

mod component;
mod config;
mod docs;
mod live;
mod plugins;
mod store;
mod support;
mod usage;
