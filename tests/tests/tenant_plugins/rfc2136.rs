//! `dns-rfc2136`: the conformance suite against BIND, with a key that only the host has.

use std::net::SocketAddr;

use engine::port::{Answer, Observed, Verb};
use jackfield_plugin_sdk::{
    Failure, dns,
    testing::dns_conformance::{self, Subject, Trouble},
    zone::RecordSet,
};
use pipeline::FailureClass;
use plugin_runtime::{Grant, Secret};
use serde_json::json;
use servers::Bind;

use crate::{
    Loaded,
    conformance::{self, Asked},
    nobody,
};

const ZONE: &str = "app.example.test";

struct Vendor {
    asked: Asked,
    server: Bind,
}

fn granted(server: SocketAddr, key: &str, secret: &str) -> Grant {
    let config = [("server", server.to_string()), ("key", key.to_owned())];
    Grant {
        tcp: vec![server],
        secrets: [("tsig".to_owned(), Secret::new(format!("base64:{secret}")))].into(),
        config: config.map(|(key, value)| (key.to_owned(), value)).into(),
        ..Grant::default()
    }
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
        let RecordSet { name, kind, ttl, values } = set;
        let added: String = values.iter().map(|value| format!("\nupdate add {name}. {ttl} {kind} {value}")).collect();
        self.server.nsupdate(&format!("zone {ZONE}\nupdate delete {name}. {kind}{added}")).unwrap();
    }

    fn writes(&mut self) -> u64 {
        conformance::serial(&self.server.dig(ZONE, "SOA").unwrap())
    }

    fn trouble(&mut self, trouble: Option<Trouble>) -> bool {
        self.asked.use_grant(trouble)
    }

    fn told(&mut self) -> String {
        self.asked.told()
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.server.key_secret().to_owned()]
    }
}

#[test]
fn it_conforms() {
    let server = Bind::start(&[ZONE]).unwrap();
    let (_unused, address) = nobody();
    let other = "AAAA".repeat(8);
    let grants = vec![
        (None, granted(server.dns(), server.key_name(), server.key_secret())),
        (Some(Trouble::Unauthorised), granted(server.dns(), server.key_name(), &other)),
        (Some(Trouble::Unreachable), granted(address, server.key_name(), server.key_secret())),
    ];
    let before = server.records(ZONE).unwrap().len();
    let mut vendor = Vendor { asked: Asked::load("dns-rfc2136", grants), server };
    dns_conformance::run(&mut vendor);
    assert_eq!(vendor.server.records(ZONE).unwrap().len(), before, "{:?}", vendor.server.records(ZONE));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_found_by_dig_and_survives_the_server() {
    let mut server = Bind::start(&[ZONE]).unwrap();
    let dns = Loaded::new("dns-rfc2136", &granted(server.dns(), server.key_name(), server.key_secret())).await;
    let record = json!({ "name": "acme.app.example.test", "kind": "AAAA", "ttl": 60, "values": ["2001:db8::1"], "shared": false });
    let request = json!({ "owner": "t-acme", "zone": ZONE, "records": [record] });
    let receipt = dns.receipt(&request).await;
    assert_eq!((&receipt["provider"], &receipt["owner"], &receipt["records"]), (&json!("rfc2136"), &json!("t-acme"), &request["records"]));
    assert_eq!(server.dig("acme.app.example.test", "AAAA").unwrap(), ["2001:db8::1"]);
    assert_eq!(server.dig("_jackfield-owner.acme.app.example.test", "TXT").unwrap(), ["\"heritage=jackfield,owner=t-acme\""]);
    server.kill9();
    let (class, code, message) = dns.failure(Verb::Apply, &request).await;
    assert_eq!((class, code.as_str()), (FailureClass::Unavailable, "unreachable"), "{message}");
    server.restart().unwrap();
    assert_eq!(dns.answer(Verb::Observe, &request).await, Answer::Observed(Observed::Ours(receipt.clone())));
    dns.undo(&receipt).await;
    assert!(server.dig("acme.app.example.test", "AAAA").unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_was_not_granted_is_not_reached() {
    let server = Bind::start(&[ZONE]).unwrap();
    let grant = granted(server.dns(), server.key_name(), server.key_secret());
    let (_unused, address) = nobody();
    let dns = Loaded::new("dns-rfc2136", &Grant { tcp: vec![address], ..grant }).await;
    let record = json!({ "name": "acme.app.example.test", "kind": "A", "ttl": 60, "values": ["192.0.2.1"], "shared": false });
    let (class, code, message) = dns.failure(Verb::Apply, &json!({ "owner": "t-acme", "zone": ZONE, "records": [record] })).await;
    assert_eq!((class, code.as_str()), (FailureClass::Rejected, "plugin.denied"), "{message}");
    assert!(message.contains(&format!("tcp = [\"{address}\", \"{}\"]", server.dns())), "{message}");
    assert!(server.dig("acme.app.example.test", "A").unwrap().is_empty());
}
