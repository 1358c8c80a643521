//! What a store holds while a call runs: the guest's view of the world, made of what was granted.

use std::sync::Arc;

use engine::port::{Call, CallScope, CallSpan, KeyValue, KeyValueWrite};
use tokio::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::{account::Account, failure, limiter::Limiter};
use crate::{
    host::{http::Egress, keyvalue::Staged, stderr::Capture, telemetry::GuestTelemetry},
    plugin::Loaded,
    runtime::Shared,
};

/// What a store holds while a call runs.
pub(crate) struct CallState {
    pub(super) limiter: Limiter,
    pub(crate) table: ResourceTable,
    /// Made when the guest first needs it: most of a call's set-up time would be spent on random seeds that nobody uses.
    wasi: Option<Box<WasiCtx>>,
    stderr: Option<Capture>,
    stderr_bytes: usize,
    http: WasiHttpCtx,
    egress: Egress,
    pub(crate) keyvalue: Staged,
    pub(crate) telemetry: GuestTelemetry,
    pub(crate) plugin: Arc<Loaded>,
    pub(crate) account: Arc<Account>,
    call: Arc<Call>,
}

/// What is left of a call.
pub(super) struct Parts {
    pub(super) memory_peak: u64,
    pub(super) telemetry: GuestTelemetry,
    pub(super) writes: Vec<KeyValueWrite>,
}

impl CallState {
    pub(super) fn new(
        shared: &Arc<Shared>,
        plugin: &Arc<Loaded>,
        keys: &Arc<dyn KeyValue>,
        call: &Arc<Call>,
        span: Box<dyn CallSpan>,
        account: Arc<Account>,
        deadline: Instant,
    ) -> Self {
        let limits = &shared.options.limits;
        let rules = Arc::clone(&plugin.granted.http);
        let egress = Egress::new(rules, shared.client.clone(), Arc::clone(&account), deadline, limits.http_requests);
        Self {
            limiter: Limiter::new(limits.memory_bytes),
            table: ResourceTable::new(),
            wasi: None,
            stderr: None,
            stderr_bytes: limits.stderr_bytes,
            http: WasiHttpCtx::new(),
            egress,
            keyvalue: Staged::new(Arc::clone(keys), Arc::clone(&plugin.name), limits),
            telemetry: GuestTelemetry::new(span, limits),
            plugin: Arc::clone(plugin),
            account,
            call: Arc::clone(call),
        }
    }

    /// What the guest wrote to standard error so far.
    pub(super) fn stderr(&self) -> String {
        self.stderr.as_ref().map(|capture| failure::text(&capture.contents()).into_owned()).unwrap_or_default()
    }

    /// Who calls, for a host interface.
    pub(crate) fn scope(&self) -> CallScope {
        CallScope {
            plugin: self.plugin.manifest.name.clone(),
            tenant: self.call.tenant.clone(),
            run: self.call.run.clone(),
            key: self.call.key.clone(),
            span: self.telemetry.span.context().clone(),
        }
    }

    /// Takes apart what is left when the call is over.
    pub(super) fn finish(self) -> Parts {
        let mut telemetry = self.telemetry;
        telemetry.flush();
        Parts { memory_peak: self.limiter.peak() as u64, telemetry, writes: self.keyvalue.into_writes() }
    }
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Self { wasi, stderr, stderr_bytes, table, .. } = self;
        let ctx = wasi.get_or_insert_with(|| {
            let capture = stderr.insert(Capture::new(*stderr_bytes));
            Box::new(WasiCtx::builder().stdout(capture.clone()).stderr(capture.clone()).build())
        });
        WasiCtxView { ctx, table }
    }
}

impl WasiHttpView for CallState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let Self { http, table, egress, telemetry, .. } = self;
        egress.set_context(telemetry.span.context());
        WasiHttpCtxView { ctx: http, table, hooks: egress }
    }
}
