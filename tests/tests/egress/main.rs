//! Secrets on their way through the real binary, with the fixture `egress`. What the fixture may reach is tested beside the runtime.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../../host/crates/plugin-runtime/tests/runtime/egress/echo.rs"]
mod echo;
mod scan;
