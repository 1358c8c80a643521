//! The bound on runs in memory: whatever it is, every run ends.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use engine::{
    Driver, Options, Pack, Ports,
    api::{Engine, Start},
    port::{Answer, Call, SystemClock, Timers},
    testing::{MemoryStore, Providers, pin, table},
};
use pipeline::{Definition, Mapped, PipelineName, TenantName, Undo, Work, testing};
use serde_json::json;

/// How many runs are in flight.
const RUNS: usize = 8;

#[tokio::test]
async fn parents_and_children_do_not_wait_for_each_others_places() {
    for max_driven in [1, 2, RUNS] {
        let store = Arc::new(MemoryStore::default());
        let driver = open(store.clone(), max_driven).await;
        for _ in 0..RUNS {
            driver.start(start()).await.unwrap();
        }
        // Until nothing is live; a circle of waiting runs would make this hang.
        while !store.census().await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    }
}

async fn open(store: Arc<MemoryStore>, max_driven: usize) -> Driver {
    let opening = store.open();
    let runner = Providers::default().with("effect", |_: Call| async {
        tokio::task::yield_now().await;
        Ok(Answer::Done(json!("receipt")))
    });
    let ports = Ports {
        journal: store.clone(),
        timers: store.clone(),
        blobs: store,
        runner: Arc::new(runner),
        clock: Arc::new(SystemClock),
        observers: Vec::new(),
    };
    let packs = definitions().into_iter().map(|definition| Pack { definition: Arc::new(definition), document: None }).collect();
    let table = table([("jackfield:test/effect@1", pin("effect"))]);
    Driver::open(ports, &opening, Options { packs, table, max_driven, ..Options::default() }).await.unwrap()
}

/// A pipeline whose only step is a run of the other one.
fn definitions() -> [Definition; 2] {
    let (mut parent, mut child) = (testing::linear(&["a"]), testing::linear(&["x", "y"]));
    child.name = PipelineName::new("child").unwrap();
    parent.steps[0].work = Work::Child { pipeline: child.name.clone() };
    parent.steps[0].undo = Undo::Never;
    parent.steps[0].map = |_| Ok(Mapped::one(json!({})));
    [parent, child]
}

fn start() -> Start {
    Start {
        tenant: TenantName::new("default").unwrap(),
        pipeline: PipelineName::new("test").unwrap(),
        input: json!({}),
        idempotency_key: None,
        trace: None,
    }
}
