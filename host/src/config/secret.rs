//! Secrets by reference: `env:NAME` and `file:PATH`. The reference is what is stored and printed, never the value.

mod given;
mod places;

use std::{collections::BTreeMap, fs::File, io::Read, path::Path};

use plugin_runtime::SealKey;
use serde_json::{Value, json};

pub(super) use self::given::check_entries;
use self::places::{Kind, Spot, visit};
pub(crate) use self::{
    given::Given,
    places::{hidden, shown, written_out_at},
};
use super::Secrets;
use crate::http::callbacks::Keys;

/// The most bytes of a file that a reference leads to: a bundle of certificates has a quarter of it.
const MAX_BYTES: u64 = 1 << 20;

/// A reference that does not lead to a secret.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {detail}")]
pub(crate) struct SecretError {
    place: String,
    detail: String,
}

/// A grant with its references replaced by what they lead to. Only places that hold secrets are looked at, and certificates.
///
/// A secret that a reference led to stands as `{"secret": "..."}`, so that the runtime knows it for one.
pub(crate) fn resolve(grant: &Value, directory: &Path) -> Result<Value, SecretError> {
    let mut grant = grant.clone();
    visit(&mut grant, &mut |Spot { place, kind, value }| {
        let wrong = |detail: String| SecretError { place: place.to_owned(), detail };
        let found = value.as_str().map(|text| read(text, directory)).transpose().map_err(wrong)?.flatten();
        match found {
            Some(text) if kind == Kind::Open => *value = Value::String(text),
            Some(secret) => *value = json!({ "secret": secret }),
            None if place.starts_with("grant.secrets.") => return Err(wrong(UNREFERENCED.to_owned())),
            None => {}
        }
        Ok(())
    })?;
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

/// The keys that callbacks may be signed with, by the name of the plugin that they are for.
pub(crate) fn callback_keys(settings: &BTreeMap<String, Vec<String>>, directory: &Path) -> Result<BTreeMap<String, Keys>, SecretError> {
    let keys = settings.iter().map(|(plugin, references)| {
        let place = format!("callbacks.{plugin}");
        let texts: Vec<String> = references.iter().map(|reference| secret_text(&place, reference, directory)).collect::<Result<_, _>>()?;
        let keys = Keys::read(&texts).map_err(|detail| SecretError { place: place.clone(), detail })?;
        Ok((plugin.clone(), keys))
    });
    keys.collect()
}

/// A secret that is given by reference and in no other way.
pub(crate) fn secret_text(key: &str, reference: &str, directory: &Path) -> Result<String, SecretError> {
    let wrong = |detail: String| SecretError { place: key.to_owned(), detail };
    read(reference, directory).map_err(wrong)?.ok_or_else(|| wrong(UNREFERENCED.to_owned()))
}

/// The secret that a reference leads to; `None` for a text that is no reference.
#[expect(clippy::disallowed_methods, reason = "this is the one home of secrets from the environment")]
fn read(reference: &str, directory: &Path) -> Result<Option<String>, String> {
    if let Some(name) = reference.strip_prefix("env:") {
        return std::env::var(name).map(Some).map_err(|_| format!("the environment has no variable `{name}`"));
    }
    if let Some(path) = reference.strip_prefix("file:") {
        return file(&directory.join(path)).map(Some);
    }
    Ok(None)
}

/// The text of a file without the end of its last line. What is no file, such as a pipe, might never end.
fn file(path: &Path) -> Result<String, String> {
    let unread = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    if !path.metadata().map_err(unread)?.is_file() {
        return Err(format!("{} is no regular file", path.display()));
    }
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text)).map_err(unread)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(format!("{} has more than {MAX_BYTES} bytes", path.display()));
    }
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_followed_where_secrets_are_and_nowhere_else() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("key"), "s3cret\n").unwrap();
        let header = |name: Value, value: Value| json!({"url": "u", "auth": {"header": {"name": name, "value": value}}});
        let rule = json!({"url": "file:key", "ca": "file:key", "headers": {"x": "file:key", "y": "plain"},
                          "auth": {"basic": {"user": "file:key", "password": "file:key"}}});
        let grant =
            json!({"http": {"e": rule, "f": header(json!("x-k"), json!("file:key"))}, "secrets": {"token": "file:key"}, "config": {"c": "file:key"}});
        let secret = json!({"secret": "s3cret"});
        let rule = json!({"url": "file:key", "ca": "s3cret", "headers": {"x": secret, "y": "plain"},
                          "auth": {"basic": {"user": "s3cret", "password": secret}}});
        let expected =
            json!({"http": {"e": rule, "f": header(json!("x-k"), secret.clone())}, "secrets": {"token": secret}, "config": {"c": "file:key"}});
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
        check(json!({"secrets": {"token": 7}}), &format!("grant.secrets.token: {UNREFERENCED}"));
        check(json!({"secrets": {"token": "file:/dev/zero"}}), "grant.secrets.token: /dev/zero is no regular file");
    }

    #[test]
    fn a_key_to_seal_with_is_read_by_reference_and_is_a_key() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("good"), format!("{}\n", "07".repeat(32))).unwrap();
        std::fs::write(directory.path().join("short"), "07").unwrap();
        let read = |reference: Option<&str>| seal_key(&Secrets { seal_key: reference.map(str::to_owned), ..Secrets::default() }, directory.path());
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
