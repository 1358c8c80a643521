//! The API, as far as it is used.

use std::{collections::BTreeSet, ops::RangeInclusive};

use jackfield_plugin_sdk::{
    Failure, config,
    http::{self, Request},
    zone::{self, Change, RecordSet, UNKNOWN_ZONE, Vendor},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a server says with 422 about a zone that it does not have.
const NO_SUCH_ZONE: &str = "Could not find domain";

/// The API and what it said in this call.
pub(crate) struct PowerDns {
    zones: String,
    ttls: RangeInclusive<u32>,
    seen: Vec<RrSet>,
}

#[derive(Deserialize)]
struct Zone {
    #[serde(default)]
    rrsets: Vec<RrSet>,
}

#[derive(Deserialize)]
struct RrSet {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    ttl: u32,
    records: Vec<Record>,
}

#[derive(Clone, Deserialize, Serialize)]
struct Record {
    content: String,
    #[serde(default)]
    disabled: bool,
}

impl PowerDns {
    pub(crate) fn configured() -> Result<Self, Failure> {
        let base = config::get("base_path").unwrap_or_else(|| "/api/v1".into());
        let server = config::get("server").unwrap_or_else(|| "localhost".into());
        let zones = format!("http://dns{}/servers/{}/zones", base.trim_end_matches('/'), http::encode(&server));
        Ok(Self { zones, ttls: zone::ttl_settings(0..=zone::MAX_TTL)?, seen: Vec::new() })
    }

    fn zone(&self, zone: &str) -> String {
        format!("{}/{}.", self.zones, http::encode(zone))
    }

    fn sets_at(&self, zone: &str, name: &str) -> Result<Vec<RrSet>, Failure> {
        let answer = Request::get(format!("{}?rrset_name={}.", self.zone(zone), http::encode(name))).send()?;
        if answer.status() == 422 && answer.text().contains(NO_SUCH_ZONE) {
            return Err(Failure::rejected(UNKNOWN_ZONE, answer.message()));
        }
        let all: Zone = zone::success(answer)?.json()?;
        // Servers before 4.6 answer the whole zone.
        Ok(all.rrsets.into_iter().filter(|set| set.name.trim_end_matches('.').eq_ignore_ascii_case(name)).collect())
    }

    /// The change as the API wants it. Of a shared set what is not to go is kept as it was written, disabled records too.
    fn patch(&self, change: &Change) -> Value {
        let removed: Vec<&str> = change.removed().collect();
        let there = self.seen.iter().find(|set| set.name.trim_end_matches('.').eq_ignore_ascii_case(&change.name) && set.kind == change.kind);
        let goes = |record: &Record| !record.disabled && removed.contains(&zone::canonical(&change.kind, &record.content).as_str());
        let kept = |record: &&Record| if change.shared { !goes(record) } else { false };
        let mut records: Vec<Record> = there.iter().flat_map(|set| &set.records).filter(kept).cloned().collect();
        let written: Vec<&str> = if change.shared { change.added().collect() } else { change.after.iter().map(String::as_str).collect() };
        records.extend(written.into_iter().map(|value| Record { content: zone::presented(&change.kind, value), disabled: false }));
        let name = format!("{}.", change.name);
        if records.is_empty() {
            return json!({ "name": name, "type": change.kind, "changetype": "DELETE" });
        }
        json!({ "name": name, "type": change.kind, "changetype": "REPLACE", "ttl": change.ttl, "records": records })
    }
}

impl Vendor for PowerDns {
    const PROVIDER: &'static str = "powerdns";

    fn ttls(&self) -> RangeInclusive<u32> {
        self.ttls.clone()
    }

    fn look(&mut self, zone: &str, names: &BTreeSet<String>) -> Result<Vec<RecordSet>, Failure> {
        self.seen.clear();
        for name in names {
            self.seen.extend(self.sets_at(zone, name)?);
        }
        let enabled = |set: &RrSet| set.records.iter().filter(|it| !it.disabled).map(|it| it.content.clone()).collect();
        let set = |set: &RrSet| RecordSet { name: set.name.clone(), kind: set.kind.clone(), ttl: set.ttl, values: enabled(set) };
        Ok(self.seen.iter().map(set).collect())
    }

    fn change(&mut self, zone: &str, changes: &[Change]) -> Result<(), Failure> {
        let sets: Vec<Value> = changes.iter().map(|change| self.patch(change)).collect();
        let answer = Request::patch(self.zone(zone)).json(&json!({ "rrsets": sets })).send()?;
        zone::success(answer).map(drop)
    }
}
