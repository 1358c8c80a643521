//! Secrets by reference: `env:NAME` and `file:PATH`. The reference is what is stored and printed, never the value.

use std::path::Path;

use serde_json::Value;

/// A reference that does not lead to a secret.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {detail}")]
pub(crate) struct SecretError {
    place: String,
    detail: String,
}

/// The places in a grant that hold secrets: header values and credentials of HTTP rules.
const SECRET_KEYS: [&str; 3] = ["headers", "auth", "password"];

/// A grant with its references replaced by what they lead to. Only places that hold secrets are looked at.
pub(crate) fn resolve(grant: &Value, directory: &Path) -> Result<Value, SecretError> {
    let mut grant = grant.clone();
    if let Some(Value::Object(rules)) = grant.get_mut("http") {
        for (name, rule) in rules {
            for key in SECRET_KEYS {
                if let Some(value) = rule.get_mut(key) {
                    replace(value, directory, &format!("grant.http.{name}.{key}"))?;
                }
            }
        }
    }
    Ok(grant)
}

fn replace(value: &mut Value, directory: &Path, place: &str) -> Result<(), SecretError> {
    match value {
        Value::String(text) => {
            if let Some(secret) = read(text, directory).map_err(|detail| SecretError { place: place.to_owned(), detail })? {
                *text = secret;
            }
            Ok(())
        }
        Value::Object(fields) => fields.iter_mut().try_for_each(|(name, field)| replace(field, directory, &format!("{place}.{name}"))),
        Value::Array(items) => items.iter_mut().try_for_each(|item| replace(item, directory, place)),
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
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_followed_where_secrets_are_and_nowhere_else() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("key"), "s3cret\n").unwrap();
        let grant = json!({"http": {"e": {"url": "file:key", "headers": {"x": "file:key", "y": "plain"}, "auth": {"bearer": "file:key"}}}});
        let resolved = resolve(&grant, directory.path()).unwrap();
        assert_eq!(resolved["http"]["e"], json!({"url": "file:key", "headers": {"x": "s3cret", "y": "plain"}, "auth": {"bearer": "s3cret"}}));
    }

    #[test]
    fn a_reference_to_nothing_is_named_with_its_place() {
        let grant = json!({"http": {"e": {"auth": {"bearer": "env:JACKFIELD_NO_SUCH_VARIABLE"}}}});
        let error = resolve(&grant, Path::new(".")).unwrap_err();
        assert_eq!(error.to_string(), "grant.http.e.auth.bearer: the environment has no variable `JACKFIELD_NO_SUCH_VARIABLE`");
    }
}
