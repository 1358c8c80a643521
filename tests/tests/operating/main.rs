//! What operators type, over the real binary with real plugins in front of the lab: looking, deciding, tokens, draining, backups, upgrades.
#![allow(clippy::unwrap_used, reason = "tests")]

mod backup;
mod drain;
mod look;
mod orders;
mod resolve;
mod stuck;
mod tokens;
mod upgrade;
mod wrong_decisions;

use std::time::{Duration, Instant};

use end_to_end_tests::harness::{Host, Lab, Setup, orders as shop};
use serde_json::{Value, json};

/// A host with all plugins whose failures are final at the second attempt, and that waits little between the two.
fn setup(lab: &Lab) -> Setup {
    let pools = json!({
        "port": {"element": "olt-1", "count": 64},
        "ipv4": {"element": "bng-1", "cidr": "198.51.100.0/26"},
        "equipment": {"element": "warehouse", "count": 16},
    });
    let impatient = |setup: Setup, step| setup.config(&format!("[orders.{step}]\nretry_initial_ms = 10\nmax_attempts = 2"));
    shop::STEPS.iter().fold(shop::all_plugins(lab, &pools), impatient)
}

fn order(offering: &str) -> Value {
    shop::order(offering)
}

/// Submits an order that is held, and returns its id.
fn held(host: &Host, offering: &str) -> String {
    let id = host.submit(&order(offering));
    host.wait(&id, &["held"]);
    id
}

/// How many effects of a kind a back end has had.
fn effects(lab: &Lab, back_end: &str, action: &str) -> usize {
    lab.ledger(back_end).as_array().unwrap().iter().filter(|effect| effect["action"] == action).count()
}

/// How many requests with a method a back end has got.
fn requests(lab: &Lab, back_end: &str, method: &str) -> usize {
    lab.requests(back_end).as_array().unwrap().iter().filter(|request| request["method"] == method).count()
}

/// Waits for something that must come; the patience is for a stuck host, not a measure of speed.
#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < patience, "{what} does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}
