//! Any text as a manifest.
#![no_main]

#[path = "../../../host/crates/package/tests/answered/mod.rs"]
#[allow(dead_code, reason = "the other target reads files")]
mod answered;

libfuzzer_sys::fuzz_target!(|text: &[u8]| answered::read_manifest(text));
