//! Where secrets stand in a grant, and hiding those that are written out there.

use std::convert::Infallible;

use serde_json::Value;

/// What stands beside secrets in `auth` and is none: a reference leads to its text, but it is not hidden.
const OPEN_KEYS: [&str; 10] = ["user", "name", "region", "service", "header", "timestamp_header", "prefix", "algorithm", "over", "encoding"];

/// Parts of the names of headers that carry secrets.
const SECRET_NAMES: [&str; 10] = ["auth", "token", "key", "secret", "cookie", "passw", "credential", "signature", "session", "jwt"];

/// What stands where a secret was.
const MASK: &str = "***";

/// What a place holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A secret, however it is written.
    Secret,
    /// A secret where a reference stands, and otherwise none: the header `accept`.
    Header,
    /// No secret, also where a reference stands: a user's name, a certificate.
    Open,
}

/// One value of a grant at which references are followed.
pub(super) struct Spot<'a> {
    pub(super) place: &'a str,
    pub(super) kind: Kind,
    pub(super) value: &'a mut Value,
}

/// Whether a text leads to a secret instead of being one.
pub(super) fn is_reference(text: &str) -> bool {
    text.starts_with("env:") || text.starts_with("file:")
}

/// Shows every such value, and no other.
pub(super) fn visit<E>(grant: &mut Value, see: &mut impl FnMut(Spot<'_>) -> Result<(), E>) -> Result<(), E> {
    for (name, rule) in fields(grant.get_mut("http")) {
        let place = format!("grant.http.{name}");
        for (header, value) in fields(rule.get_mut("headers")) {
            within(value, &format!("{place}.headers.{header}"), of_header(header), see)?;
        }
        if let Some(auth) = rule.get_mut("auth") {
            within(auth, &format!("{place}.auth"), Kind::Secret, see)?;
        }
        if let Some(ca) = rule.get_mut("ca") {
            within(ca, &format!("{place}.ca"), Kind::Open, see)?;
        }
    }
    for (name, value) in fields(grant.get_mut("secrets")) {
        within(value, &format!("grant.secrets.{name}"), Kind::Secret, see)?;
    }
    Ok(())
}

fn fields(value: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    value.and_then(Value::as_object_mut).into_iter().flatten()
}

/// A value and what is inside of it.
fn within<E>(value: &mut Value, place: &str, kind: Kind, see: &mut impl FnMut(Spot<'_>) -> Result<(), E>) -> Result<(), E> {
    match value {
        Value::Object(inside) => inside.iter_mut().try_for_each(|(name, field)| {
            // Judged by its own name only: `auth.header` is a text or has `value` in it.
            let kind = if OPEN_KEYS.contains(&name.as_str()) { Kind::Open } else { Kind::Secret };
            within(field, &format!("{place}.{name}"), kind, see)
        }),
        Value::Array(items) => items.iter_mut().try_for_each(|item| within(item, place, kind, see)),
        Value::Null => Ok(()),
        Value::String(_) | Value::Number(_) | Value::Bool(_) => see(Spot { place, kind, value }),
    }
}

fn of_header(name: &str) -> Kind {
    let name = name.to_ascii_lowercase();
    if SECRET_NAMES.iter().any(|part| name.contains(part)) { Kind::Secret } else { Kind::Header }
}

/// The places of secrets that are written out, with what is written.
fn written_out(grant: &mut Value, mut see: impl FnMut(&str, &mut Value)) {
    let outcome: Result<(), Infallible> = visit(grant, &mut |Spot { place, kind, value }| {
        if kind == Kind::Secret && !value.as_str().is_some_and(is_reference) {
            see(place, value);
        }
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

/// A grant as people may see it: its secrets are references, or hidden.
pub(crate) fn shown(grant: &Value) -> Value {
    let mut grant = grant.clone();
    written_out(&mut grant, |_, value| *value = Value::String(MASK.to_owned()));
    grant
}

/// Where secrets of a grant are written out.
pub(crate) fn written_out_at(grant: &Value) -> Vec<String> {
    let mut places = Vec::new();
    written_out(&mut grant.clone(), |place, _| places.push(place.to_owned()));
    places
}

/// A text, such as an error, without the secrets that are written out in a grant.
pub(crate) fn hidden(text: String, grant: &Value) -> String {
    let mut secrets = Vec::new();
    written_out(&mut grant.clone(), |_, value| secrets.push(value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    secrets.iter().filter(|secret| !secret.is_empty()).fold(text, |text, secret| text.replace(secret.as_str(), MASK))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_that_is_written_out_is_found_hidden_and_not_repeated() {
        let rule =
            |headers: Value, auth: Value| json!({"http": {"e": {"url": "http://h", "headers": headers, "auth": auth}}, "config": {"plain": "x"}});
        for (headers, auth, place) in [
            (json!({}), json!({"bearer": "hunter2"}), "auth.bearer"),
            (json!({}), json!("hunter2"), "auth"),
            (json!({}), json!({"bearer": {"secret": "hunter2"}}), "auth.bearer.secret"),
            (json!({}), json!({"basic": {"user": "ann", "password": "hunter2"}}), "auth.basic.password"),
            (json!({}), json!({"header": {"name": "x-a", "value": "hunter2"}}), "auth.header.value"),
            (json!({}), json!({"header": "x", "hunter": "hunter2"}), "auth.hunter"),
            (
                json!({}),
                json!({"hmac": {"key": "hunter2", "header": "x-s", "algorithm": "sha256", "over": "body", "encoding": "hex"}}),
                "auth.hmac.key",
            ),
            (json!({"accept": "a/b", "X-Api-Key": "hunter2"}), json!({"bearer": "env:X"}), "headers.X-Api-Key"),
            (json!({"accept": {"secret": "hunter2"}}), Value::Null, "headers.accept.secret"),
        ] {
            let grant = rule(headers, auth);
            assert_eq!(written_out_at(&grant), [format!("grant.http.e.{place}")], "{grant}");
            let shown = shown(&grant);
            assert_eq!(shown.to_string(), grant.to_string().replace("hunter2", MASK));
            assert_eq!(hidden("unknown variant `hunter2`".to_owned(), &grant), "unknown variant `***`");
        }
        assert_eq!(written_out_at(&json!({"secrets": {"a": "env:A", "b": 7}})), ["grant.secrets.b"]);
        assert_eq!(written_out_at(&Value::Null), Vec::<String>::new());
    }
}
