//! A layer over the journal: a point before every append, and one after its commit, before the engine hears of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use engine::port::{Append, AppendError, Appended, Committed, Journal, Position, ReadError, RunRow, RunState};
use pipeline::{Event, Record, RunId, Seq};

use super::points::{Kind, Points};

/// Appends and passes a point before and after each append.
#[derive(Debug)]
pub(super) struct JournalPoints {
    inner: Arc<dyn Journal>,
    points: Arc<Points>,
    names: Mutex<HashMap<RunId, String>>,
}

impl JournalPoints {
    pub(super) fn new(inner: Arc<dyn Journal>, points: Arc<Points>) -> Self {
        Self { inner, points, names: Mutex::default() }
    }

    /// The run and the record that the append begins with. A run that an earlier process started is known by its id only.
    fn place(&self, append: &Append) -> String {
        let run = &append.row.run;
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Event::RunStarted(started)) = append.records.first().map(|record| &record.event) {
            names.insert(run.clone(), started.input["name"].as_str().unwrap_or_default().to_owned());
        }
        let name = names.get(run).map_or(run.as_str(), String::as_str);
        format!("{name}@{}", append.expected_head.next().0)
    }
}

#[async_trait]
impl Journal for JournalPoints {
    async fn append(&self, append: &Append) -> Result<Appended, AppendError> {
        let place = self.place(append);
        let (starts, ends) = (append.expected_head == Seq(0), append.row.state == RunState::Ended);
        self.points.pass(Kind::BeforeWrite, &place);
        let appended = self.inner.append(append).await;
        if appended.is_ok() {
            if starts {
                self.points.run_started();
            }
            if ends {
                self.points.run_ended();
            }
            self.points.pass(Kind::AfterCommit, &place);
        }
        appended
    }

    async fn load(&self, run: &RunId) -> Result<Vec<Record>, ReadError> {
        self.inner.load(run).await
    }

    async fn row(&self, run: &RunId) -> Result<Option<RunRow>, ReadError> {
        self.inner.row(run).await
    }

    async fn committed(&self, after: Position, limit: usize) -> Result<Vec<Committed>, ReadError> {
        self.inner.committed(after, limit).await
    }
}
