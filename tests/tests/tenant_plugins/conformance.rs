//! What every plugin of the contract `dns` must do, asked of the components: the suite of the SDK speaks with them through the runtime.

use std::sync::Mutex;

use engine::port::{Answer, CallReport, Verb};
use jackfield_plugin_sdk::{
    Failure, Observed, Outcome,
    dns::{self, Receipt, Request},
    tenant::DnsRecord,
    testing::dns_conformance::Trouble,
};
use pipeline::FailureClass;
use plugin_runtime::Grant;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::Loaded;
#[cfg(feature = "servers")]
use jackfield_plugin_sdk::zone::RecordSet;

/// A component, and the same with grants that bring it into trouble.
pub(crate) struct Asked {
    runtime: Runtime,
    loaded: Vec<(Option<Trouble>, Loaded)>,
    trouble: Option<Trouble>,
    told: Mutex<String>,
}

impl Asked {
    /// The first of the grants is the good one.
    pub(crate) fn load(name: &str, grants: Vec<(Option<Trouble>, Grant)>) -> Self {
        let runtime = Runtime::new().unwrap();
        let loaded = grants.into_iter().map(|(trouble, grant)| (trouble, runtime.block_on(Loaded::new(name, &grant)))).collect();
        Self { runtime, loaded, trouble: None, told: Mutex::default() }
    }

    /// Uses the grant of that trouble from now on. False if there is none.
    pub(crate) fn use_grant(&mut self, trouble: Option<Trouble>) -> bool {
        let known = self.loaded.iter().any(|(of, _)| *of == trouble);
        self.trouble = if known { trouble } else { None };
        known
    }

    pub(crate) fn apply(&self, request: &Request) -> Result<dns::Outcome, Failure> {
        match self.report(Verb::Apply, &written(request)).answer {
            Ok(Answer::Done(receipt)) => Ok(Outcome::Done(read(&receipt))),
            Ok(other) => panic!("{other:?}"),
            Err(failure) => Err(failed(failure)),
        }
    }

    pub(crate) fn observe(&self, request: &Request) -> Result<dns::Observed, Failure> {
        let observed = match self.report(Verb::Observe, &written(request)).answer {
            Ok(Answer::Observed(observed)) => observed,
            Ok(other) => panic!("{other:?}"),
            Err(failure) => return Err(failed(failure)),
        };
        Ok(match observed {
            pipeline::Observed::Absent => Observed::Absent,
            pipeline::Observed::Ours(receipt) => Observed::Ours(read(&receipt)),
            pipeline::Observed::Foreign(whose) => Observed::Foreign(whose),
            pipeline::Observed::Drifted(receipt) => Observed::Drifted(read(&receipt)),
            other @ (pipeline::Observed::Pending(_) | pipeline::Observed::Unsupported) => panic!("{other:?}"),
        })
    }

    pub(crate) fn undo(&self, receipt: &Receipt) -> Result<dns::Outcome, Failure> {
        let Receipt { zone, owner, records: sets, provider } = receipt;
        let receipt = json!({ "zone": zone, "owner": owner, "records": records(sets), "provider": provider });
        match self.report(Verb::Undo { receipt: receipt.into() }, &Value::Null).answer {
            Ok(Answer::Undone) => Ok(Outcome::Undone),
            Ok(other) => panic!("{other:?}"),
            Err(failure) => Err(failed(failure)),
        }
    }

    /// All that was reported, to the engine and to telemetry.
    pub(crate) fn told(&self) -> String {
        self.told.lock().unwrap().clone()
    }

    fn report(&self, verb: Verb, request: &Value) -> CallReport {
        let (_, loaded) = self.loaded.iter().find(|(trouble, _)| *trouble == self.trouble).unwrap();
        let report = self.runtime.block_on(loaded.report(verb, request));
        let spans = &loaded.bench.spans;
        let told = format!("{report:?} {:?} {:?} {:?}\n", spans.take_items(), spans.take_children(), spans.take_ends());
        self.told.lock().unwrap().push_str(&told);
        report
    }
}

fn written(Request { owner, zone, records: sets }: &Request) -> Value {
    json!({ "owner": owner, "zone": zone, "records": records(sets) })
}

fn records(records: &[DnsRecord]) -> Value {
    let record = |DnsRecord { name, kind, ttl, values, shared }: &DnsRecord| json!({ "name": name, "kind": kind, "ttl": ttl, "values": values, "shared": shared });
    records.iter().map(record).collect()
}

fn read(receipt: &Value) -> Receipt {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let record = |record: &Value| DnsRecord {
        name: text(&record["name"]),
        kind: text(&record["kind"]),
        ttl: record["ttl"].as_u64().and_then(|ttl| u32::try_from(ttl).ok()).unwrap(),
        values: record["values"].as_array().unwrap().iter().map(text).collect(),
        shared: record["shared"].as_bool().unwrap(),
    };
    let records = receipt["records"].as_array().unwrap().iter().map(record).collect();
    Receipt { zone: text(&receipt["zone"]), owner: text(&receipt["owner"]), records, provider: text(&receipt["provider"]) }
}

fn failed(failure: pipeline::Failure) -> Failure {
    match failure.class {
        FailureClass::Rejected => Failure::rejected(failure.error_type, failure.message),
        FailureClass::Unavailable => Failure::unavailable(failure.error_type, failure.message),
        FailureClass::Unknown => Failure::unknown_outcome(failure.error_type, failure.message),
        FailureClass::Held => panic!("{failure:?}"),
    }
}

/// The sets at a name among the records of a zone, as dig transfers them.
#[cfg(feature = "servers")]
pub(crate) fn sets(name: &str, records: Vec<servers::Record>) -> Vec<RecordSet> {
    let mut sets: Vec<RecordSet> = Vec::new();
    for record in records.into_iter().filter(|record| record.name.trim_end_matches('.') == name) {
        // Dig escapes what begins a comment elsewhere, also in quotes.
        let value = record.content.replace("\\;", ";");
        match sets.iter_mut().find(|set| set.kind == record.kind) {
            Some(set) => set.values.push(value),
            None => sets.push(RecordSet { name: name.to_owned(), kind: record.kind, ttl: record.ttl, values: vec![value] }),
        }
    }
    sets
}

/// The serial of a zone in its SOA record.
#[cfg(feature = "servers")]
pub(crate) fn serial(soa: &[String]) -> u64 {
    soa[0].split(' ').nth(2).unwrap().parse().unwrap()
}
