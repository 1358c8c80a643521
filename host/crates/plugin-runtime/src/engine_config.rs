//! The wasmtime engine: pooled where the address space allows it, on demand otherwise.

use std::{fs, os::unix::fs::DirBuilderExt as _, os::unix::fs::PermissionsExt as _, path::Path};

use serde::Serialize;
use wasmtime::{Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::{error::RuntimeError, options::Options};

/// How instances get their memory. `/healthz` and the bench show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allocation {
    /// From slots that were reserved at the start: fast.
    Pooling,
    /// From the system, call by call: the address space for the slots was refused.
    OnDemand,
}

/// Core instances, memories and tables that one component may have on average and at most. A Rust plugin has three core instances and one memory.
const CORE_INSTANCES: u32 = 8;
const MEMORIES: u32 = 2;
const TABLES: u32 = 4;
/// What a host function may need of the guest's stack on top of the guest's own limit; debug builds need most of it.
const HOST_STACK: usize = 3 << 19;

/// Builds the engine. Where the pool's address space is refused it warns once and allocates on demand.
pub(crate) fn build(options: &Options) -> Result<(Engine, Allocation), RuntimeError> {
    let cache = options.cache_dir.as_deref().map(cache).transpose()?;
    let refused = match Engine::new(common(options, cache.clone()).allocation_strategy(pool(options))) {
        Ok(engine) => return Ok((engine, Allocation::Pooling)),
        Err(refused) => refused,
    };
    let mut config = common(options, cache);
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    // The same limit that refused the pool would refuse a reservation of 4 GiB for each memory.
    config.memory_reservation(0).memory_reservation_for_growth(1 << 20).memory_guard_size(1 << 16);
    let engine = Engine::new(&config).map_err(|error| RuntimeError::Engine(format!("{error:#}")))?;
    tracing::warn!(reason = %format!("{refused:#}"), "no address space for the instance pool: allocating on demand, calls are slower; see ulimit -v");
    Ok((engine, Allocation::OnDemand))
}

fn common(options: &Options, cache: Option<Cache>) -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true).cache(cache);
    config.max_wasm_stack(options.limits.stack_bytes).async_stack_size(options.limits.stack_bytes + HOST_STACK);
    config
}

fn pool(options: &Options) -> InstanceAllocationStrategy {
    let calls = options.max_calls;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(CORE_INSTANCES))
        .total_memories(calls.saturating_mul(MEMORIES))
        .total_tables(calls.saturating_mul(TABLES))
        .total_stacks(calls.saturating_mul(2))
        .max_core_instances_per_component(64)
        .max_memories_per_component(8)
        .max_tables_per_component(32)
        .max_memories_per_module(4)
        .max_tables_per_module(8)
        .max_memory_size(options.limits.memory_bytes)
        .table_elements(100_000)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20);
    pool.max_unused_warm_slots(options.max_warm_slots)
        .linear_memory_keep_resident(options.keep_resident_bytes)
        .table_keep_resident(1 << 16)
        .async_stack_keep_resident(1 << 16)
        .pagemap_scan(Enabled::Auto);
    InstanceAllocationStrategy::Pooling(pool)
}

/// wasmtime's own cache. Whoever can write there can run code in the host, hence the mode.
fn cache(directory: &Path) -> Result<Cache, RuntimeError> {
    let wrong = |problem: String| RuntimeError::Cache { directory: directory.to_owned(), problem };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|e| wrong(e.to_string()))?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).map_err(|e| wrong(e.to_string()))?;
    let absolute = directory.canonicalize().map_err(|e| wrong(e.to_string()))?;
    let mut config = CacheConfig::new();
    config.with_directory(absolute);
    Cache::new(config).map_err(|e| wrong(format!("{e:#}")))
}
