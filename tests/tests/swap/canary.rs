//! A canary is judged by what the host itself measures.

use std::{collections::BTreeMap, time::Instant};

use end_to_end_tests::harness::{Host, Lab, orders::STEPS, plugin, until};
use serde_json::{Value, json};

use super::{digest_of, install, order, selling, setup, standing};

/// Puts a bad release beside the good one.
fn install_flaky(host: &Host) -> String {
    let path = plugin("flaky-pool");
    let answer = host.type_in(&["plugin", "install", path.to_str().unwrap(), "--json"]).json();
    answer["plugin"]["digest"].as_str().unwrap().to_owned()
}

fn last(host: &Host) -> Value {
    host.type_in(&["audit", "list", "--limit", "1", "--json"]).json()[0].clone()
}

/// The share of the runs that the bad release gets.
const SHARE: f64 = 0.05;
/// How many of its calls a verdict needs.
const MIN_CALLS: f64 = 10.0;

#[test]
fn a_canary_that_fails_is_taken_back_and_no_order_is_lost() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    let bad = install_flaky(&host);
    let terms = ["--canary", "5%", "--for", "10m", "--max-error-rate", "1%", "--min-calls", "10"];
    let activate = [&["plugin", "activate", "inventory-pool@0.9.0"], &terms[..]].concat();
    host.type_in(&activate).good(&["inventory-pool@0.9.0", "gets 5 % of the runs (binding revision 2)"]);
    assert_eq!(standing(&host, &bad), "canary");
    host.type_in(&["plugin", "list"]).good(&["canary of inventory-pool", "gets 5 % for 10 min"]);
    host.type_in(&activate).bad(5, &["a canary of `inventory-pool` is under way"]);

    let begun = Instant::now();
    let judged = || host.request("GET", "/api/v1/plugins", &[], "").body["canaries"] == json!({});
    let orders = selling(&host, 4, 1_000, || until("the verdict", judged));
    let seconds = begun.elapsed().as_secs_f64();
    for id in &orders {
        host.wait(id, &["completed"]);
    }
    let told = last(&host);
    assert_eq!((told["by"].as_str(), told["action"].as_str()), (Some("canary"), Some("canary-taken-back")));
    let note = told["note"].as_str().unwrap();
    assert!(note.contains("calls failed") && note.contains("more than the 1.00 % that are allowed and than the 0.00 %"), "{note}");
    assert!(told["after"]["canary"]["calls"].as_f64().unwrap() >= MIN_CALLS, "{told:#}");
    assert_eq!(standing(&host, &bad), "installed");
    // No time is measured here but the orders' rate: on a slow machine fewer come in, and fewer may meet the canary.
    let met = orders.iter().filter(|id| digest_of(&host, id, STEPS[1]) == bad).count();
    let most = MIN_CALLS + 5.0 * SHARE * orders.len() as f64 / seconds;
    assert!(met > 0 && met as f64 <= most, "{met} of {} orders in {seconds:.1} s met the canary, at most {most:.1} may", orders.len());
    let after = host.submit(&order());
    host.wait(&after, &["completed"]);
    assert_ne!(digest_of(&host, &after, STEPS[1]), bad);
    assert_eq!(lab.effects("billing", "created"), orders.len() + 1, "none was lost, none was done twice");
    host.type_in(&["plugin", "rollback", "inventory-pool"]).bad(5, &["there was no other version of `inventory-pool` before"]);
}

#[test]
fn a_canary_that_does_well_is_promoted_and_goes_on_over_a_restart() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    let good = install(&host, "inventory-pool", "0.2.0");
    let terms = ["--canary", "50%", "--for", "1s", "--min-calls", "4", "--max-p99", "1m"];
    host.type_in(&[&["plugin", "activate", "inventory-pool@0.2.0"], &terms[..]].concat()).good(&["gets 50 % of the runs"]);
    host.kill_and_restart();
    assert_eq!(standing(&host, &good), "canary");
    let mut shares: BTreeMap<String, usize> = BTreeMap::new();
    while standing(&host, &good) == "canary" {
        let id = host.submit(&order());
        host.wait(&id, &["completed"]);
        *shares.entry(digest_of(&host, &id, STEPS[1])).or_default() += 1;
        assert!(shares.values().sum::<usize>() < 200, "the canary is not promoted: {shares:?}");
    }
    until("the promotion", || standing(&host, &good) == "active");
    let told = last(&host);
    assert_eq!((told["by"].as_str(), told["action"].as_str()), (Some("canary"), Some("canary-promoted")), "{told:#}");
    let list = host.type_in(&["binding", "list", "--json"]).json();
    assert_eq!(list["contracts"]["jackfield:order/inventory@1"][0]["choices"].as_array().unwrap().len(), 1);
}

#[test]
fn a_canary_that_cannot_be_ended_keeps_no_other_from_its_end() {
    let lab = Lab::start();
    let host = setup(&lab).config("[secrets]\nallow = [\"file:token\"]\n").start();
    let (stuck, good) = (install(&host, "billing-rest", "0.2.0"), install(&host, "inventory-pool", "0.2.0"));
    let token = host.directory().join("token");
    std::fs::write(&token, "4711").unwrap();
    let methods = r#"methods = ["GET", "POST", "DELETE"]"#;
    let grant = format!("http.billing = {{ url = \"{}\", {methods}, auth = {{ bearer = \"file:token\" }} }}", lab.url("billing"));
    std::fs::write(host.directory().join("grant.toml"), grant).unwrap();
    let terms = ["--canary", "50%", "--for", "1s", "--min-calls", "1", "--max-error-rate", "100%"];
    host.type_in(&[&["plugin", "activate", "billing-rest@0.2.0", "--grant", "grant.toml"], &terms[..]].concat()).good(&["gets 50 %"]);
    let selling_until = |what: &str, met: &dyn Fn() -> bool| {
        until(what, || {
            host.submit(&order());
            met()
        });
    };
    selling_until("a call of the canary", &|| {
        let list = host.request("GET", "/api/v1/plugins", &[], "").body;
        list["canaries"]["billing-rest"]["canary"]["calls"].as_f64().is_some_and(|calls| calls >= 1.0)
    });
    // What its grant refers to is gone, so it cannot get everything.
    std::fs::remove_file(&token).unwrap();
    let told = || host.log().matches("the canary of plugin `billing-rest` cannot be ended (canary-promoted: ").count();
    until("the first try", || told() > 0);
    host.type_in(&[&["plugin", "activate", "inventory-pool@0.2.0"], &terms[..]].concat()).good(&["gets 50 %"]);
    selling_until("the promotion", &|| standing(&host, &good) == "active");
    assert_eq!((standing(&host, &stuck), told()), (json!("canary"), 1), "it is tried again and told once");
    assert!(!host.log().contains("the canary of plugin `billing-rest` gets everything"), "{}", host.log());
    std::fs::write(&token, "4711").unwrap();
    until("the promotion", || standing(&host, &stuck) == "active");
}

#[test]
fn a_rollback_keeps_a_promotion_that_came_before_and_takes_no_trial_along() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    let (billing, pool) = (install(&host, "billing-rest", "0.2.0"), install(&host, "inventory-pool", "0.2.0"));
    let activate = |plugin: &str, more: &[&str]| host.type_in(&[&["plugin", "activate", plugin], more].concat());
    let terms = ["--canary", "50%", "--for", "10m", "--min-calls", "100000"];
    activate("billing-rest@0.2.0", &terms).good(&["(binding revision 2)"]);
    activate("inventory-pool@0.2.0", &terms).good(&["(binding revision 3)"]);
    // One is promoted while the other one is still under trial, then that one as well.
    activate("inventory-pool@0.2.0", &[]).good(&["the canary inventory-pool@0.2.0", "(binding revision 4)"]);
    activate("billing-rest@0.2.0", &[]).good(&["the canary billing-rest@0.2.0", "(binding revision 5)"]);
    let both = || (standing(&host, &billing), standing(&host, &pool));
    assert_eq!(both(), (json!("active"), json!("active")));
    host.type_in(&["plugin", "gc"]).good(&["revision 4", "`plugin rollback` goes back to it", "it was current just before"]);
    host.type_in(&["plugin", "gc", "--remove"]).good(&["revision 2", "removed"]);

    host.type_in(&["plugin", "rollback"])
        .good(&["the table of revision 4 is current again, without the canary of `billing-rest` (binding revision 6)"]);
    assert_eq!(both(), (json!("installed"), json!("active")));
    let order = host.submit(&order());
    host.wait(&order, &["completed"]);
    assert_ne!(digest_of(&host, &order, STEPS[4]), billing);
    assert_eq!(digest_of(&host, &order, STEPS[1]), pool);
    host.type_in(&["plugin", "rollback"]).good(&["the table of revision 5 is current again (binding revision 7)"]);
    assert_eq!(both(), (json!("active"), json!("active")));
}
