//! What a store holds when all processes are gone, read through its own ports and folded anew.

use std::{collections::BTreeMap, path::Path};

use end_to_end_tests::crash::{reference, report::report};
use engine::port::{Journal, RunRow, RunState, Timers};
use pipeline::{Record, Run, replay};
use serde_json::Value;
use store_sqlite::{Options, Store};

/// All runs of a store.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// By name, which a child run makes from its parent's; each with its id and its report.
    pub(crate) reports: BTreeMap<String, (String, Value)>,
    /// What breaks a rule of the journal.
    pub(crate) faults: Vec<String>,
}

/// Reads and checks all runs.
pub(crate) fn read(database: &Path) -> Runs {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (store, _) = Store::open(database, Options::default()).unwrap();
        let mut runs = Runs::default();
        for state in RunState::ALL {
            for row in store.in_state(state, None, 10_000).await.unwrap() {
                let records = store.load(&row.run).await.unwrap();
                runs.add(&row, &records);
            }
        }
        store.close().await;
        runs
    })
}

impl Runs {
    fn add(&mut self, row: &RunRow, records: &[Record]) {
        let definitions = reference::definitions();
        let definition = definitions.iter().find(|definition| definition.name == row.pipeline).unwrap();
        self.faults.extend(faults(row, records).into_iter().map(|fault| format!("run {} of {}: {fault}", row.run, row.pipeline)));
        match replay(definition, row.run.clone(), records) {
            Ok(run) => self.keep(row, &run, report(definition, &run)),
            Err(illegal) => self.faults.push(format!("run {} of {} does not fold: {illegal}", row.run, row.pipeline)),
        }
    }

    fn keep(&mut self, row: &RunRow, run: &Run, report: Value) {
        let name = run.input()["name"].as_str().unwrap_or_default().to_owned();
        if let Some((other, _)) = self.reports.insert(name.clone(), (row.run.to_string(), report)) {
            self.faults.push(format!("{name} runs twice: as {other} and as {}", row.run));
        }
        if run.owes_parent() {
            self.faults.push(format!("{name} is over and its parent does not know"));
        }
    }
}

/// Whether the journal has no gap, its epochs never fall, and the row says the same.
fn faults(row: &RunRow, records: &[Record]) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some((expected, record)) = (1..).zip(records).find(|(expected, record)| record.seq.0 != *expected) {
        faults.push(format!("expected record {expected}, got {:?}", record.seq));
    }
    if let Some(pair) = records.windows(2).find(|pair| pair[1].epoch < pair[0].epoch) {
        faults.push(format!("record {:?} is of {:?}, after {:?}", pair[1].seq, pair[1].epoch, pair[0].epoch));
    }
    if records.last().map(|record| record.seq) != Some(row.head) {
        faults.push(format!("its row speaks of {:?}, its journal has {} records", row.head, records.len()));
    }
    if row.state != RunState::Ended {
        faults.push(format!("it is {}: {}", row.state.as_str(), row.detail));
    }
    faults
}
