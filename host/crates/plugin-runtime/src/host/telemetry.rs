//! `jackfield:host/telemetry`: what a plugin says about its call, within limits. What exceeds one is cut or dropped and counted; nothing here fails.

use std::{sync::Arc, time::Instant};

use engine::port::{CallSpan, LogLevel, SpanItem};
use package::{Manifest, Telemetry};
use pipeline::{AttributeValue, Attributes};

use super::{
    bindings::telemetry::{Attribute, Host, Level, TraceContext, Value},
    spans::Spans,
};
use crate::{
    call::{CallState, bounded},
    options::Limits,
};

pub(super) const MAX_TEXT: usize = 1024;
const MAX_KEY: usize = 64;
const MAX_ELEMENTS: usize = 64;
/// Attributes of one event or log record.
const MAX_ITEM_ATTRIBUTES: usize = 32;
pub(super) const MAX_EVENT_NAME: usize = 64;
/// Prefixes that belong to the host and to OpenTelemetry.
const RESERVED: [&str; 9] = ["otel.", "telemetry.", "service.", "host.", "process.", "plugin.", "pipeline.", "error.", "exception."];

/// What a guest has said so far, and the span it goes to.
pub(crate) struct GuestTelemetry {
    pub(crate) span: Box<dyn CallSpan>,
    /// Attributes of the call's span, each key once.
    pub(crate) attributes: Attributes,
    /// The span was marked as failed: `error.type` and message.
    pub(crate) marked: Option<(String, String)>,
    /// What the manifest says may be emitted; none where it says nothing about telemetry.
    declared: Option<Arc<Manifest>>,
    /// Spans of the guest's own.
    pub(super) spans: Spans,
    pub(super) measured: u32,
    events: u32,
    logs: u32,
    max_attributes: usize,
    max_events: u32,
    max_logs: u32,
    dropped: Vec<Dropped>,
}

#[derive(Debug)]
struct Dropped {
    signal: &'static str,
    reason: &'static str,
    count: u64,
}

impl GuestTelemetry {
    pub(crate) fn new(span: Box<dyn CallSpan>, limits: &Limits) -> Self {
        Self {
            span,
            attributes: Vec::new(),
            marked: None,
            declared: None,
            spans: Spans::default(),
            measured: 0,
            events: 0,
            logs: 0,
            max_attributes: limits.attributes as usize,
            max_events: limits.events,
            max_logs: limits.logs,
            dropped: Vec::new(),
        }
    }

    /// Drops what a manifest does not declare, if it declares telemetry at all.
    pub(crate) fn declaring(mut self, manifest: &Arc<Manifest>) -> Self {
        self.declared = manifest.telemetry.is_some().then(|| Arc::clone(manifest));
        self
    }

    /// What may be emitted, where that is declared.
    fn declaration(&self) -> Option<&Telemetry> {
        self.declared.as_ref()?.telemetry.as_ref()
    }

    /// Hands over what is collected until the end of the call.
    pub(crate) fn flush(&mut self) {
        self.end_all_spans();
        if !self.attributes.is_empty() {
            self.span.record(SpanItem::Attributes(self.attributes.clone()));
        }
        for Dropped { signal, reason, count } in self.dropped.drain(..) {
            self.span.record(SpanItem::Dropped { signal, reason, count });
        }
    }

    pub(super) fn allows_event(&self, name: &str) -> bool {
        self.declaration().is_none_or(|declared| declared.allows_event(name))
    }

    fn annotate(&mut self, attributes: Vec<Attribute>) {
        for (key, value) in self.accepted(attributes, "attributes") {
            let full = self.attributes.len() >= self.max_attributes;
            match self.attributes.iter_mut().find(|(present, _)| *present == key) {
                Some((_, present)) => *present = value,
                None if full => self.drop("attributes", "limit"),
                None => self.attributes.push((key, value)),
            }
        }
    }

    fn event(&mut self, name: String, attributes: Vec<Attribute>) {
        if self.events >= self.max_events {
            return self.drop("events", "limit");
        }
        if !self.allows_event(&name) {
            return self.drop("events", "undeclared");
        }
        self.events += 1;
        let attributes = self.item_attributes(attributes, "events");
        self.span.record(SpanItem::Event { name: printable(&name, MAX_EVENT_NAME), attributes });
    }

    fn log(&mut self, level: LogLevel, message: &str, attributes: Vec<Attribute>) {
        if self.logs >= self.max_logs {
            return self.drop("logs", "limit");
        }
        self.logs += 1;
        let attributes = self.item_attributes(attributes, "logs");
        self.span.record(SpanItem::Log { level, message: printable(message, MAX_TEXT), attributes });
    }

    /// The attributes of an event or log record, each key once.
    pub(super) fn item_attributes(&mut self, mut attributes: Vec<Attribute>, signal: &'static str) -> Attributes {
        if attributes.len() > MAX_ITEM_ATTRIBUTES {
            self.drop(signal, "attribute_limit");
            attributes.truncate(MAX_ITEM_ATTRIBUTES);
        }
        let mut kept: Attributes = Vec::with_capacity(attributes.len());
        for (key, value) in self.accepted(attributes, signal) {
            match kept.iter_mut().find(|(present, _)| *present == key) {
                Some((_, present)) => *present = value,
                None => kept.push((key, value)),
            }
        }
        kept
    }

    fn accepted(&mut self, attributes: Vec<Attribute>, signal: &'static str) -> Attributes {
        let mut accepted = Vec::with_capacity(attributes.len());
        for Attribute { key, value } in attributes {
            let declared = self.declaration().is_none_or(|declared| declared.allows_attribute(&key));
            let key_fits = check_key(&key).and(if declared { Ok(()) } else { Err("undeclared") });
            match (key_fits, converted(value)) {
                (Ok(()), Some(value)) => accepted.push((key, value)),
                (Err(reason), _) => self.drop(signal, reason),
                (Ok(()), None) => self.drop(signal, "not_finite"),
            }
        }
        accepted
    }

    pub(super) fn drop(&mut self, signal: &'static str, reason: &'static str) {
        match self.dropped.iter_mut().find(|dropped| (dropped.signal, dropped.reason) == (signal, reason)) {
            Some(dropped) => dropped.count += 1,
            None => self.dropped.push(Dropped { signal, reason, count: 1 }),
        }
    }
}

/// Whether a plugin may name an attribute or a span so; why not.
pub(super) fn check_key(key: &str) -> Result<(), &'static str> {
    let form = key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.');
    if !form || key.len() > MAX_KEY {
        return Err("invalid_key");
    }
    if RESERVED.iter().any(|prefix| key.starts_with(prefix)) { Err("reserved_key") } else { Ok(()) }
}

/// A value as the pipeline keeps it. It has lists of text only, so the elements of other lists become text.
fn converted(value: Value) -> Option<AttributeValue> {
    fn texts<T: ToString>(items: Vec<T>) -> AttributeValue {
        AttributeValue::Texts(items.into_iter().take(MAX_ELEMENTS).map(|item| item.to_string()).collect())
    }
    Some(match value {
        Value::Text(text) => AttributeValue::Text(printable(&text, MAX_TEXT)),
        Value::Flag(flag) => AttributeValue::Flag(flag),
        Value::Int(number) => AttributeValue::Int(number),
        Value::Float(number) if number.is_finite() => AttributeValue::Float(number),
        Value::Float(_) => return None,
        Value::Texts(items) => texts(items.into_iter().take(MAX_ELEMENTS).map(|item| printable(&item, MAX_TEXT)).collect()),
        Value::Flags(items) => texts(items),
        Value::Ints(items) => texts(items),
        Value::Floats(items) => texts(items.into_iter().filter(|number| number.is_finite()).collect::<Vec<_>>()),
    })
}

/// The text without control characters, cut: a line break in a log is somebody else's line.
pub(super) fn printable(text: &str, most: usize) -> String {
    let text = if text.chars().any(char::is_control) { text.chars().filter(|c| !c.is_control()).collect() } else { text.to_owned() };
    bounded(text, most)
}

impl CallState {
    /// A failure in the guest's words: a code that it declared and a text that can be shown.
    pub(super) fn failed(&self, error_type: String, message: &str) -> (String, String) {
        let declared = self.context.plugin.manifest.declares(&error_type);
        (if declared { error_type } else { "_OTHER".to_owned() }, printable(message, MAX_TEXT))
    }
}

impl Host for &mut CallState {
    fn current(&mut self) -> wasmtime::Result<TraceContext> {
        let context = self.telemetry.span.context();
        Ok(TraceContext { traceparent: context.traceparent(), tracestate: context.trace_state.clone(), sampled: context.sampled })
    }

    fn annotate(&mut self, attributes: Vec<Attribute>) -> wasmtime::Result<()> {
        self.telemetry.annotate(attributes);
        Ok(())
    }

    fn event(&mut self, name: String, attributes: Vec<Attribute>) -> wasmtime::Result<()> {
        self.telemetry.event(name, attributes);
        Ok(())
    }

    fn fail(&mut self, error_type: String, message: String) -> wasmtime::Result<()> {
        self.telemetry.marked = Some(self.failed(error_type, &message));
        Ok(())
    }

    fn log(&mut self, level: Level, message: String, attributes: Vec<Attribute>) -> wasmtime::Result<()> {
        let level = match level {
            Level::Trace | Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        // What is beyond the limit of the call is no reason to write less of the next.
        if self.telemetry.logs >= self.telemetry.max_logs || self.context.plugin.guard.may_log(Instant::now()) {
            self.telemetry.log(level, &message, attributes);
        } else {
            self.telemetry.drop("logs", "rate");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
