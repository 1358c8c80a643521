//! What observers are shown: the same from memory, while runs commit side by side, as from the journal after a restart.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use engine::{
    port::{Observer, ObserverError, OwnedTransition, Position},
    testing::{pin, table},
};
use pipeline::{Record, Run, testing};
use serde_json::json;
use support::{World, done};

type Seen = (Position, Record, Option<Run>, Run);

/// Remembers everything; its cursor is always at the beginning.
#[derive(Debug, Default)]
struct Memory(Mutex<Vec<Seen>>);

#[async_trait]
impl Observer for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }
    async fn cursor(&self) -> Result<Position, ObserverError> {
        Ok(Position(0))
    }
    async fn observe(&self, batch: &[OwnedTransition]) -> Result<(), ObserverError> {
        let seen = |event: &OwnedTransition| (event.position, (*event.record).clone(), event.before.as_deref().cloned(), (*event.after).clone());
        self.0.lock().unwrap().extend(batch.iter().map(seen));
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn states_from_memory_are_those_of_the_journal_and_every_observer_sees_one_order() {
    let bindings = || table([("jackfield:test/effect@1", pin("effect"))]);
    let definitions = || vec![testing::linear(&["a", "b", "c"])];
    let live: [Arc<Memory>; 2] = Default::default();
    let (store, clock) = Default::default();
    let observers = live.iter().map(|observer| observer.clone() as Arc<dyn Observer>).collect();
    let world = World::observed(store, clock, definitions(), done(), bindings(), observers).await;
    let mut runs = Vec::new();
    for number in 0..64 {
        runs.push(world.start(json!({ "number": number })).await);
    }
    for run in &runs {
        world.ended(run).await;
    }
    let (store, clock) = world.stop().await;
    let [first, second] = live.map(|observer| std::mem::take(&mut *observer.0.lock().unwrap()));
    assert_eq!(first.iter().filter(|seen| seen.3.outcome().is_some()).count(), runs.len());
    assert!(first == second, "two observers were shown different things");

    let later = Arc::new(Memory::default());
    World::observed(store, clock, definitions(), done(), bindings(), vec![later.clone()]).await.stop().await;
    assert!(*later.0.lock().unwrap() == first, "the journal tells another story than memory");
}
