//! Any bytes as a component: read, compared with the contracts, compiled.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use plugin_runtime::{Options, Runtime};

static TOKIO: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads can be made"));

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Runtime::new(Options { threads: 1, max_calls: 1, ..Options::default() }).expect("the runtime starts"));

fuzz_target!(|bytes: &[u8]| {
    let report = TOKIO.block_on(RUNTIME.check(bytes.to_vec()));
    if let Ok(report) = report {
        assert_eq!((report.size, report.digest), (bytes.len(), package::digest_of(bytes)));
    }
});
