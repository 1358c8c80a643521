//! The API, as far as it is used.

use std::{collections::BTreeSet, ops::RangeInclusive};

use jackfield_plugin_sdk::{
    Failure, config,
    http::{self, Request, Response},
    zone::{self, BAD_CONFIG, CHANGED_MEANWHILE, Change, DNS_FAILED, NOT_AUTHORISED, RecordSet, UNKNOWN_ZONE, Vendor},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::record::{Operation, Record, operations, sets};

/// Records that are asked for at once.
const PAGE: usize = 100;
/// Pages that are read of one name; nobody has more records at one.
const PAGES: usize = 10;

/// The API and what it said in this call.
pub(crate) struct Cloudflare {
    zones: String,
    batch: bool,
    ttls: RangeInclusive<u32>,
    id: Option<String>,
    seen: Vec<Record>,
}

#[derive(Deserialize)]
struct Answer<T> {
    success: bool,
    result: Option<T>,
}

#[derive(Deserialize)]
struct Problems {
    #[serde(default)]
    errors: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    code: u32,
}

#[derive(Deserialize)]
struct Zone {
    id: String,
    name: String,
}

impl Cloudflare {
    pub(crate) fn configured() -> Result<Self, Failure> {
        let base = config::get("base_path").unwrap_or_else(|| "/client/v4".into());
        let batch = match config::get("batch").as_deref().map(str::trim) {
            None | Some("true") => true,
            Some("false") => false,
            Some(other) => return Err(Failure::rejected(BAD_CONFIG, format!("the setting batch is {other:?}; expected true or false"))),
        };
        let zones = format!("http://dns{}/zones", base.trim_end_matches('/'));
        // What the API takes from zones of every plan; a TTL of 1 would be one of its own choice.
        Ok(Self { zones, batch, ttls: zone::ttl_settings(60..=86_400)?, id: None, seen: Vec::new() })
    }

    /// Where the records of the zone are.
    fn records(&mut self, zone: &str) -> Result<String, Failure> {
        let id = match &self.id {
            Some(id) => id.clone(),
            None => {
                let found: Vec<Zone> = result(Request::get(format!("{}?name={}", self.zones, http::encode(zone))).send()?)?;
                let unknown = || Failure::rejected(UNKNOWN_ZONE, format!("the token sees no zone {zone:?}"));
                found.into_iter().find(|it| it.name.eq_ignore_ascii_case(zone)).ok_or_else(unknown)?.id
            }
        };
        let records = format!("{}/{}/dns_records", self.zones, http::encode(&id));
        self.id = Some(id);
        Ok(records)
    }

    fn records_at(&mut self, zone: &str, name: &str) -> Result<Vec<Record>, Failure> {
        let records = self.records(zone)?;
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let url = format!("{records}?name={}&per_page={PAGE}&page={page}", http::encode(name));
            let found: Vec<Record> = result(Request::get(url).send()?)?;
            let last = found.len() < PAGE;
            all.extend(found);
            if last {
                return Ok(all);
            }
        }
        Err(Failure::rejected(DNS_FAILED, format!("{name} has more than {} records; expected less", PAGE * PAGES)))
    }
}

impl Vendor for Cloudflare {
    const PROVIDER: &'static str = "cloudflare";

    fn ttls(&self) -> RangeInclusive<u32> {
        self.ttls.clone()
    }

    fn look(&mut self, zone: &str, names: &BTreeSet<String>) -> Result<Vec<RecordSet>, Failure> {
        self.seen.clear();
        for name in names {
            let found = self.records_at(zone, name)?;
            self.seen.extend(found);
        }
        Ok(sets(&self.seen))
    }

    fn change(&mut self, zone: &str, changes: &[Change]) -> Result<(), Failure> {
        let records = self.records(zone)?;
        let operations: Vec<Operation> = changes.iter().flat_map(|change| operations(change, &self.seen)).collect();
        if self.batch {
            return done(Request::post(format!("{records}/batch")).json(&batch(operations)).send()?);
        }
        for operation in operations {
            let answer = match operation {
                Operation::Create(body) => Request::post(&records).json(&body).send()?,
                Operation::Update(id, body) => Request::patch(format!("{records}/{}", http::encode(&id))).json(&body).send()?,
                Operation::Delete(id) => Request::delete(format!("{records}/{}", http::encode(&id))).send()?,
            };
            done(answer)?;
        }
        Ok(())
    }
}

fn batch(operations: Vec<Operation>) -> Value {
    let (mut deletes, mut patches, mut posts) = (Vec::new(), Vec::new(), Vec::new());
    for operation in operations {
        match operation {
            Operation::Create(body) => posts.push(body),
            Operation::Update(id, mut body) => {
                body["id"] = id.into();
                patches.push(body);
            }
            Operation::Delete(id) => deletes.push(json!({ "id": id })),
        }
    }
    json!({ "deletes": deletes, "patches": patches, "posts": posts })
}

/// What a good answer brings.
fn result<T: DeserializeOwned>(answer: Response) -> Result<T, Failure> {
    let message = answer.message();
    let body: Answer<T> = good(answer)?.json()?;
    let missing = || Failure::unavailable(http::BAD_ANSWER, format!("{message}: expected a result"));
    body.result.filter(|_| body.success).ok_or_else(missing)
}

fn done(answer: Response) -> Result<(), Failure> {
    let message = answer.message();
    let body: Answer<Value> = good(answer)?.json()?;
    if body.success { Ok(()) } else { Err(Failure::unknown_outcome(DNS_FAILED, message)) }
}

/// Goes on with a 2xx answer; any other is the failure that its codes tell.
fn good(answer: Response) -> Result<Response, Failure> {
    if answer.is_success() {
        return Ok(answer);
    }
    let problems = answer.json::<Problems>().map_or_else(|_| Vec::new(), |it| it.errors);
    let told = problems.iter().find_map(|problem| match problem.code {
        81_044 | 81_053 | 81_054 | 81_057 | 81_058 => Some(CHANGED_MEANWHILE),
        7000 | 7003 | 1001 => Some(UNKNOWN_ZONE),
        6003 | 6111 | 9103 | 9109 | 10_000 => Some(NOT_AUTHORISED),
        _ => None,
    });
    let (client, message) = ((400..500).contains(&answer.status()) && answer.status() != 429, answer.message());
    match (told.filter(|_| client), zone::success(answer)) {
        (Some(CHANGED_MEANWHILE), Err(Failure::Rejected(_))) => Err(Failure::unavailable(CHANGED_MEANWHILE, message)),
        (Some(code), Err(Failure::Rejected(_))) => Err(Failure::rejected(code, message)),
        (_, answer) => answer,
    }
}
