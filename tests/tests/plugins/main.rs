//! Every verb of every plugin that ships: the built component through the real runtime, against the lab's back ends.
#![allow(clippy::unwrap_used, reason = "tests")]

mod activation;
mod billing;
mod catalog;
mod inventory;
mod inventory_tmf639;
mod provisioning;

use std::sync::Arc;

use end_to_end_tests::{
    harness,
    runtime::{Bench, Spans, call_of},
};
use engine::{
    port::{Answer, Append, Call, CallReport, Journal, KeyValueWrite, RunRow, RunState, Runner, Verb},
    testing::MemoryStore,
};
use pipeline::{FailureClass, PipelineName, Seq, Timestamp};
use plugin_runtime::{Grant, HttpRule, Plugin, Plugins, Runtime, WasmRunner};
use serde_json::{Value, json};

/// A plugin in front of its back end, with the keys that it keeps.
struct Socket {
    runner: WasmRunner,
    plugin: Plugin,
    keys: Arc<MemoryStore>,
}

impl Socket {
    /// Loads a plugin with a grant.
    async fn new(name: &str, grant: Grant) -> Self {
        let runtime = Runtime::new(Bench::options()).unwrap();
        let plugin = runtime.load(std::fs::read(harness::plugin(name)).unwrap(), &grant).await.unwrap();
        let (keys, plugins) = (Arc::new(MemoryStore::default()), Plugins::default());
        plugins.add(plugin.clone());
        Self { runner: WasmRunner::new(runtime, plugins, keys.clone(), Arc::new(Spans::default())), plugin, keys }
    }

    fn call(&self, verb: Verb, request: &Value) -> Call {
        let track = self.plugin.contracts()[0].track.to_string();
        call_of(&self.plugin, &track, verb, request.clone())
    }

    async fn report(&self, verb: Verb, request: &Value) -> CallReport {
        self.make(self.call(verb, request)).await
    }

    /// Makes a call and keeps the keys that it changed, as the engine does with the record of its outcome.
    async fn make(&self, call: Call) -> CallReport {
        let row = row(&call);
        let report = self.runner.call(call).await;
        self.keep(row, report.writes.clone()).await;
        report
    }

    async fn keep(&self, row: RunRow, writes: Vec<KeyValueWrite>) {
        let append = Append { row, expected_head: Seq(0), records: Vec::new(), documents: Vec::new(), writes, holds: Vec::new() };
        self.keys.append(&append).await.unwrap();
    }

    async fn answer(&self, verb: Verb, request: &Value) -> Answer {
        self.report(verb, request).await.answer.unwrap()
    }

    async fn receipt(&self, request: &Value) -> Value {
        let answer = self.answer(Verb::Apply, request).await;
        let Answer::Done(receipt) = answer else { panic!("expected a receipt, got {answer:?}") };
        receipt
    }

    /// The class and the `error.type` of a call that must fail.
    async fn failure(&self, verb: Verb, request: &Value) -> (FailureClass, String) {
        let failure = self.report(verb, request).await.answer.unwrap_err();
        (failure.class, failure.error_type)
    }
}

fn row(call: &Call) -> RunRow {
    RunRow {
        run: call.run.clone(),
        tenant: call.tenant.clone(),
        pipeline: PipelineName::new("order").unwrap(),
        idempotency_key: None,
        head: Seq(0),
        state: RunState::Active,
        wake_at: None,
        detail: String::new(),
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
    }
}

/// A grant of one endpoint under a logical name.
fn endpoint(name: &str, url: &str) -> Grant {
    let methods = ["GET", "POST", "PUT", "DELETE"].map(str::to_owned).to_vec();
    Grant { http: [(name.to_owned(), HttpRule { methods, ..HttpRule::to(url) })].into(), ..Grant::default() }
}

/// A resource as inventory hands it out.
fn port() -> Value {
    json!({"id": "olt-1/port/7", "resource-type": "port", "service": "access", "network-element": "olt-1", "characteristics": []})
}

fn service() -> Value {
    json!({"name": "access", "resource-type": "port", "characteristics": [{"name": "bandwidth", "value": "100"}]})
}
