//! One change of each kind that makes a plugin and the host incompatible, with everything that the operator gets to read.

use end_to_end_tests::runtime::Bench;
use expect_test::{Expect, expect};
use plugin_runtime::Grant;

use crate::built_from;

async fn refused(changes: &[(&str, &str)], expected: Expect) {
    let bench = Bench::new(Bench::options());
    let error = bench.load(built_from(changes), &Grant::default()).await.unwrap_err();
    expected.assert_eq(&error.to_string());
}

#[tokio::test]
async fn a_changed_type() {
    refused(
        &[("order: string,", "order: u64,")],
        expect![[r#"
        `jackfield:order/inventory@1.2.0` does not go together with version 1.1.0 of this host:
        apply.request.order: the type changed
          host:   string
          plugin: u64
        observe.request.order: the type changed
          host:   string
          plugin: u64"#]],
    )
    .await;
}

#[tokio::test]
async fn a_changed_type_deep_inside() {
    let spec = "record spec { name: string, resource-type: string, characteristics: list<tuple<string, string>> }\n\n    /// What is needed.";
    refused(
        &[("/// What is needed.", spec), ("service: service-spec,", "service: spec,")],
        expect![[r#"
        `jackfield:order/inventory@1.2.0` does not go together with version 1.1.0 of this host:
        apply.request.service.characteristics[]: the type changed
          host:   record { name: string, value: string }
          plugin: tuple<string, string>
        observe.request.service.characteristics[]: the type changed
          host:   record { name: string, value: string }
          plugin: tuple<string, string>"#]],
    )
    .await;
}

#[tokio::test]
async fn a_removed_function() {
    refused(&[("observe: func(call: call, request: request) -> result<observed, failure>;", "")], expect![[r#"
        `jackfield:order/inventory@1.2.0` does not go together with version 1.1.0 of this host:
        observe: the function is missing
          host:   func(call: record { run: string, pipeline: string, step: string, item: string, attempt: u32, round: u32, idempotency-key: string, deadline-ms: u64, callback: option<record { operation: string, url: string }> }, request: record { order: string, customer: option<string>, location: option<string>, service: record { name: string, resource-type: string, characteristics: list<record { name: string, value: string }> }, preferred-element: option<string> }) -> result<variant { absent, ours(record { id: string, resource-type: string, service: string, network-element: string, characteristics: list<record { name: string, value: string }> }), foreign(string), drifted(record { id: string, resource-type: string, service: string, network-element: string, characteristics: list<record { name: string, value: string }> }), unsupported }, variant { rejected(record { code: string, message: string }), unavailable(record { reason: record { code: string, message: string }, retry-after-ms: option<u64> }), unknown-outcome(record { code: string, message: string }) }>
          plugin: (absent)"#]]).await;
}

#[tokio::test]
async fn a_new_required_field() {
    refused(
        &[("location: option<string>,", "location: option<string>,\n        zone: string,")],
        expect![[r#"
        `jackfield:order/inventory@1.2.0` does not go together with version 1.1.0 of this host:
        apply.request.zone: the plugin requires a field that the host does not send
          host:   (absent)
          plugin: string
        observe.request.zone: the plugin requires a field that the host does not send
          host:   (absent)
          plugin: string"#]],
    )
    .await;
}

#[tokio::test]
async fn a_field_that_became_required() {
    refused(
        &[("customer: option<string>,", "customer: string,")],
        expect![[r#"
        `jackfield:order/inventory@1.2.0` does not go together with version 1.1.0 of this host:
        apply.request.customer: the type changed
          host:   option<string>
          plugin: string
        observe.request.customer: the type changed
          host:   option<string>
          plugin: string"#]],
    )
    .await;
}

#[tokio::test]
async fn a_renamed_field() {
    refused(
        &[("service: service-spec,", "wanted: service-spec,")],
        expect![[r#"
        `jackfield:order/inventory@1.2.0` does not go together with version 1.1.0 of this host:
        apply.request.service: a required field is missing
          host:   record { name: string, resource-type: string, characteristics: list<record { name: string, value: string }> }
          plugin: (absent)
        apply.request.wanted: the plugin requires a field that the host does not send
          host:   (absent)
          plugin: record { name: string, resource-type: string, characteristics: list<record { name: string, value: string }> }
        observe.request.service: a required field is missing
          host:   record { name: string, resource-type: string, characteristics: list<record { name: string, value: string }> }
          plugin: (absent)
        observe.request.wanted: the plugin requires a field that the host does not send
          host:   (absent)
          plugin: record { name: string, resource-type: string, characteristics: list<record { name: string, value: string }> }"#]],
    )
    .await;
}

#[tokio::test]
async fn a_case_that_the_host_does_not_know() {
    refused(
        &[("done(receipt),", "done(receipt),\n        partly(string),")],
        expect![[r#"
        `jackfield:order/inventory@1.2.0` does not go together with version 1.1.0 of this host:
        apply.result.ok.partly: the host does not know this case
          host:   (absent)
          plugin: partly(string)
        resume.result.ok.partly: the host does not know this case
          host:   (absent)
          plugin: partly(string)
        undo.result.ok.partly: the host does not know this case
          host:   (absent)
          plugin: partly(string)"#]],
    )
    .await;
}

#[tokio::test]
async fn a_case_with_another_payload() {
    refused(
        &[("foreign(string),", "foreign,")],
        expect![[r#"
        `jackfield:order/inventory@1.2.0` does not go together with version 1.1.0 of this host:
        observe.result.ok.foreign: the payload changed
          host:   string
          plugin: (absent)"#]],
    )
    .await;
}

#[tokio::test]
async fn a_receipt_without_a_field() {
    let receipt = "record receipt { id: string, resource-type: string, service: string, characteristics: list<characteristic> }";
    refused(
        &[("type receipt = %resource;", receipt)],
        expect![[r#"
        `jackfield:order/inventory@1.2.0` does not go together with version 1.1.0 of this host:
        apply.result.ok.done.network-element: a required field is missing
          host:   string
          plugin: (absent)
        observe.result.ok.ours.network-element: a required field is missing
          host:   string
          plugin: (absent)
        observe.result.ok.drifted.network-element: a required field is missing
          host:   string
          plugin: (absent)
        resume.result.ok.done.network-element: a required field is missing
          host:   string
          plugin: (absent)
        undo.receipt.network-element: a required field is missing
          host:   string
          plugin: (absent)
        undo.result.ok.done.network-element: a required field is missing
          host:   string
          plugin: (absent)"#]],
    )
    .await;
}

#[tokio::test]
async fn a_new_parameter() {
    let (present, next) = ("undo: func(call: call, receipt: receipt)", "undo: func(call: call, receipt: receipt, why: string)");
    refused(&[(present, next)], expect![[r#"
        `jackfield:order/inventory@1.2.0` does not go together with version 1.1.0 of this host:
        undo: the number of parameters changed
          host:   func(call: record { run: string, pipeline: string, step: string, item: string, attempt: u32, round: u32, idempotency-key: string, deadline-ms: u64, callback: option<record { operation: string, url: string }> }, receipt: record { id: string, resource-type: string, service: string, network-element: string, characteristics: list<record { name: string, value: string }> }) -> result<variant { done(record { id: string, resource-type: string, service: string, network-element: string, characteristics: list<record { name: string, value: string }> }), undone, pending(record { operation: string, checkpoint: string, poll-after-ms: option<u64>, give-up-after-ms: u64 }) }, variant { rejected(record { code: string, message: string }), unavailable(record { reason: record { code: string, message: string }, retry-after-ms: option<u64> }), unknown-outcome(record { code: string, message: string }) }>
          plugin: func(call: record { run: string, pipeline: string, step: string, item: string, attempt: u32, round: u32, idempotency-key: string, deadline-ms: u64, callback: option<record { operation: string, url: string }> }, receipt: record { id: string, resource-type: string, service: string, network-element: string, characteristics: list<record { name: string, value: string }> }, why: string) -> result<variant { done(record { id: string, resource-type: string, service: string, network-element: string, characteristics: list<record { name: string, value: string }> }), undone, pending(record { operation: string, checkpoint: string, poll-after-ms: option<u64>, give-up-after-ms: u64 }) }, variant { rejected(record { code: string, message: string }), unavailable(record { reason: record { code: string, message: string }, retry-after-ms: option<u64> }), unknown-outcome(record { code: string, message: string }) }>"#]]).await;
}

#[tokio::test]
async fn several_changes_at_once_are_all_told() {
    let changes = [("order: string,", "order: u64,"), ("unsupported,", "unsupported,\n        unsure,"), ("signal: signal)", "signal: string)")];
    refused(
        &changes,
        expect![[r#"
        `jackfield:order/inventory@1.2.0` does not go together with version 1.1.0 of this host:
        apply.request.order: the type changed
          host:   string
          plugin: u64
        observe.request.order: the type changed
          host:   string
          plugin: u64
        observe.result.ok.unsure: the host does not know this case
          host:   (absent)
          plugin: unsure
        resume.signal: the type changed
          host:   variant { timer, callback(string), cancel }
          plugin: string"#]],
    )
    .await;
}
