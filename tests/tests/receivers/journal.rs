//! What the store says: the spans that its journal stands for, and figures by SQL.

use std::collections::BTreeMap;

use end_to_end_tests::harness::Host;
use pipeline::{AttemptId, StepName, TraceIdentity};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

/// The steps whose items have a span around them.
const GROUPED: [&str; 2] = ["allocate_inventory", "provision"];

/// A span that must have been exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owed {
    pub(crate) trace_id: String,
    /// The run, and what of it.
    pub(crate) what: String,
}

/// What is said of the span of a whole run.
const ROOT: &str = "the run";

impl Owed {
    pub(crate) fn is_root(&self) -> bool {
        self.what.ends_with(ROOT)
    }
}

/// The store of a host, read beside it.
pub(crate) struct Store(Connection);

impl Store {
    pub(crate) fn open(host: &Host) -> Self {
        Self(Connection::open_with_flags(host.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap())
    }

    /// How many records there are of a kind.
    pub(crate) fn count(&self, kind: &str) -> i64 {
        self.0.query_row("SELECT count(*) FROM journal WHERE kind = ?1", [kind], |row| row.get(0)).unwrap()
    }

    /// How often the store was opened by a process that wrote a record.
    pub(crate) fn epochs(&self) -> i64 {
        self.0.query_row("SELECT count(DISTINCT epoch) FROM journal", [], |row| row.get(0)).unwrap()
    }

    /// Rows of a query whose first columns are labels and whose last is a number.
    pub(crate) fn rows(&self, sql: &str) -> Vec<(Vec<Option<String>>, i64)> {
        let mut statement = self.0.prepare(sql).unwrap();
        let labels = statement.column_count() - 1;
        let rows = statement.query_map([], |row| Ok(((0..labels).map(|column| row.get(column)).collect::<Result<_, _>>()?, row.get(labels)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Every span of runs, steps and attempts that the journal stands for, by span id. All runs must have come to rest.
    pub(crate) fn spans(&self) -> BTreeMap<String, Owed> {
        let mut statement = self.0.prepare("SELECT run_id, seq, kind, CAST(payload AS TEXT) FROM journal ORDER BY position").unwrap();
        let records = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
        let (mut traces, mut spans) = (BTreeMap::<String, TraceIdentity>::new(), BTreeMap::new());
        for record in records {
            let (run, seq, kind, payload): (String, i64, String, String) = record.unwrap();
            let event: Value = serde_json::from_str(&payload).unwrap();
            if kind == "run-started" {
                traces.insert(run.clone(), serde_json::from_value(event["trace"].clone()).unwrap());
            }
            let trace = &traces[&run];
            if let Some((span, what)) = span(trace, seq, &kind, &event) {
                spans.insert(span, Owed { trace_id: trace.trace_id.clone(), what: format!("{run}: {what}") });
            }
        }
        // The end of a run is an event of its own, or what a person decided.
        let mut statement = self.0.prepare("SELECT run_id FROM runs WHERE state = 'ended'").unwrap();
        for run in statement.query_map([], |row| row.get::<_, String>(0)).unwrap() {
            let run = run.unwrap();
            let trace = &traces[&run];
            spans.insert(trace.span_id.clone(), Owed { trace_id: trace.trace_id.clone(), what: format!("{run}: {ROOT}") });
        }
        spans
    }
}

/// The span that a record leads to, sooner or later.
fn span(trace: &TraceIdentity, seq: i64, kind: &str, event: &Value) -> Option<(String, String)> {
    let step = || event["step"].as_str().unwrap();
    let (id, what) = match kind {
        "run-started" => (trace.named_span("bss.order.submitted"), "submitted".to_owned()),
        "step-scheduled" if GROUPED.contains(&step()) => {
            let round = u32::try_from(event["round"].as_u64().unwrap()).unwrap();
            (trace.group_span(&StepName::new(step()).unwrap(), round), format!("step {} round {round}", step()))
        }
        "step-refused" => (trace.named_span(&format!("refused {} {seq}", step())), format!("step {} refused", step())),
        "attempt-finished" | "attempt-lost" => {
            let attempt: AttemptId = serde_json::from_value(event["attempt"].clone()).unwrap();
            (trace.attempt_span(&attempt), attempt.to_string())
        }
        _ => return None,
    };
    Some((id, what))
}
