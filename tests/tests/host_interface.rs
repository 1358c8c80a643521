//! A pack may offer plugins an interface that the runtime has never heard of. This one is offered by a test.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use end_to_end_tests::runtime::{Bench, call, failed, inventory_request, receipt};
use engine::port::{CallScope, HostInterface, HostInterfaceError, Verb};
use pipeline::FailureClass;
use plugin_runtime::Grant;
use serde_json::{Value, json};

/// Answers what it is told, and remembers it.
#[derive(Debug)]
struct Echo {
    wit: &'static str,
    heard: Mutex<Vec<(String, String, Vec<Value>)>>,
}

const WIT: &str = include_str!("../fixtures/echo-guest/wit/echo.wit");

impl Echo {
    fn new(wit: &'static str) -> Arc<Self> {
        Arc::new(Self { wit, heard: Mutex::default() })
    }

    fn wrong(&self, message: &str) -> HostInterfaceError {
        HostInterfaceError { interface: self.name().to_owned(), function: "repeat".to_owned(), message: message.to_owned() }
    }
}

#[async_trait]
impl HostInterface for Echo {
    fn name(&self) -> &str {
        "jackfield:test/echo@1.0.0"
    }

    fn wit(&self) -> &str {
        self.wit
    }

    async fn call(&self, scope: &CallScope, function: &str, arguments: Vec<Value>) -> Result<Value, HostInterfaceError> {
        self.heard.lock().unwrap().push((scope.plugin.clone(), function.to_owned(), arguments.clone()));
        let [message, times] = arguments.as_slice() else { return Err(self.wrong("expected two arguments")) };
        if message == "silence" {
            return Ok(json!({ "err": "silence cannot be repeated" }));
        }
        if message["text"] == "break" {
            return Err(self.wrong("the cable is cut"));
        }
        let times = times.as_u64().and_then(|times| usize::try_from(times).ok()).unwrap_or_default();
        Ok(json!({ "ok": vec![message; times] }))
    }
}

async fn told(bench: &Bench, kind: &str, order: &str) -> engine::port::CallReport {
    let plugin = bench.load_built("echo-guest", &Grant::default()).await;
    let mut request = inventory_request(kind);
    request["order"] = json!(order);
    bench.call(call(&plugin, Verb::Apply, request)).await
}

#[tokio::test]
async fn records_variants_lists_and_results_go_there_and_back() {
    let echo = Echo::new(WIT);
    let bench = Bench::with(Bench::options(), vec![echo.clone()]);
    assert_eq!(receipt(&told(&bench, "text", "grüezi").await)["id"], "grüezi grüezi");
    let places = "18446744073709551615:-+9007199254740992:here";
    assert_eq!(receipt(&told(&bench, "positions", "here").await)["id"], format!("{places} {places}"));
    let heard = echo.heard.lock().unwrap().clone();
    let repeat = |message: Value| ("echo-guest".to_owned(), "repeat".to_owned(), vec![message, json!(2)]);
    let positions = json!({ "positions": [{ "number": u64::MAX }, { "number": 1_u64 << 53, "label": "here" }] });
    assert_eq!(heard, [repeat(json!({ "text": "grüezi" })), repeat(positions)]);
}

#[tokio::test]
async fn an_error_of_the_interface_is_the_guests_and_a_breakdown_ends_the_call() {
    let bench = Bench::with(Bench::options(), vec![Echo::new(WIT)]);
    let report = told(&bench, "silence", "").await;
    assert_eq!(failed(&report), (FailureClass::Rejected, "refused", "silence cannot be repeated"));
    let report = told(&bench, "text", "break").await;
    let (class, error_type, message) = failed(&report);
    // What an interface does is unknown to the runtime, so it may have had an effect.
    assert_eq!((class, error_type, report.sent), (FailureClass::Unknown, "plugin.trap", true));
    assert!(message.contains("jackfield:test/echo@1.0.0.repeat: the cable is cut"), "{message}");
    receipt(&told(&bench, "text", "again").await);
}

#[tokio::test]
async fn without_the_interface_the_plugin_is_refused_and_the_import_named() {
    let bytes = std::fs::read(end_to_end_tests::harness::plugin("echo-guest")).unwrap();
    let error = Bench::new(Bench::options()).load(bytes, &Grant::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "the component imports `jackfield:test/echo@1.0.0`, which this host does not offer");
}

#[tokio::test]
async fn with_another_form_of_the_interface_the_plugin_is_refused_and_both_types_shown() {
    let other = "package jackfield:test@1.0.0;\ninterface echo {\n  repeat: func(message: string, times: u32) -> result<list<string>, string>;\n}";
    let bytes = std::fs::read(end_to_end_tests::harness::plugin("echo-guest")).unwrap();
    let error = Bench::with(Bench::options(), vec![Echo::new(other)]).load(bytes, &Grant::default()).await.unwrap_err().to_string();
    assert!(error.contains("repeat: the type changed\n  host:   "), "{error}");
    assert!(error.contains("positions"), "{error}");
}
