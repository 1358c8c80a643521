//! The plugin against a scripted catalogue.

use jackfield_plugin_sdk::{
    Catalog as _, Characteristic, Failure,
    catalog::{Action, Decomposition, Request},
    testing::{self, Http, Reply},
};
use serde_json::{Value, json};

use crate::Tmf633;

fn offering(id: &str, document: Value) {
    serve("productCatalogManagement/v4/productOffering", id, &document);
}

fn product(id: &str, services: &[&str]) {
    let services: Vec<Value> = services.iter().map(|it| json!({ "id": it })).collect();
    serve("productCatalogManagement/v4/productSpecification", id, &json!({ "serviceSpecification": services }));
}

fn service(id: &str, document: Value) {
    serve("serviceCatalogManagement/v4/serviceSpecification", id, &document);
}

fn serve(collection: &str, id: &str, document: &Value) {
    let url = format!("http://catalog/tmf-api/{collection}/{id}");
    Http::on("GET", &url, Reply::json(200, &document.to_string()));
}

fn simple(name: &str, resource_type: &str) -> Value {
    json!({ "name": name, "resourceSpecification": [{ "id": "r", "name": resource_type }] })
}

fn request(offering: &str) -> Request {
    Request { offering: offering.into(), action: Action::Add, quantity: 1, characteristics: Vec::new() }
}

fn apply(request: Request) -> Result<Decomposition, Failure> {
    Tmf633::apply(&testing::call("key"), request)
}

fn names(decomposition: &Decomposition) -> Vec<(&str, &str)> {
    decomposition.services.iter().map(|it| (it.name.as_str(), it.resource_type.as_str())).collect()
}

fn refused(request: Request, code: &str, message: &str) {
    let reason = testing::rejected(apply(request));
    assert_eq!((reason.code.as_str(), reason.message.as_str()), (code, message));
}

#[test]
fn an_offering_becomes_its_services_and_plan() {
    offering("fibre", json!({ "productSpecification": { "id": "p" }, "productOfferingPrice": [{ "id": "plan-50" }] }));
    product("p", &["s1", "s2"]);
    service("s1", simple("access", "port"));
    service("s2", simple("internet", "ipv4"));
    let decomposition = apply(request("fibre")).unwrap();
    assert_eq!(names(&decomposition), [("access", "port"), ("internet", "ipv4")]);
    assert_eq!(decomposition.plan.as_deref(), Some("plan-50"));
    Http::assert_finished();
}

#[test]
fn bundles_are_followed_at_every_level() {
    offering("triple", json!({ "isBundle": true, "bundledProductOffering": [{ "id": "fibre" }, { "id": "tv" }] }));
    offering("fibre", json!({ "productSpecification": { "id": "p1" }, "productOfferingPrice": [{ "id": "plan-50" }] }));
    offering("tv", json!({ "isSellable": false, "productSpecification": { "id": "p2" } }));
    product("p1", &["bundle"]);
    product("p2", &["s3"]);
    service("bundle", json!({ "name": "b", "isBundle": true, "serviceSpecRelationship": [{ "id": "s1" }, { "id": "s2" }] }));
    service("s1", simple("access", "port"));
    service("s2", simple("internet", "ipv4"));
    service("s3", simple("access", "vlan"));
    let decomposition = apply(request("triple")).unwrap();
    assert_eq!(names(&decomposition), [("access", "port"), ("internet", "ipv4"), ("access#2", "vlan")]);
    assert_eq!(decomposition.plan.as_deref(), Some("plan-50"));
    Http::assert_finished();
}

#[test]
fn what_the_customer_chose_goes_over_the_offering_over_the_specification() {
    let uses = json!([{ "name": "speed", "productSpecCharacteristicValue": [{ "value": 50 }] },
        { "name": "speed_up", "productSpecCharacteristicValue": [{ "value": 10 }, { "value": 20, "isDefault": true }] }]);
    offering("fibre", json!({ "productSpecification": { "id": "p" }, "prodSpecCharValueUse": uses }));
    product("p", &["s"]);
    let mut document = simple("access", "port");
    document["specCharacteristic"] = json!([
        { "name": "speed", "characteristicValueSpecification": [{ "value": "25" }] },
        { "name": "speed_up", "characteristicValueSpecification": [{ "value": "5" }] },
        { "name": "voice", "characteristicValueSpecification": [{ "value": false }] },
        { "name": "free", "characteristicValueSpecification": [{ "value": "a" }, { "value": "b" }] }]);
    service("s", document);
    let characteristics = vec![Characteristic::new("speed", "100"), Characteristic::new("colour", "red")];
    let decomposition = apply(Request { characteristics, ..request("fibre") }).unwrap();
    let expected = [("speed", "100"), ("speed_up", "20"), ("voice", "false")].map(|(name, value)| Characteristic::new(name, value));
    assert_eq!(decomposition.services[0].characteristics, expected);
}

#[test]
fn quantity_multiplies_the_services_under_unique_names() {
    offering("fibre", json!({ "productSpecification": { "id": "p" } }));
    product("p", &["s"]);
    service("s", json!({ "name": "access", "resourceSpecification": [{ "name": "port" }, { "name": "vlan" }] }));
    let decomposition = apply(Request { quantity: 2, ..request("fibre") }).unwrap();
    let expected = [("access/port", "port"), ("access/vlan", "vlan"), ("access/port#2", "port"), ("access/vlan#2", "vlan")];
    assert_eq!(names(&decomposition), expected);
}

#[test]
fn a_bundle_that_contains_itself_is_refused() {
    offering("a", json!({ "bundledProductOffering": [{ "id": "b" }] }));
    offering("b", json!({ "bundledProductOffering": [{ "id": "a" }] }));
    let message = r#"the catalogue has a cycle: product offering "a" > product offering "b" > product offering "a""#;
    refused(request("a"), "catalog_cycle", message);

    offering("c", json!({ "productSpecification": { "id": "p" } }));
    product("p", &["s"]);
    service("s", json!({ "name": "s", "isBundle": true, "serviceSpecRelationship": [{ "id": "s" }] }));
    refused(request("c"), "catalog_cycle", r#"the catalogue has a cycle: service specification "s" > service specification "s""#);
}

#[test]
fn an_offering_of_nothing_is_refused() {
    offering("empty", json!({ "name": "Nothing" }));
    refused(request("empty"), "empty_decomposition", r#"the product offering "empty" consists of no service"#);
    offering("zero", json!({ "productSpecification": { "id": "p" } }));
    product("p", &[]);
    refused(request("zero"), "empty_decomposition", r#"the product offering "zero" consists of no service"#);
}

#[test]
fn what_is_not_for_sale_can_be_ended_but_not_added() {
    let retired = || json!({ "lifecycleStatus": "Retired", "productSpecification": { "id": "p" } });
    offering("old", retired());
    refused(request("old"), "not_sellable", r#"the product offering "old" cannot be ordered: it is Retired"#);
    offering("old", retired());
    product("p", &["s"]);
    service("s", simple("access", "port"));
    assert!(apply(Request { action: Action::Delete, ..request("old") }).is_ok());
    offering("part", json!({ "isSellable": false }));
    refused(request("part"), "not_sellable", r#"the product offering "part" is sold in a bundle only"#);
}

#[test]
fn a_missing_document_says_whose_fault_it_is() {
    let url = "http://catalog/tmf-api/productCatalogManagement/v4/productOffering/a%2Fb";
    Http::on("GET", url, Reply::status(404));
    refused(request("a/b"), "unknown_offering", r#"the catalogue has no product offering "a/b""#);
    offering("bundle", json!({ "bundledProductOffering": [{ "id": "gone" }] }));
    Http::on("GET", "http://catalog/tmf-api/productCatalogManagement/v4/productOffering/gone", Reply::status(404));
    refused(request("bundle"), "bad_catalog", r#"the catalogue refers to a product offering "gone" that it does not have"#);
}

#[test]
fn a_resource_type_that_cannot_be_a_label_is_refused() {
    for wrong in ["", "Port", "a-b", "abcdefghijklmnopqrstuvwxyz0123456"] {
        offering("x", json!({ "productSpecification": { "id": "p" } }));
        product("p", &["s"]);
        service("s", simple("access", wrong));
        let message = format!("the service specification \"s\" names the resource type {wrong:?}; expected 1 to 32 characters of a-z, 0-9 and _");
        refused(request("x"), "bad_catalog", &message);
    }
}

#[test]
fn size_and_depth_are_bounded() {
    offering("x", json!({ "productSpecification": { "id": "p" } }));
    product("p", &["s"]);
    service("s", simple("access", "port"));
    let many = Request { quantity: u32::MAX, ..request("x") };
    refused(many, "catalog_limit", "the order item comes to 4294967295 services, at most 64 are allowed");
    for level in 0..17 {
        offering(&format!("o{level}"), json!({ "bundledProductOffering": [{ "id": format!("o{}", level + 1) }] }));
    }
    refused(request("o0"), "catalog_limit", r#"the offering is nested deeper than 16 levels at the product offering "o16""#);
}

#[test]
fn a_catalogue_that_is_down_or_talks_nonsense_is_a_retry() {
    let url = "http://catalog/tmf-api/productCatalogManagement/v4/productOffering/x";
    for reply in [Reply::status(500), Reply::refused(), Reply::no_answer(), Reply::json(200, "<html>")] {
        Http::on("GET", url, reply);
        assert!(matches!(apply(request("x")), Err(Failure::Unavailable(_))));
    }
}
