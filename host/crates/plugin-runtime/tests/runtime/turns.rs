//! Calls that take long take turns, and only while they compute.

use std::sync::Arc;

use async_trait::async_trait;
use engine::port::{CallScope, HostInterface, HostInterfaceError, Runner as _, Verb};
use plugin_runtime::Grant;
use serde_json::{Value, json};
use tokio::{sync::Notify, task::JoinSet};

use crate::support::{Bench, WORK, call, component, done, manifest, module, options, worker, working};

const GATE: &str = "package acme:gate@1.0.0;\ninterface gate {\n  pass: func();\n}";
/// Several times the CPU time from which on a call takes turns.
const SPIN: &str = "(local.set $n (i32.const 100000000)) (loop $spin (br_if $spin (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))";

/// Something that answers when the test says so.
#[derive(Debug, Default)]
struct Gate {
    asked: Notify,
    opened: Notify,
}

#[async_trait]
impl HostInterface for Gate {
    fn name(&self) -> &'static str {
        "acme:gate/gate@1.0.0"
    }

    fn wit(&self) -> &'static str {
        GATE
    }

    async fn call(&self, _scope: &CallScope, _function: &str, _arguments: Vec<Value>) -> Result<Value, HostInterfaceError> {
        self.asked.notify_one();
        self.opened.notified().await;
        Ok(Value::Null)
    }
}

/// Computes and waits, twice.
fn waiting() -> Vec<u8> {
    let nested = GATE.replace("package acme:gate@1.0.0;", "package acme:gate@1.0.0 {") + "\n}";
    let body = format!("(local $n i32) {SPIN} (call $pass) {SPIN} (call $pass) {}", done(0, 0));
    let text = format!("(import \"acme:gate/gate@1.0.0\" \"pass\" (func $pass)) {}", worker(&body));
    component(&module(&text), "import acme:gate/gate@1.0.0;", "export work;", &manifest(json!({})), &format!("{WORK}\n{nested}"))
}

#[tokio::test]
async fn a_long_call_that_waits_keeps_no_other_long_call_from_computing() {
    let gate = Arc::new(Gate::default());
    // Of two threads one is for calls that take long.
    let bench = Arc::new(Bench::with(options(), vec![gate.clone()]));
    let waiting = bench.load(waiting(), &Grant::default()).await.unwrap();
    let computing = working(&worker(&format!("(local $n i32) {SPIN} {}", done(0, 0))), "", json!({ "name": "computing" }));
    let computing = bench.load(computing, &Grant::default()).await.unwrap();
    let apply = |plugin| {
        let (bench, call) = (Arc::clone(&bench), call(plugin, Verb::Apply, json!({ "text": "" })));
        async move { bench.runner.call(call).await.answer }
    };
    let mut first = JoinSet::new();
    first.spawn(apply(&waiting));
    for _ in 0..2 {
        tokio::select! {
            () = gate.asked.notified() => {}
            ended = first.join_next() => panic!("it ended before it waited: {ended:?}"),
        }
        assert!(apply(&computing).await.is_ok());
        assert!(first.try_join_next().is_none());
        gate.opened.notify_one();
    }
    assert!(first.join_next().await.unwrap().unwrap().is_ok());
}
