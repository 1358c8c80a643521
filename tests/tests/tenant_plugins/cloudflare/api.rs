//! Version 4 of the vendor's API as it is documented, for one zone.

use jackfield_plugin_sdk::testing::dns_conformance::Trouble;
use serde_json::{Value, json};

use crate::stub::{Heard, Reply};

/// The token that may read and change the zone.
pub(crate) const TOKEN: &str = "cf-token-for-tests-0123456789";

const ZONES: &str = "/client/v4/zones";
const RECORDS: &str = "/client/v4/zones/z1/dns_records";

/// A code of the API.
type Refusal = u32;

/// The zone `example.test`.
#[derive(Debug, Default)]
pub(crate) struct Zone {
    records: Vec<Value>,
    made: u64,
    writes: u64,
    pub(crate) trouble: Option<Trouble>,
}

impl Zone {
    /// Answers a request.
    pub(crate) fn answer(&mut self, heard: &Heard) -> Reply {
        if heard.header("authorization") != format!("Bearer {TOKEN}") {
            return error(403, 10_000);
        }
        let writing = heard.method != "GET";
        match self.trouble {
            Some(Trouble::Busy) => return Reply::Says(429, vec![("retry-after", "3".to_owned())], String::new()),
            Some(Trouble::Garbage) => return Reply::Says(200, Vec::new(), "}{".to_owned()),
            Some(Trouble::Refusing) if writing => return error(400, 9005),
            Some(Trouble::Lost) if writing => return self.write(heard).map_or_else(|code| error(400, code), |()| Reply::Cut),
            Some(Trouble::Refusing | Trouble::Lost | Trouble::Unauthorised | Trouble::Unreachable) | None => {}
        }
        if writing {
            return self.write(heard).map_or_else(|code| error(400, code), |()| good(&json!({})));
        }
        let (path, query) = heard.path.split_once('?').unwrap_or((&heard.path, ""));
        let asked = |key: &str| query.split('&').find_map(|it| it.strip_prefix(&format!("{key}="))).unwrap_or_default().replace("%2A", "*");
        let number = |key: &str| asked(key).parse::<usize>().unwrap();
        match path {
            ZONES if asked("name") == "example.test" => good(&json!([{ "id": "z1", "name": "example.test", "status": "active" }])),
            ZONES => good(&json!([])),
            RECORDS => {
                let (name, size) = (asked("name"), number("per_page"));
                let found = self.records.iter().filter(|it| it["name"] == name);
                good(&found.skip((number("page") - 1) * size).take(size).cloned().collect())
            }
            _ => error(404, 7003),
        }
    }

    /// The types and values at a name.
    pub(crate) fn at(&self, name: &str) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.records.iter().filter(|it| it["name"] == name).map(|it| (text(&it["type"]), text(&it["content"]))).collect()
    }

    /// The names of all records.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.records.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    /// Makes a set what it says, as a person would.
    pub(crate) fn put(&mut self, name: &str, kind: &str, ttl: u32, values: impl Iterator<Item = String>) {
        self.records.retain(|it| it["name"] != name || it["type"] != kind);
        for content in values {
            self.made += 1;
            self.records.push(json!({ "id": format!("r{}", self.made), "name": name, "type": kind, "content": content, "ttl": ttl }));
        }
        self.writes += 1;
    }

    /// How often it was changed.
    pub(crate) fn writes(&self) -> u64 {
        self.writes
    }

    /// All or nothing.
    fn write(&mut self, heard: &Heard) -> Result<(), Refusal> {
        let mut records = self.records.clone();
        let below = heard.path.strip_prefix(RECORDS).ok_or(7003_u32)?.strip_prefix('/');
        match (heard.method.as_str(), below) {
            ("POST", Some("batch")) => {
                let batch = heard.json();
                let list = |name: &str| batch[name].as_array().cloned().unwrap_or_default();
                list("deletes").iter().try_for_each(|it| delete(&mut records, it["id"].as_str().unwrap()))?;
                list("patches").iter().try_for_each(|it| update(&mut records, it["id"].as_str().unwrap(), it))?;
                list("posts").into_iter().try_for_each(|it| self.create(&mut records, it))?;
            }
            ("POST", None) => self.create(&mut records, heard.json())?,
            ("PATCH", Some(id)) => update(&mut records, id, &heard.json())?,
            ("DELETE", Some(id)) => delete(&mut records, id)?,
            _ => return Err(7000),
        }
        self.records = records;
        self.writes += 1;
        Ok(())
    }

    fn create(&mut self, records: &mut Vec<Value>, mut record: Value) -> Result<(), Refusal> {
        if record["type"] == "CAA" {
            let data = &record["data"];
            record["content"] = format!("{} {} {}", data["flags"], data["tag"].as_str().unwrap(), data["value"]).into();
        }
        if record["ttl"].as_u64().is_none_or(|ttl| !(60..=86_400).contains(&ttl)) {
            return Err(9021);
        }
        let of_type = |it: &Value, kinds: &[&str]| kinds.iter().any(|kind| it["type"] == *kind);
        for there in records.iter().filter(|it| it["name"] == record["name"]) {
            if there["type"] == record["type"] && there["content"] == record["content"] {
                return Err(81_058);
            }
            if of_type(there, &["CNAME"]) {
                return Err(81_054);
            }
            if of_type(&record, &["CNAME"]) && of_type(there, &["A", "AAAA"]) {
                return Err(81_053);
            }
        }
        self.made += 1;
        record["id"] = format!("r{}", self.made).into();
        records.push(record);
        Ok(())
    }
}

fn update(records: &mut [Value], id: &str, changed: &Value) -> Result<(), Refusal> {
    let record = records.iter_mut().find(|it| it["id"] == id).ok_or(81_044_u32)?;
    for (key, value) in changed.as_object().unwrap() {
        record[key] = value.clone();
    }
    Ok(())
}

fn delete(records: &mut Vec<Value>, id: &str) -> Result<(), Refusal> {
    let before = records.len();
    records.retain(|it| it["id"] != id);
    if records.len() < before { Ok(()) } else { Err(81_044) }
}

fn good(result: &Value) -> Reply {
    Reply::json(200, &json!({ "success": true, "errors": [], "messages": [], "result": result }))
}

fn error(status: u16, code: u32) -> Reply {
    let problem = json!({ "code": code, "message": "refused" });
    Reply::json(status, &json!({ "success": false, "errors": [problem], "messages": [], "result": null }))
}
