//! Every request that is answered, and every answer, against the OpenAPI document, and the document against itself.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::{super::OPENAPI, ask, exchange, world};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(OPENAPI).unwrap());

/// Whether a path is one of a template.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len() && template.iter().zip(&path).all(|(part, given)| part.starts_with('{') || part == given)
}

/// What the document says of a request. A path that is written out comes before a template.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap();
    let mut fitting: Vec<&String> = DOCUMENT["paths"].as_object().unwrap().keys().filter(|template| fits(template, path)).collect();
    fitting.sort_by_key(|template| template.matches('{').count());
    DOCUMENT["paths"][fitting.first()?.as_str()].get(method.to_lowercase())
}

/// Checks a request that was taken, and the status and the body of its answer.
pub(super) fn check(method: &str, path: &str, sent: &Value, status: u16, answer: &Value) {
    let Some(operation) = operation(method, path) else {
        // What the document does not describe is refused with its error body.
        return if path != "/openapi.json" {
            assert_valid(&json!({"$ref": "#/components/schemas/Error"}), answer)
        };
    };
    let described = &operation["responses"][status.to_string()];
    assert!(described.is_object(), "{method} {path} answers {status}, which the document does not describe: {answer}");
    let schema = &described["content"]["application/json"]["schema"];
    if schema.is_null() {
        assert_eq!(answer, &Value::Null, "{method} {path}");
    } else {
        assert_valid(schema, answer);
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if (200..300).contains(&status) && !sent.is_null() {
        assert_valid(body, sent);
    }
}

fn assert_valid(schema: &Value, body: &Value) {
    let validator = validator(schema.clone());
    let errors: Vec<String> = validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?} in {body:#}");
}

fn validator(mut schema: Value) -> Validator {
    schema["components"] = DOCUMENT["components"].clone();
    jsonschema::options().build(&schema).unwrap()
}

fn collect_references(value: &Value, references: &mut Vec<String>) {
    if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        references.push(reference.to_owned());
    }
    value.as_object().into_iter().flatten().for_each(|(_, member)| collect_references(member, references));
    value.as_array().into_iter().flatten().for_each(|element| collect_references(element, references));
}

#[tokio::test]
async fn the_document_is_served_and_names_what_it_uses() {
    let (_world, mut router) = world().await;
    let (status, served) = ask(&mut router, "GET", "/openapi.json", Value::Null).await;
    assert_eq!((status, &served, &served["openapi"]), (200, &*DOCUMENT, &json!("3.1.0")));
    let mut references = Vec::new();
    collect_references(&served, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        assert!(served.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference} is nowhere");
    }
}

/// A value of each JSON type: most of them are wrong for any one field.
fn of_every_type() -> [Value; 6] {
    [json!(null), json!(true), json!(-1), json!("text"), json!([1]), json!({"a": 1})]
}

#[tokio::test]
async fn the_validation_and_the_document_agree_about_the_type_of_every_field() {
    let (_world, mut router) = world().await;
    let known = json!({"oui": "00D09E", "serial": "S1", "customer": "c", "plan": "p"});
    let setting = json!({"name": "a", "value": "v"});
    let mut refused = 0;
    for (method, path, schema, good, wrap) in [
        ("POST", "/devices", "NewDevice", known, (|body| json!([body])) as fn(Value) -> Value),
        ("POST", "/plans", "NewPlan", json!({"name": "p"}), |body| body),
        ("POST", "/plans", "Setting", setting, |body| json!({"name": "p", "settings": [body]})),
        ("POST", "/credentials", "NewCredential", json!({"username": "u", "password": "p"}), |body| body),
        ("PUT", "/quirks/q", "QuirkRecord", json!({}), |body| body),
        ("PUT", "/quirks/q", "QuirkChanges", json!({}), |body| json!({"set": body})),
    ] {
        let validator = validator(json!({"$ref": format!("#/components/schemas/{schema}")}));
        assert!(validator.is_valid(&good), "{good}");
        for field in DOCUMENT["components"]["schemas"][schema]["properties"].as_object().unwrap().keys() {
            for value in of_every_type() {
                let mut body = good.clone();
                body[field] = value;
                // `null` is as good as nothing where a field may be absent, which the document does not repeat for each.
                let absent = body[field].is_null();
                let (valid, (status, answer)) = (validator.is_valid(&body), exchange(&mut router, method, path, wrap(body.clone())).await);
                assert!(status == 400 || (200..300).contains(&status), "{body}: {status} {answer}");
                // What these may say is more than the type of a text, and the sentence of the refusal has it.
                let meant = ["parameter_root", "cookie_path", "oui"].contains(&field.as_str());
                assert!(absent || meant || valid == (status < 300), "{schema} {body} is valid: {valid}, and was answered {status} {answer}");
                refused += usize::from(status == 400);
            }
        }
    }
    assert!(refused > 100, "only {refused} were refused");
}
