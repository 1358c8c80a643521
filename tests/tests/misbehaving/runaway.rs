//! Calls that do not come back by themselves, and calls whose answer cannot be used.

use end_to_end_tests::runtime::{Bench, Core, call, component, failed, inventory_manifest, inventory_request, order_files};
use engine::port::Verb;
use pipeline::FailureClass;
use plugin_runtime::Grant;
use serde_json::json;

use crate::{MEMORY, element::Element, grant, impatient, misbehave, options, works};

/// A way to misbehave, what the host calls it, and what the message says.
type Case = (&'static str, &'static str, &'static [&'static str]);

const CASES: &[Case] = &[
    ("endless-loop", "plugin.cpu_limit", &["`misbehaving` was stopped: it used 500 ms of CPU time, the limit (cpu_ms)"]),
    ("memory", "plugin.out_of_memory", &["bytes of memory, the limit is 201326592 (memory_bytes)"]),
    ("stack", "plugin.trap", &["wasm trap: call stack exhausted", "deeper"]),
    ("trap", "plugin.trap", &["wasm trap: wasm `unreachable` instruction executed", "misbehaving::misbehave"]),
    ("panic", "plugin.trap", &["the pool file is damaged in line 7", "src/lib.rs"]),
    ("exit", "plugin.trap", &["exit"]),
    ("large-result", "plugin.output_limit", &["output_bytes"]),
    ("large-argument", "plugin.output_limit", &["output_bytes"]),
    ("long-checkpoint", "plugin.output_limit", &["pending.checkpoint has 20000 bytes, expected at most 16384"]),
    (
        "undeclared-endpoint",
        "plugin.denied",
        &["GET http://elsewhere/ was denied: `elsewhere` is not one of the endpoints that are granted: element"],
    ),
    ("forbidden-method", "plugin.denied", &["DELETE http://element/effect was denied: the method is not allowed"]),
];

/// Those that end because the time of the call is over.
const SLOW: &[Case] = &[
    ("sleep", "plugin.timeout", &["`misbehaving` did not answer within "]),
    // It waits and reads in turn; whichever it does when the time is over, the message says.
    ("drip", "plugin.timeout", &["`misbehaving` "]),
];

#[tokio::test]
async fn the_host_says_what_ended_a_call_and_whether_it_may_have_had_an_effect() {
    let _shared = MEMORY.read().await;
    let element = Element::start();
    let bench = Bench::new(options());
    let bad = bench.load_built("misbehaving", &grant(&element)).await;
    let neighbour = bench.load_built("noop", &Grant::default()).await;
    for ((behaviour, error_type, says), slow) in CASES.iter().map(|case| (case, false)).chain(SLOW.iter().map(|case| (case, true))) {
        for sent in [false, true] {
            let before = element.effects();
            let bad_call = misbehave(&bad, behaviour, sent);
            let misbehaving = async { if slow { impatient(&bench, &element, bad_call, sent).await } else { bench.call(bad_call).await } };
            // Somebody else's call runs meanwhile.
            let (report, ()) = tokio::join!(misbehaving, works(&bench, &neighbour));
            // A plugin that reports a refused request as something that passes has promised that nothing was left behind; trying again is of no use.
            let expected = match (sent, *error_type) {
                (_, "plugin.denied") => FailureClass::Rejected,
                (true, _) => FailureClass::Unknown,
                (false, _) => FailureClass::Unavailable,
            };
            let (class, kind, message) = failed(&report);
            assert_eq!((class, kind), (expected, *error_type), "{behaviour}: {message}");
            assert_eq!((report.sent, element.effects() > before), (sent, sent), "{behaviour}: {message}");
            for text in *says {
                assert!(message.contains(text), "{behaviour}: {text:?} is not in {message:?}");
            }
            let ends = bench.spans.take_ends();
            let failures: Vec<_> = ends.iter().filter(|end| end.outcome == "failed").map(|end| end.error_type.as_deref()).collect();
            assert_eq!(failures, [Some(*error_type)], "{behaviour}");
            assert!(report.writes.is_empty() && message.len() <= 8_192, "{behaviour}");
            works(&bench, &bad).await;
        }
    }
    assert_eq!((bad.load(), neighbour.load()), ((0, 0), (0, 0)));
}

#[tokio::test]
async fn a_dripping_answer_to_a_change_leaves_the_outcome_unknown() {
    let _shared = MEMORY.read().await;
    let element = Element::start();
    let bench = Bench::new(options());
    let bad = bench.load_built("misbehaving", &grant(&element)).await;
    let report = impatient(&bench, &element, misbehave(&bad, "drip-put", false), true).await;
    let (class, error_type, _) = failed(&report);
    assert_eq!((class, error_type, report.sent), (FailureClass::Unknown, "plugin.timeout", true));
    works(&bench, &bad).await;
}

#[tokio::test]
async fn a_panic_in_undo_is_a_failed_undo_and_nothing_else() {
    let _shared = MEMORY.read().await;
    let element = Element::start();
    let bench = Bench::new(options());
    let bad = bench.load_built("misbehaving", &grant(&element)).await;
    let undo = |service: &str| {
        let receipt = json!({ "id": "port/1", "resource-type": "port", "service": service, "network-element": "olt-1", "characteristics": [] });
        call(&bad, Verb::Undo { receipt: receipt.into() }, inventory_request(service))
    };
    let report = bench.call(undo("panic")).await;
    let (class, error_type, message) = failed(&report);
    assert_eq!((class, error_type), (FailureClass::Unavailable, "plugin.trap"));
    assert!(message.contains("the pool file is damaged in line 7"), "{message}");
    assert_eq!(bench.call(undo("honest")).await.answer, Ok(engine::port::Answer::Undone));
}

#[tokio::test]
async fn a_failure_code_that_the_manifest_does_not_declare_is_reported_as_other() {
    let _shared = MEMORY.read().await;
    let element = Element::start();
    let bench = Bench::new(options());
    let bad = bench.load_built("misbehaving", &grant(&element)).await;
    let report = bench.call(misbehave(&bad, "undeclared-code", false)).await;
    let (class, error_type, message) = failed(&report);
    assert_eq!((class, error_type, message.len()), (FailureClass::Rejected, "_OTHER", 1_024));
}

#[tokio::test]
async fn memory_is_counted_over_two_memories_together() {
    let _shared = MEMORY.read().await;
    let bench = Bench::new(options());
    let bytes = component(&order_files(), &[], "", Core::Text(include_str!("two_memories.wat")), &inventory_manifest());
    let bomb = bench.load(bytes, &Grant::default()).await.unwrap();
    let report = bench.call(call(&bomb, Verb::Apply, inventory_request("access"))).await;
    let (class, error_type, message) = failed(&report);
    assert_eq!((class, error_type), (FailureClass::Unavailable, "plugin.out_of_memory"), "{message}");
    // Each memory alone stays far below the limit: the plugin grows both in turn.
    let peak = bench.spans.take_ends().pop().unwrap().memory_peak;
    assert!(peak > 184 << 20 && peak <= 192 << 20, "{peak}");
    let neighbour = bench.load_built("noop", &Grant::default()).await;
    works(&bench, &neighbour).await;
}
