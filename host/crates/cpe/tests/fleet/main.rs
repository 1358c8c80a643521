//! Many devices over real HTTP, each with something of its own: objects that are added while it comes and goes, records of quirks, storms with liars.
#![allow(clippy::unwrap_used, reason = "tests")]

mod commands;
mod host;
mod kills;
mod objects;
mod quirks;
mod relay;
mod secure;
mod storm;
