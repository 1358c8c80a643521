//! The reducer driven through whole runs in a simulated world: what happens is enumerated, not picked.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod crashes;
mod definitions;
mod failures;
mod garbage;
mod golden;
mod journal;
mod properties;
mod races;
mod random;
mod reference;
mod scenario;
mod support;
mod withdrawn;
