//! The wasmtime engine: pooled where the address space allows it, on demand otherwise.

use serde::{Deserialize, Serialize};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::{error::RuntimeError, options::Options};

/// How instances get their memory. `/healthz` and the bench show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    let refused = match Engine::new(common(options.limits.stack_bytes).allocation_strategy(pool(options))) {
        Ok(engine) => return Ok((engine, Allocation::Pooling)),
        Err(refused) => refused,
    };
    let engine = Engine::new(&on_demand(options.limits.stack_bytes)).map_err(|error| RuntimeError::Engine(format!("{error:#}")))?;
    tracing::warn!(reason = %format!("{refused:#}"), "no address space for the instance pool: allocating on demand, calls are slower; see ulimit -v");
    Ok((engine, Allocation::OnDemand))
}

/// An engine that only compiles, to code that fits an engine of this kind and this stack. The pool makes no difference to code, and its address space would be in
/// the way of a limit on memory.
pub(crate) fn compiling(allocation: Allocation, stack_bytes: usize) -> Result<Engine, RuntimeError> {
    let config = match allocation {
        Allocation::Pooling => common(stack_bytes),
        Allocation::OnDemand => on_demand(stack_bytes),
    };
    Engine::new(&config).map_err(|error| RuntimeError::Engine(format!("{error:#}")))
}

fn common(stack_bytes: usize) -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.max_wasm_stack(stack_bytes).async_stack_size(stack_bytes + HOST_STACK);
    config
}

fn on_demand(stack_bytes: usize) -> Config {
    let mut config = common(stack_bytes);
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    // The same limit that refused the pool would refuse a reservation of 4 GiB for each memory.
    config.memory_reservation(0).memory_reservation_for_growth(1 << 20).memory_guard_size(1 << 16);
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
