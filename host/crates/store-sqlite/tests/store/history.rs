//! A random history of appends, good and bad, against a model of a few lines.

use std::collections::BTreeMap;

use engine::port::{Append, AppendError, Journal, KeyValue, Position, RunState};
use pipeline::{Event, Record, Seq, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{Fixture, row, run, set};

/// One append: run, how far the expected head is off, events, state, timer, key-value change.
#[derive(Debug, Clone)]
struct Step {
    run: u64,
    off: u64,
    events: Vec<Event>,
    state: RunState,
    wake_at: Option<u64>,
    write: Option<(u8, bool, Option<String>)>,
    reopen: bool,
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,4}", inner, 0..4).prop_map(|map| json!(map))
        ]
    })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::ParentNotified),
        (any::<u32>(), ".{0,20}", value()).prop_map(|(id, note, with)| Event::FalloutResolved {
            id,
            resolution: pipeline::Resolution::RetryWith(with),
            by: "somebody".to_owned(),
            note,
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let write = prop::option::weighted(0.5, (0..3_u8, prop::bool::weighted(0.9), prop::option::weighted(0.7, "[a-c]")));
    let off = prop_oneof![9 => Just(0_u64), 1 => 1..3_u64];
    (
        1..5_u64,
        off,
        prop::collection::vec(event(), 1..4),
        prop::sample::select(RunState::ALL.as_slice()),
        prop::option::of(0..1_000_000_u64),
        write,
        prop::bool::weighted(0.05),
    )
        .prop_map(|(run, off, events, state, wake_at, write, reopen)| Step { run, off, events, state, wake_at, write, reopen })
}

/// What the store must hold.
#[derive(Debug, Default)]
struct Model {
    journals: BTreeMap<u64, Vec<Record>>,
    order: Vec<(u64, Record)>,
    keys: BTreeMap<String, (Option<String>, u64)>,
}

impl Model {
    fn head(&self, run: u64) -> u64 {
        self.journals.get(&run).map_or(0, |records| records.len() as u64)
    }

    /// The version that a reader sees.
    fn version(&self, key: &str) -> u64 {
        self.keys.get(key).map_or(0, |(value, version)| if value.is_some() { *version } else { 0 })
    }

    fn apply(&mut self, run: u64, append: &Append) -> Result<Position, &'static str> {
        if append.expected_head.0 != self.head(run) {
            return Err("stale");
        }
        if append.writes.iter().any(|write| write.expected_version != self.version(&write.key)) {
            return Err("conflict");
        }
        for record in &append.records {
            self.journals.entry(run).or_default().push(record.clone());
            self.order.push((run, record.clone()));
        }
        for write in &append.writes {
            let (value, version) = self.keys.entry(write.key.clone()).or_insert((None, 0));
            if *value != write.value {
                *value = write.value.clone();
                *version += 1;
            }
        }
        Ok(Position(self.order.len() as u64))
    }
}

fn append(f: &Fixture, model: &Model, step: &Step) -> Append {
    let head = model.head(step.run) + step.off;
    let records: Vec<Record> = (head + 1..)
        .zip(&step.events)
        .map(|(seq, event)| Record { seq: Seq(seq), epoch: f.epoch(), at: Timestamp(seq * 7), event: event.clone() })
        .collect();
    let writes = step.write.iter().map(|(key, fresh, value)| {
        let key = format!("k{key}");
        let version = model.version(&key);
        set(&key, if *fresh { version } else { version + 1 }, value.as_deref())
    });
    let mut row = row(step.run, head + records.len() as u64);
    row.state = step.state;
    row.wake_at = step.wake_at.map(Timestamp);
    Append { row, expected_head: Seq(head), records, documents: Vec::new(), writes: writes.collect(), holds: Vec::new() }
}

async fn check(steps: Vec<Step>) {
    let mut f = Fixture::new();
    let mut model = Model::default();
    for step in steps {
        if step.reopen {
            f.reopen(store_sqlite::Options::default()).await;
        }
        let append = append(&f, &model, &step);
        let expected = model.apply(step.run, &append);
        let actual = f.append(append.clone()).await.map(|appended| appended.position).map_err(|error| match error {
            AppendError::Stale { .. } => "stale",
            AppendError::Conflict { .. } => "conflict",
            AppendError::Exists(_) | AppendError::Write(_) => "unexpected",
        });
        assert_eq!(actual, expected);
        if expected.is_ok() {
            assert_eq!(f.store.row(&run(step.run)).await.unwrap(), Some(append.row));
        }
    }
    for (n, records) in &model.journals {
        assert_eq!(&f.store.load(&run(*n)).await.unwrap(), records);
    }
    let committed = f.store.committed(Position(0), 10_000).await.unwrap();
    assert_eq!(committed.iter().map(|c| c.position.0).collect::<Vec<_>>(), (1..=committed.len() as u64).collect::<Vec<_>>());
    assert_eq!(
        committed.into_iter().map(|c| (c.run, c.record)).collect::<Vec<_>>(),
        model.order.into_iter().map(|(n, record)| (run(n), record)).collect::<Vec<_>>()
    );
    for (key, (value, version)) in model.keys {
        let stored = f.store.get("n", &key).await.unwrap();
        assert_eq!(stored.map(|stored| (stored.value, stored.version)), value.map(|value| (value, version)), "{key}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_appended_is_read_back(steps in prop::collection::vec(step(), 1..40)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(check(steps));
    }
}
