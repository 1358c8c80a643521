//! Any bytes as a plugin file: sections, manifest, signatures.
#![no_main]

#[path = "../../../host/crates/package/tests/answered/mod.rs"]
mod answered;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| answered::read(bytes));
