//! Every answer of the interface, over the real binary, is one that the official document describes, or one of the few listed here.

use std::collections::BTreeSet;

use end_to_end_tests::harness::{
    Answer, Host, Lab, Setup,
    orders::{all_plugins, order},
};
use serde_json::{Value, json};

use crate::{ORDERS, official::Official};

/// Answers that the document does not have, and the status whose description they follow all the same.
const OURS: [(&str, u16, &str); 3] = [
    // The order that an earlier request with the same key made.
    ("post", 200, "201"),
    // A body that is too large, and one of another media type.
    ("post", 413, "400"),
    ("post", 415, "400"),
];

/// A host whose answers are checked.
struct Checked {
    official: Official,
    host: Host,
    seen: BTreeSet<String>,
}

impl Checked {
    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let answer = self.host.request(&method.to_uppercase(), &format!("{ORDERS}{path}"), headers, body);
        self.note(method, path, &answer);
        answer
    }

    fn get(&mut self, path: &str) -> Answer {
        self.send("get", path, &[], "")
    }

    fn post(&mut self, order: &Value) -> Answer {
        self.send("post", "", &[("content-type", "application/json")], &order.to_string())
    }

    fn note(&mut self, method: &str, path: &str, answer: &Answer) {
        let described = if path.starts_with('/') { "/productOrder/{id}" } else { "/productOrder" };
        let as_official = OURS.iter().find(|(m, status, _)| (*m, *status) == (method, answer.status)).map(|(_, _, official)| *official);
        let status = as_official.map_or_else(|| answer.status.to_string(), str::to_owned);
        self.official.check([method, described], &status, answer, path.contains("fields="));
        self.seen.insert(format!("{method} {described} {}", answer.status));
        self.seen.extend(answer.body["state"].as_str().map(str::to_owned));
    }
}

/// An order that keeps to the document in all it says.
fn detailed(offering: &str) -> Value {
    let mut order = order(offering);
    order["relatedParty"] = json!([{"id": "c-1", "role": "customer", "@referredType": "Individual"}]);
    order["channel"] = json!([{"id": "9", "name": "retail"}]);
    order["requestedCompletionDate"] = json!("2031-05-01T10:00:00+02:00");
    order["@type"] = json!("ShopOrder");
    order["till"] = json!(7);
    order
}

#[test]
fn every_answer_is_described_by_the_official_document_or_listed_here() {
    let lab = Lab::start();
    let pools = json!({"port": {"element": "olt-1", "count": 8}, "ipv4": {"element": "bng-1", "cidr": "198.51.100.0/28"}});
    let host = all_plugins(&lab, &pools).start();
    let mut checked = Checked { official: Official::read(), host, seen: BTreeSet::new() };
    assert_eq!(checked.official.errors("ProductOrder_Create", &detailed("fibre-100")), [""; 0]);

    let keyed = [("idempotency-key", "k"), ("content-type", "application/json")];
    let made = checked.send("post", "", &keyed, &detailed("fibre-100").to_string()).body;
    checked.send("post", "", &keyed, &detailed("fibre-100").to_string());
    checked.send("post", "", &keyed, &detailed("fibre-1000").to_string());
    let path = format!("/{}", made["id"].as_str().unwrap());
    checked.host.wait(&path[1..], &["completed"]);
    checked.get(&path);
    checked.get(&format!("{path}?fields=state,completionDate"));

    for resolution in ["cancel", "fail"] {
        let id = checked.post(&detailed("unheard-of")).body["id"].as_str().unwrap().to_owned();
        checked.host.wait(&id, &["held"]);
        checked.get(&format!("/{id}"));
        let resolved = checked.host.cli(&["run", "resolve", &id, resolution, "--by", "ann", "--note", "no such offering"]);
        assert!(resolved.status.success(), "{resolved:?}");
        checked.host.wait(&id, &["cancelled", "failed"]);
        checked.get(&format!("/{id}"));
    }

    for path in ["", "?state=completed,failed&limit=1", "?fields=externalId", "?sort=state", "/unheard-of", &format!("{path}?limit=1")] {
        checked.get(path);
    }
    checked.post(&json!({"productOrderItem": []}));
    checked.send("post", "", &[], &" ".repeat(2 << 20));
    checked.send("post", "", &[("content-type", "text/xml")], "<order/>");
    checked.send("delete", &path, &[], "");
    checked.send("patch", &path, &[("content-type", "application/json")], "{}");
    for (method, path) in [("get", ""), ("get", path.as_str()), ("post", "")] {
        let answer = as_a_stranger(&checked.host, method, path);
        checked.note(method, path, &answer);
    }

    let expected = [
        "acknowledged",
        "cancelled",
        "completed",
        "delete /productOrder/{id} 405",
        "failed",
        "get /productOrder 200",
        "get /productOrder 400",
        "get /productOrder 401",
        "get /productOrder/{id} 200",
        "get /productOrder/{id} 400",
        "get /productOrder/{id} 401",
        "get /productOrder/{id} 404",
        "held",
        "patch /productOrder/{id} 405",
        "post /productOrder 200",
        "post /productOrder 201",
        "post /productOrder 400",
        "post /productOrder 401",
        "post /productOrder 409",
        "post /productOrder 413",
        "post /productOrder 415",
    ];
    let seen: Vec<&str> = checked.seen.iter().map(String::as_str).filter(|seen| *seen != "inProgress").collect();
    assert_eq!(seen, expected);
}

/// Asks with a token that the host does not know.
fn as_a_stranger(host: &Host, method: &str, path: &str) -> Answer {
    let request = ureq::http::Request::builder().method(method.to_uppercase().as_str()).uri(format!("{}{ORDERS}{path}", host.url));
    let request = request.header("authorization", "Bearer nobody").body(()).unwrap();
    let mut response = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent().run(request).unwrap();
    let text = |value: &ureq::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    Answer { status: response.status().as_u16(), headers, body: serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap() }
}

/// Without plugins an order is held at its first step: enough to see what comes back.
pub(crate) fn host() -> Host {
    Setup::default().start()
}
