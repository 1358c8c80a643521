//! Provisioning over real HTTP: the engine, the pipeline, the CWMP server and the lab's virtual devices, with everything that can be wrong with them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod host;
mod matrix;
mod quirks;
mod storm;
