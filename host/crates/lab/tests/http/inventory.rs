//! The resource inventory over real HTTP.

use super::client::{Answer, Client};
use hyper::Method;
use serde_json::{Value, json};

const MERGE: (&str, &str) = ("content-type", "application/merge-patch+json");

struct Inventory {
    client: Client,
    resources: String,
}

impl Inventory {
    async fn new() -> Self {
        let client = Client::new(0).await;
        let resources = format!("{}/tmf-api/resourceInventoryManagement/v4/resource", client.lab.urls().inventory);
        Self { client, resources }
    }

    async fn list(&self, query: &str) -> Answer {
        self.client.get(&format!("{}?{query}", self.resources)).await
    }

    async fn ids(&self, query: &str) -> Vec<String> {
        let listed = self.list(query).await.body;
        listed.as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    }

    async fn patch(&self, id: &str, headers: &[(&str, &str)], patch: Value) -> Answer {
        self.client.send(Method::PATCH, &format!("{}/{id}", self.resources), headers, &patch.to_string()).await
    }
}

#[tokio::test]
async fn resources_are_listed_by_any_attribute_page_by_page() {
    let inventory = Inventory::new().await;
    let ports = inventory.list("resourceSpecification.name=port&resourceStatus=available&limit=10&offset=90").await;
    assert_eq!((ports.header("x-total-count"), ports.header("x-result-count")), ("96", "6"));
    assert_eq!(inventory.ids("resourceCharacteristic.value=198.51.100.7").await, ["bng-1-ipv4-7"]);
    assert_eq!(inventory.ids("resourceRelationship.id=olt-2&resourceCharacteristic.value=1,3").await, ["olt-2-port-1", "olt-2-port-3"]);
    assert_eq!(inventory.ids("name=port%201%20of%20olt-1").await, ["olt-1-port-1"]);
    assert_eq!(inventory.ids("nothing=of+the+kind").await, [""; 0]);
    let shown = inventory.list("id=olt-1-vlan-1&fields=resourceStatus").await.body;
    let href = "/tmf-api/resourceInventoryManagement/v4/resource/olt-1-vlan-1";
    assert_eq!(shown, json!([{"id": "olt-1-vlan-1", "href": href, "resourceStatus": "available"}]));
    let bad = inventory.list("limit=many").await;
    assert_eq!((bad.status, &bad.body["message"]), (400, &json!("limit is \"many\": expected a number")));
}

#[tokio::test]
async fn of_two_that_reserve_a_resource_one_is_told_so() {
    let inventory = Inventory::new().await;
    let (id, reserve) = ("olt-1-port-1", json!({"resourceStatus": "reserved", "resourceCharacteristic": [{"name": "by", "value": "a"}]}));
    let tag = inventory.client.get(&format!("{}/{id}", inventory.resources)).await.header("etag").to_owned();
    let first = inventory.patch(id, &[MERGE, ("if-match", &tag), ("idempotency-key", "a")], reserve.clone()).await;
    let merged = (&first.body["resourceStatus"], &first.body["resourceCharacteristic"][0]["name"], &first.body["name"]);
    assert_eq!((first.status, merged), (200, (&json!("reserved"), &json!("by"), &json!("port 1 of olt-1"))));
    assert_eq!(inventory.patch(id, &[MERGE, ("if-match", &tag), ("idempotency-key", "b")], reserve.clone()).await.status, 412);
    assert_eq!(inventory.patch(id, &[MERGE, ("idempotency-key", "b")], reserve).await.status, 409, "also without a tag");
    assert_eq!(inventory.client.delete(&format!("{}/{id}", inventory.resources)).await.status, 409);
    let release = json!({"resourceStatus": "available", "resourceCharacteristic": null});
    let released = inventory.patch(id, &[MERGE, ("if-match", first.header("etag"))], release).await;
    assert_eq!((released.status, released.body.get("resourceCharacteristic")), (200, None));
    let ledger = inventory.client.ledger(&inventory.client.lab.urls().inventory).await;
    assert_eq!(ledger, ["reserved resource olt-1-port-1 a", "released resource olt-1-port-1 a"]);
}

#[tokio::test]
async fn resources_are_made_and_unmade_and_what_is_none_is_refused() {
    let inventory = Inventory::new().await;
    let spare = json!({"id": "spare", "resourceStatus": "available", "resourceSpecification": {"id": "rs-spare", "name": "spare"}});
    let post = async |body: &Value| inventory.client.post(&inventory.resources, body).await;
    assert_eq!((post(&spare).await.status, post(&spare).await.status), (201, 409));
    assert_eq!(inventory.ids("resourceSpecification.name=spare").await, ["spare"]);
    let url = format!("{}/spare", inventory.resources);
    assert_eq!((inventory.client.delete(&url).await.status, inventory.client.delete(&url).await.status), (204, 404));
    let sold = json!({"resourceStatus": "sold", "resourceSpecification": {"id": "x"}});
    let status = "resourceStatus is \"sold\": expected one of standby, alarm, available, reserved, unknown, suspended";
    let bad = [
        (post(&sold).await, 400, status),
        (post(&json!([])).await, 400, "the body is no resource: expected an object"),
        (inventory.patch("olt-1-port-2", &[MERGE], json!({"resourceStatus": "sold"})).await, 400, status),
        (inventory.patch("olt-1-port-2", &[MERGE], json!({"id": "mine"})).await, 400, "id and href cannot be changed"),
        (inventory.patch("none", &[MERGE], json!({})).await, 404, "there is no resource none"),
    ];
    for (answer, code, message) in bad {
        assert_eq!((answer.status, &answer.body["message"]), (code, &json!(message)));
    }
    let wrong = inventory.patch("olt-1-port-2", &[("content-type", "text/plain")], json!({})).await;
    assert_eq!(wrong.status, 415);
}
