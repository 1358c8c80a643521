//! Bad input over the real binary: whatever comes in, the answer says what is wrong, where, and what was expected; nothing is lost, and the process lives.
//!
//! | what | where it is tested |
//! |---|---|
//! | configuration, plugin files, port, a second process, files that are no database | `host/tests/cli` |
//! | plugins that misbehave when they are called | `tests/tests/misbehaving` |
//! | orders that are wrong | `orders` here, and each rule in `host/crates/orders` |
//! | what is wrong below the order: HTTP | `protocol` |
//! | back ends | `back_ends` |
//! | a disk without room | `full_disk`, `full_mount`, and each refusal in `host/crates/store-sqlite` |
//! | databases that are newer, damaged or of another user | `databases` |
#![allow(clippy::unwrap_used, reason = "tests")]

mod back_ends;
mod databases;
mod full_disk;
mod full_mount;
mod orders;
mod protocol;

use end_to_end_tests::harness::{Host, Lab, Setup, orders as shop};
use serde_json::{Value, json};

/// Where orders are.
const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";

/// A host with all plugins and much to give away.
fn setup(lab: &Lab) -> Setup {
    let pools = json!({
        "port": {"element": "olt-1", "count": 512},
        "ipv4": {"element": "bng-1", "cidr": "198.51.100.0/24"},
        "equipment": {"element": "warehouse", "count": 16},
    });
    shop::all_plugins(lab, &pools)
}

/// The table of every step, with these lines.
fn each_step(setup: Setup, lines: &str) -> Setup {
    shop::STEPS.iter().fold(setup, |setup, step| setup.config(&format!("[orders.{step}]\n{lines}")))
}

fn order(offering: &str) -> Value {
    shop::order(offering)
}

/// Submits an order and returns the answer, whatever it is.
fn post(host: &Host, order: &Value) -> end_to_end_tests::harness::Answer {
    host.request("POST", ORDERS, &[("content-type", "application/json")], &order.to_string())
}
