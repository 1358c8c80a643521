//! Orders over the real binary: the plugins that ship, the lab's back ends, HTTP and the command line, and nothing else.
#![allow(clippy::unwrap_used, reason = "tests")]

mod intake;
mod restart;
mod trouble;
mod vendors;

use end_to_end_tests::harness::{
    Host, Lab, Setup,
    orders::{STEPS, all_plugins, order},
};
use serde_json::{Value, json};

/// A host with all plugins in front of a lab.
fn setup(lab: &Lab) -> Setup {
    let pools = json!({
        "port": {"element": "olt-1", "count": 8},
        "ipv4": {"element": "bng-1", "cidr": "198.51.100.0/28"},
        "equipment": {"element": "warehouse", "count": 2},
    });
    let steps = STEPS.map(|step| format!("[orders.{step}]\nretry_initial_ms = 100\nmax_attempts = 8"));
    all_plugins(lab, &pools).config(&steps.join("\n"))
}

/// The reason of the first open fallout.
fn fallout(host: &Host, id: &str) -> Value {
    host.run(id)["open_fallouts"][0]["reason"].clone()
}

/// How many effects of a kind a back end has had.
fn effects(lab: &Lab, back_end: &str, action: &str) -> usize {
    lab.ledger(back_end).as_array().unwrap().iter().filter(|effect| effect["action"] == action).count()
}
