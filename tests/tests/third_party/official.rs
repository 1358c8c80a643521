//! The TMF622 v4 document of TM Forum: what it says of answers, and orders made from it.

use std::collections::BTreeMap;

use end_to_end_tests::harness::Answer;
use serde_json::{Map, Value, json};

/// How many references deep an example goes; attributes that are not required end there.
const DEPTH: usize = 3;

/// The document, in Swagger 2.0.
pub(crate) struct Official(Value);

impl Official {
    pub(crate) fn read() -> Self {
        Self(serde_json::from_str(&crate::fixture("tmf/TMF622-ProductOrder-v4.0.0.swagger.json")).unwrap())
    }

    /// Checks an answer of an operation against what the document says of that status. An answer to `fields` lacks attributes that are otherwise required.
    pub(crate) fn check(&self, operation: [&str; 2], status: &str, answer: &Answer, is_cut: bool) {
        let [method, path] = operation;
        let described = &self.0["paths"][path][method]["responses"][status];
        assert!(described.is_object(), "{method} {path} has no status {status}");
        let media_type = answer.header("content-type").unwrap();
        assert_eq!(media_type.split(';').next(), Some("application/json"), "{method} {path} {status}");
        for header in described["headers"].as_object().into_iter().flat_map(Map::keys) {
            assert!(answer.header(&header.to_lowercase()).is_some(), "{method} {path} {status} has no {header}");
        }
        let mut definitions = self.0["definitions"].clone();
        if is_cut {
            definitions["ProductOrder"].as_object_mut().unwrap().remove("required");
        }
        let errors = errors(&described["schema"], definitions, &answer.body);
        assert!(errors.is_empty(), "{method} {path} {status}: {errors:#?} in {:#}", answer.body);
    }

    /// What is wrong with a value as one of a definition.
    pub(crate) fn errors(&self, definition: &str, value: &Value) -> Vec<String> {
        errors(&reference(definition), self.0["definitions"].clone(), value)
    }

    /// The attributes of a definition with their JSON types; `None` where any is allowed.
    pub(crate) fn attributes(&self, definition: &str) -> BTreeMap<String, Option<String>> {
        let attributes = self.0["definitions"][definition]["properties"].as_object().unwrap().iter();
        attributes.map(|(name, schema)| (name.clone(), self.resolve(schema)["type"].as_str().map(str::to_owned))).collect()
    }

    /// The values that a definition enumerates.
    pub(crate) fn values(&self, definition: &str) -> Vec<Value> {
        self.0["definitions"][definition]["enum"].as_array().unwrap().clone()
    }

    /// An order with every attribute of every object down to some depth.
    pub(crate) fn full_order(&self) -> Value {
        self.example("ProductOrder_Create")
    }

    /// A value of an attribute with everything in it.
    pub(crate) fn value(&self, definition: &str, attribute: &str) -> Value {
        self.example(definition)[attribute].take()
    }

    fn example(&self, definition: &str) -> Value {
        let mut example = Example { official: self, texts: 0 }.value(&reference(definition), 0);
        make_items_possible(&mut example);
        example
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let Some(reference) = schema["$ref"].as_str() else { return schema };
        self.0.pointer(reference.strip_prefix('#').unwrap()).unwrap()
    }
}

/// Makes values, no text twice.
struct Example<'a> {
    official: &'a Official,
    texts: usize,
}

impl Example<'_> {
    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        let depth = depth + usize::from(schema["$ref"].is_string());
        let schema = self.official.resolve(schema);
        if let Some(first) = schema["enum"].get(0) {
            return first.clone();
        }
        match (schema["type"].as_str(), schema["format"].as_str()) {
            (Some("string"), Some("date-time")) => json!("2031-05-01T10:00:00.25Z"),
            (Some("string"), Some("uri")) => json!("https://example.com/schema.json"),
            (Some("string"), _) => {
                self.texts += 1;
                json!(format!("text {}", self.texts))
            }
            (Some("integer"), _) => json!(3),
            (Some("number"), _) => json!(12.5),
            (Some("boolean"), _) => json!(true),
            (Some("array"), _) => json!([self.value(&schema["items"], depth)]),
            (Some("object"), _) => self.object(schema, depth),
            (None, _) => json!({"any": [null, -1, "x"]}),
            other => panic!("{other:?} is no type"),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let required = |name: &String| schema["required"].as_array().is_some_and(|required| required.contains(&json!(name)));
        let attributes = schema["properties"].as_object().into_iter().flatten();
        let attributes = attributes.filter(|(name, _)| depth <= DEPTH || required(name));
        attributes.map(|(name, schema)| (name.clone(), self.value(schema, depth))).collect::<Map<_, _>>().into()
    }
}

/// An item without components needs an offering, which the document does not require; its state is the server's.
fn make_items_possible(parent: &mut Value) {
    for item in parent["productOrderItem"].as_array_mut().into_iter().flatten() {
        make_items_possible(item);
        if item["productOrderItem"].is_null() && item["productOffering"].is_null() {
            item["productOffering"] = json!({"id": "fibre"});
        }
        let item = item.as_object_mut().unwrap();
        item.retain(|name, value| name != "state" && !value.is_null());
    }
}

fn reference(definition: &str) -> Value {
    json!({"$ref": format!("#/definitions/{definition}")})
}

fn errors(schema: &Value, definitions: Value, value: &Value) -> Vec<String> {
    let schema = json!({"$schema": "http://json-schema.org/draft-04/schema#", "allOf": [schema], "definitions": definitions});
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}
