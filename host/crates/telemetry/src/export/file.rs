//! OTLP in JSON, one request per line: a receiver that needs no installation.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use opentelemetry_proto::{
    tonic::collector::{logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    transform::{
        common::tonic::ResourceAttributesWithSchema, logs::tonic::group_logs_by_resource_and_scope, trace::tonic::group_spans_by_resource_and_scope,
    },
};
use opentelemetry_sdk::{Resource, logs::LogBatch, metrics::data::ResourceMetrics, trace::SpanData};
use serde::Serialize;

/// A file of JSON lines, shared by all that append to it.
#[derive(Debug, Clone)]
pub(crate) struct JsonLines {
    file: Arc<Mutex<Rotating>>,
    resource: Arc<ResourceAttributesWithSchema>,
}

#[derive(Debug)]
struct Rotating {
    path: PathBuf,
    file: File,
    size: u64,
    max_bytes: u64,
}

impl JsonLines {
    /// Opens the file for appending and makes its directory.
    pub(crate) fn open(path: &Path, max_bytes: u64, resource: &Resource) -> io::Result<Self> {
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            std::fs::create_dir_all(directory)?;
        }
        let rotating = Rotating::open(path.to_owned(), max_bytes)?;
        Ok(Self { file: Arc::new(Mutex::new(rotating)), resource: Arc::new(resource.into()) })
    }

    pub(crate) fn spans(&self, spans: Vec<SpanData>) -> Result<(), String> {
        self.append(&ExportTraceServiceRequest { resource_spans: group_spans_by_resource_and_scope(spans, &self.resource) })
    }

    pub(crate) fn metrics(&self, metrics: &ResourceMetrics) -> Result<(), String> {
        self.append(&ExportMetricsServiceRequest::from(metrics))
    }

    pub(crate) fn logs(&self, batch: &LogBatch<'_>) -> Result<(), String> {
        self.append(&ExportLogsServiceRequest { resource_logs: group_logs_by_resource_and_scope(batch, &self.resource) })
    }

    fn append(&self, request: &impl Serialize) -> Result<(), String> {
        let mut line = serde_json::to_vec(request).map_err(|error| error.to_string())?;
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.append(&line).map_err(|error| format!("{}: {error}", file.path.display()))
    }
}

impl Rotating {
    fn open(path: PathBuf, max_bytes: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { path, file, size, max_bytes })
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.size > 0 && self.size + line.len() as u64 > self.max_bytes {
            let mut old = self.path.clone().into_os_string();
            old.push(".1");
            std::fs::rename(&self.path, old)?;
            *self = Self::open(self.path.clone(), self.max_bytes)?;
        }
        // One write per line: a process that dies leaves at most one incomplete line, which the next start completes by a line of its own.
        self.file.write_all(line)?;
        self.size += line.len() as u64;
        Ok(())
    }
}
