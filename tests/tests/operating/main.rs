//! What operators type, over the real binary with real plugins in front of the lab: looking, deciding, tokens, draining, backups, upgrades.
#![allow(clippy::unwrap_used, reason = "tests")]

mod backup;
mod drain;
mod look;
mod orders;
mod resolve;
mod roles;
mod stuck;
mod tokens;
mod undo;
mod upgrade;
mod wrong_decisions;

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
