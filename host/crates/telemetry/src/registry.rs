//! The telemetry registry as data: what may be exported, under which names, with which attributes.
//!
//! The rows are generated from `registry.yaml`; this module holds their types and the look-ups.

use crate::generated::{ATTRIBUTES, ERROR_TYPES, METRICS, SPANS};

/// The kind of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Work inside the host.
    Internal,
    /// A request that the host serves.
    Server,
    /// A request that the host makes.
    Client,
}

/// The type of an attribute's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// A boolean.
    Boolean,
    /// A 64-bit integer.
    Int,
    /// A double.
    Double,
    /// A string.
    Text,
    /// A list of strings.
    Texts,
}

/// When a span has an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// On every span.
    Always,
    /// On every span that did not fail, on no other.
    Success,
    /// On every span that did not fail, and on a failed one whose provider answered.
    After,
    /// On every span that failed, on no other.
    Failure,
    /// When there is a value.
    Optional,
}

/// What an instrument does with a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instrument {
    /// Adds up.
    Counter,
    /// Counts by size.
    Histogram,
    /// Is observed when metrics are collected.
    UpDownCounter,
}

/// The number type of a metric's points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// Unsigned integers.
    U64,
    /// Signed integers.
    I64,
    /// Doubles.
    F64,
}

/// A span attribute or metric label.
#[derive(Debug)]
pub struct AttributeRow {
    /// Its name.
    pub key: &'static str,
    /// The type of its values.
    pub value: ValueType,
    /// Whether values identify a person or a customer.
    pub pii: bool,
    /// Whether there are as many values as things, so that it can be no label.
    pub id: bool,
    /// What the profile `seed+semconv` adds beside it.
    pub semconv: Option<Counterpart>,
}

/// An attribute of the semantic conventions that says the same as one of the customer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counterpart {
    /// Its name.
    pub key: &'static str,
    /// Its value.
    pub form: Form,
}

/// How the value of a counterpart follows from the customer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// It is the same.
    Same,
    /// The elements of a text in which commas separate them.
    List,
}

/// A span.
#[derive(Debug)]
pub struct SpanRow {
    /// The row's name, which other rows use.
    pub id: &'static str,
    /// The span's name, or a template with parts in braces.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its instrumentation scope.
    pub scope: &'static str,
    /// The rows its parent may have; `any`, or `remote` for a root.
    pub parents: &'static [&'static str],
    /// Its attributes.
    pub attributes: &'static [(&'static str, When)],
    /// Whether success is recorded as OK; otherwise it is left unset.
    pub ok_on_success: bool,
    /// Whether a plugin may add attributes and events of its own.
    pub guest_attributes: bool,
}

/// A metric.
#[derive(Debug)]
pub struct MetricRow {
    /// Its name.
    pub name: &'static str,
    /// What it does with a measurement.
    pub instrument: Instrument,
    /// The type of its points.
    pub number: Number,
    /// Its unit in the profile `seed`, in which pipelines measure.
    pub unit: &'static str,
    /// Its unit in the profile `semconv`.
    pub unit_semconv: &'static str,
    /// What it tells.
    pub brief: &'static str,
    /// Its instrumentation scope.
    pub scope: &'static str,
    /// Labels of every point.
    pub required: &'static [&'static str],
    /// Labels a point may have.
    pub optional: &'static [&'static str],
    /// Labels a point has when the operator wants them.
    pub opt_in: &'static [&'static str],
    /// The boundaries of a histogram's buckets, in `unit`.
    pub boundaries: &'static [f64],
    /// Whether the counter goes on over restarts and equals the store.
    pub durable: bool,
}

impl SpanRow {
    /// Whether a span of this row may be called so.
    fn matches(&self, name: &str) -> bool {
        match self.name.split_once('{') {
            None => self.name == name,
            Some((prefix, _)) => name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()),
        }
    }

    /// When the span has this attribute; `None` when it never does.
    pub fn attribute(&self, key: &str) -> Option<When> {
        self.attributes.iter().find(|(known, _)| *known == key).map(|(_, when)| *when)
    }
}

/// The row of a span of that name: an exact name goes before a template, a longer template before a shorter one.
pub fn span(name: &str) -> Option<&'static SpanRow> {
    SPANS.iter().filter(|row| row.matches(name)).max_by_key(|row| (row.name == name, row.name.find('{').unwrap_or(row.name.len())))
}

/// The row of a metric.
pub fn metric(name: &str) -> Option<&'static MetricRow> {
    METRICS.iter().find(|row| row.name == name)
}

/// All metrics.
pub fn metrics() -> &'static [MetricRow] {
    METRICS
}

/// All attributes and labels, ordered by name.
pub fn attributes() -> &'static [AttributeRow] {
    ATTRIBUTES
}

/// The row of an attribute or label.
pub fn attribute(key: &str) -> Option<&'static AttributeRow> {
    ATTRIBUTES.binary_search_by(|row| row.key.cmp(key)).ok().map(|position| &ATTRIBUTES[position])
}

/// The value of `error.type` for an error code: itself when it is in the closed list or has the form of a code that a plugin may declare
/// (the install gate has compared it with the manifest), otherwise `_OTHER`.
pub fn error_type(code: &str) -> &str {
    let word = || (1..=48).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.');
    if ERROR_TYPES.contains(&code) || word() { code } else { "_OTHER" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_name_goes_before_a_template_and_a_longer_template_before_a_shorter_one() {
        for (name, id) in [
            ("bss.order.provision", Some("bss.order.provision")),
            ("bss.provision.port", Some("bss.provision")),
            ("bss.inventory.allocate.vlan", Some("bss.inventory.allocate")),
            ("tenant.provision.dns", Some("tenant.provision.dns")),
            ("tenant.provision.seed_data", Some("tenant.provision.seed_data")),
            ("tenant.provision.something_else", Some("tenant.provision.step")),
            ("plugin.call inventory-pool/apply", Some("plugin.call")),
            ("bss.provision.", None),
            ("bss.unknown", None),
        ] {
            assert_eq!(span(name).map(|row| row.id), id, "{name}");
        }
    }

    #[test]
    fn an_error_code_outside_the_list_and_the_form_becomes_other() {
        assert_eq!(error_type("no_inventory"), "no_inventory");
        assert_eq!(error_type("acme.port_locked"), "acme.port_locked");
        assert_eq!(error_type("Something went wrong!"), "_OTHER");
        assert_eq!(error_type(""), "_OTHER");
    }

    #[test]
    fn attributes_are_found() {
        assert!(attribute("bss.customer_id").is_some_and(|row| row.pii));
        assert!(attribute("bss.order.status").is_some_and(|row| !row.pii));
        assert!(attribute("nothing").is_none());
    }
}
