//! Turns `registry.yaml` into Rust constants.

use std::{collections::BTreeMap, fmt::Write};

use serde_yaml_ng::Value;

/// The text of `src/generated.rs`.
pub(crate) fn generate(yaml: &str) -> String {
    let registry: Value = serde_yaml_ng::from_str(yaml).unwrap();
    let mut out = String::from(HEAD);
    attributes(&registry, &mut out);
    spans(&registry, &mut out);
    metrics(&registry, &mut out);
    let codes = strings(&registry["ours"]["error_types"]);
    writeln!(out, "\npub(crate) static ERROR_TYPES: &[&str] = &{codes:?};").unwrap();
    names(&registry, &mut out);
    out
}

/// Panics with the reference that names no attribute.
pub(crate) fn check_references(yaml: &str) {
    let registry: Value = serde_yaml_ng::from_str(yaml).unwrap();
    let known = attribute_rows(&registry);
    let refs = |row: &Value| list(&row["attributes"]).iter().map(|reference| text(&reference["ref"])).collect::<Vec<_>>();
    let seed = list(&registry["spans"]).iter().chain(list(&registry["metrics"])).flat_map(refs);
    let ours = &registry["ours"];
    let rows = ["span_rulings", "spans"].into_iter().flat_map(|section| list(&ours[section]));
    let spans = rows.flat_map(|row| row["when"].as_mapping().unwrap().keys().map(text));
    let rows = ["metric_rulings", "metrics"].into_iter().flat_map(|section| list(&ours[section]));
    let metrics = rows.flat_map(|row| ["required", "optional", "opt_in"].map(|labels| strings(&row[labels])).concat());
    for key in seed.chain(spans).chain(metrics) {
        assert!(known.contains_key(&key), "attribute `{key}` is used and not defined");
    }
}

const HEAD: &str =
    "//! Generated from `registry.yaml`; a test fails when it is stale. Regenerate: `UPDATE_EXPECT=1 cargo test -p telemetry --test registry`.

use crate::registry::{AttributeRow, Counterpart, Form, Instrument, Kind, MetricRow, Number, SpanRow, ValueType, When};

";

fn attributes(registry: &Value, out: &mut String) {
    out.push_str("pub(crate) static ATTRIBUTES: &[AttributeRow] = &[\n");
    for (key, Row { value, pii, id, semconv }) in attribute_rows(registry) {
        writeln!(out, "    AttributeRow {{ key: {key:?}, value: ValueType::{value}, pii: {pii}, id: {id}, semconv: {semconv} }},").unwrap();
    }
    out.push_str("];\n");
}

/// What is known about an attribute, as it is written in Rust.
#[derive(Clone)]
struct Row {
    value: &'static str,
    pii: bool,
    id: bool,
    semconv: String,
}

/// The attributes, ordered by key. What is added beside a name of the customer's is as personal and as much an identifier as that.
fn attribute_rows(registry: &Value) -> BTreeMap<String, Row> {
    let ours = &registry["ours"];
    let ids = strings(&ours["ids"]);
    let row = |key: Value, value: &Value, pii: &Value| {
        let key = text(&key);
        let row = Row { value: value_type(value), pii: *pii == Value::Bool(true), id: ids.contains(&key), semconv: "None".to_owned() };
        (key, row)
    };
    let seed = list(&registry["attributes"]).iter().map(|given| row(given["key"].clone(), &given["type"], &given["annotations"]["pii"]));
    let added = list(&ours["attributes"]).iter().map(|given| row(given["key"].clone(), &given["type"], &given["pii"]));
    let mut rows: BTreeMap<String, Row> = seed.chain(added).collect();
    assert!(ids.iter().all(|id| rows.contains_key(id)), "one of {ids:?} is not defined");
    for counterpart in list(&ours["semconv"]) {
        let (key, adds, form) = (text(&counterpart["key"]), text(&counterpart["adds"]), camel(&text(&counterpart["form"])));
        let Some(row) = rows.get_mut(&key) else { panic!("attribute `{key}` has a counterpart and is not defined") };
        row.semconv = format!("Some(Counterpart {{ key: {adds:?}, form: Form::{form} }})");
        let value = if form == "List" { "Texts" } else { row.value };
        let copy = Row { value, semconv: "None".to_owned(), ..row.clone() };
        assert!(rows.insert(adds.clone(), copy).is_none(), "attribute `{adds}` is defined twice");
    }
    rows
}

fn value_type(value: &Value) -> &'static str {
    match value.as_str() {
        Some("boolean") => "Boolean",
        Some("int") => "Int",
        Some("double") => "Double",
        Some("string[]") => "Texts",
        // An enumeration is written as a mapping of members; its values are strings.
        Some("string") | None => "Text",
        Some(other) => panic!("unknown type `{other}`"),
    }
}

fn spans(registry: &Value, out: &mut String) {
    out.push_str("\npub(crate) static SPANS: &[SpanRow] = &[\n");
    let ours = &registry["ours"];
    for row in list(&registry["spans"]) {
        let id = text(&row["type"]);
        let ruling = list(&ours["span_rulings"]).iter().find(|ruling| text(&ruling["span"]) == id).unwrap_or(&Value::Null);
        let mut when: BTreeMap<String, String> =
            list(&row["attributes"]).iter().map(|reference| (text(&reference["ref"]), "optional".to_owned())).collect();
        when.insert("error.type".to_owned(), "failure".to_owned());
        when.extend(mapping(&ruling["when"]));
        span(registry, out, &id, &text(&row["name"]["note"]), &text(&row["kind"]), ruling, &when);
    }
    for row in list(&ours["spans"]) {
        span(registry, out, &text(&row["span"]), &text(&row["name"]), &text(&row["kind"]), row, &mapping(&row["when"]));
    }
    out.push_str("];\n");
}

fn span(registry: &Value, out: &mut String, id: &str, name: &str, kind: &str, ruling: &Value, when: &BTreeMap<String, String>) {
    let scope = if id.starts_with("tenant.provision.ssl.") { "tenant.provisioning.async".to_owned() } else { scope(registry, id) };
    let parents = if ruling["parent"].is_null() { vec!["any".to_owned()] } else { strings(&ruling["parent"]) };
    let attributes: Vec<_> = when.iter().map(|(key, when)| format!("({key:?}, When::{})", camel(when))).collect();
    writeln!(
        out,
        "    SpanRow {{ id: {id:?}, name: {name:?}, kind: Kind::{}, scope: {scope:?}, parents: &{parents:?}, attributes: &[{}], ok_on_success: {}, guest_attributes: {} }},",
        camel(kind),
        attributes.join(", "),
        ruling["ok_on_success"] == Value::Bool(true),
        ruling["guest_attributes"] == Value::Bool(true),
    )
    .unwrap();
}

fn metrics(registry: &Value, out: &mut String) {
    out.push_str("\npub(crate) static METRICS: &[MetricRow] = &[\n");
    let ours = &registry["ours"];
    for row in list(&registry["metrics"]) {
        let name = text(&row["name"]);
        let ruling = list(&ours["metric_rulings"]).iter().find(|ruling| text(&ruling["metric"]) == name).unwrap();
        metric(registry, out, &name, row, ruling);
    }
    for row in list(&ours["metrics"]) {
        metric(registry, out, &text(&row["metric"]), row, row);
    }
    out.push_str("];\n");
}

fn metric(registry: &Value, out: &mut String, name: &str, row: &Value, ruling: &Value) {
    let instrument = match text(&row["instrument"]).as_str() {
        "updowncounter" => "UpDownCounter".to_owned(),
        other => camel(other),
    };
    let boundaries: Vec<f64> = list(&ruling["boundaries"]).iter().map(|bound| bound.as_f64().unwrap()).collect();
    writeln!(
        out,
        "    MetricRow {{ name: {name:?}, instrument: Instrument::{instrument}, number: Number::{}, unit: {:?}, unit_semconv: {:?}, brief: {:?}, scope: {:?}, required: &{:?}, optional: &{:?}, opt_in: &{:?}, boundaries: &{boundaries:?}, durable: {} }},",
        text(&ruling["value"]).to_uppercase(),
        text(&row["unit"]),
        text(&ruling["unit_semconv"]),
        text(&row["brief"]),
        scope(registry, name),
        strings(&ruling["required"]),
        strings(&ruling["optional"]),
        strings(&ruling["opt_in"]),
        ruling["durable"] == Value::Bool(true),
    )
    .unwrap();
}

/// One constant per name of ours, for the code that emits it; the customer's names are written where pipelines are defined.
fn names(registry: &Value, out: &mut String) {
    let ours = &registry["ours"];
    let named = list(&registry["attributes"]).iter().filter(|row| row["annotations"]["source"].as_str() == Some("ours"));
    let attributes: Vec<String> = named.chain(list(&ours["attributes"])).map(|row| text(&row["key"])).collect();
    let metrics: Vec<String> = list(&ours["metrics"]).iter().map(|row| text(&row["metric"])).chain(["plugin.call.duration".to_owned()]).collect();
    for (module, what, names) in [("attribute", "Attributes and labels", attributes), ("metric", "Metrics", metrics)] {
        writeln!(out, "\n/// {what} of ours by name.\npub mod {module} {{").unwrap();
        for name in names {
            let constant = name.to_uppercase().replace('.', "_");
            writeln!(out, "    /// `{name}`\n    pub const {constant}: &str = {name:?};").unwrap();
        }
        out.push_str("}\n");
    }
}

fn scope(registry: &Value, name: &str) -> String {
    let prefix = name.split('.').next().unwrap();
    text(&registry["ours"]["scopes"][prefix])
}

fn camel(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

fn list(value: &Value) -> &[Value] {
    value.as_sequence().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("expected a text, found {value:?}")).to_owned()
}

fn strings(value: &Value) -> Vec<String> {
    list(value).iter().map(text).collect()
}

fn mapping(value: &Value) -> BTreeMap<String, String> {
    value.as_mapping().into_iter().flatten().map(|(key, value)| (text(key), text(value))).collect()
}
