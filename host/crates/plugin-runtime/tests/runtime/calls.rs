//! Calls: what goes in, what comes out, and how failures are told apart.

use std::{sync::Arc, time::Duration};

use engine::port::{Answer, CallbackAddress, Observed, PendingAnswer, Runner as _, Signal, Verb};
use pipeline::FailureClass;
use plugin_runtime::Grant;
use serde_json::json;

use crate::support::{Bench, call, done, failed, module, options, receipt, worker, working};

/// `done` with the bytes that the guest finds at offset `at` of its parameters: a pointer and a length.
fn echo_text(at: u32) -> String {
    format!(
        "(i32.store8 (i32.const 1024) (i32.const 0)) (i32.store8 (i32.const 1032) (i32.const 0))
         (i32.store (i32.const 1040) (i32.load (i32.add (local.get $args) (i32.const {at}))))
         (i32.store (i32.const 1044) (i32.load (i32.add (local.get $args) (i32.const {}))))
         (i32.const 1024)",
        at + 4
    )
}

/// A failure: its case and a reason whose code and message lie at 2048 and 2064.
fn fails(case: u32) -> String {
    format!(
        "(i32.store8 (i32.const 1024) (i32.const 1)) (i32.store8 (i32.const 1032) (i32.const {case}))
         (i32.store (i32.const 1040) (i32.const 2048)) (i32.store (i32.const 1044) (i32.const 8))
         (i32.store (i32.const 1048) (i32.const 2064)) (i32.store (i32.const 1052) (i32.const 5))
         (i32.store8 (i32.const 1056) (i32.const 1)) (i64.store (i32.const 1064) (i64.const 1500))
         (i32.const 1024)"
    )
}

const REASON: &str = r#"(data (i32.const 2048) "no_paper") (data (i32.const 2064) "empty")"#;

#[tokio::test]
async fn every_field_of_the_call_arrives() {
    let bench = Bench::new(options());
    // Offsets of the strings of `call` in the parameters, then of `request.text`, which follows the record of 80 bytes.
    for (at, expected) in [(0, "01890a5d-ac96-774b-bcce-b302099a8057"), (8, "order"), (16, "print"), (24, "port 7"), (80, "hello")] {
        let bytes = working(&worker(&echo_text(at)), "", json!({}));
        let plugin = bench.load(bytes, &Grant::default()).await.unwrap();
        let mut call = call(&plugin, Verb::Apply, json!({ "text": "hello" }));
        call.label = "port 7".to_owned();
        call.callback = Some(CallbackAddress { operation: "op".to_owned(), url: "http://x/".to_owned() });
        let report = bench.runner.call(call).await;
        assert_eq!(receipt(&report), &json!({ "text": expected }), "offset {at}");
        assert!(!report.sent && report.writes.is_empty());
    }
}

#[tokio::test]
async fn nothing_of_an_earlier_call_arrives_with_a_later_one() {
    let bench = Bench::new(options());
    // The note if there is one, or else the text.
    let body = format!("(if (i32.load8_u (i32.add (local.get $args) (i32.const 88))) (then {} return)) {}", echo_text(92), echo_text(80));
    let plugin = bench.load(working(&worker(&body), "", json!({})), &Grant::default()).await.unwrap();
    for (request, expected) in [
        (json!({ "text": "a", "note": "a note that is long" }), "a note that is long"),
        (json!({ "text": "a text that is longer" }), "a text that is longer"),
        (json!({ "text": "", "note": null }), ""),
        (json!({ "text": "c", "note": "d" }), "d"),
    ] {
        let report = bench.runner.call(call(&plugin, Verb::Apply, request)).await;
        assert_eq!(receipt(&report), &json!({ "text": expected }));
    }
}

#[tokio::test]
async fn fields_that_a_plugin_does_not_know_are_dropped_unless_it_must_understand_them() {
    let bench = Bench::new(options());
    let plugin = bench.load(working(&worker(&echo_text(80)), "", json!({})), &Grant::default()).await.unwrap();
    let request = json!({ "text": "hello", "colour": "red" });
    assert_eq!(receipt(&bench.runner.call(call(&plugin, Verb::Apply, request.clone())).await), &json!({ "text": "hello" }));

    let mut strict = call(&plugin, Verb::Apply, request);
    strict.must_understand = &["colour"];
    let report = bench.runner.call(strict.clone()).await;
    assert_eq!(failed(&report), (FailureClass::Rejected, "plugin.contract"));
    assert!(report.answer.unwrap_err().message.contains("$.colour"));

    // A field that is not set need not be understood.
    strict.request = Arc::new(json!({ "text": "hello", "colour": null }));
    assert!(bench.runner.call(strict).await.answer.is_ok());
}

#[tokio::test]
async fn a_request_that_does_not_fit_is_rejected_before_the_call() {
    let bench = Bench::new(options());
    let plugin = bench.load(working(&worker("unreachable"), "", json!({})), &Grant::default()).await.unwrap();
    let report = bench.runner.call(call(&plugin, Verb::Apply, json!({ "text": 7 }))).await;
    assert_eq!(failed(&report), (FailureClass::Rejected, "plugin.contract"));
    assert_eq!(report.answer.unwrap_err().message, "the request does not fit `worker`: $.text: expected a string, found 7");
}

#[tokio::test]
async fn a_reported_failure_keeps_its_class_and_its_declared_code() {
    let bench = Bench::new(options());
    let classes = [(0, FailureClass::Rejected), (2, FailureClass::Unknown)];
    for (case, class) in classes {
        let report = bench.apply(&format!("{REASON}{}", worker(&fails(case)))).await;
        assert_eq!(failed(&report), (class, "no_paper"));
        assert_eq!(report.answer.unwrap_err().message, "empty");
    }
    let report = bench.apply(&format!("{REASON}{}", worker(&fails(1)))).await;
    assert_eq!(failed(&report), (FailureClass::Unavailable, "no_paper"));
    assert_eq!(report.answer.unwrap_err().retry_after_ms, Some(1500));
    assert_eq!(bench.last_end().outcome, "failed");

    let undeclared = working(&format!("{REASON}{}", worker(&fails(0))), "", json!({ "failure_codes": [] }));
    let plugin = bench.load(undeclared, &Grant::default()).await.unwrap();
    let report = bench.runner.call(call(&plugin, Verb::Apply, json!({ "text": "" }))).await;
    assert_eq!(failed(&report), (FailureClass::Rejected, "_OTHER"));
}

/// One function of the contract.
fn function(name: &str, body: &str) -> String {
    format!("(func (export \"acme:test/work@1.0.0#{name}\") (param $args i32) (result i32) {body})")
}

/// The case `pending` of `outcome` and of `observed`, which lie alike: operation and checkpoint from 2048, poll after 250 ms, give up after 9000 ms.
const PENDING: &str = "(i32.store8 (i32.const 1024) (i32.const 0)) (i32.store8 (i32.const 1032) (i32.const 2))
    (i32.store (i32.const 1040) (i32.const 2048)) (i32.store (i32.const 1044) (i32.const 2))
    (i32.store (i32.const 1048) (i32.const 2050)) (i32.store (i32.const 1052) (i32.const 3))
    (i32.store8 (i32.const 1056) (i32.const 1)) (i64.store (i32.const 1064) (i64.const 250))
    (i64.store (i32.const 1072) (i64.const 9000)) (i32.const 1024)";

#[tokio::test]
async fn work_that_is_observed_under_way_comes_back_with_what_resume_needs() {
    let bench = Bench::new(options());
    let others = ["apply", "resume", "undo"].map(|name| function(name, "unreachable")).join("\n");
    let text = format!("(data (i32.const 2048) \"opckp\") {} {others}", function("observe", PENDING));
    let plugin = bench.load(working(&text, "", json!({})), &Grant::default()).await.unwrap();
    let answer = bench.runner.call(call(&plugin, Verb::Observe, json!({ "text": "hello" }))).await.answer;
    let pending = PendingAnswer {
        operation: "op".to_owned(),
        checkpoint: "ckp".to_owned(),
        poll_after: Some(Duration::from_millis(250)),
        give_up_after: Duration::from_secs(9),
    };
    assert_eq!(answer, Ok(Answer::Observed(Observed::Pending(pending))));
    assert_eq!(bench.last_end().outcome, "observed");
}

#[tokio::test]
async fn each_verb_reaches_its_function_and_its_answer_comes_back() {
    let bench = Bench::new(options());
    let undone = "(i32.store8 (i32.const 1024) (i32.const 0)) (i32.store8 (i32.const 1032) (i32.const 1)) (i32.const 1024)";
    // `observed.foreign`.
    let foreign = "(i32.store8 (i32.const 1024) (i32.const 0)) (i32.store8 (i32.const 1032) (i32.const 3))
        (i32.store (i32.const 1040) (i32.const 2048)) (i32.store (i32.const 1044) (i32.const 5)) (i32.const 1024)";
    let text = [
        r#"(data (i32.const 2048) "opckp")"#.to_owned(),
        function("apply", PENDING),
        function("resume", &echo_text(80)),
        function("observe", foreign),
        function("undo", undone),
    ]
    .join("\n");
    let plugin = bench.load(working(&text, "", json!({})), &Grant::default()).await.unwrap();
    let make = |verb| call(&plugin, verb, json!({ "text": "hello" }));

    let Ok(Answer::Pending(pending)) = bench.runner.call(make(Verb::Apply)).await.answer else { panic!("expected pending") };
    assert_eq!((pending.operation.as_str(), pending.checkpoint.as_str()), ("op", "ckp"));
    assert_eq!((pending.poll_after.map(|d| d.as_millis()), pending.give_up_after.as_millis()), (Some(250), 9000));
    let resumed = bench.runner.call(make(Verb::Resume { checkpoint: "where I was".to_owned(), signal: Signal::Callback("body".to_owned()) })).await;
    assert_eq!(receipt(&resumed), &json!({ "text": "where I was" }));
    assert_eq!(bench.runner.call(make(Verb::Observe)).await.answer, Ok(Answer::Observed(Observed::Foreign("opckp".to_owned()))));
    let undo = bench.runner.call(make(Verb::Undo { receipt: json!({ "text": "x" }).into() })).await;
    assert_eq!(undo.answer, Ok(Answer::Undone));
    let outcomes: Vec<_> = bench.spans.ends.lock().unwrap().iter().map(|end| end.outcome).collect();
    assert_eq!(outcomes, ["pending", "done", "observed", "undone"]);

    // A receipt with a field that the plugin would lose does not go to it.
    let report = bench.runner.call(make(Verb::Undo { receipt: json!({ "text": "x", "port": 1 }).into() })).await;
    assert_eq!(failed(&report), (FailureClass::Rejected, "plugin.contract"));
}

#[tokio::test]
async fn a_trap_carries_message_backtrace_and_the_names_of_functions() {
    let bench = Bench::new(options());
    let text = format!("(func $inner_cause unreachable)\n{}", worker("(call $inner_cause) (i32.const 0)"));
    let report = bench.apply(&text).await;
    assert_eq!(failed(&report), (FailureClass::Unavailable, "plugin.trap"));
    let message = report.answer.unwrap_err().message;
    assert!(message.starts_with("`worker` was stopped: wasm trap: wasm `unreachable` instruction executed\n"), "{message}");
    assert!(message.contains("inner_cause") && message.contains("f_apply"), "{message}");
    assert_eq!(bench.last_end().error_message.as_deref(), Some(message.as_str()));
    assert_eq!(bench.last_end().error_type.as_deref(), Some("plugin.trap"));
}

#[tokio::test]
async fn a_trap_leaves_the_plugin_usable() {
    let bench = Bench::new(options());
    assert!(bench.apply(&worker("unreachable")).await.answer.is_err());
    let bytes = working(&worker(&done(2048, 0)), "", json!({}));
    let plugin = bench.load(bytes, &Grant::default()).await.unwrap();
    for _ in 0..50 {
        assert!(bench.runner.call(call(&plugin, Verb::Apply, json!({ "text": "" }))).await.answer.is_ok());
    }
    assert_eq!(plugin.load(), (0, 0));
}

#[tokio::test]
async fn what_is_not_installed_is_held_for_a_person() {
    let bench = Bench::new(options());
    let plugin = bench.runtime.load(working(&worker("unreachable"), "", json!({})), &Grant::default()).await.unwrap();
    let mut wanted = call(&plugin, Verb::Apply, json!({ "text": "" }));
    assert_eq!(failed(&bench.runner.call(wanted.clone()).await), (FailureClass::Held, "plugin.instantiate"));
    bench.runner.plugins().add(plugin.clone());
    Arc::make_mut(&mut wanted.pin).contract = "acme:test/work@9.9.9".to_owned();
    assert_eq!(failed(&bench.runner.call(wanted).await), (FailureClass::Held, "plugin.contract"));
}

#[tokio::test]
async fn a_caller_on_a_thread_for_plugins_gets_the_same_answers() {
    let bench = Bench::new(options());
    let text = worker(&done(2048, 0));
    let plugin = bench.load(working(&text, "", json!({})), &Grant::default()).await.unwrap();
    let (runner, request) = (bench.runner.clone(), call(&plugin, Verb::Apply, json!({ "text": "" })));
    let report = bench.runtime.spawn(async move { runner.call(request).await }).await.unwrap();
    assert_eq!(receipt(&report), &json!({ "text": "" }));
    assert!(bench.last_end().cpu.as_nanos() > 0);
    assert_eq!(bench.last_end().memory_peak % 65_536, 0);
    assert!(!module("").is_empty());
}
