//! Devices that are particular, with a record of quirks that says so.

use lab::device::{Faults, Model};
use serde_json::{Value, json};

use super::host::Host;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_all_that_a_particular_device_needs() {
    let cases: [(Faults, Value); 8] = [
        (Faults { digits_only: true, ..Faults::default() }, json!({"boolean": "1"})),
        (Faults { at_most: Some(2), ..Faults::default() }, json!({"set_batch": 2, "get_batch": 2})),
        (Faults { no_prolog: true, ..Faults::default() }, json!({"prolog": false})),
        (Faults { no_204: true, ..Faults::default() }, json!({"termination": "empty-200"})),
        (Faults { applies_after_ms: 100, ..Faults::default() }, json!({"read_back_delay_ms": 300})),
        (Faults { no_parameter_key: true, ..Faults::default() }, json!({"omit_parameter_key": true})),
        (Faults { reverses_lists: true, ..Faults::default() }, json!({"unordered_lists": true})),
        (Faults { whole_seconds: true, ..Faults::default() }, json!({})),
    ];
    let mut wrong = Vec::new();
    let host = Host::start(json!([])).await;
    let device = host.device(Model::Tr181Router, "Q0", Faults { reverses_lists: true, ..Faults::default() }).await;
    assert_eq!(host.provision(&device).await.1, "held", "without a record the order of a list matters");
    for (faults, quirks) in cases {
        let host = Host::start(json!([{"manufacturer": "*", "set": quirks}])).await;
        let device = host.device(Model::Tr181Router, "Q1", faults).await;
        let (sessions, state) = host.provision(&device).await;
        if state != "provisioned" {
            wrong.push(format!("{quirks}: {state} {sessions:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
