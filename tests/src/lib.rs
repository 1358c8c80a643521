//! What the end-to-end tests share with the processes that they start.

pub mod crash;
pub mod doubt;
pub mod harness;
pub mod runtime;
