//! A runtime with everything that a call needs around it, and calls.

use std::{fs, sync::Arc, time::Duration};

use engine::port::{Answer, Call, CallReport, HostInterface, Runner as _, SpanContext, Verb};
use pipeline::{AttemptId, Direction, FailureClass, IdempotencyKey, ItemId, PipelineName, Revision, RunId, StepName, TenantName};
use plugin_runtime::{Contracts, Grant, LoadError, Options, Plugin, Plugins, Runtime, WasmRunner};
use serde_json::{Value, json};

use super::{keys::Keys, spans::Spans};
use crate::harness;

/// A runtime with a store of keys in memory and telemetry that remembers.
#[derive(Debug)]
pub struct Bench {
    /// The runtime.
    pub runtime: Runtime,
    /// What makes calls.
    pub runner: WasmRunner,
    /// The keys of the plugins. What a call wrote is in its report until it is committed.
    pub keys: Arc<Keys>,
    /// What calls reported.
    pub spans: Spans,
}

impl Bench {
    /// A runtime with the contracts that ship.
    pub fn new(options: Options) -> Self {
        Self::with(options, Vec::new())
    }

    /// The same, which offers plugins these interfaces too.
    pub fn with(options: Options, interfaces: Vec<Arc<dyn HostInterface>>) -> Self {
        let runtime = Runtime::with(options, Contracts::builtin(), interfaces).expect("the runtime starts");
        let (keys, spans) = (Arc::new(Keys::default()), Spans::default());
        let runner = WasmRunner::new(runtime.clone(), Plugins::default(), keys.clone(), Arc::new(spans.clone()));
        Self { runtime, runner, keys, spans }
    }

    /// Few slots, so that many tests fit in one address space, and code that is compiled once for all tests.
    pub fn options() -> Options {
        let cache_dir = Some(harness::target_directory().join("tmp/compiled"));
        Options { threads: 2, max_calls: 8, cache_dir, ..Options::default() }
    }

    /// Loads a component and makes it callable.
    ///
    /// # Errors
    ///
    /// What the runtime has against it.
    pub async fn load(&self, bytes: Vec<u8>, grant: &Grant) -> Result<Plugin, LoadError> {
        let plugin = self.runtime.load(bytes, grant).await?;
        self.runner.plugins().add(plugin.clone());
        Ok(plugin)
    }

    /// Loads a plugin or fixture of this workspace.
    pub async fn load_built(&self, name: &str, grant: &Grant) -> Plugin {
        let bytes = fs::read(harness::plugin(name)).expect("the plugin can be read");
        self.load(bytes, grant).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Makes a call on a task of its own.
    pub async fn call(&self, call: Call) -> CallReport {
        self.runner.call(call).await
    }
}

/// A call of the inventory contract of a plugin.
pub fn call(plugin: &Plugin, verb: Verb, request: Value) -> Call {
    call_of(plugin, "jackfield:order/inventory@1", verb, request)
}

/// A call of a contract of a plugin.
pub fn call_of(plugin: &Plugin, track: &str, verb: Verb, request: Value) -> Call {
    let tenant = TenantName::new("default").expect("a valid name");
    let run = RunId::new("01890a5d-ac96-774b-bcce-b302099a8057").expect("a valid id");
    let item = ItemId { step: StepName::new("allocate_inventory").expect("a valid name"), item: 0, round: 1 };
    let key = IdempotencyKey::derive(&tenant, &run, &item, Direction::Do);
    let track = track.parse().expect("a valid track");
    Call {
        tenant,
        run,
        pipeline: PipelineName::new("order").expect("a valid name"),
        revision: Revision::new("0".repeat(64)).expect("a valid revision"),
        attempt: AttemptId { item, direction: Direction::Do, attempt: 1 },
        label: String::new(),
        key,
        pin: plugin.pin(&track).expect("the plugin answers the contract").into(),
        verb,
        request: Arc::new(request),
        must_understand: &[],
        // Far more than a call takes even on a busy machine; tests of the wall clock set their own.
        timeout: Duration::from_secs(120),
        callback: None,
        span: SpanContext {
            trace_id: "0af7651916cd43dd8448eb211c80319c".into(),
            span_id: "b7ad6b7169203331".into(),
            sampled: true,
            trace_state: String::new(),
        },
    }
}

/// A request of the inventory contract: for a service of this name.
pub fn inventory_request(service: &str) -> Value {
    json!({ "order": "4711", "service": { "name": service, "resource-type": "port", "characteristics": [] } })
}

/// The receipt of a call that must have succeeded.
pub fn receipt(report: &CallReport) -> &Value {
    match &report.answer {
        Ok(Answer::Done(receipt)) => receipt,
        other => panic!("expected done, found {other:?}"),
    }
}

/// Class, `error.type` and message of a call that must have failed.
pub fn failed(report: &CallReport) -> (FailureClass, &str, &str) {
    match &report.answer {
        Err(failure) => (failure.class, &failure.error_type, &failure.message),
        Ok(answer) => panic!("expected a failure, found {answer:?}"),
    }
}
