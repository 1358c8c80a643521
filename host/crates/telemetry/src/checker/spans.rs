//! Spans against the registry.

use std::collections::HashMap;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{InstrumentationScope, KeyValue},
    trace::v1::{Span, SpanFlags, span::SpanKind, status::StatusCode},
};

use super::{Capture, Rule, Violation, attributes};
use crate::{
    calls::{child::GUEST_SCOPE, is_guest_key},
    generated::attribute,
    options::Names,
    policy::MAX_DESCRIPTION_BYTES,
    registry::{self, Kind, SpanRow, When},
};

/// Why a span may name another.
const LINK_REASONS: [&str; 4] = ["retry_of", "callback_of", "session_of", "started_by"];

/// Everything about captured spans that is not as the registry says. A span that was captured twice is looked at once.
pub fn check_traces(requests: &[ExportTraceServiceRequest], capture: Capture) -> Vec<Violation> {
    check_traces_named(requests, capture, Names::Seed)
}

/// The same in a profile of names.
pub fn check_traces_named(requests: &[ExportTraceServiceRequest], capture: Capture, names: Names) -> Vec<Violation> {
    let scopes = requests.iter().flat_map(|request| &request.resource_spans).flat_map(|resource| &resource.scope_spans);
    let captured: Vec<_> = scopes.flat_map(|scope| scope.spans.iter().map(move |span| (scope.scope.as_ref(), span))).collect();
    let mut known: HashMap<(&[u8], &[u8]), &Span> = HashMap::new();
    let mut violations = Vec::new();
    for (scope, span) in &captured {
        let id = (span.trace_id.as_slice(), span.span_id.as_slice());
        match known.get(&id) {
            Some(first) if first == span => {}
            Some(_) => violations.push(violation(span, Rule::Repeat, "the same id was exported with other content".to_owned())),
            None => {
                known.insert(id, span);
                violations.extend(one(*scope, span, names));
            }
        }
    }
    for span in known.values() {
        violations.extend(relations(span, &known, capture));
    }
    violations.sort_by(|a, b| (&a.subject, a.rule, &a.detail).cmp(&(&b.subject, b.rule, &b.detail)));
    violations
}

fn violation(span: &Span, rule: Rule, detail: String) -> Violation {
    Violation { subject: span.name.clone(), rule, detail }
}

/// What can be seen on the span alone.
fn one(scope: Option<&InstrumentationScope>, span: &Span, names: Names) -> Vec<Violation> {
    if scope.is_some_and(|scope| scope.name == GUEST_SCOPE) {
        return of_guest(span).into_iter().map(|(rule, detail)| violation(span, rule, detail)).collect();
    }
    let Some(row) = registry::span(&span.name) else {
        return vec![violation(span, Rule::Name, "the registry has no such span".to_owned())];
    };
    let mut wrong = kind_and_scope(scope, span, row);
    wrong.extend(status(span, row));
    wrong.extend(attributes::check(&span.attributes));
    wrong.extend(attribute_set(span, row, &counterparts(span, names)));
    wrong.extend(events(span, row));
    wrong.into_iter().map(|(rule, detail)| violation(span, rule, detail)).collect()
}

type Wrong = Vec<(Rule, String)>;

/// A span of a plugin's own: nothing of the host's but the plugin's name and what says that it failed.
fn of_guest(span: &Span) -> Wrong {
    let mut wrong = attributes::check(&span.attributes);
    if registry::span(&span.name).is_some() || !(is_guest_key(&span.name) || span.name == "plugin.span") {
        wrong.push((Rule::Name, "a plugin may not call a span so".to_owned()));
    }
    if span.kind() != SpanKind::Internal {
        wrong.push((Rule::Kind, format!("{:?}, expected Internal", span.kind())));
    }
    let known = [attribute::PLUGIN_NAME, attribute::ERROR_TYPE];
    let unknown = span.attributes.iter().filter(|attribute| !known.contains(&attribute.key.as_str()) && !is_guest_key(&attribute.key));
    wrong.extend(unknown.map(|attribute| (Rule::UnknownAttribute, format!("a plugin may not set `{}`", attribute.key))));
    if !span.attributes.iter().any(|attribute| attribute.key == attribute::PLUGIN_NAME) {
        wrong.push((Rule::MissingAttribute, format!("`{}` is missing", attribute::PLUGIN_NAME)));
    }
    wrong
}

fn kind_and_scope(scope: Option<&InstrumentationScope>, span: &Span, row: &SpanRow) -> Wrong {
    let mut wrong = Wrong::new();
    let kind = match row.kind {
        Kind::Internal => SpanKind::Internal,
        Kind::Server => SpanKind::Server,
        Kind::Client => SpanKind::Client,
    };
    if span.kind() != kind {
        wrong.push((Rule::Kind, format!("{:?}, expected {kind:?}", span.kind())));
    }
    match scope {
        Some(scope) if scope.name == row.scope && !scope.version.is_empty() => {}
        scope => wrong.push((Rule::Scope, format!("{scope:?}, expected `{}` with a version", row.scope))),
    }
    if span.end_time_unix_nano < span.start_time_unix_nano {
        wrong.push((Rule::Time, "it ends before it begins".to_owned()));
    }
    wrong
}

fn failed(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error)
}

fn status(span: &Span, row: &SpanRow) -> Wrong {
    let mut wrong = Wrong::new();
    let status = span.status.clone().unwrap_or_default();
    let expected = if row.ok_on_success { StatusCode::Ok } else { StatusCode::Unset };
    if !failed(span) && status.code() != expected {
        wrong.push((Rule::Status, format!("{:?} without a failure, expected {expected:?}", status.code())));
    }
    if failed(span) == status.message.is_empty() {
        wrong.push((Rule::Status, format!("the description is `{}`; a failure has one, a success has none", status.message)));
    }
    if status.message.len() > MAX_DESCRIPTION_BYTES {
        wrong.push((Rule::Length, format!("the description has {} bytes, more than {MAX_DESCRIPTION_BYTES}", status.message.len())));
    }
    if let Some(code) = attributes::text_of(&span.attributes, attribute::ERROR_TYPE).filter(|code| registry::error_type(code) != *code) {
        wrong.push((Rule::ErrorType, format!("`{code}` is neither in the closed list nor a code that a plugin could declare")));
    }
    wrong
}

/// The names that the profile adds to what the span has.
fn counterparts(span: &Span, names: Names) -> Vec<&'static str> {
    let added = span.attributes.iter().filter_map(|attribute| Some(registry::attribute(&attribute.key)?.semconv?.key));
    if names == Names::SeedAndSemconv { added.collect() } else { Vec::new() }
}

fn attribute_set(span: &Span, row: &SpanRow, counterparts: &[&str]) -> Wrong {
    let mut wrong = Wrong::new();
    for KeyValue { key, .. } in &span.attributes {
        match row.attribute(key) {
            Some(When::Success) if failed(span) => wrong.push((Rule::MisplacedAttribute, format!("`{key}` is set on success only"))),
            Some(When::Failure) if !failed(span) => wrong.push((Rule::MisplacedAttribute, format!("`{key}` is set on failure only"))),
            Some(When::Always | When::Success | When::After | When::Failure | When::Optional) => {}
            None if row.guest_attributes && is_guest_key(key) => {}
            None if counterparts.contains(&key.as_str()) => {}
            None => wrong.push((Rule::UnknownAttribute, format!("the registry has no `{key}` here"))),
        }
    }
    let required = row.attributes.iter().filter(|(_, when)| match when {
        When::Always => true,
        When::Success | When::After => !failed(span),
        When::Failure => failed(span),
        When::Optional => false,
    });
    for key in required.map(|(key, _)| key).chain(counterparts) {
        if !span.attributes.iter().any(|attribute| attribute.key == *key) {
            wrong.push((Rule::MissingAttribute, format!("`{key}` is missing")));
        }
    }
    wrong
}

fn events(span: &Span, row: &SpanRow) -> Wrong {
    let mut wrong = Wrong::new();
    let (exceptions, others): (Vec<_>, Vec<_>) = span.events.iter().partition(|event| event.name == "exception");
    if exceptions.len() > usize::from(failed(span)) {
        wrong.push((Rule::Event, format!("{} exceptions; a failure has one, a success has none", exceptions.len())));
    }
    for exception in exceptions {
        wrong.extend(attributes::check(&exception.attributes));
        let has = |key| exception.attributes.iter().any(|attribute| attribute.key == key);
        if !has(attribute::EXCEPTION_TYPE) || !has(attribute::EXCEPTION_MESSAGE) {
            wrong.push((Rule::Event, "an exception has a type and a message".to_owned()));
        }
        let known = [attribute::EXCEPTION_TYPE, attribute::EXCEPTION_MESSAGE, attribute::EXCEPTION_STACKTRACE];
        let unknown = exception.attributes.iter().filter(|attribute| !known.contains(&attribute.key.as_str()));
        wrong.extend(unknown.map(|attribute| (Rule::UnknownAttribute, format!("an exception has no `{}`", attribute.key))));
    }
    if let Some(other) = others.first().filter(|_| !row.guest_attributes) {
        wrong.push((Rule::Event, format!("the registry has no event `{}` here", other.name)));
    }
    wrong
}

/// What can be seen only together with other spans.
fn relations(span: &Span, known: &HashMap<(&[u8], &[u8]), &Span>, capture: Capture) -> Vec<Violation> {
    let Some(row) = registry::span(&span.name) else { return Vec::new() };
    let mut wrong = parent(span, row, known, capture);
    for link in &span.links {
        match attributes::text_of(&link.attributes, attribute::LINK_REASON) {
            Some(reason) if LINK_REASONS.contains(&reason) => {}
            reason => wrong.push((Rule::Link, format!("the reason is {reason:?}, expected one of {}", LINK_REASONS.join(", ")))),
        }
        if capture != Capture::Partial && !known.contains_key(&(link.trace_id.as_slice(), link.span_id.as_slice())) {
            wrong.push((Rule::Link, "its target was not captured".to_owned()));
        }
    }
    wrong.into_iter().map(|(rule, detail)| violation(span, rule, detail)).collect()
}

fn parent(span: &Span, row: &SpanRow, known: &HashMap<(&[u8], &[u8]), &Span>, capture: Capture) -> Wrong {
    let remote = span.flags & SpanFlags::ContextIsRemoteMask as u32 != 0;
    let parent = known.get(&(span.trace_id.as_slice(), span.parent_span_id.as_slice()));
    let (any, root) = (row.parents.contains(&"any"), row.parents.contains(&"remote"));
    let wrong = |detail: String| vec![(Rule::Parent, detail)];
    match parent {
        _ if root && (span.parent_span_id.is_empty() || remote) => Wrong::new(),
        None if span.parent_span_id.is_empty() => wrong(format!("it has none, expected {:?}", row.parents)),
        None if capture == Capture::Partial => Wrong::new(),
        None if capture == Capture::Killed && (row.kind == Kind::Client || row.id.starts_with("keyvalue.")) => Wrong::new(),
        None => wrong("it was not captured".to_owned()),
        Some(_) if any => Wrong::new(),
        Some(parent) => match registry::span(&parent.name) {
            Some(found) if row.parents.contains(&found.id) => Wrong::new(),
            Some(_) | None => wrong(format!("`{}`, expected {:?}", parent.name, row.parents)),
        },
    }
}
