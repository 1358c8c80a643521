//! The bound on runs in memory: whatever it is, every run ends.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use engine::{
    Driver, Options, Pack, Ports,
    api::{Engine, EngineError, Start},
    port::{Answer, Call, Clock, Journal, PendingAnswer, RunState, SystemClock, Timers},
    testing::{MemoryStore, Providers, SimClock, pin, table},
};
use pipeline::{Definition, Mapped, PipelineName, TenantName, Undo, Work, testing};
use serde_json::json;

/// How many runs are in flight.
const RUNS: usize = 8;

#[tokio::test]
async fn parents_and_children_do_not_wait_for_each_others_places() {
    for max_driven in [1, 2, RUNS] {
        let store = Arc::new(MemoryStore::default());
        let runner = Providers::default().with("effect", |_: Call| async {
            tokio::task::yield_now().await;
            Ok(Answer::Done(json!("receipt")))
        });
        let driver = open(store.clone(), runner, Arc::new(SystemClock), max_driven).await;
        for _ in 0..RUNS {
            driver.start(start("test")).await.unwrap();
        }
        // Until nothing is live; a circle of waiting runs would make this hang.
        while !store.census().await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn whoever_has_news_for_a_run_does_not_wait_for_its_place_for_ever() {
    let (store, clock) = (Arc::new(MemoryStore::default()), Arc::new(SimClock::default()));
    let first = AtomicBool::new(true);
    let runner = Providers::default().with("effect", move |_: Call| {
        let waits = first.swap(false, Ordering::SeqCst);
        async move {
            let (poll_after, give_up_after) = (Some(Duration::from_secs(21_600)), Duration::from_secs(86_400));
            let pended = PendingAnswer { operation: "op".to_owned(), checkpoint: String::new(), poll_after, give_up_after };
            if waits { Ok(Answer::Pending(pended)) } else { std::future::pending().await }
        }
    });
    let driver = open(store.clone(), runner, clock.clone(), 1).await;
    let waiting = driver.start(start("child")).await.unwrap().run;
    while driver.driven() > 0 || store.row(&waiting).await.unwrap().unwrap().state != RunState::Waiting {
        tokio::task::yield_now().await;
    }
    // This one takes the only place and keeps it.
    driver.start(start("child")).await.unwrap();
    let mut woken = std::pin::pin!(driver.wake(&waiting));
    let refused = loop {
        tokio::select! {
            biased;
            woken = &mut woken => break woken,
            () = tokio::task::yield_now() => { clock.advance_to_next_sleeper(); }
        }
    };
    assert!(matches!(refused, Err(EngineError::Unavailable(_))), "{refused:?}");
}

async fn open(store: Arc<MemoryStore>, runner: Providers, clock: Arc<dyn Clock>, max_driven: usize) -> Driver {
    let opening = store.open();
    let ports = Ports { journal: store.clone(), timers: store.clone(), blobs: store, runner: Arc::new(runner), clock, observers: Vec::new() };
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

fn start(pipeline: &str) -> Start {
    Start {
        tenant: TenantName::new("default").unwrap(),
        pipeline: PipelineName::new(pipeline).unwrap(),
        input: json!({}),
        idempotency_key: None,
        trace: None,
    }
}
