//! The API in memory, as it is documented.

use std::{cell::RefCell, rc::Rc};

use jackfield_plugin_sdk::{
    Dns as _, Failure,
    dns::{Observed, Outcome, Receipt, Request},
    testing::{
        self, Config, Http, Reply, Sent,
        dns_conformance::{Subject, Trouble},
    },
    zone::{RecordSet, canonical},
};
use serde_json::{Value, json};

use crate::Plugin;

const ZONES: &str = "http://dns/client/v4/zones";
const RECORDS: &str = "http://dns/client/v4/zones/z1/dns_records";

/// Why a record is not taken: a code of the API.
type Refusal = u32;

#[derive(Default)]
struct Server {
    records: Vec<Value>,
    writes: u64,
    trouble: Option<Trouble>,
}

/// The plugin with the server.
pub(super) struct Simulation {
    server: Rc<RefCell<Server>>,
    batches: bool,
    told: String,
}

impl Simulation {
    pub(super) fn start(batches: bool) -> Self {
        Config::set("batch", if batches { "true" } else { "false" });
        let server = Rc::new(RefCell::new(Server::default()));
        let answering = Rc::clone(&server);
        Http::serve(move |sent| answering.borrow_mut().answer(sent));
        Self { server, batches, told: String::new() }
    }

    fn tell<T: std::fmt::Debug>(&mut self, answer: Result<T, Failure>) -> Result<T, Failure> {
        self.told.push_str(&format!("{answer:?}"));
        answer
    }
}

impl Server {
    fn answer(&mut self, sent: &Sent) -> Reply {
        let writing = sent.method != "GET";
        match self.trouble {
            Some(Trouble::Unreachable) => return Reply::refused(),
            Some(Trouble::Unauthorised) => return error(403, 10_000),
            Some(Trouble::Busy) => return error(429, 971),
            Some(Trouble::Garbage) => return Reply::json(200, "}{"),
            Some(Trouble::Refusing) if writing => return error(400, 9005),
            Some(Trouble::Lost) if writing => {
                assert!(self.write(sent).is_ok());
                return Reply::no_answer();
            }
            Some(Trouble::Refusing | Trouble::Lost) | None => {}
        }
        if writing {
            return self.write(sent).map_or_else(|code| error(400, code), |()| good(&json!({})));
        }
        let (path, query) = sent.url.split_once('?').unwrap();
        let name = query.split('&').find_map(|it| it.strip_prefix("name=")).unwrap().replace("%2A", "*");
        match path {
            ZONES if name == "example.test" => good(&json!([{ "id": "z1", "name": "example.test" }])),
            ZONES => good(&json!([])),
            RECORDS => good(&self.records.iter().filter(|it| it["name"] == name).cloned().collect()),
            _ => error(404, 7003),
        }
    }

    /// All or nothing.
    fn write(&mut self, sent: &Sent) -> Result<(), Refusal> {
        let mut records = self.records.clone();
        let id = sent.url.strip_prefix(&format!("{RECORDS}/"));
        match (sent.method.as_str(), id) {
            ("POST", Some("batch")) => {
                let list = |name: &str| sent.json()[name].as_array().unwrap().clone();
                list("deletes").iter().try_for_each(|it| delete(&mut records, it["id"].as_str().unwrap()))?;
                list("patches").iter().try_for_each(|it| update(&mut records, it["id"].as_str().unwrap(), it))?;
                list("posts").into_iter().try_for_each(|it| self.create(&mut records, it))?;
            }
            ("POST", None) => self.create(&mut records, sent.json())?,
            ("PATCH", Some(id)) => update(&mut records, id, &sent.json())?,
            ("DELETE", Some(id)) => delete(&mut records, id)?,
            other => panic!("unexpected {other:?}"),
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
        self.writes += 1;
        record["id"] = format!("r{}", self.writes).into();
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
    Reply::json(200, &json!({ "success": true, "errors": [], "result": result }).to_string())
}

fn error(status: u16, code: u32) -> Reply {
    Reply::json(status, &json!({ "success": false, "errors": [{ "code": code, "message": "refused" }], "result": null }).to_string())
}

impl Subject for Simulation {
    fn zone(&self) -> String {
        "example.test".into()
    }

    fn apply(&mut self, request: Request) -> Result<Outcome, Failure> {
        testing::begin_call();
        self.tell(Plugin::apply(&testing::call("key"), request))
    }

    fn observe(&mut self, request: Request) -> Result<Observed, Failure> {
        testing::begin_call();
        self.tell(Plugin::observe(&testing::call("key"), request))
    }

    fn undo(&mut self, receipt: Receipt) -> Result<Outcome, Failure> {
        testing::begin_call();
        self.tell(Plugin::undo(&testing::call("undo"), receipt))
    }

    fn present(&mut self, name: &str) -> Vec<RecordSet> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut sets: Vec<RecordSet> = Vec::new();
        for record in self.server.borrow().records.iter().filter(|it| it["name"] == name) {
            let (kind, value) = (text(&record["type"]), text(&record["content"]));
            match sets.iter_mut().find(|set| set.kind == kind) {
                Some(set) => set.values.push(value),
                None => sets.push(RecordSet { name: name.into(), kind, ttl: 0, values: vec![value] }),
            }
        }
        sets
    }

    fn put(&mut self, set: &RecordSet) {
        let mut server = self.server.borrow_mut();
        server.records.retain(|it| it["name"] != set.name || it["type"] != set.kind);
        for value in &set.values {
            // People type texts here without quotes, and names without the last dot.
            let content = if set.kind == "TXT" { value.clone() } else { canonical(&set.kind, value) };
            server.writes += 1;
            let id = format!("r{}", server.writes);
            server.records.push(json!({ "id": id, "name": set.name, "type": set.kind, "content": content, "ttl": set.ttl }));
        }
    }

    fn writes(&mut self) -> u64 {
        self.server.borrow().writes
    }

    fn trouble(&mut self, trouble: Option<Trouble>) -> bool {
        // Without batches only the first write is there then.
        if trouble == Some(Trouble::Lost) && !self.batches {
            return false;
        }
        self.server.borrow_mut().trouble = trouble;
        true
    }

    fn told(&mut self) -> String {
        let sent: Vec<_> = Http::sent().iter().map(|sent| format!("{} {}", sent.method, sent.url)).collect();
        format!("{}{}", self.told, sent.join("\n"))
    }

    /// The token is the host's: the plugin has none that it could tell.
    fn secrets(&self) -> Vec<String> {
        vec!["Bearer".into()]
    }
}
