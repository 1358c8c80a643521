//! The same work as the fixture `noop` does, as an Extism plugin: a request of `inventory` in, a receipt out, both as JSON.
#![no_std]

extern crate alloc;

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

// Copying and comparing of memory: the target leaves them to the C library that comes with it.
#[link(name = "c")]
unsafe extern "C" {}

// The kernel of Extism: https://extism.org/docs/write-a-plugin (runtime APIs).
#[link(wasm_import_module = "extism:host/env")]
unsafe extern "C" {
    fn input_length() -> u64;
    fn input_load_u8(offset: u64) -> u32;
    fn input_load_u64(offset: u64) -> u64;
    fn alloc(length: u64) -> u64;
    fn store_u8(offset: u64, value: u32);
    fn store_u64(offset: u64, value: u64);
    fn output_set(offset: u64, length: u64);
}

#[derive(Deserialize)]
struct Envelope {
    call: Call,
    request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(dead_code, reason = "it is read, as the bindings of a component read it")]
struct Call {
    run: String,
    pipeline: String,
    step: String,
    item: String,
    attempt: u32,
    round: u32,
    idempotency_key: String,
    deadline_ms: u64,
    callback: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(dead_code, reason = "it is read, as the bindings of a component read it")]
struct Request {
    order: String,
    customer: Option<String>,
    location: Option<String>,
    service: Service,
    preferred_element: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(dead_code, reason = "it is read, as the bindings of a component read it")]
struct Service {
    name: String,
    resource_type: String,
    characteristics: Vec<Characteristic>,
}

#[derive(Deserialize, Serialize)]
struct Characteristic {
    name: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Receipt {
    id: String,
    resource_type: String,
    service: String,
    network_element: String,
    characteristics: Vec<Characteristic>,
}

/// Answers a request with a constant receipt. 0: success.
#[unsafe(no_mangle)]
pub extern "C" fn apply() -> i32 {
    let Ok(Envelope { call, request }) = serde_json::from_slice::<Envelope>(&input()) else { return 1 };
    core::hint::black_box((&call.run, &request.order));
    let receipt = Receipt {
        id: "port/1".into(),
        resource_type: "port".into(),
        service: "access".into(),
        network_element: "olt-1".into(),
        characteristics: Vec::new(),
    };
    let Ok(text) = serde_json::to_vec(&receipt) else { return 2 };
    output(&text);
    0
}

/// The input, eight bytes at a time, as the kit of Extism reads it.
fn input() -> Vec<u8> {
    // SAFETY: the kernel bounds the offsets by the length that it says.
    unsafe {
        let length = input_length();
        let mut bytes = Vec::with_capacity(length as usize);
        let words = length & !7;
        for at in (0..words).step_by(8) {
            bytes.extend_from_slice(&input_load_u64(at).to_le_bytes());
        }
        for at in words..length {
            bytes.push(input_load_u8(at) as u8);
        }
        bytes
    }
}

fn output(bytes: &[u8]) {
    // SAFETY: the block has the length that is written.
    unsafe {
        let length = bytes.len() as u64;
        let block = alloc(length);
        let (words, rest) = bytes.as_chunks::<8>();
        let mut at = block;
        for word in words {
            store_u64(at, u64::from_le_bytes(*word));
            at += 8;
        }
        for byte in rest {
            store_u8(at, u32::from(*byte));
            at += 1;
        }
        output_set(block, length);
    }
}
