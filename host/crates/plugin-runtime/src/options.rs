//! What an operator can set about the runtime, with units and reasons.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use crate::{
    guard::{BreakerOptions, RetryBudgetOptions},
    host::secrets::SealKey,
};

/// Settings of the runtime.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Threads that run WASM and nothing else. 0: one per core.
    pub threads: usize,
    /// Calls that run at the same time, over all plugins: the slots of the pool. 128 slots cost address space, not memory.
    pub max_calls: u32,
    /// Calls of one plugin that run at the same time. Less than `max_calls`, so that one slow vendor leaves room for the others.
    pub max_calls_per_plugin: u32,
    /// Calls of one plugin that wait for room. Beyond it a call fails as `plugin.busy` and is retried by the step's policy.
    pub max_queue_per_plugin: u32,
    /// The directory of compiled code; it is made with mode 0700, because whoever writes there runs code in the host. None: no cache.
    pub cache_dir: Option<PathBuf>,
    /// Bytes of compiled code that are kept: 1 GiB, some 500 plugins in Rust or 15 in JavaScript. What was not used for the longest time goes first.
    pub cache_max_bytes: u64,
    /// Components that are compiled at the same time: compiling uses all cores by itself.
    pub max_compilations: usize,
    /// Bounds of compiling one component.
    pub compile: CompileLimits,
    /// The executable that compiles in a process of its own, asked with `compile-worker`; it calls [`compile_worker`](crate::compile_worker). None: components
    /// are compiled in this process, where time and memory have no bound but those of the code's size.
    #[serde(skip)]
    pub compile_worker: Option<PathBuf>,
    /// The largest component that is read, in bytes: 64 MiB, five times a JavaScript engine.
    pub max_component_bytes: usize,
    /// Memory of a pool slot that stays resident between calls, in bytes. 1 MiB holds the working set of the plugins that ship.
    pub keep_resident_bytes: usize,
    /// Pool slots of plugins that are not running but stay warm.
    pub max_warm_slots: u32,
    /// What plugins seal texts with. None: no plugin can. It is not read from here: a key is given by reference.
    #[serde(skip)]
    pub seal_key: Option<SealKey>,
    /// When a plugin is left alone because it fails again and again.
    pub breaker: BreakerOptions,
    /// How often calls of a plugin are repeated.
    pub retry_budget: RetryBudgetOptions,
    /// When an HTTP endpoint is left alone, by all plugins.
    pub endpoint_breaker: BreakerOptions,
    /// Limits of one call.
    pub limits: Limits,
}

/// Bounds of compiling one component. A JavaScript engine of 12 MB fits in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompileLimits {
    /// Functions in all modules of the component: 100,000, several times those of a JavaScript engine.
    pub max_functions: usize,
    /// Bytes of one function's code: 2 MiB. What a compiler needs for a function grows faster than the function.
    pub max_function_bytes: usize,
    /// CPU time in seconds, over all threads of the compiler: 120, where a JavaScript engine takes some 20. The wall clock may take four times as long.
    pub cpu_s: u64,
    /// Address space of the compiler in bytes: 4 GiB, most of which it reserves and does not use.
    pub memory_bytes: u64,
}

/// Limits of one call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// CPU time of the guest in milliseconds. Measured on the thread, so a busy machine stops no honest plugin. 1 s is 50,000 times an ordinary call.
    pub cpu_ms: u64,
    /// Bytes of all linear memories and tables together: 256 MiB.
    pub memory_bytes: usize,
    /// Bytes that one crossing from the guest to the host may hold, a result included, counted as the host stores them: 16 MiB.
    pub output_bytes: usize,
    /// Bytes of standard error that are kept, half of them the first and half the last: 4 KiB, so that a backtrace fits into the same message. The rest is
    /// counted.
    pub stderr_bytes: usize,
    /// Bytes of the guest's stack: 512 KiB.
    pub stack_bytes: usize,
    /// Attributes on the call's span.
    pub attributes: u32,
    /// Events on the call's span.
    pub events: u32,
    /// Log records.
    pub logs: u32,
    /// Operations on the key-value store.
    pub keyvalue_operations: u32,
    /// Bytes of a key.
    pub key_bytes: usize,
    /// Bytes of a value.
    pub value_bytes: usize,
    /// HTTP requests, those that are denied included.
    pub http_requests: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: 0,
            max_calls: 128,
            max_calls_per_plugin: 64,
            max_queue_per_plugin: 1024,
            cache_dir: None,
            cache_max_bytes: 1 << 30,
            max_compilations: 1,
            compile: CompileLimits::default(),
            compile_worker: None,
            max_component_bytes: 64 << 20,
            keep_resident_bytes: 1 << 20,
            max_warm_slots: 64,
            seal_key: None,
            breaker: BreakerOptions::default(),
            retry_budget: RetryBudgetOptions::default(),
            endpoint_breaker: BreakerOptions::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self { max_functions: 100_000, max_function_bytes: 2 << 20, cpu_s: 120, memory_bytes: 4 << 30 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu_ms: 1_000,
            memory_bytes: 256 << 20,
            output_bytes: 16 << 20,
            stderr_bytes: 4 << 10,
            stack_bytes: 512 << 10,
            attributes: 64,
            events: 64,
            logs: 256,
            keyvalue_operations: 1_000,
            key_bytes: 512,
            value_bytes: 65_536,
            http_requests: 256,
        }
    }
}

impl Options {
    /// The number of threads, resolved.
    pub(crate) fn worker_threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            given => given,
        }
    }
}

impl Limits {
    /// The budget as a duration.
    pub(crate) fn cpu(&self) -> Duration {
        Duration::from_millis(self.cpu_ms)
    }
}
