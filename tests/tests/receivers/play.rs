//! Orders on every path there is, played once for all tests that look at what arrived.

use std::{collections::BTreeMap, fs, sync::LazyLock};

use end_to_end_tests::harness::orders::{STEPS, order};
use opentelemetry_proto::tonic::collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest};
use serde_json::{Value, json};

use crate::{
    Stage,
    capture::{self, Arrived},
};

/// The caller's span, of a trace that is exported and of one that is not.
pub(crate) const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
pub(crate) const SILENT_CALLER: &str = "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203332-00";

/// What arrived, and what is known beside it.
pub(crate) struct Played {
    pub(crate) arrived: Vec<Arrived>,
    pub(crate) traces: Vec<ExportTraceServiceRequest>,
    pub(crate) metrics: Vec<ExportMetricsServiceRequest>,
    /// The trace of each path.
    pub(crate) paths: BTreeMap<&'static str, String>,
    /// `traceparent` of every request that a back end was sent, of orders that no kill has met.
    pub(crate) outbound: Vec<String>,
    /// Texts that differ from run to run, and what they are.
    pub(crate) words: Vec<(String, &'static str)>,
}

pub(crate) static PLAYED: LazyLock<Played> = LazyLock::new(play);

/// A switch of a back end.
type Switch<'a> = (&'a str, &'a str, Value);

struct Play {
    stage: Stage,
    paths: BTreeMap<&'static str, String>,
    outbound: Vec<String>,
    words: Vec<(String, &'static str)>,
}

fn play() -> Played {
    let pools = json!({
        "port": {"element": "olt-1", "count": 32},
        "ipv4": {"element": "bng-1", "cidr": "198.51.100.0/27"},
        "equipment": {"element": "warehouse", "count": 2},
    });
    // One resource at a time: two that choose the same one would be asked again. A call that takes four seconds is one that a test has delayed.
    let steps = STEPS.map(|step| format!("[orders.{step}]\nretry_initial_ms = 50\nmax_attempts = 4\ntimeout_ms = 4000"));
    let stage = Stage::start("http", &pools, &format!("[orders]\nparallel_allocations = 1\n{}", steps.join("\n")));
    // Two watch the time of a call: who notices first is a matter of chance.
    let over = ["`billing-rest` was stopped: the time of the call is over", "`billing-rest` did not answer within 4000 ms"];
    let words = over.map(|text| (text.to_owned(), "TIME IS OVER")).into();
    let mut play = Play { stage, paths: BTreeMap::new(), outbound: Vec::new(), words };
    // First, for it may cost the live spans of what was played before.
    play.a_kill();
    play.good_ends();
    play.troubles();
    play.bad_ends();
    play.a_missing_plugin();
    assert_eq!(play.stage.host.terminate(), Some(0));
    let Play { stage, paths, outbound, words } = play;
    Played {
        arrived: capture::spans(&stage.receiver),
        traces: capture::traces(&stage.receiver),
        metrics: capture::metrics(&stage.receiver),
        paths,
        outbound,
        words,
    }
}

impl Play {
    fn good_ends(&mut self) {
        let place = json!([{"id": "north", "role": "installation"}]);
        let detailed = json!({
            "priority": "1", "channel": [{"id": "7", "name": "retail"}], "relatedParty": [{"id": "c-1", "role": "customer", "@referredType": "Individual"}],
            "productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": "fibre-100"}, "product": {"place": place}}],
        });
        self.path("completed", &detailed, &[], &[], "completed");
        self.path("in_a_callers_trace", &order("fibre-100"), &[("traceparent", CALLER), ("tracestate", "vendor=1")], &[], "completed");
        self.path("not_sampled", &order("fibre-100"), &[("traceparent", SILENT_CALLER)], &[], "completed");
        let several = json!({"productOrderItem": [
            {"id": "a", "action": "add", "productOffering": {"id": "fibre-100"}}, {"id": "b", "action": "add", "productOffering": {"id": "home"}}]});
        self.path("several_items", &several, &[], &[], "completed");
    }

    fn troubles(&mut self) {
        let fibre = order("fibre-100");
        let twice = json!({"method": "POST", "status": 503, "count": 2});
        self.path("retried", &fibre, &[], &[("billing", "fail", twice)], "completed");
        // Active at once, so that it is when it is asked after.
        let lost = [("activation", "outcome", json!({"ms": 0})), ("activation", "drop-answer", json!({"method": "POST"}))];
        self.path("answer_lost", &fibre, &[], &lost, "completed");
        self.path("timed_out", &fibre, &[], &[("billing", "delay", json!({"method": "POST", "ms": 60_000}))], "completed");
    }

    fn bad_ends(&mut self) {
        let fibre = order("fibre-100");
        self.path("unknown_offering", &order("unheard-of"), &[], &[], "held");
        self.decide("unknown_offering", &["fail"]);
        self.path("last_equipment", &order("tv"), &[], &[], "completed");
        self.path("no_inventory", &order("home"), &[], &[], "held");
        self.decide("no_inventory", &["fail"]);
        // What was configured already is taken back, at the second try.
        let refused = json!({"method": "PUT", "status": 400, "body": "ipv4"});
        let busy = json!({"method": "DELETE", "status": 503});
        self.path("provisioning_failed", &fibre, &[], &[("element", "fail", refused), ("element", "fail", busy)], "held");
        self.decide("provisioning_failed", &["cancel"]);
        let failed = json!({"result": "test-failed"});
        self.path("activation_failed", &fibre, &[], &[("activation", "outcome", failed)], "held");
        self.decide("activation_failed", &["cancel"]);
        self.path("billing_failed", &fibre, &[], &[("billing", "fail", json!({"method": "POST", "status": 422}))], "held");
        let receipt = self.stage.host.directory().join("receipt.json");
        fs::write(&receipt, json!({"account": "by-hand", "plan": "plan-fibre-100", "effective-date": "2031-05-01"}).to_string()).unwrap();
        self.decide("billing_failed", &["skip-with", receipt.to_str().unwrap()]);
    }

    /// The host dies while the element is being asked.
    fn a_kill(&mut self) {
        self.stage.lab.switch("element", "delay", json!({"method": "PUT", "ms": 600_000}));
        let id = self.stage.host.submit(&order("fibre-100"));
        self.stage.asked("element", "PUT");
        self.stage.host.kill_and_restart();
        assert_eq!(self.stage.rest(&id), "completed");
        self.note("interrupted", id);
        self.stage.reset("element");
    }

    /// The operator forgets a plugin.
    fn a_missing_plugin(&mut self) {
        assert_eq!(self.stage.host.terminate(), Some(0));
        let config = self.stage.host.directory().join("jackfield.toml");
        let text = fs::read_to_string(&config).unwrap();
        fs::write(&config, text.split("[plugins.billing-rest]").next().unwrap()).unwrap();
        self.stage.host.restart();
        self.path("no_plugin", &order("fibre-100"), &[], &[], "held");
        self.decide("no_plugin", &["fail"]);
    }

    /// Plays an order against back ends with these switches, up to where it comes to rest.
    fn path(&mut self, name: &'static str, order: &Value, headers: &[(&str, &str)], switches: &[Switch<'_>], end: &str) {
        for (back_end, switch, body) in switches {
            self.stage.lab.switch(back_end, switch, body.clone());
        }
        let id = self.stage.host.submit_with(order, headers);
        assert_eq!(self.stage.rest(&id), end, "{name}: {:#}", self.stage.host.run(&id));
        self.note(name, id);
        self.remember();
    }

    /// A person decides; the order ends.
    fn decide(&mut self, name: &str, decision: &[&str]) {
        let id = self.words.iter().rev().find(|(_, word)| *word == "ORDER").map(|(id, _)| id.clone()).unwrap();
        let state = self.stage.resolve(&id, decision);
        assert_ne!(state, "held", "{name}");
        self.remember();
    }

    fn note(&mut self, name: &'static str, id: String) {
        let run = self.stage.host.run(&id);
        let trace = run["records"][0]["event"]["trace"]["trace_id"].as_str().unwrap().to_owned();
        self.paths.insert(name, trace);
        self.words.push((id, "ORDER"));
    }

    /// What the back ends were asked, before they forget it.
    fn remember(&mut self) {
        for back_end in ["catalogue", "element", "activation", "billing"] {
            let requests = self.stage.lab.requests(back_end);
            let parents = requests.as_array().unwrap().iter().filter_map(|request| request["traceparent"].as_str());
            self.outbound.extend(parents.map(str::to_owned));
            self.stage.reset(back_end);
        }
    }
}
