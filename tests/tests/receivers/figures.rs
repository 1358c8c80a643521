//! Counters and figures, at the receiver and at `/metrics`, equal what SQL counts in the store.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use end_to_end_tests::harness::orders::order;
use serde_json::{Value, json};
use telemetry::{Units, checker::check_metrics};

use crate::{
    Stage,
    capture::{self, Figures, Series},
    journal::Store,
    sql, until,
};

/// Metrics by their names in OTLP and at `/metrics`, of histograms that of their count.
type Names = [(&'static str, &'static str)];

/// What goes on over restarts or is looked up.
const DURABLE: &Names = &[
    ("bss.order.count", "bss_order_count_total"),
    ("bss.order.fallout", "bss_order_fallout_total"),
    ("bss.order.in_progress", "bss_order_in_progress"),
    ("pipeline.run.active", "pipeline_run_active"),
];
/// What a process has seen.
const SEEN: &Names = &[
    ("bss.order.duration", "bss_order_duration_seconds_count"),
    ("bss.order.step_duration", "bss_order_step_duration_milliseconds_count"),
    ("pipeline.run.duration", "pipeline_run_duration_seconds_count"),
];

const TYPES: [&str; 6] = ["add", "modify", "delete", "mixed", "_other", "residential"];
const STEPS: [&str; 5] = ["decomposition", "inventory", "provisioning", "activation", "billing"];
const STATUSES: [&str; 5] = ["submitted", "completed", "fallout", "failed", "cancelled"];
const RESOURCES: [&str; 7] = ["port", "ipv4", "ipv6", "vlan", "equipment", "phone_number", "_other"];
/// Why a step that is about one resource is held, and why one that is about the whole order is.
const ABOUT_A_RESOURCE: [&str; 5] = ["no_inventory", "provisioning_failed", "plugin_error", "timeout", "undo_failed"];
const ABOUT_THE_ORDER: [&str; 3] = ["decomposition_failed", "activation_failed", "billing_failed"];

#[test]
fn counters_and_figures_equal_the_store_before_and_after_kills() {
    let pools = json!({
        "port": {"element": "olt-1", "count": 64},
        "ipv4": {"element": "bng-1", "cidr": "198.51.100.0/26"},
        "equipment": {"element": "warehouse", "count": 1},
    });
    let mut stage = Stage::start("http", &pools, "[orders]\ncategories = [\"residential\"]");
    let all = [DURABLE, SEEN].concat();
    // Every series is there before the first order, and 0.
    assert_equal(&stage, &all, &initial());

    every_end(&stage);
    let store = Store::open(&stage.host);
    let counted = over_initial(&all, sql::durable(&store).into_iter().chain(sql::histograms(&store)));
    assert_eq!(counted[&series("bss.order.in_progress", &[("state", "fallout")])], 3);
    assert_equal(&stage, &all, &counted);

    let before: Vec<Series> = scraped(&stage, &all).into_keys().collect();
    for _ in 0..3 {
        let orders = ["fibre-100", "tv", "unheard-of"].map(|offering| stage.host.submit(&order(offering)));
        until("an order is under way", || orders.iter().any(|id| records(&stage, id).len() > 3).then_some(()));
        stage.host.kill_and_restart();
    }
    until("all orders come to rest", || listed(&stage, "active").is_empty().then_some(()));
    stage.lab.switch("activation", "outcome", json!({"ms": 600_000}));
    let unfinished = stage.host.submit(&order("fibre-100"));
    until("the activation is pending", || {
        records(&stage, &unfinished).iter().any(|record| record["event"]["kind"] == "attempt-pended").then_some(())
    });
    let counted = over_initial(DURABLE, sql::durable(&store));
    assert_eq!(counted[&series("bss.order.in_progress", &[("state", "submitted")])], 1);
    assert!(store.epochs() >= 4, "{} epochs", store.epochs());
    assert_equal(&stage, DURABLE, &counted);
    let new: Vec<_> = scraped(&stage, &all).into_keys().filter(|series| !before.contains(series)).collect();
    assert_eq!(new, [], "no series appears by a restart");
    let wrong: Vec<_> = check_metrics(&capture::metrics(&stage.receiver), Units::Seed).iter().map(ToString::to_string).collect();
    assert_eq!(wrong, [""; 0]);
}

/// Orders that come to every end there is; three stay held.
fn every_end(stage: &Stage) {
    let send = |order: &Value| {
        let id = stage.host.submit(order);
        let state = stage.rest(&id);
        (id, state)
    };
    let mut residential = order("fibre-100");
    residential["category"] = json!("residential");
    let completed = [send(&residential), send(&order("tv")), send(&order("fibre-1000"))];
    assert!(completed.iter().all(|(_, state)| state == "completed"), "{completed:?}");
    let no_inventory = [send(&order("voice")), send(&order("home"))];
    stage.lab.switch("element", "fail", json!({"method": "PUT", "status": 400, "body": "ipv4"}));
    let not_provisioned = send(&order("fibre-100"));
    stage.lab.switch("activation", "outcome", json!({"result": "test-failed"}));
    let not_activated = send(&order("fibre-100"));
    stage.lab.switch("billing", "fail", json!({"method": "POST", "status": 422}));
    let not_billed = send(&order("fibre-100"));
    let unknown = send(&order("unheard-of"));
    let held = [&no_inventory[0], &no_inventory[1], &not_provisioned, &not_activated, &not_billed, &unknown];
    assert!(held.iter().all(|(_, state)| state == "held"), "{held:?}");
    assert_eq!(stage.resolve(&no_inventory[1].0, &["cancel"]), "cancelled");
    assert_eq!(stage.resolve(&not_provisioned.0, &["fail"]), "failed");
    assert_eq!(stage.resolve(&not_activated.0, &["cancel"]), "cancelled");
}

fn records(stage: &Stage, id: &str) -> Vec<Value> {
    stage.host.run(id)["records"].as_array().unwrap().clone()
}

/// The runs in a state, and those that wait for a timer.
fn listed(stage: &Stage, state: &str) -> Vec<Value> {
    let list = |state| stage.host.request("GET", &format!("/api/v1/runs?state={state}&limit=1000"), &[], "").body.as_array().unwrap().clone();
    [list(state), list("waiting")].concat()
}

fn series(name: &str, labels: &[(&str, &str)]) -> Series {
    let mut labels: Vec<_> = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
    labels.sort();
    (name.to_owned(), labels)
}

/// Every series whose labels are known beforehand, with the value 0.
fn initial() -> Figures {
    let orders = TYPES.iter().flat_map(|order_type| STATUSES.map(|status| series("bss.order.count", &[("type", order_type), ("status", status)])));
    let fallouts = ABOUT_A_RESOURCE.iter().flat_map(|reason| RESOURCES.map(|resource| [("reason", *reason), ("resource_type", resource)]));
    let fallouts = fallouts.map(|labels| series("bss.order.fallout", &labels));
    let without = ABOUT_A_RESOURCE.iter().chain(&ABOUT_THE_ORDER).map(|reason| series("bss.order.fallout", &[("reason", reason)]));
    let in_progress = ["submitted", "fallout"].map(|state| series("bss.order.in_progress", &[("state", state)]));
    let runs = ["active", "waiting", "held"].map(|state| series("pipeline.run.active", &[("pipeline.name", "order"), ("state", state)]));
    let durations = TYPES.map(|order_type| series("bss.order.duration", &[("type", order_type)]));
    let steps = STEPS.map(|step| series("bss.order.step_duration", &[("step", step)]));
    orders.chain(fallouts).chain(without).chain(in_progress).chain(runs).chain(durations).chain(steps).map(|series| (series, 0)).collect()
}

/// What was counted, and 0 for what begins with 0.
fn over_initial(names: &Names, counted: impl IntoIterator<Item = (Series, i64)>) -> Figures {
    let initial = initial().into_iter().filter(|((name, _), _)| names.iter().any(|(known, _)| known == name));
    initial.chain(counted).collect()
}

/// Both places come to show exactly this: counters are written and metrics are pushed a moment later.
fn assert_equal(stage: &Stage, names: &Names, expected: &Figures) {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        let found = [("/metrics", scraped(stage, names)), ("the receiver", pushed(stage, names))];
        let wrong: Vec<_> = found.iter().flat_map(|(place, found)| differences(place, found, expected)).collect();
        if wrong.is_empty() || Instant::now() > patience {
            assert_eq!(wrong, [""; 0]);
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn differences(place: &str, found: &Figures, expected: &Figures) -> Vec<String> {
    let all: BTreeSet<&Series> = found.keys().chain(expected.keys()).collect();
    let differ = all.into_iter().filter(|series| found.get(series) != expected.get(series));
    differ.map(|series| format!("{place}: {series:?} is {:?}, expected {:?}", found.get(series), expected.get(series))).collect()
}

/// What the receiver was told last.
fn pushed(stage: &Stage, names: &Names) -> Figures {
    let mut figures = capture::last_figures(&stage.receiver);
    figures.retain(|(name, _), _| names.iter().any(|(known, _)| known == name));
    figures
}

/// What `/metrics` says, under the names of OTLP.
fn scraped(stage: &Stage, names: &Names) -> Figures {
    let text = stage.host.text("/metrics");
    let lines = text.lines().filter_map(|line| line.split_once('{'));
    let known = lines.filter_map(|(name, rest)| Some((names.iter().find(|(_, scraped)| *scraped == name)?.0, rest)));
    let points = known.map(|(name, rest)| {
        let (labels, value) = rest.rsplit_once("} ").unwrap();
        let labels = labels.split(',').map(|label| label.split_once('=').unwrap());
        let labels = labels.filter(|(label, _)| *label != "otel_scope_name").map(|(label, value)| (dotted(label), value.trim_matches('"')));
        (series(name, &labels.collect::<Vec<_>>()), value.parse().unwrap())
    });
    points.collect()
}

fn dotted(label: &str) -> &str {
    match label {
        "pipeline_name" => "pipeline.name",
        "error_type" => "error.type",
        other => other,
    }
}
