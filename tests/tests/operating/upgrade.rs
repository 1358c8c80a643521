//! An upgrade with live runs: a store as a binary with database version 1 has left it, with an order at every point of its way. The journal in `golden`
//! was written by such a binary, and is never changed; this binary goes on with each of the orders.

use std::path::Path;

use end_to_end_tests::harness::{Host, Lab};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::{order, setup};

/// The database at version 1; a migration is never changed once it is released.
const VERSION_1: &str = include_str!("../../../host/crates/store-sqlite/src/migrations/0001_initial.sql");

/// The journal of an order: a retry, two resources, an activation that takes a while, a fallout that a person resolves.
const ORDER: &str = include_str!("golden/order-v1.json");

/// What a journal says that is not the same everywhere: it is taken from an order of the present host, so that there are plugins to go on with.
struct Present {
    records: Vec<Value>,
    /// How much later than in the journal it is, in microseconds.
    later: i64,
}

impl Present {
    /// An event of the order, by its kind and step.
    fn event(&self, kind: &str, step: Option<&str>) -> &Value {
        let fits = |event: &&Value| event["kind"] == kind && step.is_none_or(|step| event["step"] == step || event["attempt"]["step"] == step);
        self.records.iter().map(|record| &record["event"]).find(fits).unwrap()
    }

    /// A record of the golden journal as the journal of a run.
    fn record(&self, golden: &Value, run: &str, number: usize) -> Value {
        let step = golden["event"]["step"].as_str();
        self.fill("", golden, &|text| match text {
            "@revision@" => self.event("run-started", None)["revision"].clone(),
            "@pin@" => self.event("step-scheduled", step)["items"][0]["pin"].clone(),
            "@checkpoint@" => self.event("attempt-pended", Some("activate"))["pending"]["checkpoint"].clone(),
            text => text.replace("@run@", run).replace("@number@", &number.to_string()).into(),
        })
    }

    fn fill(&self, key: &str, value: &Value, text: &dyn Fn(&str) -> Value) -> Value {
        match value {
            Value::String(given) => text(given),
            Value::Array(values) => values.iter().map(|value| self.fill("", value, text)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(key, value)| (key.clone(), self.fill(key, value, text))).collect::<serde_json::Map<_, _>>().into()
            }
            Value::Number(at) if key == "at" || key.ends_with("_at") => (at.as_i64().unwrap() + self.later).into(),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }
}

/// The points between two appends: all records of one append have the same time.
fn points(golden: &[Value]) -> Vec<usize> {
    (1..golden.len()).filter(|&n| golden[n - 1]["at"] != golden[n]["at"]).collect()
}

/// The state and the timer that the row of a run has after a record.
fn row(last: &Value) -> (&'static str, Option<i64>) {
    let event = &last["event"];
    match event["kind"].as_str().unwrap() {
        "fallout-opened" => ("held", None),
        "attempt-pended" => ("waiting", event["pending"]["poll_at"].as_i64()),
        "attempt-finished" if event["retry_at"].is_i64() => ("waiting", event["retry_at"].as_i64()),
        _ => ("active", None),
    }
}

/// CRC-32 (IEEE 802.3) as version 1 computes it: over the run, the three numbers with their lowest byte first, and the payload.
fn checksum(run: &str, numbers: [i64; 3], payload: &[u8]) -> u32 {
    let bytes = run.bytes().chain(numbers.into_iter().flat_map(i64::to_le_bytes)).chain(payload.iter().copied());
    !bytes.fold(!0, |crc: u32, byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ ((crc & 1) * 0xedb8_8320)))
}

/// Makes a store of version 1 in place of the host's own, with its plugins and with those runs.
fn old_store(path: &Path, runs: &[(String, Vec<Value>)]) {
    let present = path.with_extension("present");
    std::fs::rename(path, &present).unwrap();
    let store = Connection::open(path).unwrap();
    store.execute_batch(VERSION_1).unwrap();
    store.execute_batch("PRAGMA application_id = 0x4a4b4644; PRAGMA user_version = 1; PRAGMA journal_mode = wal").unwrap();
    store.execute("ATTACH ?1 AS present", [present.to_str().unwrap()]).unwrap();
    // With what the plugins have noted: they would give away again what the order of the present host has.
    store.execute_batch("INSERT INTO kv SELECT * FROM present.kv; INSERT INTO blobs SELECT hash, bytes FROM present.blobs; INSERT INTO meta SELECT id, 1, alive_at, secret, created_at FROM present.meta; DETACH present").unwrap();
    let mut position = 0;
    for (run, records) in runs {
        let last = records.last().unwrap();
        let (state, wake_at) = row(last);
        let sql = "INSERT INTO runs VALUES (?1, 'default', 'order', NULL, ?2, ?3, ?4, 'as it was', ?5, ?6)";
        store.execute(sql, params![run, last["seq"].as_i64(), state, wake_at, records[0]["at"].as_i64(), last["at"].as_i64()]).unwrap();
        for record in records {
            position += 1;
            let [seq, epoch, at] = ["seq", "epoch", "at"].map(|name| record[name].as_i64().unwrap());
            let payload = record["event"].to_string().into_bytes();
            let (kind, crc) = (record["event"]["kind"].as_str().unwrap(), checksum(run, [seq, epoch, at], &payload));
            store
                .execute("INSERT INTO journal VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", params![position, run, seq, epoch, at, kind, payload, crc])
                .unwrap();
        }
    }
}

/// What of a run's journal was there before, unchanged.
fn kept(host: &Host, run: &str, records: &[Value]) {
    let now = host.run(run)["records"].clone();
    assert_eq!(&now.as_array().unwrap()[..records.len()], records, "the journal of {run} was changed");
}

#[test]
fn this_binary_goes_on_with_the_live_runs_of_an_older_one() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    let probe = host.submit(&order("fibre-100"));
    host.wait(&probe, &["completed"]);
    let golden: Vec<Value> = serde_json::from_str(ORDER).unwrap();
    let records = host.run(&probe)["records"].as_array().unwrap().clone();
    let last = |records: &[Value]| records.last().unwrap()["at"].as_i64().unwrap();
    let present = Present { later: last(&records) - last(&golden), records };
    assert_eq!(host.terminate(), Some(0));

    let mut runs = Vec::new();
    for (number, point) in points(&golden).into_iter().enumerate() {
        let run = format!("01890a5d-ac96-774b-bcce-b302099a{number:04x}");
        let records: Vec<Value> = golden[..point].iter().map(|record| present.record(record, &run, 100 + number)).collect();
        runs.push((run, records));
    }
    assert_eq!(runs.len(), 15, "an order at every point of its way");
    old_store(&host.database(), &runs);
    host.restart();

    let held = host.type_in(&["run", "list", "--state", "held", "--json"]).json();
    assert_eq!((held.as_array().unwrap().len(), &held[0]["detail"]), (1, &json!("as it was")), "{held}");
    let held = held[0]["run"].as_str().unwrap().to_owned();
    host.type_in(&["run", "show", &held]).good(&["reason      billing_failed", "these fit: retry, retry-with, skip-with, fail"]);
    host.type_in(&["run", "resolve", &held, "retry", "--by", "ann", "--note", "after the upgrade"]).good(&[]);
    for (run, records) in &runs {
        host.wait(run, &["completed"]);
        kept(&host, run, records);
    }
    assert_eq!(host.type_in(&["run", "list", "--state", "stuck", "--json"]).json(), json!([]));
    // What the older binary had done is not done again, and everything else once, for the order before the upgrade too.
    let activated = runs.iter().filter(|(_, records)| records.iter().any(|record| record["event"]["attempt"]["step"] == "activate")).count();
    assert_eq!(lab.effects("activation", "created"), runs.len() - activated + 1);
    assert_eq!(lab.effects("billing", "created"), runs.len() + 1);
}
