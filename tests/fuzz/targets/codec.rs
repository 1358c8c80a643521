//! Any JSON text as a value of any type.
#![no_main]

#[path = "../../../host/crates/plugin-runtime/tests/answered/codec.rs"]
mod answered;

libfuzzer_sys::fuzz_target!(|text: &str| answered::codec(text));
