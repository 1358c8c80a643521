//! `dns-cloudflare`: the conformance suite against the vendor's API as it is documented, with and without batches.

mod api;

use std::sync::{Arc, Mutex};

use engine::port::Verb;
use jackfield_plugin_sdk::{
    Failure,
    dns::{Observed, Outcome, Receipt, Request},
    testing::dns_conformance::{self, Subject, Trouble},
    zone::{RecordSet, canonical},
};
use pipeline::FailureClass;
use plugin_runtime::{Auth, Grant, HttpRule, Secret};
use serde_json::json;

use self::api::{TOKEN, Zone};
use crate::{Loaded, conformance::Asked, grant, nobody, stub::Stub, writable};

const ZONE: &str = "example.test";

/// The plugin with the API.
struct Vendor {
    asked: Asked,
    zone: Arc<Mutex<Zone>>,
    batches: bool,
}

fn granted(url: &str, token: &str, batches: bool) -> Grant {
    let rule = HttpRule { auth: Some(Auth::Bearer(Secret::new(token))), ..writable(url) };
    grant("dns", rule, &[("batch", if batches { "true" } else { "false" })])
}

fn start() -> (Stub, Arc<Mutex<Zone>>) {
    let zone: Arc<Mutex<Zone>> = Arc::default();
    let answering = Arc::clone(&zone);
    (Stub::start(move |heard| answering.lock().unwrap().answer(heard)), zone)
}

impl Subject for Vendor {
    fn zone(&self) -> String {
        ZONE.to_owned()
    }

    fn apply(&mut self, request: Request) -> Result<Outcome, Failure> {
        self.asked.apply(&request)
    }

    fn observe(&mut self, request: Request) -> Result<Observed, Failure> {
        self.asked.observe(&request)
    }

    fn undo(&mut self, receipt: Receipt) -> Result<Outcome, Failure> {
        self.asked.undo(&receipt)
    }

    fn present(&mut self, name: &str) -> Vec<RecordSet> {
        let mut sets: Vec<RecordSet> = Vec::new();
        for (kind, value) in self.zone.lock().unwrap().at(name) {
            match sets.iter_mut().find(|set| set.kind == kind) {
                Some(set) => set.values.push(value),
                None => sets.push(RecordSet { name: name.to_owned(), kind, ttl: 0, values: vec![value] }),
            }
        }
        sets
    }

    fn put(&mut self, set: &RecordSet) {
        // People type texts here without quotes, and names without the last dot.
        let typed = |value: &String| if set.kind == "TXT" { value.clone() } else { canonical(&set.kind, value) };
        self.zone.lock().unwrap().put(&set.name, &set.kind, set.ttl, set.values.iter().map(typed));
    }

    fn writes(&mut self) -> u64 {
        self.zone.lock().unwrap().writes()
    }

    fn trouble(&mut self, trouble: Option<Trouble>) -> bool {
        // Without batches only the first write is there then.
        if trouble == Some(Trouble::Lost) && !self.batches {
            return false;
        }
        if !self.asked.use_grant(trouble) {
            self.zone.lock().unwrap().trouble = trouble;
        } else if trouble.is_none() {
            self.zone.lock().unwrap().trouble = None;
        }
        true
    }

    fn told(&mut self) -> String {
        self.asked.told()
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned()]
    }
}

#[test]
fn it_conforms_with_batches_and_without() {
    for batches in [true, false] {
        let (server, zone) = start();
        let (_unused, address) = nobody();
        let grants = vec![
            (None, granted(&server.url, TOKEN, batches)),
            (Some(Trouble::Unauthorised), granted(&server.url, "another", batches)),
            (Some(Trouble::Unreachable), granted(&format!("http://{address}"), TOKEN, batches)),
        ];
        let mut vendor = Vendor { asked: Asked::load("dns-cloudflare", grants), zone, batches };
        dns_conformance::run(&mut vendor);
        let left = vendor.zone.lock().unwrap().names();
        assert!(left.is_empty(), "{left:?}");
        let wrote_in_batches = server.heard().iter().any(|heard| heard.path.ends_with("/batch"));
        assert_eq!(wrote_in_batches, batches);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_the_vendor_is_heeded_and_the_host_sends_the_token() {
    let (server, zone) = start();
    let dns = Loaded::new("dns-cloudflare", &granted(&server.url, TOKEN, true)).await;
    let record = json!({ "name": "acme.example.test", "kind": "A", "ttl": 30, "values": ["192.0.2.1"], "shared": false });
    let request = json!({ "owner": "t-1", "zone": ZONE, "records": [record] });
    zone.lock().unwrap().trouble = Some(Trouble::Busy);
    let failure = dns.report(Verb::Apply, &request).await.answer.unwrap_err();
    assert_eq!((failure.class, failure.retry_after_ms), (FailureClass::Unavailable, Some(3_000)), "{failure:?}");
    zone.lock().unwrap().trouble = None;
    let receipt = dns.receipt(&request).await;
    // The shortest that zones of every plan may have.
    let written = json!([{ "name": "acme.example.test", "kind": "A", "ttl": 60, "values": ["192.0.2.1"], "shared": false }]);
    assert_eq!((&receipt["provider"], &receipt["records"]), (&json!("cloudflare"), &written));
    assert_eq!(zone.lock().unwrap().names(), ["_jackfield-owner.acme.example.test", "acme.example.test"]);
    assert!(server.heard().iter().all(|heard| heard.header("authorization") == format!("Bearer {TOKEN}")));
    dns.undo(&receipt).await;
    assert!(zone.lock().unwrap().names().is_empty());
}
