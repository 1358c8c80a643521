//! The floor: the same component in bare wasmtime, tuned as ours is, called with values that exist already.
//!
//! It has a fresh store and instance for every call and nothing else: no limits, no manifest, no telemetry, no JSON.

use std::{hint::black_box, time::Instant};

use anyhow::{Context, Result, bail};
use plugin_runtime::Options;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    component::{Component, ComponentExportIndex, InstancePre, Linker, ResourceTable, Val},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::harness::rounds::{Contender, Timed};

/// The interface that is called; the version is the one the plugin was built from.
const INTERFACE: &str = "jackfield:order/inventory@1.1.0";

/// The component in bare wasmtime.
pub(crate) struct Floor {
    engine: Engine,
    pre: InstancePre<Bare>,
    apply: ComponentExportIndex,
    params: Vec<Val>,
}

/// What a store holds: WASI, should the guest ask for it.
#[derive(Default)]
struct Bare {
    table: ResourceTable,
    wasi: Option<Box<WasiCtx>>,
}

impl WasiView for Bare {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let ctx = self.wasi.get_or_insert_with(|| Box::new(WasiCtx::builder().build()));
        WasiCtxView { ctx, table: &mut self.table }
    }
}

impl Floor {
    /// Compiles the component with the settings of a runtime with those options.
    pub(crate) fn new(component: &[u8], options: &Options) -> Result<Self> {
        let engine = Engine::new(&config(options)).map_err(wasm)?;
        let component = Component::from_binary(&engine, component).map_err(wasm)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(wasm)?;
        let interface = component.get_export_index(None, INTERFACE).with_context(|| format!("the component does not export {INTERFACE}"))?;
        let apply = component.get_export_index(Some(&interface), "apply").with_context(|| format!("{INTERFACE} has no `apply`"))?;
        let pre = linker.instantiate_pre(&component).map_err(wasm)?;
        component.initialize_copy_on_write_image().map_err(wasm)?;
        Ok(Self { engine, pre, apply, params: params() })
    }

    async fn once(&self) -> Result<()> {
        let mut store = Store::new(&self.engine, Bare::default());
        store.set_epoch_deadline(u64::MAX / 2);
        let instance = self.pre.instantiate_async(&mut store).await.map_err(wasm)?;
        let apply = instance.get_func(&mut store, self.apply).context("`apply` is no function")?;
        let mut results = [Val::Bool(false)];
        apply.call_async(&mut store, &self.params, &mut results).await.map_err(wasm)?;
        match black_box(&results) {
            [Val::Result(Ok(Some(_)))] => Ok(()),
            other => bail!("the plugin answered {other:?}, expected a receipt"),
        }
    }
}

impl Contender for Floor {
    fn round(&mut self, calls: usize) -> Timed<'_> {
        Box::pin(async move {
            let begun = Instant::now();
            for _ in 0..calls {
                self.once().await?;
            }
            Ok(begun.elapsed())
        })
    }
}

/// The settings of the plugin runtime, written out once more: a floor that shared its code could not show a mistake in it.
fn config(options: &Options) -> Config {
    let calls = options.max_calls;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls * 8)
        .total_memories(calls * 2)
        .total_tables(calls * 4)
        .total_stacks(calls * 2)
        .max_memory_size(options.limits.memory_bytes)
        .table_elements(100_000)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .max_unused_warm_slots(options.max_warm_slots)
        .linear_memory_keep_resident(options.keep_resident_bytes)
        .table_keep_resident(1 << 16)
        .async_stack_keep_resident(1 << 16)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.max_wasm_stack(options.limits.stack_bytes).async_stack_size(options.limits.stack_bytes + (3 << 19));
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// The parameters of `inventory.apply`, with the values of `guest::INVENTORY`.
fn params() -> Vec<Val> {
    let call = record(vec![
        ("run", text("01890a5d-ac96-774b-bcce-b302099a8057")),
        ("pipeline", text("order")),
        ("step", text("allocate_inventory")),
        ("item", text("access")),
        ("attempt", Val::U32(1)),
        ("round", Val::U32(0)),
        ("idempotency-key", text(&"0".repeat(64))),
        ("deadline-ms", Val::U64(30_000)),
        ("callback", Val::Option(None)),
    ]);
    let bandwidth = record(vec![("name", text("bandwidth")), ("value", text("100"))]);
    let service = record(vec![("name", text("access")), ("resource-type", text("port")), ("characteristics", Val::List(vec![bandwidth]))]);
    let request = record(vec![
        ("order", text("01890a5d-ac96-774b-bcce-b302099a8057")),
        ("customer", some(text("c-1"))),
        ("location", some(text("north"))),
        ("service", service),
        ("preferred-element", Val::Option(None)),
    ]);
    vec![call, request]
}

fn record(fields: Vec<(&str, Val)>) -> Val {
    Val::Record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn text(text: &str) -> Val {
    Val::String(text.to_owned())
}

fn some(value: Val) -> Val {
    Val::Option(Some(Box::new(value)))
}

/// wasmtime has an error type of its own.
fn wasm(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}
