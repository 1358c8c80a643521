//! Settings against their JSON Schemas. A setting is a text; where its schema's type is `string` the text is the value, otherwise it is read as JSON.

use std::collections::{BTreeMap, HashMap};

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use crate::{
    ask::Ask,
    manifest::{Manifest, ManifestError, Setting},
};

/// The largest schema, as JSON, in bytes.
const MAX_SCHEMA: usize = 8_192;

/// The most parts that a schema has with its references written out: ten times what fits into one without any.
const MAX_PARTS: u64 = 20_000;

/// What leads from one part of a schema to another, or gives a part a name that others could lead to.
const REFERENCES: [&str; 6] = ["$ref", "$dynamicRef", "$recursiveRef", "$id", "$anchor", "$dynamicAnchor"];

/// A setting that a plugin cannot use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("config.{name}: {problem}")]
pub struct SettingError {
    name: String,
    problem: String,
}

impl Manifest {
    /// Whether the schemas of its settings are JSON Schemas that refer to nothing outside of themselves.
    pub fn check_schemas(&self) -> Result<(), ManifestError> {
        for setting in &self.capabilities.config {
            if let Some(schema) = &setting.schema {
                validator(schema).map_err(|problem| ManifestError { at: format!(".capabilities.config.{}.schema", setting.name), problem })?;
            }
        }
        Ok(())
    }

    /// Whether the settings that an operator gave are what the manifest says: each fits its schema, and those that are required are there.
    pub fn check_settings(&self, given: &BTreeMap<String, String>) -> Result<(), SettingError> {
        self.check_given(given)?;
        let missing = self.capabilities.config.iter().find(|setting| setting.required && !given.contains_key(&setting.name));
        let Some(setting) = missing else { return Ok(()) };
        let Ask { why, line, .. } = Ask::setting(setting);
        let why = why.map_or_else(String::new, |why| format!(" ({why})"));
        let problem = format!("the plugin needs this setting{why}; to set it, add to the configuration:\n{line}");
        Err(SettingError { name: setting.name.clone(), problem })
    }

    /// Whether each setting that an operator gave fits its schema.
    pub fn check_given(&self, given: &BTreeMap<String, String>) -> Result<(), SettingError> {
        for setting in &self.capabilities.config {
            if let Some(text) = given.get(&setting.name) {
                check(setting, text).map_err(|problem| SettingError { name: setting.name.clone(), problem })?;
            }
        }
        Ok(())
    }
}

/// The text is not repeated: a setting may be more private than a log.
fn check(setting: &Setting, text: &str) -> Result<(), String> {
    let Some(schema) = &setting.schema else { return Ok(()) };
    let value = if schema["type"] == "string" {
        Value::String(text.to_owned())
    } else {
        serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}; expected JSON, because the schema's type is not `string`"))?
    };
    let validator = validator(schema)?;
    let Some(error) = validator.iter_errors(&value).next() else { return Ok(()) };
    let (place, error) = (error.instance_path().to_string(), error.masked());
    Err(if place.is_empty() { error.to_string() } else { format!("{place}: {error}") })
}

fn validator(schema: &Value) -> Result<Validator, String> {
    let size = schema.to_string().len();
    if size > MAX_SCHEMA {
        return Err(format!("it has {size} bytes, expected at most {MAX_SCHEMA}"));
    }
    let mut cost = Cost { root: schema, known: HashMap::new() };
    let parts = cost.of(schema)?;
    if parts > MAX_PARTS {
        return Err(format!("with its references written out it has more than {MAX_PARTS} parts, which takes too long to check against"));
    }
    // Patterns come from a vendor: this engine takes time in proportion to the text.
    let options = jsonschema::options().with_draft(Draft::Draft202012).with_pattern_options(PatternOptions::regex().size_limit(1 << 20));
    options.build(schema).map_err(|error| format!("it is no JSON Schema: {error}"))
}

/// How many parts a schema has when every reference is replaced by what it refers to: a few lines can refer to each other a billion times.
struct Cost<'s> {
    root: &'s Value,
    /// What was counted, by address; nothing while it is being counted, so that a schema may refer to itself.
    known: HashMap<*const Value, Option<u64>>,
}

impl<'s> Cost<'s> {
    fn of(&mut self, schema: &'s Value) -> Result<u64, String> {
        match self.known.get(&std::ptr::from_ref(schema)) {
            Some(counted) => return Ok(counted.unwrap_or(1)),
            None => self.known.insert(schema, None),
        };
        let mut sum = 1_u64;
        match schema {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let cost = match value.as_str().filter(|_| REFERENCES.contains(&name.as_str())) {
                        Some(target) => self.reference(name, target)?,
                        None => self.of(value)?,
                    };
                    sum = sum.saturating_add(cost);
                }
            }
            Value::Array(items) => {
                for item in items {
                    sum = sum.saturating_add(self.of(item)?);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        self.known.insert(schema, Some(sum));
        Ok(sum)
    }

    fn reference(&mut self, name: &str, target: &str) -> Result<u64, String> {
        let within = (name == "$ref").then(|| target.strip_prefix('#')).flatten().and_then(|pointer| self.root.pointer(pointer));
        let expected = "expected `$ref` within the schema only, such as \"#/$defs/port\"";
        within.map_or_else(|| Err(format!("it has {name} `{target}`: {expected}")), |schema| self.of(schema))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(config: Value) -> Manifest {
        let contracts = json!([{"contract": "jackfield:order/inventory", "verbs": ["apply"], "idempotent": true}]);
        let manifest = json!({"name": "p", "version": "1.0.0", "contracts": contracts, "capabilities": {"config": config}});
        Manifest::parse(manifest.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_setting_must_fit_its_schema() {
        let manifest = manifest(json!([
            {"name": "pools", "why": "what there is", "required": true,
             "schema": {"type": "object", "additionalProperties": {"type": "object", "required": ["count"]}}},
            {"name": "plan", "schema": {"type": "string", "pattern": "^[a-z]+$"}},
            {"name": "poll_ms", "schema": {"type": "integer", "minimum": 1}},
            "free",
        ]));
        manifest.check_schemas().unwrap();
        let check = |given: &[(&str, &str)], expected: &str| {
            let given = given.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
            let found = manifest.check_settings(&given).map_or_else(|error| error.to_string(), |()| "good".to_owned());
            assert!(found.starts_with(expected), "expected: {expected}\nfound: {found}");
        };
        let pools = ("pools", r#"{"port": {"count": 1}}"#);
        check(&[pools, ("plan", "flat"), ("poll_ms", "200"), ("free", "anything")], "good");
        check(&[], "config.pools: the plugin needs this setting (what there is); to set it, add to the configuration:\nconfig.\"pools\" = \"...\"");
        check(&[("pools", "{")], "config.pools: it is not JSON: EOF");
        check(&[("pools", r#"{"port": {"number": 1}}"#)], "config.pools: /port: ");
        check(&[pools, ("poll_ms", "0")], "config.poll_ms: ");
        check(&[pools, ("plan", "Flat")], "config.plan: ");
        let given = BTreeMap::from([("pools".to_owned(), "{}".to_owned()), ("plan".to_owned(), "S3cret".to_owned())]);
        assert!(!manifest.check_settings(&given).unwrap_err().to_string().contains("S3cret"));
    }

    #[test]
    fn a_schema_must_be_one_and_stand_for_itself() {
        let refused = |schema: Value, expected: &str| {
            let error = manifest(json!([{"name": "a", "schema": schema}])).check_schemas().unwrap_err().to_string();
            assert!(error.starts_with(&format!("manifest.capabilities.config.a.schema: {expected}")), "{error}");
        };
        refused(json!({"type": "strin"}), "it is no JSON Schema: ");
        refused(json!({"type": "string", "pattern": "("}), "it is no JSON Schema: ");
        refused(json!({"type": "string", "pattern": "(a{1000}){1000}"}), "it is no JSON Schema: ");
        refused(
            json!({"properties": {"x": {"$ref": "https://example.com/s.json"}}}),
            "it has $ref `https://example.com/s.json`: expected `$ref` within",
        );
        refused(json!({"$ref": "file:///etc/passwd"}), "it has $ref `file:///etc/passwd`: ");
        refused(json!({"$ref": "#/$defs/none"}), "it has $ref `#/$defs/none`: ");
        refused(json!({"$id": "https://example.com"}), "it has $id `https://example.com`: ");
        refused(json!({"description": "x".repeat(9000)}), "it has ");
        manifest(json!([{"name": "a", "schema": {"$ref": "#/$defs/x", "$defs": {"x": {"type": "string"}}}}])).check_schemas().unwrap();
    }

    #[test]
    fn a_schema_that_grows_without_end_is_refused() {
        let of = |number: u32| json!({"allOf": [{"$ref": format!("#/$defs/{number}")}, {"$ref": format!("#/$defs/{number}")}]});
        let mut parts: serde_json::Map<String, Value> = (0..40).map(|number| (number.to_string(), of(number + 1))).collect();
        parts.insert("40".to_owned(), json!({"type": "object"}));
        let manifest = manifest(json!([{"name": "a", "schema": {"$ref": "#/$defs/0", "$defs": parts}}]));
        let error = manifest.check_schemas().unwrap_err().to_string();
        assert!(error.contains("with its references written out it has more than 20000 parts"), "{error}");
        assert!(manifest.check_given(&BTreeMap::from([("a".to_owned(), "{}".to_owned())])).is_err());
    }

    #[test]
    fn a_schema_of_itself_ends() {
        for schema in [
            json!({"$ref": "#"}),
            json!({"anyOf": [{"$ref": "#"}]}),
            json!({"not": {"$ref": "#"}}),
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}}}),
        ] {
            let manifest = manifest(json!([{"name": "a", "schema": schema}]));
            let _either = (manifest.check_schemas(), manifest.check_given(&BTreeMap::from([("a".to_owned(), "1".to_owned())])));
        }
    }
}
