//! Each back end over real HTTP, as its protocol says.

use super::client::{Answer, Client};
use hyper::Method;
use serde_json::{Value, json};

const YANG: &str = "application/yang-data+json";

#[tokio::test]
async fn the_catalogue_shows_its_documents() {
    let client = Client::new(0).await;
    let products = format!("{}/tmf-api/productCatalogManagement/v4", client.lab.urls().catalogue);
    let services = format!("{}/tmf-api/serviceCatalogManagement/v4", client.lab.urls().catalogue);
    let offering = client.get(&format!("{products}/productOffering/fibre-100")).await;
    assert_eq!((offering.status, &offering.body["productOfferingPrice"][0]["id"]), (200, &json!("plan-fibre-100")));
    assert_eq!(client.get(&format!("{products}/productSpecification/ps-fibre")).await.body["serviceSpecification"], json!([{"id": "ss-fibre"}]));
    assert_eq!(client.get(&format!("{services}/serviceSpecification/ss-access")).await.body["resourceSpecification"][0]["name"], "port");
    assert_eq!(client.get(&format!("{products}/productOffering")).await.body.as_array().unwrap().len(), 12);
    let unknown = client.get(&format!("{products}/productOffering/none")).await;
    assert_eq!((unknown.status, &unknown.body["message"]), (404, &json!("there is no productOffering none")));
}

fn entry(id: &str, owner: &str) -> String {
    json!({"jackfield-service:service": [{"id": id, "owner": owner}]}).to_string()
}

#[tokio::test]
async fn the_element_keeps_entries_under_restconf() {
    let client = Client::new(0).await;
    let base = client.lab.urls().element.clone();
    let url = format!("{base}/restconf/data/jackfield-service:services/service=olt-1%2Fport%2F7");
    let put = async |headers: &[(&str, &str)], body: &str| client.send(Method::PUT, &url, headers, body).await;
    let error = |answer: &Answer| answer.body["ietf-restconf:errors"]["error"][0]["error-tag"].as_str().unwrap_or_default().to_owned();

    let missing = client.get(&url).await;
    assert_eq!((missing.status, error(&missing).as_str(), missing.header("content-type")), (404, "invalid-value", YANG));
    assert_eq!(put(&[("content-type", YANG), ("if-none-match", "*")], &entry("olt-1/port/7", "a")).await.status, 201);
    let there = client.get(&url).await;
    assert_eq!((there.status, there.body.to_string()), (200, entry("olt-1/port/7", "a")));

    // Entity tags: who has not read the newest version changes nothing.
    let overtaken = put(&[("content-type", YANG), ("if-none-match", "*")], &entry("olt-1/port/7", "b")).await;
    assert_eq!((overtaken.status, error(&overtaken).as_str()), (412, "operation-failed"));
    assert_eq!(put(&[("content-type", YANG), ("if-match", there.header("etag"))], &entry("olt-1/port/7", "b")).await.status, 204);
    let stale = client.send(Method::DELETE, &url, &[("if-match", there.header("etag"))], "").await;
    assert_eq!(stale.status, 412);
    assert_eq!((client.delete(&url).await.status, client.delete(&url).await.status), (204, 404));

    let resource = "jackfield-service:service=olt-1/port/7";
    assert_eq!(client.ledger(&base).await, [format!("created {resource} a"), format!("replaced {resource} b"), format!("deleted {resource} b")]);
}

#[tokio::test]
async fn the_element_refuses_what_does_not_fit() {
    let client = Client::new(0).await;
    let base = client.lab.urls().element.clone();
    let data = format!("{base}/restconf/data");
    let check = async |method: Method, path: &str, media_type: &str, body: &str, status: u16, message: &str| {
        let answer = client.send(method, &format!("{data}/{path}"), &[("content-type", media_type)], body).await;
        let said = answer.body["ietf-restconf:errors"]["error"][0]["error-message"].as_str().unwrap();
        assert_eq!((answer.status, said), (status, message));
    };
    let path = "m:services/service=1";
    check(Method::PUT, "m:services", YANG, "", 400, "the path is no list entry: expected module:container/list=key").await;
    check(Method::PUT, path, "text/plain", "", 415, "the media type is \"text/plain\": expected application/yang-data+json").await;
    check(Method::PUT, path, YANG, "{", 400, "the body is not JSON: EOF while parsing an object at line 1 column 1").await;
    check(Method::PUT, path, YANG, "{}", 400, "expected an array of one instance under \"m:service\"").await;
    check(Method::PUT, path, YANG, "{\"m:service\": [{\"id\": \"2\"}]}", 400, "the instance's key is \"2\": the path says \"1\"").await;
    check(Method::PATCH, path, YANG, "", 405, "expected GET, PUT or DELETE").await;
    assert!(client.ledger(&base).await.is_empty());
}

fn service(name: &str) -> Value {
    json!({"name": name, "state": "active", "serviceSpecification": {"id": "cfs"}, "serviceCharacteristic": [{"name": "order", "value": "1"}]})
}

/// Asks until the monitor is no longer in progress.
async fn wait(client: &Client, base: &str, created: &Answer) -> Value {
    assert_eq!(created.status, 202);
    loop {
        let monitor = client.get(&format!("{base}{}", created.header("location"))).await.body;
        if monitor["state"] != "InProgress" {
            return monitor;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_activation_takes_its_time_behind_a_monitor() {
    let client = Client::new(60_000).await;
    const BASE: &str = "/tmf-api/ServiceActivationAndConfiguration/v4";
    let base = client.lab.urls().activation.clone();
    let services = format!("{base}{BASE}/service");
    let slow = client.post(&services, &service("slow")).await;
    let monitor = client.get(&format!("{base}{}", slow.header("location"))).await.body;
    assert_eq!((slow.status, &monitor["state"]), (202, &json!("InProgress")));
    let found = client.get(&format!("{services}?name=slow")).await.body;
    assert_eq!(found[0]["state"], "inactive");
    let monitors = async |of: &str| client.get(&format!("{base}{BASE}/monitor?sourceHref={of}")).await.body;
    assert_eq!(monitors(found[0]["href"].as_str().unwrap()).await, json!([monitor]));
    assert_eq!(monitors("/nothing").await, json!([]));

    client.switch(&base, "outcome", json!({"ms": 20, "body": "quick"})).await;
    let quick = client.post(&services, &service("quick")).await;
    assert_eq!(wait(&client, &base, &quick).await["state"], "Completed");
    let found = client.get(&format!("{services}?name=quick")).await.body;
    let test = json!([{"name": "order", "value": "1"}, {"name": "testResult", "value": "pass"}]);
    assert_eq!((&found[0]["state"], &found[0]["serviceCharacteristic"]), (&json!("active"), &test));
    assert_eq!(client.get(&format!("{services}?name=nobody")).await.body, json!([]));
}

#[tokio::test]
async fn an_activation_under_way_can_be_finished_at_once() {
    let client = Client::new(600_000).await;
    let base = client.lab.urls().activation.clone();
    let services = format!("{base}/tmf-api/ServiceActivationAndConfiguration/v4/service");
    let slow = client.post(&services, &service("slow")).await;
    client.switch(&base, "finish", json!({})).await;
    assert_eq!(wait(&client, &base, &slow).await["state"], "Completed");
    client.post(&services, &service("next")).await;
    assert_eq!(client.get(&format!("{services}?name=next")).await.body[0]["state"], "inactive", "what begins later takes its time");
}

#[tokio::test]
async fn a_second_post_makes_a_second_service() {
    let client = Client::new(0).await;
    let base = client.lab.urls().activation.clone();
    let services = format!("{base}/tmf-api/ServiceActivationAndConfiguration/v4/service");
    for _ in 0..2 {
        let created = client.post(&services, &service("same")).await;
        assert_eq!((created.status, &created.body["state"]), (201, &json!("active")));
    }
    assert_eq!(client.get(&format!("{services}?name=same")).await.body.as_array().unwrap().len(), 2);
    assert_eq!((client.delete(&format!("{services}/svc-1")).await.status, client.delete(&format!("{services}/svc-1")).await.status), (204, 404));
    assert_eq!(client.ledger(&base).await, ["created service svc-1 same", "created service svc-2 same", "deleted service svc-1 same"]);
    let bad = client.post(&services, &json!({"name": "x"})).await;
    assert_eq!((bad.status, &bad.body["message"]), (400, &json!("serviceSpecification.id is missing: expected the id of a service specification")));
}

#[tokio::test]
async fn an_activation_can_fail_in_every_way() {
    let client = Client::new(0).await;
    let base = client.lab.urls().activation.clone();
    let services = format!("{base}/tmf-api/ServiceActivationAndConfiguration/v4/service");
    for result in ["test-failed", "inactive", "in-error"] {
        client.switch(&base, "outcome", json!({"result": result, "ms": 1, "answer": "no light", "body": result})).await;
    }
    let mut seen = Vec::new();
    for name in ["test-failed", "inactive", "in-error"] {
        let created = client.post(&services, &service(name)).await;
        let monitor = wait(&client, &base, &created).await;
        let found = client.get(&format!("{services}?name={name}")).await.body;
        seen.push(json!([monitor["state"], monitor["response"]["body"], found[0]["state"], found[0]["serviceCharacteristic"][1]["value"]]));
    }
    assert_eq!(
        seen,
        [
            json!(["Completed", null, "active", "fail"]),
            json!(["Completed", null, "inactive", null]),
            json!(["InError", "no light", "inactive", null])
        ]
    );
}

#[tokio::test]
async fn billing_knows_its_idempotency_keys() {
    let client = Client::new(0).await;
    let base = client.lab.urls().billing.clone();
    let accounts = format!("{base}/accounts");
    let body = |plan: &str| json!({"externalId": "k1", "order": "o1", "serviceId": "svc-1", "plan": plan, "effectiveDate": "2031-05-01"}).to_string();
    let post = async |key: &str, body: String| client.send(Method::POST, &accounts, &[("idempotency-key", key)], &body).await;
    let (first, again) = (post("k1", body("p")).await, post("k1", body("p")).await);
    assert_eq!((first.status, again.status, &first.body), (201, 200, &again.body));
    assert_eq!(post("k1", body("other")).await.status, 409);
    assert_eq!(client.get(&format!("{accounts}?externalId=k1")).await.body, json!([first.body]));
    assert_eq!(client.get(&format!("{accounts}?order=o1&plan=q")).await.body, json!([]));
    let dated = post("k2", json!({"serviceId": "s", "plan": "p"}).to_string()).await.body;
    assert!(dated["effectiveDate"].as_str().unwrap().parse::<jiff::civil::Date>().is_ok(), "{dated}");
    assert_eq!(post("k3", "{}".to_owned()).await.status, 422);
    assert_eq!(client.get(&format!("{accounts}/acc-1")).await.body, first.body);
    assert_eq!((client.delete(&format!("{accounts}/acc-1")).await.status, client.delete(&format!("{accounts}/acc-1")).await.status), (204, 404));
    assert_eq!(client.ledger(&base).await, ["created account acc-1 k1", "created account acc-2 k2", "deleted account acc-1 k1"]);
}
