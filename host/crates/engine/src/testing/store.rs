//! The storage ports in memory. It forgets everything with the process and checks what the real store checks.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use pipeline::{Digest, Epoch, PipelineName, Record, Revision, RunId, Seq, Timestamp};

use crate::port::{
    Append, AppendError, Appended, BlobHash, Blobs, Committed, Document, DocumentError, DocumentPage, DocumentQuery, Documents, Held, HoldChange,
    Holds, Journal, KeyValue, Opening, Position, ReadError, RunRow, RunState, Timers, Versioned, WriteError, check_documents,
};

/// A store in memory. It can be opened again, which fences whoever had it open.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    epoch: Epoch,
    rows: BTreeMap<RunId, RunRow>,
    records: Vec<Committed>,
    documents: BTreeMap<(String, String), Document>,
    keys: BTreeMap<(String, String), (u64, Option<String>)>,
    blobs: HashMap<String, Vec<u8>>,
    holds: BTreeMap<(Revision, Option<Digest>), i64>,
    full: bool,
}

impl MemoryStore {
    /// Opens the store: a new epoch.
    pub fn open(&self) -> Opening {
        let mut state = self.lock();
        state.epoch = Epoch(state.epoch.0 + 1);
        Opening { epoch: state.epoch, last_sign_of_life: Timestamp(0), secret: [7; 32] }
    }

    /// Makes appends fail for want of room, or lets them succeed again.
    pub fn set_full(&self, full: bool) {
        self.lock().full = full;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn writable(&self) -> Result<(), WriteError> {
        if self.full { Err(WriteError::Unavailable("the store is full".to_owned())) } else { Ok(()) }
    }

    fn check(&self, append: &Append) -> Result<(), AppendError> {
        self.writable()?;
        if append.records.iter().any(|record| record.epoch != self.epoch) {
            return Err(WriteError::Fenced(self.epoch).into());
        }
        let row = &append.row;
        let same_key = |other: &&RunRow| {
            row.idempotency_key.is_some()
                && (&other.tenant, &other.pipeline, &other.idempotency_key) == (&row.tenant, &row.pipeline, &row.idempotency_key)
        };
        if let (Seq(0), Some(other)) = (append.expected_head, self.rows.values().find(same_key)) {
            return Err(AppendError::Exists(other.run.clone()));
        }
        let actual = self.rows.get(&row.run).map_or(Seq(0), |row| row.head);
        if actual != append.expected_head {
            return Err(AppendError::Stale { run: row.run.clone(), expected: append.expected_head, actual });
        }
        let version = |write: &crate::port::KeyValueWrite| self.keys.get(&(write.namespace.clone(), write.key.clone())).map_or(0, visible);
        match append.writes.iter().find(|write| version(write) != write.expected_version) {
            Some(write) => Err(AppendError::Conflict { namespace: write.namespace.clone(), key: write.key.clone() }),
            None => Ok(()),
        }
    }

    fn write(&mut self, append: Append) -> Appended {
        let bytes = append.records.iter().map(|record| serde_json::to_vec(record).map_or(0, |bytes| bytes.len())).sum();
        for record in append.records {
            let position = Position(self.records.len() as u64 + 1);
            self.records.push(Committed { position, run: append.row.run.clone(), record });
        }
        for write in append.writes {
            let entry = self.keys.entry((write.namespace, write.key)).or_default();
            if entry.1 != write.value {
                *entry = (entry.0 + 1, write.value);
            }
        }
        for document in append.documents {
            let place = (document.collection.to_owned(), document.id.clone());
            if self.documents.get(&place).is_none_or(|there| there.rank <= document.rank) {
                self.documents.insert(place, document);
            }
        }
        for HoldChange { revision, digest, change } in append.holds {
            *self.holds.entry((revision, digest)).or_default() += change;
        }
        self.rows.insert(append.row.run.clone(), append.row);
        Appended { position: Position(self.records.len() as u64), bytes }
    }

    fn waiting(&self) -> impl Iterator<Item = (Timestamp, &RunRow)> {
        let rows = self.rows.values().filter(|row| matches!(row.state, RunState::Waiting | RunState::Held));
        rows.filter_map(|row| row.wake_at.map(|at| (at, row)))
    }
}

/// The version a reader sees: a deleted key has none.
fn visible((version, value): &(u64, Option<String>)) -> u64 {
    if value.is_some() { *version } else { 0 }
}

#[async_trait]
impl Journal for MemoryStore {
    async fn append(&self, append: &Append) -> Result<Appended, AppendError> {
        let mut state = self.lock();
        state.check(append)?;
        Ok(state.write(append.clone()))
    }

    async fn load(&self, run: &RunId) -> Result<Vec<Record>, ReadError> {
        Ok(self.lock().records.iter().filter(|committed| committed.run == *run).map(|committed| committed.record.clone()).collect())
    }

    async fn row(&self, run: &RunId) -> Result<Option<RunRow>, ReadError> {
        Ok(self.lock().rows.get(run).cloned())
    }

    async fn committed(&self, after: Position, limit: usize) -> Result<Vec<Committed>, ReadError> {
        let state = self.lock();
        Ok(state.records.iter().skip(usize::try_from(after.0).unwrap_or(usize::MAX)).take(limit).cloned().collect())
    }
}

#[async_trait]
impl Timers for MemoryStore {
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<RunId>, ReadError> {
        let state = self.lock();
        let mut due: Vec<_> = state.waiting().filter(|(at, _)| *at <= now).map(|(at, row)| (at, row.run.clone())).collect();
        due.sort();
        Ok(due.into_iter().take(limit).map(|(_, run)| run).collect())
    }

    async fn next(&self) -> Result<Option<Timestamp>, ReadError> {
        Ok(self.lock().waiting().map(|(at, _)| at).min())
    }

    async fn in_state(&self, state: RunState, after: Option<&RunId>, limit: usize) -> Result<Vec<RunRow>, ReadError> {
        let store = self.lock();
        let rows = store.rows.values().filter(|row| row.state == state && after.is_none_or(|after| row.run > *after));
        Ok(rows.take(limit).cloned().collect())
    }

    async fn census(&self) -> Result<Vec<(PipelineName, RunState, u64)>, ReadError> {
        let mut census: Vec<(PipelineName, RunState, u64)> = Vec::new();
        for row in self.lock().rows.values().filter(|row| row.state != RunState::Ended) {
            match census.iter_mut().find(|(pipeline, state, _)| (pipeline, *state) == (&row.pipeline, row.state)) {
                Some((_, _, count)) => *count += 1,
                None => census.push((row.pipeline.clone(), row.state, 1)),
            }
        }
        Ok(census)
    }
}

#[async_trait]
impl KeyValue for MemoryStore {
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Versioned>, ReadError> {
        let state = self.lock();
        let entry = state.keys.get(&(namespace.to_owned(), key.to_owned()));
        Ok(entry.and_then(|(version, value)| value.clone().map(|value| Versioned { value, version: *version })))
    }

    async fn list(&self, namespace: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<String>, ReadError> {
        let state = self.lock();
        let live = state.keys.iter().filter(|((space, _), (_, value))| space == namespace && value.is_some()).map(|((_, key), _)| key);
        Ok(live.filter(|key| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after)).take(limit).cloned().collect())
    }
}

#[async_trait]
impl Blobs for MemoryStore {
    async fn put(&self, bytes: Vec<u8>) -> Result<BlobHash, ReadError> {
        let hash = blake3::hash(&bytes).to_hex().to_string();
        self.lock().blobs.insert(hash.clone(), bytes);
        Ok(hash)
    }

    async fn get(&self, hash: &str) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.lock().blobs.get(hash).cloned())
    }
}

#[async_trait]
impl Holds for MemoryStore {
    async fn held(&self) -> Result<Vec<Held>, ReadError> {
        let state = self.lock();
        let held = state.holds.iter().filter(|(_, count)| **count != 0);
        let held = held.map(|((revision, digest), count)| Held {
            revision: revision.clone(),
            digest: digest.clone(),
            count: u64::try_from(*count).expect("no more is given back than was taken"),
        });
        Ok(held.collect())
    }
}

#[async_trait]
impl Documents for MemoryStore {
    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError> {
        Ok(self.lock().documents.get(&(collection.to_owned(), id.to_owned())).cloned())
    }

    async fn put(&self, documents: Vec<Document>) -> Result<(), DocumentError> {
        check_documents(&documents)?;
        let mut state = self.lock();
        state.writable()?;
        state.documents.extend(documents.into_iter().map(|document| ((document.collection.to_owned(), document.id.clone()), document)));
        Ok(())
    }

    async fn remove(&self, collection: &str, id: &str) -> Result<(), WriteError> {
        let mut state = self.lock();
        state.writable()?;
        state.documents.remove(&(collection.to_owned(), id.to_owned()));
        Ok(())
    }

    async fn find(&self, query: DocumentQuery) -> Result<DocumentPage, ReadError> {
        let state = self.lock();
        let is_wanted = |name: &str, value: &String| query.equal.iter().any(|(n, v)| n == name && v == value);
        let has = |document: &Document, wanted: &str| document.attributes.iter().any(|(name, value)| *name == wanted && is_wanted(name, value));
        let of_kind = state.documents.values().filter(|document| document.collection == query.collection);
        let mut documents: Vec<_> = of_kind.filter(|document| query.equal.iter().all(|(name, _)| has(document, name))).cloned().collect();
        documents.sort_by(|a, b| (b.rank, &b.id).cmp(&(a.rank, &a.id)));
        let total = documents.len() as u64;
        let skip = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let take = usize::try_from(query.limit).unwrap_or(usize::MAX);
        Ok(DocumentPage { documents: documents.into_iter().skip(skip).take(take).collect(), total })
    }
}

#[cfg(test)]
mod tests {
    use pipeline::TenantName;

    use super::*;

    fn append(store: &MemoryStore, run: u64, rank: u64, body: &str) {
        let row = RunRow {
            run: pipeline::testing::run_id(run),
            tenant: TenantName::new("default").unwrap(),
            pipeline: PipelineName::new("test").unwrap(),
            idempotency_key: None,
            head: Seq(1),
            state: RunState::Active,
            wake_at: None,
            detail: String::new(),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        };
        let document = Document { collection: "c", id: "a".to_owned(), rank, body: body.into(), attributes: Vec::new() };
        let append = Append { row, expected_head: Seq(0), records: Vec::new(), documents: vec![document], writes: Vec::new(), holds: Vec::new() };
        store.lock().write(append);
    }

    #[tokio::test]
    async fn the_newest_of_several_runs_with_one_document_has_the_last_word() {
        let store = MemoryStore::default();
        for (run, rank, body, expected) in [(1, 4, "old", "old"), (2, 5, "new", "new"), (1, 4, "old again", "new"), (2, 5, "done", "done")] {
            append(&store, run, rank, body);
            assert_eq!(Documents::get(&store, "c", "a").await.unwrap().unwrap().body, expected);
        }
    }
}
