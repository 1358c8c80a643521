//! Plugins that misbehave, called through the real runtime. Whatever one does, the host says what it was, the next call works, and nobody else notices.
#![allow(clippy::unwrap_used, reason = "tests")]

mod element;
mod floods;
mod gates;
mod neighbours;
mod runaway;
mod telling;
mod toolarge;

use std::time::Duration;

use end_to_end_tests::runtime::{Bench, call, inventory_request, receipt};
use engine::port::{Call, CallReport, Verb};
use plugin_runtime::{Grant, HttpRule, Limits, Options, Plugin};
use serde_json::json;
use tokio::sync::RwLock;

use self::element::Element;

/// Held for reading by every test that uses memory, and for writing by the one that measures the process.
static MEMORY: RwLock<()> = RwLock::const_new(());

/// The limits of most tests: small enough that running into them takes no time, and far above what an honest call needs.
fn options() -> Options {
    Options { limits: Limits { cpu_ms: 500, memory_bytes: 192 << 20, ..Limits::default() }, ..Bench::options() }
}

/// What the misbehaving plugin asks for.
fn grant(element: &Element) -> Grant {
    let methods = ["GET", "PUT"].map(str::to_owned).to_vec();
    let rule = HttpRule { methods, ..HttpRule::to(element.url()) };
    Grant { http: [("element".to_owned(), rule)].into(), keyvalue: true, ..Grant::default() }
}

/// A call that misbehaves in a way; `sent` makes it change something outside first.
fn misbehave(plugin: &Plugin, behaviour: &str, sent: bool) -> Call {
    let mut request = inventory_request(behaviour);
    if sent {
        request["customer"] = json!("42");
    }
    call(plugin, Verb::Apply, request)
}

/// Makes a call that never ends and has little time. Where it is to change something outside first, it gets more time until it comes so far.
async fn impatient(bench: &Bench, element: &Element, call: Call, changes: bool) -> CallReport {
    let before = element.effects();
    let mut timeout = Duration::from_millis(300);
    loop {
        let report = bench.call(Call { timeout, ..call.clone() }).await;
        if !changes || element.effects() > before {
            return report;
        }
        bench.spans.take_ends();
        timeout *= 2;
    }
}

/// Makes an honest call, which must succeed.
async fn works(bench: &Bench, plugin: &Plugin) {
    let report = bench.call(call(plugin, Verb::Apply, inventory_request("honest"))).await;
    assert_eq!(receipt(&report)["id"], "port/1", "{}", plugin.name());
}
