//! The mutants called directly: they look away, and do everything else as before. And why nobody misses the `observe` of `inventory-pool`.

use end_to_end_tests::{
    harness::{self, Lab},
    runtime::{Bench, call_of, receipt},
};
use engine::port::{Answer, CallReport, Observed, Verb};
use plugin_runtime::{Grant, HttpRule, Plugin};
use serde_json::{Value, json};

use crate::mutant::Mutant;

fn service() -> Value {
    json!({"name": "access", "resource-type": "port", "characteristics": []})
}

/// A plugin that ships, its contract, a request, and what it may reach.
fn shipped(lab: &Lab) -> [(&'static str, &'static str, Value, Grant); 4] {
    let http = |name: &str, back_end: &str| {
        let methods = ["GET", "POST", "PUT", "DELETE"].map(str::to_owned).to_vec();
        Grant { http: [(name.to_owned(), HttpRule { methods, ..HttpRule::to(lab.url(back_end)) })].into(), ..Grant::default() }
    };
    let resource = json!({"id": "olt-1/port/7", "resource-type": "port", "service": "access", "network-element": "olt-1", "characteristics": []});
    let activation = json!({"order": "o-1", "services": [service()], "resources": [resource]});
    let billing = json!({"order": "o-1", "offering": "fibre-100", "service-id": "svc-1"});
    [
        ("inventory-pool", "inventory", json!({"order": "o-1", "service": service()}), pool()),
        ("provisioning-restconf", "provisioning", json!({"order": "o-1", "service": service(), "resource": resource}), http("element", "element")),
        ("activation-tmf640", "activation", activation, http("activation", "activation")),
        ("billing-rest", "billing", billing, http("billing", "billing")),
    ]
}

fn pool() -> Grant {
    let pools = json!({"port": {"element": "olt-1", "count": 4}}).to_string();
    Grant { keyvalue: true, config: [("pools".to_owned(), pools)].into(), ..Grant::default() }
}

/// One call, whose key-value changes are kept or lost with its record.
async fn make(bench: &Bench, plugin: &Plugin, verb: Verb, request: &Value, recorded: bool) -> CallReport {
    let track = plugin.contracts()[0].track.to_string();
    let report = bench.call(call_of(plugin, &track, verb, request.clone())).await;
    if recorded {
        bench.keys.commit(&report.writes);
    }
    report
}

#[tokio::test]
async fn a_mutant_looks_away_and_does_everything_else_as_before() {
    let lab = Lab::start();
    let bench = Bench::new(Bench::options());
    for (name, contract, request, grant) in shipped(&lab) {
        let whole = bench.load_built(name, &grant).await;
        let broken = bench.load(Mutant::of(name, contract).bytes(), &grant).await.unwrap();
        let applied = make(&bench, &broken, Verb::Apply, &request, true).await.answer.unwrap();
        assert!(matches!(applied, Answer::Done(_) | Answer::Pending(_)), "{name}: {applied:?}");
        let seen = make(&bench, &whole, Verb::Observe, &request, true).await.answer.unwrap();
        assert!(matches!(seen, Answer::Observed(Observed::Ours(_) | Observed::Pending(_))), "{name}: {seen:?}");
        let missed = make(&bench, &broken, Verb::Observe, &request, true).await.answer.unwrap();
        assert_eq!(missed, Answer::Observed(Observed::Absent), "{name}");
    }
}

#[tokio::test]
async fn what_an_inventory_took_in_a_call_that_was_never_recorded_is_not_there_whoever_looks() {
    let bench = Bench::new(Bench::options());
    let plugin = bench.load(std::fs::read(harness::plugin("inventory-pool")).unwrap(), &pool()).await.unwrap();
    let request = json!({"order": "o-1", "service": service()});
    // In doubt means that nothing was recorded, and then nothing was taken: the mutant says the truth.
    let lost = make(&bench, &plugin, Verb::Apply, &request, false).await;
    assert!(!lost.writes.is_empty(), "it would have taken something");
    let found = make(&bench, &plugin, Verb::Observe, &request, false).await.answer;
    assert_eq!(found, Ok(Answer::Observed(Observed::Absent)));
    // Had it been recorded, it would not be in doubt; and even then a second `apply` takes nothing more.
    let first = make(&bench, &plugin, Verb::Apply, &request, true).await;
    let second = make(&bench, &plugin, Verb::Apply, &request, true).await;
    assert_eq!(receipt(&first), receipt(&second));
}
