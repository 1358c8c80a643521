//! What is known about the delivery of telemetry: counted where it happens, shown in `/healthz`.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use serde::Serialize;

use crate::policy::cut;

/// How the delivery of telemetry goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Each exporter.
    pub exporters: Vec<ExporterHealth>,
    /// Items of guest telemetry that were refused or cut since the start.
    pub guest_items_dropped: u64,
}

/// How the delivery by one exporter goes, since the process started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExporterHealth {
    /// The exporter.
    pub name: String,
    /// `otlp-http`, `otlp-grpc` or `file`.
    pub kind: &'static str,
    /// Whether the last export of each signal succeeded, or there was none yet.
    pub ok: bool,
    /// Spans that were delivered.
    pub spans_exported: u64,
    /// Spans that were given up: live ones after a failed export, projected ones after the configured time.
    pub spans_lost: u64,
    /// Exports that failed, retries included.
    pub exports_failed: u64,
    /// Collections of metrics that were delivered.
    pub metric_exports: u64,
    /// Why the last failed export failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// Counts what one exporter does.
#[derive(Debug)]
pub(crate) struct ExportStats {
    name: String,
    kind: &'static str,
    exported: AtomicU64,
    lost: AtomicU64,
    failed: AtomicU64,
    metrics: AtomicU64,
    last: Mutex<Last>,
}

/// What an exporter delivers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal {
    Spans,
    Metrics,
    Logs,
}

#[derive(Debug, Default)]
struct Last {
    /// Whether the last export of spans, of metrics and of log records failed.
    failed: [bool; 3],
    error: Option<String>,
}

impl ExportStats {
    pub(crate) fn new(name: &str, kind: &'static str) -> Self {
        let zero = AtomicU64::default;
        Self { name: name.to_owned(), kind, exported: zero(), lost: zero(), failed: zero(), metrics: zero(), last: Mutex::default() }
    }

    pub(crate) fn exported(&self, spans: usize) {
        self.exported.fetch_add(spans as u64, Ordering::Relaxed);
        self.last().failed[Signal::Spans as usize] = false;
    }

    pub(crate) fn exported_metrics(&self) {
        self.metrics.fetch_add(1, Ordering::Relaxed);
        self.last().failed[Signal::Metrics as usize] = false;
    }

    pub(crate) fn exported_logs(&self) {
        self.last().failed[Signal::Logs as usize] = false;
    }

    pub(crate) fn failed(&self, signal: Signal, error: &str) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let mut last = self.last();
        // One line when it begins; the count tells the rest.
        if !std::mem::replace(&mut last.failed[signal as usize], true) {
            tracing::warn!(exporter = self.name, "telemetry cannot be delivered: {error}");
        }
        last.error = Some(cut(error, 1024).to_owned());
    }

    pub(crate) fn lost(&self, spans: usize) {
        self.lost.fetch_add(spans as u64, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> ExporterHealth {
        let last = self.last();
        ExporterHealth {
            name: self.name.clone(),
            kind: self.kind,
            ok: last.failed == [false; 3],
            spans_exported: self.exported.load(Ordering::Relaxed),
            spans_lost: self.lost.load(Ordering::Relaxed),
            exports_failed: self.failed.load(Ordering::Relaxed),
            metric_exports: self.metrics.load(Ordering::Relaxed),
            last_error: last.error.clone(),
        }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
