//! Any bytes as what a device sends.
#![no_main]

#[path = "../../../host/crates/cpe/tests/answered/mod.rs"]
mod answered;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| answered::envelope(bytes, None));
