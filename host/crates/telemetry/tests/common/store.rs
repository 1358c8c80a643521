//! A store in memory that behaves as the real one does.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use engine::port::Position;
use telemetry::{CursorError, CursorStore, Tally};

#[derive(Debug, Default)]
pub struct MemoryStore {
    pub cursors: Mutex<HashMap<String, Position>>,
    pub tallies: Mutex<BTreeMap<(String, Vec<(String, String)>), f64>>,
    /// Whether writes are refused.
    pub full: AtomicBool,
}

impl MemoryStore {
    pub fn cursor(&self, name: &str) -> u64 {
        self.cursors.lock().unwrap().get(name).copied().unwrap_or_default().0
    }

    fn writable(&self) -> Result<(), CursorError> {
        if self.full.load(Ordering::Relaxed) { Err(CursorError("no space left on device".to_owned())) } else { Ok(()) }
    }
}

#[async_trait]
impl CursorStore for MemoryStore {
    async fn load(&self, name: &str) -> Result<Position, CursorError> {
        Ok(Position(self.cursor(name)))
    }

    async fn save(&self, name: &str, position: Position) -> Result<(), CursorError> {
        self.writable()?;
        self.cursors.lock().unwrap().insert(name.to_owned(), position);
        Ok(())
    }

    async fn tallies(&self) -> Result<Vec<Tally>, CursorError> {
        let tallies = self.tallies.lock().unwrap();
        Ok(tallies.iter().map(|((name, labels), value)| Tally { name: name.clone(), labels: labels.clone(), value: *value }).collect())
    }

    async fn commit_tallies(&self, name: &str, position: Position, changes: &[Tally]) -> Result<(), CursorError> {
        self.writable()?;
        let mut cursors = self.cursors.lock().unwrap();
        let cursor = cursors.entry(name.to_owned()).or_default();
        if *cursor >= position {
            return Ok(());
        }
        *cursor = position;
        let mut tallies = self.tallies.lock().unwrap();
        for change in changes {
            *tallies.entry((change.name.clone(), change.labels.clone())).or_default() += change.value;
        }
        Ok(())
    }
}
