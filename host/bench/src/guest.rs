//! The plugin that is measured: loaded as the host loads it, and called with requests as the journal holds them.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use engine::port::{Answer, Call, CallEnd, CallSpan, CallTelemetry, KeyValue, ReadError, Runner as _, SpanContext, SpanItem, Verb, Versioned};
use pipeline::{AttemptId, Direction, IdempotencyKey, ItemId, PipelineName, Revision, RunId, StepName, TenantName};
use plugin_runtime::{Grant, Options, Plugin, Plugins, Runtime, WasmRunner};
use serde_json::Value;

use crate::{
    harness::rounds::{Contender, Timed},
    setup::Setup,
};

/// A request of `inventory` as a run has it.
pub(crate) const INVENTORY: &str = r#"{"order":"01890a5d-ac96-774b-bcce-b302099a8057","customer":"c-1","location":"north","service":{"name":"access","resource-type":"port","characteristics":[{"name":"bandwidth","value":"100"}]}}"#;

/// Requests of the other contracts, for a plugin that does not answer `inventory`.
const REQUESTS: [(&str, &str); 5] = [
    ("inventory", INVENTORY),
    ("catalog", r#"{"offering":"fibre","action":"add","quantity":1,"characteristics":[]}"#),
    (
        "provisioning",
        r#"{"order":"o","service":{"name":"access","resource-type":"port","characteristics":[]},"resource":{"id":"port/1","resource-type":"port","service":"access","network-element":"olt-1","characteristics":[]}}"#,
    ),
    ("activation", r#"{"order":"o","services":[],"resources":[]}"#),
    ("billing", r#"{"order":"o","offering":"fibre","service-id":"service-1"}"#),
];

/// The settings of the runtime that every figure uses: the defaults, with a cache.
pub(crate) fn options(setup: &Setup) -> Options {
    Options { cache_dir: Some(setup.directory.join("compiled")), ..Options::default() }
}

/// A plugin that can be called.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) runtime: Runtime,
    pub(crate) plugin: Plugin,
}

impl Guest {
    /// Loads a component.
    pub(crate) async fn load(setup: &Setup, bytes: Vec<u8>) -> Result<Self> {
        // What a manifest does not ask for is not there, whatever is granted.
        let grant = Grant { keyvalue: true, ..Grant::default() };
        Self::load_in(Runtime::new(options(setup))?, bytes, &grant).await
    }

    /// Loads a component into a runtime that is there.
    pub(crate) async fn load_in(runtime: Runtime, bytes: Vec<u8>, grant: &Grant) -> Result<Self> {
        let plugin = runtime.load(bytes, grant).await?;
        Ok(Self { runtime, plugin })
    }

    /// Ours: calls of the plugin from journal bytes to the outcome.
    pub(crate) fn caller(&self, telemetry: Arc<dyn CallTelemetry>, sampled: bool) -> Result<Caller> {
        let plugins = Plugins::default();
        plugins.add(self.plugin.clone());
        self.caller_among(plugins, std::slice::from_ref(&self.plugin), telemetry, sampled)
    }

    /// Calls of plugins that answer the same contract as this one, one after the other, among all that are in a table.
    pub(crate) fn caller_among(&self, table: Plugins, called: &[Plugin], telemetry: Arc<dyn CallTelemetry>, sampled: bool) -> Result<Caller> {
        let runner = WasmRunner::new(self.runtime.clone(), table, Arc::new(NoKeys), telemetry);
        let (contract, request) = self.contract()?;
        let track = contract.parse()?;
        let pin = |plugin: &Plugin| plugin.pin(&track).with_context(|| format!("the plugin does not answer {track}"));
        let calls = called.iter().map(|plugin| call(pin(plugin)?, sampled)).collect::<Result<_>>()?;
        Ok(Caller { runner, journal: request.to_owned().into_bytes(), calls, next: AtomicUsize::new(0) })
    }

    /// The first contract for which there is a request.
    fn contract(&self) -> Result<(String, &'static str)> {
        let tracks: Vec<String> = self.plugin.contracts().iter().map(|contract| contract.track.to_string()).collect();
        let known = REQUESTS.iter().find_map(|(name, request)| {
            let track = tracks.iter().find(|track| **track == format!("jackfield:order/{name}@1"))?;
            Some((track.clone(), *request))
        });
        known.with_context(|| format!("none of the contracts {} has a request here", tracks.join(", ")))
    }
}

/// A call as the engine makes it, complete but for the request.
fn call(pin: pipeline::Pin, sampled: bool) -> Result<Call> {
    let (tenant, run) = (TenantName::new("default")?, RunId::new("01890a5d-ac96-774b-bcce-b302099a8057")?);
    let item = ItemId { step: StepName::new("allocate_inventory")?, item: 0, round: 1 };
    let key = IdempotencyKey::derive(&tenant, &run, &item, Direction::Do);
    Ok(Call {
        tenant,
        run,
        pipeline: PipelineName::new("order")?,
        revision: Revision::new("0".repeat(64))?,
        attempt: AttemptId { item, direction: Direction::Do, attempt: 1 },
        label: "access".to_owned(),
        key,
        pin: pin.into(),
        verb: Verb::Apply,
        request: Arc::new(Value::Null),
        must_understand: &[],
        timeout: Duration::from_secs(30),
        callback: None,
        span: SpanContext {
            trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
            span_id: "b7ad6b7169203331".to_owned(),
            sampled,
            trace_state: String::new(),
        },
    })
}

/// Makes calls; must be used on the runtime's own threads.
#[derive(Debug)]
pub(crate) struct Caller {
    runner: WasmRunner,
    journal: Vec<u8>,
    calls: Vec<Call>,
    next: AtomicUsize,
}

impl Caller {
    /// The same with another name of the requested service.
    pub(crate) fn asking(self, service: &str) -> Result<Self> {
        let mut request: Value = serde_json::from_slice(&self.journal)?;
        request["service"]["name"] = service.into();
        Ok(Self { journal: serde_json::to_vec(&request)?, ..self })
    }

    fn call(&self) -> Result<Call> {
        let request: Value = serde_json::from_slice(&self.journal)?;
        let call = match self.calls.as_slice() {
            [only] => only,
            several => &several[self.next.fetch_add(1, Ordering::Relaxed) % several.len()],
        };
        Ok(Call { request: Arc::new(request), ..call.clone() })
    }

    /// A call that the host is expected to stop.
    pub(crate) async fn stopped(&self) {
        if let Ok(call) = self.call() {
            black_box(self.runner.call(call).await.answer.is_err());
        }
    }

    /// A call that is expected to succeed.
    pub(crate) async fn once(&self) -> Result<()> {
        match self.runner.call(self.call()?).await.answer {
            Ok(Answer::Done(receipt)) => {
                black_box(receipt);
                Ok(())
            }
            other => bail!("the plugin answered {other:?}, expected a receipt"),
        }
    }
}

impl Contender for Caller {
    fn round(&mut self, calls: usize) -> Timed<'_> {
        Box::pin(async move {
            let begun = Instant::now();
            for _ in 0..calls {
                self.once().await?;
            }
            Ok(begun.elapsed())
        })
    }
}

/// A store without keys: the plugins that are measured have none.
#[derive(Debug)]
struct NoKeys;

#[async_trait]
impl KeyValue for NoKeys {
    async fn get(&self, _: &str, _: &str) -> Result<Option<Versioned>, ReadError> {
        Ok(None)
    }

    async fn list(&self, _: &str, _: &str, _: Option<&str>, _: usize) -> Result<Vec<String>, ReadError> {
        Ok(Vec::new())
    }
}

/// The no-op tracer and meter.
#[derive(Debug)]
pub(crate) struct Unobserved;

struct NoSpan(SpanContext);

impl CallTelemetry for Unobserved {
    fn begin(&self, call: &Call) -> Box<dyn CallSpan> {
        Box::new(NoSpan(call.span.clone()))
    }
}

impl CallSpan for NoSpan {
    fn context(&self) -> &SpanContext {
        &self.0
    }

    fn record(&mut self, _: SpanItem) {}

    fn end(self: Box<Self>, _: CallEnd) {}
}
