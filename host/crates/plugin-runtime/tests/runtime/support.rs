//! Components from text, a store of keys and telemetry that remember, and calls.

use std::{
    collections::BTreeMap,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use engine::port::{
    Answer, Call, CallEnd, CallReport, CallSpan, CallTelemetry, HostInterface, KeyValue, ReadError, Runner as _, SpanContext, SpanItem, Verb,
    Versioned,
};
use package::SECTION;
use pipeline::{AttemptId, Direction, FailureClass, IdempotencyKey, ItemId, PipelineName, Revision, RunId, StepName, TenantName};
use plugin_runtime::{Contracts, Grant, LoadError, Options, Plugin, Plugins, Runtime, WasmRunner};
use serde_json::{Value, json};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser_tests::{PackageId, Resolve, SourceMap};

/// The contract of most tests.
pub(crate) const WORK: &str = include_str!("work.wit");
const STEP: &str = include_str!("../../../../../wit/step/types.wit");
const HOST: [(&str, &str); 6] = [
    ("config.wit", include_str!("../../../../../wit/host/config.wit")),
    ("keyvalue.wit", include_str!("../../../../../wit/host/keyvalue.wit")),
    ("secrets.wit", include_str!("../../../../../wit/host/secrets.wit")),
    ("telemetry.wit", include_str!("../../../../../wit/host/telemetry.wit")),
    ("spans.wit", include_str!("../../../../../wit/host/spans.wit")),
    ("metrics.wit", include_str!("../../../../../wit/host/metrics.wit")),
];

/// A manifest of the contract of most tests, with changes.
pub(crate) fn manifest(change: Value) -> String {
    let mut manifest = json!({
        "name": "worker", "version": "1.2.3", "vendor": "acme", "failure_codes": ["no_paper"],
        "contracts": [{ "contract": "acme:test/work@1", "verbs": ["apply", "resume", "observe", "undo"], "idempotent": true }],
    });
    for (key, value) in change.as_object().unwrap() {
        manifest[key] = value.clone();
    }
    manifest.to_string()
}

/// A module with a bump allocator, a memory of one page and the given text.
pub(crate) fn module(text: &str) -> String {
    format!(
        r#"(module
            {text}
            (memory $main (export "memory") 1)
            (global $next (mut i32) (i32.const 4096))
            (func $alloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (global.set $next (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
                (global.get $next)
                (global.set $next (i32.add (global.get $next) (local.get 3)))
                (block $enough
                    (br_if $enough (i32.lt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
                    (drop (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get 3) (i32.const 65536)))))))
        )"#
    )
}

/// The functions of the contract; `apply` does what is given and the others trap. A function gets a pointer to its parameters and returns one to its result.
pub(crate) fn worker(apply: &str) -> String {
    let function =
        |name: &str, body: &str| format!("(func $f_{name} (export \"acme:test/work@1.0.0#{name}\") (param $args i32) (result i32) {body})");
    let rest = ["resume", "observe", "undo"].map(|name| function(name, "unreachable")).join("\n");
    format!("{}\n{rest}", function("apply", apply))
}

/// `done` with the text at an address: the answer of most tests, written to 1024.
pub(crate) fn done(address: u32, length: u32) -> String {
    format!(
        "(i32.store8 (i32.const 1024) (i32.const 0)) (i32.store8 (i32.const 1032) (i32.const 0))
         (i32.store (i32.const 1040) (i32.const {address})) (i32.store (i32.const 1044) (i32.const {length})) (i32.const 1024)"
    )
}

/// Encodes a module as a component of a world of the test package.
pub(crate) fn component(module: &str, imports: &str, exports: &str, manifest: &str, wit: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    push(&mut resolve, &[("step.wit", STEP)]);
    push(&mut resolve, &HOST);
    let world = format!("{wit}\nworld plugin {{\n{imports}\n{exports}\n}}\n");
    let package = push(&mut resolve, &[("test.wit", &world)]);
    let world = resolve.select_world(&[package], Some("plugin")).unwrap();
    let mut bytes = wat::parse_str(module).unwrap();
    embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8, false).unwrap();
    let mut bytes = ComponentEncoder::default().module(&bytes).unwrap().validate(true).encode().unwrap();
    append_manifest(&mut bytes, manifest);
    bytes
}

/// A component of the contract of most tests.
pub(crate) fn working(text: &str, imports: &str, change: Value) -> Vec<u8> {
    component(&module(text), imports, "export work;", &manifest(change), WORK)
}

fn push(resolve: &mut Resolve, files: &[(&str, &str)]) -> PackageId {
    let mut map = SourceMap::default();
    for (name, text) in files {
        map.push_str(name, *text);
    }
    let group = map.parse().map_err(|(map, error)| error.render(&map)).unwrap();
    resolve.push_group(group).unwrap()
}

/// Appends the custom section as a packer does: id 0, size, length of the name, name, data.
pub(crate) fn append_manifest(bytes: &mut Vec<u8>, manifest: &str) {
    let mut body = Vec::new();
    leb128(&mut body, SECTION.len());
    body.extend_from_slice(SECTION.as_bytes());
    body.extend_from_slice(manifest.as_bytes());
    bytes.push(0);
    leb128(bytes, body.len());
    bytes.extend_from_slice(&body);
}

fn leb128(bytes: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        bytes.push(if number == 0 { low } else { low | 0x80 });
        if number == 0 {
            return;
        }
    }
}

/// A plugin or fixture of this workspace. It is built, which costs little when it is built already.
pub(crate) fn built(name: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap();
    let target = root.join("target");
    let build = ["build", "--quiet", "--profile", "plugin", "--target", "wasm32-wasip2", "-p", name, "--target-dir"];
    let status = Command::new(env!("CARGO")).args(build).arg(&target).current_dir(&root).status().unwrap();
    assert!(status.success(), "{name} does not build");
    std::fs::read(target.join("wasm32-wasip2/plugin").join(format!("{}.wasm", name.replace('-', "_")))).unwrap()
}

/// A host with everything that a call needs, and memory of what happened.
pub(crate) struct Bench {
    pub(crate) runtime: Runtime,
    pub(crate) runner: WasmRunner,
    pub(crate) keys: Arc<Keys>,
    pub(crate) spans: Arc<Spans>,
}

impl Bench {
    pub(crate) fn new(options: Options) -> Self {
        Self::with(options, Vec::new())
    }

    pub(crate) fn with(options: Options, interfaces: Vec<Arc<dyn HostInterface>>) -> Self {
        let mut contracts = Contracts::builtin();
        contracts.add(&[("work.wit", WORK)]).unwrap();
        let runtime = Runtime::with(options, contracts, interfaces).unwrap();
        let (keys, spans) = (Arc::new(Keys::default()), Arc::new(Spans::default()));
        let runner = WasmRunner::new(runtime.clone(), Plugins::default(), keys.clone(), spans.clone());
        Self { runtime, runner, keys, spans }
    }

    pub(crate) async fn load(&self, bytes: Vec<u8>, grant: &Grant) -> Result<Plugin, LoadError> {
        let plugin = self.runtime.load(bytes, grant).await?;
        self.runner.plugins().add(plugin.clone());
        Ok(plugin)
    }

    /// Loads a component of the contract of most tests and calls `apply` once.
    pub(crate) async fn apply(&self, text: &str) -> CallReport {
        let plugin = self.load(working(text, "", json!({})), &Grant::default()).await.unwrap();
        self.runner.call(call(&plugin, Verb::Apply, json!({ "text": "hello" }))).await
    }

    /// What the last span was ended with.
    pub(crate) fn last_end(&self) -> CallEnd {
        self.spans.ends.lock().unwrap().last().unwrap().clone()
    }
}

/// Options for tests: few slots, so that many tests fit in one address space.
pub(crate) fn options() -> Options {
    Options { threads: 2, max_calls: 8, ..Options::default() }
}

/// A call of the first contract of a plugin.
pub(crate) fn call(plugin: &Plugin, verb: Verb, request: Value) -> Call {
    let tenant = TenantName::new("default").unwrap();
    let run = RunId::new("01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
    let item = ItemId { step: StepName::new("print").unwrap(), item: 0, round: 1 };
    let key = IdempotencyKey::derive(&tenant, &run, &item, Direction::Do);
    Call {
        tenant,
        run,
        revision: Revision::new("0".repeat(64)).unwrap(),
        pipeline: PipelineName::new("order").unwrap(),
        attempt: AttemptId { item, direction: Direction::Do, attempt: 1 },
        label: String::new(),
        key,
        pin: plugin.pin(&plugin.contracts()[0].track).unwrap().into(),
        verb,
        request: Arc::new(request),
        must_understand: &[],
        // Far more than a call takes even on a busy machine; the tests of the wall clock set their own.
        timeout: Duration::from_secs(60),
        callback: None,
        span: SpanContext {
            trace_id: "0af7651916cd43dd8448eb211c80319c".into(),
            span_id: "b7ad6b7169203331".into(),
            sampled: true,
            trace_state: String::new(),
        },
    }
}

/// The receipt of a call that must have succeeded.
pub(crate) fn receipt(report: &CallReport) -> &Value {
    match &report.answer {
        Ok(Answer::Done(receipt)) => receipt,
        other => panic!("expected done, found {other:?}"),
    }
}

/// Class and `error.type` of a call that must have failed.
pub(crate) fn failed(report: &CallReport) -> (FailureClass, &str) {
    let failure = report.answer.as_ref().unwrap_err();
    (failure.class, failure.error_type.as_str())
}

/// Keys in memory.
#[derive(Debug, Default)]
pub(crate) struct Keys(pub(crate) Mutex<BTreeMap<(String, String), Versioned>>);

#[async_trait]
impl KeyValue for Keys {
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Versioned>, ReadError> {
        Ok(self.0.lock().unwrap().get(&(namespace.to_owned(), key.to_owned())).cloned())
    }

    async fn list(&self, namespace: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<String>, ReadError> {
        let keys = self.0.lock().unwrap();
        let in_range = |key: &&String| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after);
        Ok(keys.keys().filter(|(space, _)| space == namespace).map(|(_, key)| key).filter(in_range).take(limit).cloned().collect())
    }
}

/// Spans that remember what they were told.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    pub(crate) items: Arc<Mutex<Vec<SpanItem>>>,
    pub(crate) ends: Arc<Mutex<Vec<CallEnd>>>,
}

struct Span {
    context: SpanContext,
    items: Arc<Mutex<Vec<SpanItem>>>,
    ends: Arc<Mutex<Vec<CallEnd>>>,
}

impl CallTelemetry for Spans {
    fn begin(&self, call: &Call) -> Box<dyn CallSpan> {
        let context = SpanContext { span_id: "00f067aa0ba902b7".to_owned(), ..call.span.clone() };
        Box::new(Span { context, items: Arc::clone(&self.items), ends: Arc::clone(&self.ends) })
    }
}

impl CallSpan for Span {
    fn context(&self) -> &SpanContext {
        &self.context
    }

    fn record(&mut self, item: SpanItem) {
        self.items.lock().unwrap().push(item);
    }

    fn end(self: Box<Self>, end: CallEnd) {
        self.ends.lock().unwrap().push(end);
    }
}
