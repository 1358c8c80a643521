//! The `dns` contract over a REST interface at the logical endpoint `dns`.
//!
//! | request | meaning |
//! |---|---|
//! | `GET /zones/{zone}/sets?name={name}` | the sets of records at a name: `[{"name", "type", "ttl", "values"}]`; 404 where there is no such zone |
//! | `PUT /zones/{zone}/sets` | makes sets what the list says, all or none; one without values goes |
//!
//! Whose a record is, what differs, and what is read back is the business of `zone` in the SDK; a vendor is asked in `look` and told in `change`. Make them
//! those of your vendor. The conformance suite below says whether all is well; it runs against a simulation, which must behave as your vendor does.

use std::{collections::BTreeSet, ops::RangeInclusive};

use jackfield_plugin_sdk::{
    Call, Capabilities, Contract, Dns, Endpoint, Failure, Manifest, Verb, dns,
    http::{self, Request},
    zone::{self, Change, RecordSet, Vendor},
};
use serde::{Deserialize, Serialize};

const MANIFEST: Manifest = Manifest {
    name: "plugin-name",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "",
    contracts: &[Contract { name: "dns", verbs: &[Verb::Apply, Verb::Observe, Verb::Undo], idempotent: true }],
    capabilities: Capabilities { http: &[Endpoint::new("dns", "reads the records of tenants and changes them")], ..Capabilities::NONE },
    failure_codes: zone::CODES,
    ..Manifest::EMPTY
};

/// The plugin.
#[derive(Debug)]
pub struct Plugin;

/// A set of records, as the interface has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Set {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    ttl: u32,
    values: Vec<String>,
}

/// The vendor, and what it said in this call.
#[derive(Default)]
struct Rest {
    seen: Vec<Set>,
}

impl Vendor for Rest {
    const PROVIDER: &'static str = "plugin-name";

    /// The TTLs that the vendor keeps.
    fn ttls(&self) -> RangeInclusive<u32> {
        0..=zone::MAX_TTL
    }

    fn look(&mut self, zone: &str, names: &BTreeSet<String>) -> Result<Vec<RecordSet>, Failure> {
        self.seen.clear();
        for name in names {
            let answer = Request::get(format!("{}?name={}", url(zone), http::encode(name))).send()?;
            let sets: Vec<Set> = zone::success(answer)?.json()?;
            self.seen.extend(sets);
        }
        let set = |Set { name, kind, ttl, values }| RecordSet { name, kind, ttl, values };
        Ok(self.seen.iter().cloned().map(set).collect())
    }

    fn change(&mut self, zone: &str, changes: &[Change]) -> Result<(), Failure> {
        let set = |it: &Change| {
            let values = it.after.iter().map(|value| zone::presented(&it.kind, value)).collect();
            Set { name: it.name.clone(), kind: it.kind.clone(), ttl: it.ttl, values }
        };
        let sets: Vec<Set> = changes.iter().map(set).collect();
        zone::success(Request::put(url(zone)).json(&sets).send()?).map(drop)
    }
}

impl Dns for Plugin {
    fn apply(_: &Call, request: dns::Request) -> Result<dns::Outcome, Failure> {
        zone::apply(&mut Rest::default(), &request)
    }

    fn observe(_: &Call, request: dns::Request) -> Result<dns::Observed, Failure> {
        zone::observe(&mut Rest::default(), &request)
    }

    fn undo(_: &Call, receipt: dns::Receipt) -> Result<dns::Outcome, Failure> {
        zone::undo(&mut Rest::default(), &receipt)
    }
}

fn url(zone: &str) -> String {
    format!("http://dns/zones/{}/sets", http::encode(zone))
}

jackfield_plugin_sdk::export!(Plugin: dns; MANIFEST);

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use jackfield_plugin_sdk::{
        dns::{Observed, Outcome, Receipt},
        testing::{
            self, Http, Reply, Sent,
            dns_conformance::{self, Subject, Trouble},
        },
    };

    use super::*;

    const ZONE: &str = "http://dns/zones/app.example.test/sets";

    /// The vendor in memory.
    #[derive(Default)]
    struct Server {
        sets: Vec<Set>,
        writes: u64,
        trouble: Option<Trouble>,
    }

    struct Simulation(Rc<RefCell<Server>>);

    impl Simulation {
        fn start() -> Self {
            let server = Rc::new(RefCell::new(Server::default()));
            let answering = Rc::clone(&server);
            Http::serve(move |sent| answering.borrow_mut().answer(sent));
            Self(server)
        }
    }

    impl Server {
        fn answer(&mut self, sent: &Sent) -> Reply {
            let (path, name) = sent.url.split_once("?name=").unwrap_or((&sent.url, ""));
            let writing = sent.method == "PUT";
            match self.trouble {
                Some(Trouble::Unreachable) => Reply::refused(),
                Some(Trouble::Unauthorised) => Reply::status(401),
                Some(Trouble::Busy) => Reply::status(429).header("retry-after", "1"),
                Some(Trouble::Garbage) => Reply::json(200, "}{"),
                Some(Trouble::Refusing) if writing => Reply::status(422),
                Some(Trouble::Lost) if writing => {
                    self.write(serde_json::from_slice(&sent.body).unwrap());
                    Reply::no_answer()
                }
                Some(Trouble::Refusing | Trouble::Lost) | None if path != ZONE => Reply::status(404),
                Some(Trouble::Refusing | Trouble::Lost) | None if writing => {
                    self.write(serde_json::from_slice(&sent.body).unwrap());
                    Reply::status(204)
                }
                Some(Trouble::Refusing | Trouble::Lost) | None => {
                    let name = name.replace("%2A", "*");
                    let found: Vec<&Set> = self.sets.iter().filter(|set| set.name == name).collect();
                    Reply::json(200, &serde_json::to_string(&found).unwrap())
                }
            }
        }

        fn write(&mut self, sets: Vec<Set>) {
            self.writes += 1;
            for set in sets {
                self.sets.retain(|it| (&it.name, &it.kind) != (&set.name, &set.kind));
                if !set.values.is_empty() {
                    self.sets.push(set);
                }
            }
        }
    }

    impl Subject for Simulation {
        fn zone(&self) -> String {
            "app.example.test".into()
        }

        fn apply(&mut self, request: dns::Request) -> Result<Outcome, Failure> {
            testing::begin_call();
            Plugin::apply(&testing::call("key"), request)
        }

        fn observe(&mut self, request: dns::Request) -> Result<Observed, Failure> {
            testing::begin_call();
            Plugin::observe(&testing::call("key"), request)
        }

        fn undo(&mut self, receipt: Receipt) -> Result<Outcome, Failure> {
            testing::begin_call();
            Plugin::undo(&testing::call("undo"), receipt)
        }

        fn present(&mut self, name: &str) -> Vec<RecordSet> {
            let set = |Set { name, kind, ttl, values }| RecordSet { name, kind, ttl, values };
            self.0.borrow().sets.iter().filter(|it| it.name == name).cloned().map(set).collect()
        }

        fn put(&mut self, set: &RecordSet) {
            let RecordSet { name, kind, ttl, values } = set.clone();
            self.0.borrow_mut().write(vec![Set { name, kind, ttl, values }]);
        }

        fn writes(&mut self) -> u64 {
            self.0.borrow().writes
        }

        fn trouble(&mut self, trouble: Option<Trouble>) -> bool {
            self.0.borrow_mut().trouble = trouble;
            true
        }

        fn told(&mut self) -> String {
            testing::calls().join("\n")
        }

        /// None: the operator's rule for the endpoint adds what the vendor wants to see.
        fn secrets(&self) -> Vec<String> {
            Vec::new()
        }
    }

    #[test]
    fn it_passes_the_conformance_suite() {
        dns_conformance::run(&mut Simulation::start());
    }
}
