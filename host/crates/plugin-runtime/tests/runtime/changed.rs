//! Components that were changed: each is refused with a reason, or it is a component, and then whatever it does is told like anything else that plugins do.
//! And any JSON text as a value of any type. What the fuzz targets (`tests/fuzz`) keep is looked at first.

#[path = "../answered/codec.rs"]
mod codec;

use std::{fs, path::Path, sync::LazyLock};

use engine::port::{Runner as _, Verb};
use plugin_runtime::{Grant, Options};
use proptest::{prelude::*, sample::Index};
use serde_json::json;
use tokio::runtime::{Builder, Runtime as Tokio};

use crate::support::{Bench, call, done, options, worker, working};

static TOKIO: LazyLock<Tokio> = LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

/// Little time and memory: what was changed may well loop.
static BENCH: LazyLock<Bench> = LazyLock::new(|| {
    let mut options = Options { threads: 1, max_calls: 2, ..options() };
    (options.limits.cpu_ms, options.limits.memory_bytes) = (50, 16 << 20);
    Bench::new(options)
});

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| working(&worker(&done(0, 5)), "", json!({})));

/// A file is refused or loaded; what is loaded can be called, and the call ends with a report.
fn answered(bytes: Vec<u8>) {
    TOKIO.block_on(async {
        let checked = BENCH.runtime.check(bytes.clone()).await;
        let loaded = BENCH.load(bytes, &Grant::default()).await;
        let Ok(plugin) = loaded else { return };
        assert!(checked.is_ok(), "it is loaded, but was refused: {:?}", checked.err());
        let report = BENCH.runner.call(call(&plugin, Verb::Apply, json!({ "text": "hello" }))).await;
        if let Err(failure) = report.answer {
            assert!(failure.error_type.starts_with("plugin.") || failure.error_type == "no_paper", "{failure:?}");
        }
    });
}

/// The inputs that a fuzz target keeps.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fuzz/corpus").join(target);
    let inputs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(!inputs.is_empty(), "{target}");
    inputs
}

#[test]
fn what_the_fuzz_targets_keep_is_answered() {
    corpus("component").into_iter().for_each(answered);
    corpus("codec").iter().for_each(|input| codec::codec(std::str::from_utf8(input).unwrap()));
}

#[test]
fn as_it_is_it_works() {
    answered(GOOD.clone());
    assert!(TOKIO.block_on(BENCH.runtime.check(GOOD.clone())).is_ok());
}

proptest! {
    #[test]
    fn bytes_that_were_changed_are_answered(edits in prop::collection::vec((any::<Index>(), any::<u8>(), 0_u8..8), 1..4)) {
        let mut bytes = GOOD.clone();
        for (index, byte, kind) in edits {
            let at = index.index(bytes.len());
            match kind {
                // A changed byte keeps the lengths of all sections, so it leads furthest.
                0..6 => bytes[at] = byte,
                6 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        answered(bytes);
    }

    #[test]
    fn pieces_that_were_repeated_or_left_out_are_answered(from in any::<Index>(), length in 1_usize..64, to in any::<Index>(), keep in any::<bool>()) {
        let mut bytes = GOOD.clone();
        let from = from.index(bytes.len());
        let piece = bytes[from..bytes.len().min(from + length)].to_vec();
        if keep {
            let to = to.index(bytes.len());
            bytes.splice(to..to, piece);
        } else {
            bytes.drain(from..from + piece.len());
        }
        answered(bytes);
    }

    #[test]
    fn any_json_text_is_answered_as_any_type(types in "[bcduiwfFsegltorvR]{1,8}", json in json()) {
        codec::codec(&format!("{types}\n{json}"));
    }
}

/// JSON text in which here and there something fits a type.
fn json() -> impl Strategy<Value = String> {
    let numbers = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<u64>().prop_map(|n| n.to_string()),
        "-?[0-9]{1,20}(\\.[0-9]{1,9})?(e-?[0-9]{1,3})?"
    ];
    let texts = prop_oneof![Just("\"a\"".to_owned()), Just("\"b\"".to_owned()), any::<String>().prop_map(|text| json!(text).to_string())];
    let leaf = prop_oneof![Just("null".to_owned()), any::<bool>().prop_map(|flag| flag.to_string()), numbers, texts];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let names = prop_oneof![Just("a"), Just("b"), Just("some"), Just("ok"), Just("err")];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec((names, inner), 0..3).prop_map(|fields| {
                let fields: Vec<_> = fields.into_iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
                format!("{{{}}}", fields.join(", "))
            }),
        ]
    })
}
