//! A plugin that ships, as vendors build it: Rust, the SDK, `wasm32-wasip2`, through the runtime with real keys.

use std::sync::Arc;

use engine::port::{Answer, CallReport, Observed, Runner as _, Verb, Versioned};
use pipeline::FailureClass;
use plugin_runtime::{Grant, Plugin};
use serde_json::{Value, json};

use crate::support::{Bench, built, call, failed, options, receipt};

struct Pool {
    bench: Bench,
    plugin: Plugin,
}

impl Pool {
    async fn with(pools: Value) -> Self {
        let bench = Bench::new(options());
        let grant = Grant { keyvalue: true, config: [("pools".to_owned(), pools.to_string())].into(), ..Grant::default() };
        let plugin = bench.load(built("inventory-pool"), &grant).await.unwrap();
        Self { bench, plugin }
    }

    /// One call; what it wrote is committed as the engine does with its outcome.
    async fn call(&self, verb: Verb, key: u32) -> CallReport {
        let request = json!({ "order": "o-1", "service": { "name": "access", "resource-type": "port", "characteristics": [] } });
        let mut call = call(&self.plugin, verb, request);
        call.attempt.item.item = key;
        call.key = pipeline::IdempotencyKey::derive(&call.tenant, &call.run, &call.attempt.item, pipeline::Direction::Do);
        let report = self.bench.runner.call(call).await;
        let mut keys = self.bench.keys.0.lock().unwrap();
        for write in &report.writes {
            let at = (write.namespace.clone(), write.key.clone());
            assert_eq!(keys.get(&at).map_or(0, |stored| stored.version), write.expected_version);
            match &write.value {
                Some(value) => drop(keys.insert(at, Versioned { value: value.clone(), version: write.expected_version + 1 })),
                None => drop(keys.remove(&at)),
            }
        }
        drop(keys);
        report
    }
}

#[tokio::test]
async fn a_resource_is_taken_seen_and_given_back() {
    let pool = Pool::with(json!({ "port": { "element": "olt-1", "count": 2 } })).await;
    assert_eq!(pool.plugin.contracts()[0].exact, "jackfield:order/inventory@1.1.0");
    let first = pool.call(Verb::Apply, 0).await;
    let taken = receipt(&first).clone();
    assert_eq!((&taken["network-element"], &taken["resource-type"]), (&json!("olt-1"), &json!("port")));
    assert!(!first.sent && !first.writes.is_empty());

    // The same key again: the same resource. Another key: another resource. A third one: none is left.
    assert_eq!(receipt(&pool.call(Verb::Apply, 0).await), &taken);
    assert_eq!(pool.call(Verb::Observe, 0).await.answer, Ok(Answer::Observed(Observed::Ours(taken.clone()))));
    assert_ne!(receipt(&pool.call(Verb::Apply, 1).await)["id"], taken["id"]);
    let third = pool.call(Verb::Apply, 2).await;
    assert_eq!(failed(&third), (FailureClass::Rejected, "no_inventory"));
    assert_eq!(third.answer.unwrap_err().message, "No available port");
    assert_eq!(third.writes, []);

    assert_eq!(pool.call(Verb::Undo { receipt: taken.into() }, 0).await.answer, Ok(Answer::Undone));
    assert_eq!(pool.call(Verb::Observe, 0).await.answer, Ok(Answer::Observed(Observed::Absent)));
    assert!(pool.call(Verb::Apply, 2).await.answer.is_ok());
}

#[tokio::test]
async fn many_calls_at_once_each_get_an_instance_of_their_own() {
    let pool = Arc::new(Pool::with(json!({ "port": { "element": "olt-1", "count": 1000 } })).await);
    let mut calls = tokio::task::JoinSet::new();
    for key in 0..100 {
        let pool = Arc::clone(&pool);
        calls.spawn(async move {
            receipt(
                &pool
                    .bench
                    .runner
                    .call(call(
                        &pool.plugin,
                        Verb::Apply,
                        json!({
                            "order": format!("o-{key}"), "service": { "name": "access", "resource-type": "port", "characteristics": [] },
                        }),
                    ))
                    .await,
            )["id"]
                .clone()
        });
    }
    // All have the same key and none is committed, so all choose the same resource.
    let ids = calls.join_all().await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}
