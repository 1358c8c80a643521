//! Every answer of the interface against its OpenAPI document, and the document against itself.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::{super::OPENAPI, Answer, Client, minimal};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(OPENAPI).unwrap());

/// Checks the status, the media type and the body of an answer.
pub(super) fn check(method: &str, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap();
    let operation = match (method, path) {
        (_, "/openapi.json") => return,
        (method @ ("GET" | "POST"), "/productOrder") => &DOCUMENT["paths"]["/productOrder"][method.to_lowercase()],
        ("GET", _) if path.starts_with("/productOrder/") => &DOCUMENT["paths"]["/productOrder/{id}"]["get"],
        // What the document does not describe is refused with its error body.
        _ => return assert_valid("#/components/schemas/Error", &answer.body),
    };
    let described = &operation["responses"][answer.status.as_str()];
    assert!(described.is_object(), "{method} {path} answers {}, which the document does not describe", answer.status);
    let schema = &described["content"]["application/json;charset=utf-8"]["schema"];
    assert_valid_under(schema.clone(), &answer.body);
    for name in described["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
        assert!(answer.headers.contains_key(name.to_lowercase().as_str()), "{method} {path} has no header {name}");
    }
}

/// The attributes by which the document says that orders are found.
pub(super) fn filters() -> Vec<String> {
    let parameters = DOCUMENT["paths"]["/productOrder"]["get"]["parameters"].as_array().unwrap().iter();
    let filters = parameters.filter(|parameter| parameter["schema"]["type"] == "array");
    filters.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
}

/// Whether a body is valid as the schema of that name.
fn is_valid(name: &str, body: &Value) -> bool {
    validator(json!({"$ref": format!("#/components/schemas/{name}")})).is_valid(body)
}

fn assert_valid(reference: &str, body: &Value) {
    assert_valid_under(json!({"$ref": reference}), body);
}

fn assert_valid_under(schema: Value, body: &Value) {
    let validator = validator(schema);
    let errors: Vec<String> = validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?} in {body:#}");
}

fn validator(mut schema: Value) -> Validator {
    schema["components"] = DOCUMENT["components"].clone();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

#[tokio::test]
async fn the_document_is_served_and_names_what_it_uses() {
    let served = Client::new().get("/openapi.json").await.body;
    assert_eq!((&served, &served["openapi"]), (&*DOCUMENT, &json!("3.1.0")));
    let mut references = Vec::new();
    collect_references(&served, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        assert!(served.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference} is nowhere");
    }
}

fn collect_references(value: &Value, references: &mut Vec<String>) {
    if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        references.push(reference.to_owned());
    }
    value.as_object().into_iter().flatten().for_each(|(_, member)| collect_references(member, references));
    value.as_array().into_iter().flatten().for_each(|element| collect_references(element, references));
}

/// A value of each JSON type: most of them are wrong for any one attribute.
fn of_every_type() -> [Value; 6] {
    [json!(null), json!(true), json!(-1), json!("text"), json!([1]), json!({"a": 1})]
}

#[tokio::test]
async fn the_validation_and_the_document_agree_about_every_attribute() {
    let client = Client::new();
    let schemas = &DOCUMENT["components"]["schemas"];
    let places = [("ProductOrderCreate", ""), ("ProductOrderItemCreate", "/productOrderItem/0"), ("Product", "/productOrderItem/0/product")];
    let mut refused = 0;
    for (schema, place) in places {
        for attribute in schemas[schema]["properties"].as_object().unwrap().keys() {
            for value in of_every_type() {
                let mut order = minimal();
                order["productOrderItem"][0]["product"] = json!({});
                order.pointer_mut(place).unwrap()[attribute] = value;
                let (valid, status) = (is_valid("ProductOrderCreate", &order), client.post(&order).await.status.as_u16());
                // Beyond their shape, items need an offering and an action that changes something.
                let offering = order["productOrderItem"][0]["productOffering"]["id"].is_string();
                assert_eq!(valid && offering, status == 201, "{order} is valid: {valid}, and was answered {status}");
                refused += usize::from(status == 400);
            }
        }
    }
    assert!(refused > 150, "only {refused} orders were refused");
}

#[test]
fn the_schemas_refuse_what_they_should() {
    let order = json!({"id": "00000000-0000-7000-8000-000000000001", "href": "/tmf-api/productOrderingManagement/v4/productOrder/00000000-0000-7000-8000-000000000001",
        "state": "held", "productOrderItem": [{"id": "1", "action": "add", "state": "held"}]});
    assert!(is_valid("ProductOrder", &order));
    for (pointer, value) in [
        ("/state", json!("fallout")),
        ("/id", json!("1")),
        ("/href", json!("/x")),
        ("/productOrderItem", json!([])),
        ("/productOrderItem/0/state", json!("partial")),
    ] {
        let mut wrong = order.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        assert!(!is_valid("ProductOrder", &wrong), "{pointer}");
    }
    let error = json!({"code": "60", "reason": "r", "message": "m", "status": "404"});
    assert!(is_valid("Error", &error));
    assert!(!is_valid("Error", &json!({"code": "60", "reason": "r", "message": "m", "status": "404", "extra": 1})));
}
