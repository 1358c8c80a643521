//! Parameters with placeholders, and the values that fill them.

use std::collections::BTreeMap;

use jackfield_plugin_sdk::{Failure, seed, sql::Value};
use serde_json::Value as Json;

use crate::{BAD_VALUE, template::bad};

/// What begins the name of a setting of the request.
const SETTING: &str = "setting.";

/// The values that placeholders stand for.
#[derive(Debug)]
pub(crate) struct Scope<'a>(BTreeMap<String, &'a str>);

impl<'a> Scope<'a> {
    /// What a request says.
    pub(crate) fn of(request: &'a seed::Request, version: &'a str) -> Self {
        let tenant = &request.tenant;
        let fixed = [
            ("tenant.id", tenant.id.as_str()),
            ("tenant.slug", &tenant.slug),
            ("tenant.plan", &tenant.plan),
            ("tenant.region", &tenant.region),
            ("name", &request.name),
            ("template", &request.template),
            ("version", version),
        ];
        let settings = request.settings.iter().map(|it| (format!("{SETTING}{}", it.name), it.value.as_str()));
        Self(fixed.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(settings).collect())
    }

    /// What is known when the data is taken back.
    pub(crate) fn bare(template: &'a str, version: &'a str) -> Self {
        Self([("template".to_owned(), template), ("version".to_owned(), version)].into())
    }

    /// Puts the values in their places.
    fn fill(&self, template: &str, text: &str) -> Result<String, Failure> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            filled.push_str(before);
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                filled.push_str(&from[..1]);
                rest = after;
                continue;
            }
            let (name, after) = from.strip_prefix('{').and_then(|inner| inner.split_once('}')).ok_or_else(|| {
                bad(template, &format!("the parameter {text:?} has a brace that is no placeholder; expected {{{{ or }}}} for a brace"))
            })?;
            filled.push_str(self.value(template, name)?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn value(&self, template: &str, name: &str) -> Result<&'a str, Failure> {
        let found = self.0.get(name).copied();
        found.ok_or_else(|| match name.strip_prefix(SETTING) {
            // In an undo there are none, and that is the template's mistake.
            Some(setting) if self.0.contains_key("tenant.id") => {
                Failure::rejected(BAD_VALUE, format!("the template {template} needs the setting {setting:?}, which the request does not have"))
            }
            _ => bad(template, &format!("the placeholder {{{name}}} has no meaning here; expected one of {}", self.names())),
        })
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.0.keys().map(String::as_str).filter(|name| !name.starts_with(SETTING)).collect();
        names.join(", ")
    }
}

/// A parameter with its placeholders filled.
pub(crate) fn parameter(template: &str, written: &Json, scope: &Scope<'_>) -> Result<Value, Failure> {
    match written {
        Json::Null => Ok(Value::Null),
        Json::Bool(truth) => Ok(Value::Boolean(*truth)),
        Json::Number(number) => Ok(number.as_i64().map(Value::Integer).or_else(|| number.as_f64().map(Value::Real)).unwrap_or(Value::Null)),
        Json::String(text) => Ok(Value::Text(scope.fill(template, text)?)),
        Json::Object(typed) => match typed.iter().next() {
            Some((kind, Json::String(text))) if typed.len() == 1 => read(template, kind, &scope.fill(template, text)?),
            _ => Err(not_a_parameter(template, written)),
        },
        Json::Array(_) => Err(not_a_parameter(template, written)),
    }
}

fn read(template: &str, kind: &str, text: &str) -> Result<Value, Failure> {
    let value = match kind {
        "integer" => text.parse().ok().map(Value::Integer),
        "real" => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Real),
        "boolean" => text.parse().ok().map(Value::Boolean),
        other => return Err(bad(template, &format!("{other:?} is no type of a parameter; expected integer, real or boolean"))),
    };
    value.ok_or_else(|| {
        let shown: String = text.chars().take(64).collect();
        Failure::rejected(BAD_VALUE, format!("the template {template} needs a value of the type {kind}; got {shown:?}"))
    })
}

fn not_a_parameter(template: &str, written: &Json) -> Failure {
    let shown: String = written.to_string().chars().take(64).collect();
    bad(template, &format!("{shown} is no parameter; expected null, a truth value, a number, a text or {{\"integer\": text}}"))
}

/// The first placeholder in a text where none may be.
pub(crate) fn placeholder_in(text: &str) -> Option<String> {
    text.split('{').skip(1).filter_map(|inner| inner.split_once('}')).map(|(name, _)| name).find_map(|name| {
        let known = name.starts_with(SETTING) || name.starts_with("tenant.") || ["name", "template", "version"].contains(&name);
        known.then(|| format!("{{{name}}}"))
    })
}
