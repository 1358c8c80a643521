//! `dns-powerdns`: the conformance suite against PowerDNS, its zones looked at with dig, and many tenants at once.

use std::sync::{Arc, Mutex};

use engine::{
    Exclusive,
    port::{Answer, Call, Observed, Runner, Verb},
};
use jackfield_plugin_sdk::{
    Failure, dns,
    testing::dns_conformance::{self, Subject, Trouble},
    zone::RecordSet,
};
use pipeline::FailureClass;
use plugin_runtime::Grant;
use serde_json::{Value, json};
use servers::{Backend, PowerDns};
use tokio::task::JoinSet;

use crate::{
    Loaded,
    conformance::{self, Asked},
    grant, nobody,
    stub::{Reply, Stub},
    with_header,
};

const ZONE: &str = "app.example.test";

struct Vendor {
    asked: Asked,
    server: PowerDns,
    trouble: Arc<Mutex<Option<Trouble>>>,
}

/// What stands between the plugin and the server, and hands on what it gets unless there is trouble.
fn between(server: &str, trouble: Arc<Mutex<Option<Trouble>>>) -> Stub {
    let server = server.to_owned();
    let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
    Stub::start(move |heard| {
        let trouble = *trouble.lock().unwrap();
        let writing = heard.method != "GET";
        match trouble {
            Some(Trouble::Busy) => return Reply::status(429),
            Some(Trouble::Garbage) => return Reply::Says(200, Vec::new(), "}{".to_owned()),
            Some(Trouble::Refusing) if writing => return Reply::json(422, &json!({ "error": "this record is not wanted here" })),
            Some(Trouble::Refusing | Trouble::Lost | Trouble::Unauthorised | Trouble::Unreachable) | None => {}
        }
        let mut request = ureq::http::Request::builder().method(heard.method.as_str()).uri(format!("{server}{}", heard.path));
        for name in ["x-api-key", "content-type"].into_iter().filter(|name| heard.headers.contains_key(*name)) {
            request = request.header(name, heard.header(name));
        }
        let mut answer = agent.run(request.body(heard.body.to_vec()).unwrap()).unwrap();
        let body = answer.body_mut().read_to_string().unwrap();
        if writing && trouble == Some(Trouble::Lost) { Reply::Cut } else { Reply::Says(answer.status().as_u16(), Vec::new(), body) }
    })
}

fn started(backend: Backend) -> PowerDns {
    let server = PowerDns::start(backend).unwrap();
    server.create_zone(ZONE).unwrap();
    server
}

fn granted(url: &str, key: &str) -> Grant {
    grant("dns", with_header(url, "x-api-key", key), &[])
}

/// What a call must have for itself: the zone that it is about.
fn zone_of(call: &Call) -> Option<String> {
    let about = if let Verb::Undo { receipt } = &call.verb { receipt } else { &call.request };
    about["zone"].as_str().map(str::to_owned)
}

/// Makes calls at once, the host's way: those of a zone one after the other.
async fn all(runner: Arc<dyn Runner>, calls: impl Iterator<Item = Call>) -> Vec<Answer> {
    let runner: Arc<dyn Runner> = Arc::new(Exclusive::new(runner, zone_of));
    let mut tasks = JoinSet::new();
    for call in calls {
        let runner = Arc::clone(&runner);
        tasks.spawn(async move { runner.call(call).await.answer.unwrap() });
    }
    tasks.join_all().await
}

fn request(name: &str, value: &str) -> Value {
    let record = json!({ "name": format!("{name}.{ZONE}"), "kind": "A", "ttl": 60, "values": [value], "shared": false });
    json!({ "owner": format!("t-{name}"), "zone": ZONE, "records": [record] })
}

impl Subject for Vendor {
    fn zone(&self) -> String {
        ZONE.to_owned()
    }

    fn apply(&mut self, request: dns::Request) -> Result<dns::Outcome, Failure> {
        self.asked.apply(&request)
    }

    fn observe(&mut self, request: dns::Request) -> Result<dns::Observed, Failure> {
        self.asked.observe(&request)
    }

    fn undo(&mut self, receipt: dns::Receipt) -> Result<dns::Outcome, Failure> {
        self.asked.undo(&receipt)
    }

    fn present(&mut self, name: &str) -> Vec<RecordSet> {
        conformance::sets(name, self.server.records(ZONE).unwrap())
    }

    fn put(&mut self, set: &RecordSet) {
        let change = if set.values.is_empty() { "DELETE" } else { "REPLACE" };
        let records: Vec<Value> = set.values.iter().map(|value| json!({ "content": value, "disabled": false })).collect();
        let set = json!({ "name": format!("{}.", set.name), "type": set.kind, "ttl": set.ttl, "changetype": change, "records": records });
        self.server.api("PATCH", &format!("/zones/{ZONE}."), &json!({ "rrsets": [set] }).to_string()).unwrap();
    }

    fn writes(&mut self) -> u64 {
        conformance::serial(&self.server.dig(ZONE, "SOA").unwrap())
    }

    fn trouble(&mut self, trouble: Option<Trouble>) -> bool {
        let of_grants = self.asked.use_grant(trouble);
        *self.trouble.lock().unwrap() = if of_grants { None } else { trouble };
        true
    }

    fn told(&mut self) -> String {
        self.asked.told()
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.server.api_key().to_owned()]
    }
}

#[test]
fn it_conforms() {
    let server = started(Backend::Lmdb);
    let (_unused, address) = nobody();
    let trouble = Arc::default();
    let grants = vec![
        (None, granted(&between(&server.api_url(), Arc::clone(&trouble)).url, server.api_key())),
        (Some(Trouble::Unauthorised), granted(&server.api_url(), "another")),
        (Some(Trouble::Unreachable), granted(&format!("http://{address}"), server.api_key())),
    ];
    let before = server.records(ZONE).unwrap().len();
    let mut vendor = Vendor { asked: Asked::load("dns-powerdns", grants), server, trouble };
    dns_conformance::run(&mut vendor);
    assert_eq!(vendor.server.records(ZONE).unwrap().len(), before, "{:?}", vendor.server.records(ZONE));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_found_by_dig_and_survives_the_server() {
    let mut server = started(Backend::Lmdb);
    let dns = Loaded::new("dns-powerdns", &granted(&server.api_url(), server.api_key())).await;
    let request = request("acme", "192.0.2.1");
    let receipt = dns.receipt(&request).await;
    assert_eq!((&receipt["provider"], &receipt["owner"], &receipt["records"]), (&json!("powerdns"), &json!("t-acme"), &request["records"]));
    assert_eq!(server.dig("acme.app.example.test", "A").unwrap(), ["192.0.2.1"]);
    assert_eq!(server.dig("_jackfield-owner.acme.app.example.test", "TXT").unwrap(), ["\"heritage=jackfield,owner=t-acme\""]);
    server.kill9();
    let (class, code, message) = dns.failure(Verb::Apply, &request).await;
    assert_eq!((class, code.as_str()), (FailureClass::Unavailable, "unreachable"), "{message}");
    server.restart().unwrap();
    assert_eq!(dns.answer(Verb::Observe, &request).await, Answer::Observed(Observed::Ours(receipt.clone())));
    dns.undo(&receipt).await;
    assert!(server.dig("acme.app.example.test", "A").unwrap().is_empty());
}

/// This back end answers 500 to some of many writers at a time, so the host keeps the calls of a zone apart.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_tenants_at_once_get_their_names_and_lose_them() {
    let server = started(Backend::Sqlite);
    let before = server.records(ZONE).unwrap().len();
    let dns = Loaded::new("dns-powerdns", &granted(&server.api_url(), server.api_key())).await;
    let runner = Arc::new(dns.bench.runner.clone());
    let made = all(runner.clone(), (1..=20).map(|at| dns.call(Verb::Apply, &request(&format!("n{at}"), &format!("192.0.2.{at}"))))).await;
    for at in 1..=20 {
        assert_eq!(server.dig(&format!("n{at}.{ZONE}"), "A").unwrap(), [format!("192.0.2.{at}")]);
    }
    let receipts = made.into_iter().map(|answer| if let Answer::Done(receipt) = answer { receipt } else { panic!("{answer:?}") });
    let undone = all(runner, receipts.map(|receipt| dns.call(Verb::Undo { receipt: receipt.into() }, &Value::Null))).await;
    assert_eq!(undone, vec![Answer::Undone; 20]);
    assert_eq!(server.records(ZONE).unwrap().len(), before);
}
