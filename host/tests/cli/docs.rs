//! `docs/operate.md` has a paragraph for everything that an operator can meet, and names nothing else; the alerts and dashboards that ship speak of series
//! that there are; `docs/telemetry.md` has every setting.

use std::collections::BTreeSet;

const OPERATE: &str = include_str!("../../docs/operate.md");
const REGISTRY: &str = include_str!("../../crates/telemetry/registry.yaml");
const TELEMETRY: &str = include_str!("../../docs/telemetry.md");
const CONFIG: &str = include_str!("../../src/config.rs");
const ENVIRONMENT: &str = include_str!("../../crates/telemetry/src/env.rs");
const ALERTS: &str = concat!(
    include_str!("../../docs/alerts/orders.rules.yaml"),
    include_str!("../../docs/alerts/cpe.rules.yaml"),
    include_str!("../../docs/alerts/tenants.rules.yaml")
);
const ALERT_TESTS: &str = concat!(
    include_str!("../../docs/alerts/orders.test.yaml"),
    include_str!("../../docs/alerts/cpe.test.yaml"),
    include_str!("../../docs/alerts/tenants.test.yaml")
);
const DASHBOARDS: [&str; 2] = [include_str!("../../docs/telemetry/dashboard-cpe.json"), include_str!("../../docs/telemetry/dashboard-tenants.json")];

/// The names of the headings of one kind: `### Error `name``.
fn headings(kind: &str) -> BTreeSet<String> {
    let heading = format!("### {kind} `");
    OPERATE.lines().filter_map(|line| line.strip_prefix(&heading)?.strip_suffix('`')).map(str::to_owned).collect()
}

#[test]
fn every_error_code_of_the_contract_has_its_paragraph() {
    let line = REGISTRY.lines().find_map(|line| line.trim().strip_prefix("error_types: [")?.strip_suffix(']')).unwrap();
    let codes: BTreeSet<String> = line.split(", ").map(str::to_owned).collect();
    assert!(codes.len() > 20);
    assert_eq!(headings("Error"), codes);
}

#[test]
fn every_fallout_reason_has_its_paragraph() {
    let of_devices = cpe::flow::RESULTS.into_iter().filter(|result| *result != "success").chain(["command_failed"]);
    let all = orders::REASONS.into_iter().chain(of_devices).chain(tenants::REASONS);
    assert_eq!(headings("Reason"), all.map(str::to_owned).collect());
}

#[test]
fn no_paragraph_is_empty() {
    let mut lines = OPERATE.lines().peekable();
    while let Some(line) = lines.next() {
        let next = lines.peek().map_or(0, |next| next.len());
        assert!(!line.starts_with("### ") || next > 60, "{line} has no paragraph");
    }
}

/// What Prometheus calls the metrics of the registry, in both profiles of units.
fn prometheus_names() -> BTreeSet<String> {
    let suffixes = |row: &telemetry::registry::MetricRow| match row.instrument {
        telemetry::registry::Instrument::Counter => vec!["_total"],
        telemetry::registry::Instrument::Histogram => vec!["_sum", "_count", "_bucket"],
        telemetry::registry::Instrument::UpDownCounter => vec![""],
    };
    let unit = |unit: &str| match unit {
        "s" | "seconds" => "_seconds",
        "ms" => "_milliseconds",
        _ => "",
    };
    let of = |row: &telemetry::registry::MetricRow| {
        let name = row.name.replace('.', "_");
        let units = [unit(row.unit), unit(row.unit_semconv)];
        units
            .into_iter()
            .flat_map(|unit| suffixes(row).into_iter().map(|suffix| format!("{name}{unit}{suffix}")).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    telemetry::registry::metrics().iter().flat_map(of).collect()
}

/// The metrics and the labels with their values that a file of alerts or of their tests names.
fn named(text: &str) -> (BTreeSet<String>, BTreeSet<(String, String)>) {
    let text = ["milliseconds", "seconds"].map(|unit| text.replace("(milliseconds|seconds)", unit)).join("\n");
    let word = |text: &str| text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    let prefixes = ["bss_", "cpe_provision_", "tenant_provision_", "pipeline_run_", "plugin_call_"].into_iter();
    let metrics = prefixes.flat_map(|prefix| text.match_indices(prefix).map(|(at, _)| word(&text[at..])).collect::<Vec<_>>()).collect();
    let labels = ["status", "reason", "step", "state"].into_iter().flat_map(|label| {
        let equals = format!("{label}=\"");
        let value = |at: usize| text[at + equals.len()..].split('"').next().unwrap_or_default().to_owned();
        text.match_indices(&equals).map(|(at, _)| (label.to_owned(), value(at))).collect::<Vec<_>>()
    });
    (metrics, labels.collect())
}

#[test]
fn alerts_speak_of_series_that_are_there_before_the_first_order() {
    let known = prometheus_names();
    let all = orders::initial_series(&[]).into_iter().chain(tenants::initial_series(&tenants::Options::default()));
    let series: BTreeSet<(String, String)> = all.flat_map(|series| series.labels).map(|(label, value)| (label.to_owned(), value)).collect();
    for text in [ALERTS, ALERT_TESTS] {
        let (metrics, labels) = named(text);
        assert!(metrics.len() >= 5 && labels.len() >= 5, "{metrics:?} {labels:?}");
        assert_eq!(metrics.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
        assert_eq!(labels.difference(&series).collect::<Vec<_>>(), Vec::<&(String, String)>::new());
    }
}

#[test]
fn dashboards_show_metrics_that_there_are() {
    let known = prometheus_names();
    for text in DASHBOARDS {
        let (metrics, _) = named(text);
        assert!(metrics.len() >= 5, "{metrics:?}");
        assert_eq!(metrics.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
    }
}

#[test]
fn every_setting_of_telemetry_is_explained() {
    let (_, table) = CONFIG.split_once("pub(crate) struct Telemetry {").unwrap();
    let keys: Vec<&str> =
        table.split_once("\n}").unwrap().0.lines().filter_map(|line| line.trim().strip_prefix("pub(crate) ")?.split(':').next()).collect();
    assert!(keys.len() >= 8, "{keys:?}");
    for key in keys {
        assert!(TELEMETRY.contains(&format!("| `{key}` |")), "docs/telemetry.md has no row for telemetry.{key}");
    }
    let variables: BTreeSet<&str> = ENVIRONMENT.split('"').filter(|text| text.starts_with("OTEL_") && !text.contains(' ')).collect();
    assert!(variables.len() >= 15, "{variables:?}");
    for variable in variables {
        assert!(TELEMETRY.contains(&format!("`{variable}`")), "docs/telemetry.md does not name {variable}");
    }
}
