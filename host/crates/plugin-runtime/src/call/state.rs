//! What a store holds while a call runs: the guest's view of the world, made of what was granted.
//!
//! Most calls use little of it, so a part that is not used is not made.

use std::sync::Arc;

use engine::port::{CallScope, CallSpan, KeyValueWrite};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::{context::CallContext, failure, limiter::Limiter};
use crate::host::{http::Egress, keyvalue::Staged, stderr::Capture, tcp, telemetry::GuestTelemetry};

/// What a store holds while a call runs.
pub(crate) struct CallState {
    pub(super) limiter: Limiter,
    pub(crate) table: ResourceTable,
    wasi: Option<Box<Wasi>>,
    http: Option<Box<Http>>,
    keyvalue: Option<Box<Staged>>,
    pub(crate) telemetry: GuestTelemetry,
    pub(crate) context: Arc<CallContext>,
}

struct Wasi {
    ctx: WasiCtx,
    stderr: Capture,
}

struct Http {
    ctx: WasiHttpCtx,
    egress: Egress,
}

/// What is left of a call.
pub(super) struct Parts {
    pub(super) memory_peak: u64,
    pub(super) telemetry: GuestTelemetry,
    pub(super) writes: Vec<KeyValueWrite>,
}

impl CallState {
    pub(super) fn new(context: Arc<CallContext>, span: Box<dyn CallSpan>) -> Self {
        let limits = &context.plugin.holds.call;
        Self {
            limiter: Limiter::new(limits.memory_bytes),
            table: ResourceTable::new(),
            wasi: None,
            http: None,
            keyvalue: None,
            telemetry: GuestTelemetry::new(span, limits).declaring(&context.plugin.manifest),
            context,
        }
    }

    /// The keys of the call.
    pub(crate) fn keyvalue(&mut self) -> &mut Staged {
        let Self { keyvalue, context, .. } = self;
        keyvalue.get_or_insert_with(|| {
            let CallContext { keys, plugin, .. } = &**context;
            Box::new(Staged::new(Arc::clone(keys), Arc::clone(&plugin.name), &plugin.holds.call))
        })
    }

    /// What the guest wrote to standard error so far.
    pub(super) fn stderr(&self) -> String {
        self.wasi.as_ref().map(|wasi| failure::text(&wasi.stderr.contents()).into_owned()).unwrap_or_default()
    }

    /// Who calls, for a host interface.
    pub(crate) fn scope(&self) -> CallScope {
        let CallContext { plugin, call, .. } = &*self.context;
        CallScope {
            plugin: plugin.manifest.name.clone(),
            contract: call.pin.contract.clone(),
            tenant: call.tenant.clone(),
            run: call.run.clone(),
            key: call.key.clone(),
            span: self.telemetry.span.context().clone(),
        }
    }

    /// Takes apart what is left when the call is over.
    pub(super) fn finish(self) -> Parts {
        let mut telemetry = self.telemetry;
        telemetry.flush();
        Parts { memory_peak: self.limiter.peak() as u64, telemetry, writes: self.keyvalue.map(|staged| staged.into_writes()).unwrap_or_default() }
    }
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Self { wasi, table, context, .. } = self;
        let wasi = wasi.get_or_insert_with(|| {
            let stderr = Capture::new(context.plugin.holds.call.stderr_bytes);
            let mut builder = WasiCtx::builder();
            builder.stdout(stderr.clone()).stderr(stderr.clone());
            tcp::allow(&mut builder, &context.plugin.name, &context.plugin.granted, &context.account);
            Box::new(Wasi { ctx: builder.build(), stderr })
        });
        WasiCtxView { ctx: &mut wasi.ctx, table }
    }
}

impl WasiHttpView for CallState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let Self { http, table, telemetry, context, .. } = self;
        let Http { ctx, egress } = &mut **http.get_or_insert_with(|| Box::new(Http { ctx: WasiHttpCtx::new(), egress: egress(context, telemetry) }));
        egress.follow(telemetry);
        WasiHttpCtxView { ctx, table, hooks: egress }
    }
}

/// The call's way out.
fn egress(context: &CallContext, telemetry: &GuestTelemetry) -> Egress {
    let CallContext { shared, plugin, account, deadline, .. } = context;
    let (rules, endpoints, account) = (Arc::clone(&plugin.granted.http), Arc::clone(&shared.endpoints), Arc::clone(account));
    let mut egress = Egress::new(rules, endpoints, account, *deadline, plugin.holds.call.http_requests, context.kept_secrets().cloned());
    if let Some(context) = telemetry.span.outbound() {
        egress.set_context(context);
    }
    egress
}
