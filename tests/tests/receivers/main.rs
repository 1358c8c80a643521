//! Telemetry of the real binary, as it arrives at a receiver in another process.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "tests")]

mod capture;
mod figures;
mod journal;
mod kills;
mod outage;
mod paths;
mod play;
mod selftest;
mod sql;
mod tree;

use std::time::{Duration, Instant};

use end_to_end_tests::harness::{Host, Lab, Receiver, orders::all_plugins};
use serde_json::{Value, json};

/// A host that sends its telemetry to a receiver, in front of a lab.
struct Stage {
    host: Host,
    receiver: Receiver,
    lab: Lab,
}

impl Stage {
    /// Starts everything. Telemetry leaves the host quickly, so that nobody waits for it.
    fn start(protocol: &str, pools: &Value, config: &str) -> Self {
        let (lab, receiver) = (Lab::start_with(&["--activation-ms", "50"]), Receiver::start());
        let named = if protocol == "grpc" { "grpc" } else { "http/protobuf" };
        let telemetry = format!("[telemetry]\notlp = {:?}\nprotocol = {named:?}", receiver.url(protocol));
        let setup = all_plugins(&lab, pools).config(config).config(&telemetry);
        let host = setup.environment("OTEL_BSP_SCHEDULE_DELAY", "50").environment("OTEL_METRIC_EXPORT_INTERVAL", "250").start();
        Self { host, receiver, lab }
    }

    /// Waits until an order is where orders come to rest.
    fn rest(&self, id: &str) -> String {
        let order = self.host.wait(id, &["completed", "held", "failed", "cancelled"]);
        order["state"].as_str().unwrap().to_owned()
    }

    /// A person decides about a held order, which then ends.
    fn resolve(&self, id: &str, decision: &[&str]) -> String {
        let arguments = [&["run", "resolve", id], decision, &["--by", "ann", "--note", "decided"]].concat();
        let resolved = self.host.cli(&arguments);
        assert!(resolved.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&resolved.stderr));
        let order = self.host.wait(id, &["completed", "failed", "cancelled"]);
        order["state"].as_str().unwrap().to_owned()
    }

    /// All switches of a back end are off.
    fn reset(&self, back_end: &str) {
        self.lab.switch(back_end, "reset", json!({}));
    }

    /// Waits until a back end was asked with this method.
    fn asked(&self, back_end: &str, method: &str) {
        until(&format!("{method} at {back_end}"), || {
            let requests = self.lab.requests(back_end);
            requests.as_array().unwrap().iter().any(|request| request["method"] == method).then_some(())
        });
    }
}

/// Waits for something; the patience is for what never comes, not a measure of speed.
fn until<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let patience = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < patience, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
