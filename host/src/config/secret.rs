//! Secrets by reference: `env:NAME` and `file:PATH`. The reference is what is stored and printed, never the value.

use std::path::Path;

use plugin_runtime::SealKey;
use serde_json::{Value, json};

use super::Secrets;

/// A reference that does not lead to a secret.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {detail}")]
pub(crate) struct SecretError {
    place: String,
    detail: String,
}

/// The places in a rule that hold secrets.
const SECRET_KEYS: [&str; 2] = ["headers", "auth"];
/// What stands beside secrets in `auth` and is none: a reference leads to its text, but it is not hidden.
const OPEN_KEYS: [&str; 7] = ["user", "name", "region", "service", "header", "timestamp_header", "prefix"];

/// A grant with its references replaced by what they lead to. Only places that hold secrets are looked at, and certificates.
///
/// A secret that a reference led to stands as `{"secret": "..."}`, so that the runtime knows it for one.
pub(crate) fn resolve(grant: &Value, directory: &Path) -> Result<Value, SecretError> {
    let mut grant = grant.clone();
    if let Some(Value::Object(rules)) = grant.get_mut("http") {
        for (name, rule) in rules {
            for key in SECRET_KEYS {
                if let Some(value) = rule.get_mut(key) {
                    replace(value, directory, &format!("grant.http.{name}.{key}"), false)?;
                }
            }
            if let Some(value) = rule.get_mut("ca") {
                replace(value, directory, &format!("grant.http.{name}.ca"), true)?;
            }
        }
    }
    if let Some(Value::Object(secrets)) = grant.get_mut("secrets") {
        for (name, value) in secrets {
            let place = format!("grant.secrets.{name}");
            let written = !value.is_string();
            replace(value, directory, &place, false)?;
            if written || value.is_string() {
                return Err(SecretError { place, detail: UNREFERENCED.to_owned() });
            }
        }
    }
    Ok(grant)
}

/// A secret that is written out would be stored with the grant.
const UNREFERENCED: &str = "expected a reference, `env:NAME` or `file:PATH`: a secret that is written out would be stored and shown";

/// The key with which plugins' texts are sealed, if the operator set one.
pub(crate) fn seal_key(secrets: &Secrets, directory: &Path) -> Result<Option<SealKey>, SecretError> {
    let wrong = |detail: String| SecretError { place: "secrets.seal_key".to_owned(), detail };
    let Some(reference) = &secrets.seal_key else { return Ok(None) };
    let text = read(reference, directory).map_err(wrong)?.ok_or_else(|| wrong(UNREFERENCED.to_owned()))?;
    SealKey::parse(&text).map(Some).map_err(|error| wrong(error.to_string()))
}

/// A secret that is given by reference and in no other way.
pub(crate) fn secret_text(key: &str, reference: &str, directory: &Path) -> Result<String, SecretError> {
    let wrong = |detail: String| SecretError { place: key.to_owned(), detail };
    read(reference, directory).map_err(wrong)?.ok_or_else(|| wrong(UNREFERENCED.to_owned()))
}

/// `open`: what it leads to is no secret.
fn replace(value: &mut Value, directory: &Path, place: &str, open: bool) -> Result<(), SecretError> {
    match value {
        Value::String(text) => {
            if let Some(secret) = read(text, directory).map_err(|detail| SecretError { place: place.to_owned(), detail })? {
                *value = if open { Value::String(secret) } else { json!({ "secret": secret }) };
            }
            Ok(())
        }
        Value::Object(fields) => fields.iter_mut().try_for_each(|(name, field)| {
            let inside_auth = place.contains(".auth");
            replace(field, directory, &format!("{place}.{name}"), open || inside_auth && OPEN_KEYS.contains(&name.as_str()))
        }),
        Value::Array(items) => items.iter_mut().try_for_each(|item| replace(item, directory, place, open)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// The secret that a reference leads to; `None` for a text that is no reference.
#[expect(clippy::disallowed_methods, reason = "this is the one home of secrets from the environment")]
fn read(reference: &str, directory: &Path) -> Result<Option<String>, String> {
    if let Some(name) = reference.strip_prefix("env:") {
        return std::env::var(name).map(Some).map_err(|_| format!("the environment has no variable `{name}`"));
    }
    if let Some(path) = reference.strip_prefix("file:") {
        let path = directory.join(path);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        return Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_followed_where_secrets_are_and_nowhere_else() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("key"), "s3cret\n").unwrap();
        let rule = json!({"url": "file:key", "ca": "file:key", "headers": {"x": "file:key", "y": "plain"},
                          "auth": {"basic": {"user": "file:key", "password": "file:key"}}});
        let grant = json!({"http": {"e": rule}, "secrets": {"token": "file:key"}, "config": {"c": "file:key"}});
        let secret = json!({"secret": "s3cret"});
        let rule = json!({"url": "file:key", "ca": "s3cret", "headers": {"x": secret, "y": "plain"},
                          "auth": {"basic": {"user": "s3cret", "password": secret}}});
        let expected = json!({"http": {"e": rule}, "secrets": {"token": secret}, "config": {"c": "file:key"}});
        let resolved = resolve(&grant, directory.path()).unwrap();
        assert_eq!(resolved, expected);
        let grant: plugin_runtime::Grant = serde_json::from_value(resolved).unwrap();
        assert!(!format!("{grant:?}").contains("Secret(s3cret"));
    }

    #[test]
    fn a_reference_to_nothing_is_named_with_its_place() {
        let check = |grant: Value, expected: &str| assert_eq!(resolve(&grant, Path::new(".")).unwrap_err().to_string(), expected);
        let none = "the environment has no variable `JACKFIELD_NO_SUCH_VARIABLE`";
        check(json!({"http": {"e": {"auth": {"bearer": "env:JACKFIELD_NO_SUCH_VARIABLE"}}}}), &format!("grant.http.e.auth.bearer: {none}"));
        check(json!({"secrets": {"token": "env:JACKFIELD_NO_SUCH_VARIABLE"}}), &format!("grant.secrets.token: {none}"));
        check(json!({"secrets": {"token": "hunter2"}}), &format!("grant.secrets.token: {UNREFERENCED}"));
    }

    #[test]
    fn a_key_to_seal_with_is_read_by_reference_and_is_a_key() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("good"), format!("{}\n", "07".repeat(32))).unwrap();
        std::fs::write(directory.path().join("short"), "07").unwrap();
        let read = |reference: Option<&str>| seal_key(&Secrets { seal_key: reference.map(str::to_owned) }, directory.path());
        assert!(read(None).unwrap().is_none());
        assert!(read(Some("file:good")).unwrap().is_some());
        for (reference, expected) in [
            ("file:short", "secrets.seal_key: expected 64 hexadecimal digits, 32 random bytes: `openssl rand -hex 32` makes them".to_owned()),
            (&"07".repeat(32), format!("secrets.seal_key: {UNREFERENCED}")),
        ] {
            assert_eq!(read(Some(reference)).unwrap_err().to_string(), expected);
        }
    }
}
