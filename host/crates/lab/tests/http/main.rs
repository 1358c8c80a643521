//! The back ends over real HTTP.
#![allow(clippy::unwrap_used, reason = "tests")]

mod backends;
mod client;
mod customers;
mod inventory;
mod switches;
