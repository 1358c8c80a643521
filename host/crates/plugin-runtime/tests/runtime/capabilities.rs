//! Capabilities through real components: keys, settings, telemetry, and interfaces of packs.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use engine::port::{CallScope, HostInterface, HostInterfaceError, KeyValueWrite, LogLevel, Runner as _, SpanItem, Verb, Versioned};
use pipeline::{AttributeValue, FailureClass};
use plugin_runtime::Grant;
use serde_json::{Value, json};

use crate::support::{Bench, WORK, call, component, done, failed, manifest, module, options, receipt, worker, working};

fn keys() -> Grant {
    Grant { keyvalue: true, ..Grant::default() }
}

/// `set("port", "taken")`; the texts lie at 2048 and 2064, the result at 3072.
const SET: &str = "(call $set (i32.const 2048) (i32.const 4) (i32.const 2064) (i32.const 5) (i32.const 3072))";
const KEYVALUE: &str = r#"(import "jackfield:host/keyvalue@1.0.0" "set" (func $set (param i32 i32 i32 i32 i32)))"#;
const TEXTS: &str = r#"(data (i32.const 2048) "port") (data (i32.const 2064) "taken")"#;

fn writer(then: &str) -> Vec<u8> {
    let text = format!("{KEYVALUE}\n{TEXTS}\n{}", worker(&format!("{SET} {then}")));
    working(&text, "import jackfield:host/keyvalue@1.0.0;", json!({ "capabilities": { "keyvalue": true } }))
}

#[tokio::test]
async fn a_write_leaves_with_the_answer_under_the_version_that_was_read() {
    let bench = Bench::new(options());
    let stored = Versioned { value: "free".to_owned(), version: 4 };
    bench.keys.0.lock().unwrap().insert(("worker".to_owned(), "port".to_owned()), stored.clone());
    let plugin = bench.load(writer(&done(2064, 5)), &keys()).await.unwrap();
    let report = bench.runner.call(call(&plugin, Verb::Apply, json!({ "text": "" }))).await;
    assert_eq!(receipt(&report), &json!({ "text": "taken" }));
    let write = KeyValueWrite { namespace: "worker".into(), key: "port".into(), expected_version: 4, value: Some("taken".into()) };
    assert_eq!(report.writes, [write]);
    assert!(!report.sent);
    // The store itself is as before: the write takes effect with the record of the outcome.
    assert_eq!(bench.keys.0.lock().unwrap().values().next(), Some(&stored));
}

#[tokio::test]
async fn a_call_that_fails_writes_nothing() {
    let bench = Bench::new(options());
    let plugin = bench.load(writer("unreachable"), &keys()).await.unwrap();
    let report = bench.runner.call(call(&plugin, Verb::Apply, json!({ "text": "" }))).await;
    assert_eq!(failed(&report), (FailureClass::Unavailable, "plugin.trap"));
    assert_eq!(report.writes, []);
}

#[tokio::test]
async fn a_setting_is_read_as_the_operator_wrote_it() {
    let bench = Bench::new(options());
    // `get("port")` returns an option of a string at 3072; the text is handed on as the receipt.
    let body = format!(
        "(call $get (i32.const 2048) (i32.const 4) (i32.const 3072)) {}
         (i32.store (i32.const 1040) (i32.load (i32.const 3076))) (i32.store (i32.const 1044) (i32.load (i32.const 3080))) drop (i32.const 1024)",
        done(0, 0)
    );
    let text = format!(r#"(import "jackfield:host/config@1.0.0" "get" (func $get (param i32 i32 i32))) {TEXTS} {}"#, worker(&body));
    let bytes = working(&text, "import jackfield:host/config@1.0.0;", json!({ "capabilities": { "config": ["port"] } }));
    let grant = |value: &str| Grant { config: [("port".to_owned(), value.to_owned())].into(), ..Grant::default() };
    let plugin = bench.load(bytes, &grant("olt-1/7")).await.unwrap();
    let report = bench.runner.call(call(&plugin, Verb::Apply, json!({ "text": "" }))).await;
    assert_eq!(receipt(&report), &json!({ "text": "olt-1/7" }));

    // The same component under the grants of another revision.
    let other = bench.runtime.regrant(&plugin, &grant("olt-2/9")).unwrap();
    let call = call(&plugin, Verb::Apply, json!({ "text": "" }));
    bench.runner.plugins().add_for(call.revision.clone(), other);
    assert_eq!(receipt(&bench.runner.call(call).await), &json!({ "text": "olt-2/9" }));
}

#[tokio::test]
async fn a_plugin_annotates_its_span_and_logs_under_it() {
    let bench = Bench::new(options());
    // One attribute at 3072: key, then the value of the case `int`; a log record of the level `warn` without attributes.
    let body = format!(
        "(i32.store (i32.const 3072) (i32.const 2048)) (i32.store (i32.const 3076) (i32.const 9))
         (i32.store8 (i32.const 3080) (i32.const 2)) (i64.store (i32.const 3088) (i64.const 17))
         (call $annotate (i32.const 3072) (i32.const 1))
         (call $log (i32.const 3) (i32.const 2064) (i32.const 5) (i32.const 0) (i32.const 0)) {}",
        done(0, 0)
    );
    let text = format!(
        r#"(import "jackfield:host/telemetry@1.0.0" "annotate" (func $annotate (param i32 i32)))
           (import "jackfield:host/telemetry@1.0.0" "log" (func $log (param i32 i32 i32 i32 i32)))
           (data (i32.const 2048) "acme.port") (data (i32.const 2064) "taken") {}"#,
        worker(&body)
    );
    let bytes = working(&text, "import jackfield:host/telemetry@1.0.0;", json!({}));
    let plugin = bench.load(bytes, &Grant::default()).await.unwrap();
    let report = bench.runner.call(call(&plugin, Verb::Apply, json!({ "text": "" }))).await;
    assert!(report.answer.is_ok(), "{report:?}");
    let attributes = vec![("acme.port".to_owned(), AttributeValue::Int(17))];
    assert_eq!(report.attributes, attributes);
    let log = SpanItem::Log { level: LogLevel::Warn, message: "taken".to_owned(), attributes: Vec::new() };
    assert_eq!(*bench.spans.items.lock().unwrap(), [log, SpanItem::Attributes(attributes)]);
}

const GADGET: &str = "package acme:gadget@1.0.0;\ninterface drill {\n  bore: func(depth: u32) -> u32;\n}";

/// An interface of a pack: doubles, fails for 13, and never answers for 99.
#[derive(Debug, Default)]
struct Drill(Mutex<Vec<(String, Vec<Value>)>>);

#[async_trait]
impl HostInterface for Drill {
    fn name(&self) -> &'static str {
        "acme:gadget/drill@1.0.0"
    }

    fn wit(&self) -> &'static str {
        GADGET
    }

    async fn call(&self, scope: &CallScope, function: &str, arguments: Vec<Value>) -> Result<Value, HostInterfaceError> {
        self.0.lock().unwrap().push((format!("{}/{function}", scope.plugin), arguments.clone()));
        match arguments[0].as_u64() {
            Some(13) => Err(HostInterfaceError { interface: self.name().into(), function: function.into(), message: "the drill broke".into() }),
            Some(99) => pending().await,
            depth => Ok(json!(depth.map(|depth| depth * 2))),
        }
    }
}

fn boring(depth: u32) -> Vec<u8> {
    let nested = GADGET.replace("package acme:gadget@1.0.0;", "package acme:gadget@1.0.0 {") + "\n}";
    let body = format!("(i32.store8 (i32.const 2048) (i32.add (i32.const 48) (call $bore (i32.const {depth})))) {}", done(2048, 1));
    let text = format!("(import \"acme:gadget/drill@1.0.0\" \"bore\" (func $bore (param i32) (result i32))) {}", worker(&body));
    component(&module(&text), "import acme:gadget/drill@1.0.0;", "export work;", &manifest(json!({})), &format!("{WORK}\n{nested}"))
}

#[tokio::test]
async fn an_interface_of_a_pack_is_linked_without_code_for_it() {
    let drill = Arc::new(Drill::default());
    let bench = Bench::with(options(), vec![drill.clone()]);
    let plugin = bench.load(boring(4), &Grant::default()).await.unwrap();
    let report = bench.runner.call(call(&plugin, Verb::Apply, json!({ "text": "" }))).await;
    assert_eq!(receipt(&report), &json!({ "text": "8" }));
    assert!(report.sent, "what a pack's interface does counts as having left the host");
    assert_eq!(*drill.0.lock().unwrap(), [("worker/bore".to_owned(), vec![json!(4)])]);
}

#[tokio::test]
async fn what_an_interface_cannot_do_ends_the_call_with_its_message() {
    let bench = Bench::with(options(), vec![Arc::new(Drill::default())]);
    let plugin = bench.load(boring(13), &Grant::default()).await.unwrap();
    let report = bench.runner.call(call(&plugin, Verb::Apply, json!({ "text": "" }))).await;
    assert_eq!(failed(&report), (FailureClass::Unknown, "plugin.trap"));
    assert!(report.answer.unwrap_err().message.contains("acme:gadget/drill@1.0.0.bore: the drill broke"));
}

#[tokio::test]
async fn the_wall_clock_runs_while_the_host_is_awaited() {
    let bench = Bench::with(options(), vec![Arc::new(Drill::default())]);
    let plugin = bench.load(boring(99), &Grant::default()).await.unwrap();
    let mut call = call(&plugin, Verb::Apply, json!({ "text": "" }));
    call.timeout = Duration::from_millis(50);
    let report = bench.runner.call(call).await;
    assert_eq!(failed(&report), (FailureClass::Unknown, "plugin.timeout"));
    assert_eq!(plugin.load(), (0, 0));
}

#[tokio::test]
async fn an_interface_that_differs_from_the_plugin_s_is_refused() {
    #[derive(Debug)]
    struct Other;
    #[async_trait]
    impl HostInterface for Other {
        fn name(&self) -> &'static str {
            "acme:gadget/drill@1.0.0"
        }
        fn wit(&self) -> &'static str {
            "package acme:gadget@1.0.0;\ninterface drill {\n  bore: func(depth: u64) -> u32;\n}"
        }
        async fn call(&self, _scope: &CallScope, _function: &str, _arguments: Vec<Value>) -> Result<Value, HostInterfaceError> {
            Ok(Value::Null)
        }
    }
    let bench = Bench::with(options(), vec![Arc::new(Other)]);
    let error = bench.load(boring(4), &Grant::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the component imports `acme:gadget/drill@1.0.0`, which differs from what this host offers:\nbore: the type changed\n  \
         host:   func(depth: u64) -> u32\n  plugin: func(depth: u32) -> u32"
    );
}
