//! PowerDNS in memory, as far as version 4.7 was seen to behave.

use std::{cell::RefCell, rc::Rc};

use jackfield_plugin_sdk::{
    Dns as _, Failure,
    dns::{Observed, Outcome, Receipt, Request},
    testing::{
        self, Http, Reply, Sent,
        dns_conformance::{Subject, Trouble},
    },
    zone::RecordSet,
};
use serde_json::{Value, json};

use crate::Plugin;

const ZONE: &str = "http://dns/api/v1/servers/localhost/zones/app.example.test.";

#[derive(Default)]
struct Server {
    sets: Vec<Value>,
    writes: u64,
    trouble: Option<Trouble>,
}

/// The plugin with the server.
pub(super) struct Simulation {
    server: Rc<RefCell<Server>>,
    told: String,
}

impl Simulation {
    pub(super) fn start() -> Self {
        let server = Rc::new(RefCell::new(Server::default()));
        let answering = Rc::clone(&server);
        Http::serve(move |sent| answering.borrow_mut().answer(sent));
        Self { server, told: String::new() }
    }

    fn tell<T: std::fmt::Debug>(&mut self, answer: Result<T, Failure>) -> Result<T, Failure> {
        self.told.push_str(&format!("{answer:?}"));
        answer
    }
}

impl Server {
    fn answer(&mut self, sent: &Sent) -> Reply {
        let (path, query) = sent.url.split_once('?').unwrap_or((&sent.url, ""));
        let writing = sent.method == "PATCH";
        match self.trouble {
            Some(Trouble::Unreachable) => return Reply::refused(),
            Some(Trouble::Unauthorised) => return Reply::json(401, "Unauthorized"),
            Some(Trouble::Busy) => return Reply::status(503),
            Some(Trouble::Garbage) => return Reply::json(200, "}{"),
            Some(Trouble::Refusing) if writing => return error("RRset example.: Conflicts with pre-existing RRset"),
            Some(Trouble::Lost) if writing => {
                self.patch(&sent.json());
                return Reply::no_answer();
            }
            Some(Trouble::Refusing | Trouble::Lost) | None => {}
        }
        if path != ZONE {
            return Reply::json(404, "Not Found");
        }
        if writing {
            return self.patch(&sent.json());
        }
        let name = query.strip_prefix("rrset_name=").map(|name| name.replace("%2A", "*"));
        let sets: Vec<_> = self.sets.iter().filter(|set| name.as_deref().is_none_or(|name| set["name"] == *name)).cloned().collect();
        Reply::json(200, &json!({ "rrsets": sets }).to_string())
    }

    /// All or nothing, and the serial rises even where nothing differs.
    fn patch(&mut self, body: &Value) -> Reply {
        let mut sets = self.sets.clone();
        for set in body["rrsets"].as_array().unwrap() {
            sets.retain(|it| (&it["name"], &it["type"]) != (&set["name"], &set["type"]));
            if set["changetype"] == "REPLACE" {
                sets.push(json!({ "name": set["name"], "type": set["type"], "ttl": set["ttl"], "records": set["records"], "comments": [] }));
            }
        }
        for set in &sets {
            if set["type"] == "CNAME" && sets.iter().any(|it| it["name"] == set["name"] && it["type"] != "CNAME") {
                return error("Conflicts with pre-existing RRset");
            }
        }
        self.sets = sets;
        self.writes += 1;
        Reply::status(204)
    }
}

fn error(text: &str) -> Reply {
    Reply::json(422, &json!({ "error": text }).to_string())
}

impl Subject for Simulation {
    fn zone(&self) -> String {
        "app.example.test".into()
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
        let server = self.server.borrow();
        let sets = server.sets.iter().filter(|set| set["name"] == format!("{name}."));
        let values = |set: &Value| set["records"].as_array().unwrap().iter().map(|it| text(&it["content"])).collect();
        sets.map(|set| RecordSet { name: text(&set["name"]), kind: text(&set["type"]), ttl: 0, values: values(set) }).collect()
    }

    fn put(&mut self, set: &RecordSet) {
        let records: Vec<Value> = set.values.iter().map(|it| json!({ "content": it, "disabled": false })).collect();
        let change = if records.is_empty() { "DELETE" } else { "REPLACE" };
        let set = json!({ "name": format!("{}.", set.name), "type": set.kind, "ttl": set.ttl, "records": records, "changetype": change });
        self.server.borrow_mut().patch(&json!({ "rrsets": [set] }));
    }

    fn writes(&mut self) -> u64 {
        self.server.borrow().writes
    }

    fn trouble(&mut self, trouble: Option<Trouble>) -> bool {
        self.server.borrow_mut().trouble = trouble;
        true
    }

    fn told(&mut self) -> String {
        let sent: Vec<_> = Http::sent().iter().map(|sent| format!("{} {}", sent.method, sent.url)).collect();
        format!("{}{}", self.told, sent.join("\n"))
    }

    /// The key is the host's: the plugin has none that it could tell.
    fn secrets(&self) -> Vec<String> {
        vec!["X-API-Key".into()]
    }
}
