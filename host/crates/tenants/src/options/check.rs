//! Checks of the settings that the types cannot express.

use std::net::IpAddr;

use super::{Options, PlanOptions};
use crate::slug::Slug;

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` {what}: expected {expected}")]
pub struct InvalidOptions {
    /// The key, within the table of tenants.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
    /// What was expected.
    pub expected: &'static str,
}

/// The longest zone: with the longest slug before it and the longest prefix of a challenge it is a name of at most 253 characters.
const MAX_ZONE: usize = 253 - 40 - 1 - "_acme-challenge.".len();
const MAX_TARGETS: usize = 16;
const MAX_INTEGRATIONS: usize = 16;
const MAX_WORD: usize = 40;
const MAX_TEXT: usize = 1024;

type Checked = Result<(), InvalidOptions>;

pub(super) fn check(options: &Options) -> Checked {
    let zone = &options.zone;
    let is_zone = zone.len() <= MAX_ZONE && zone.contains('.') && is_host_name(zone);
    ensure(is_zone, "zone", || shown(zone), "a name of the DNS in lower case without the last dot, at most 196 characters, such as app.example.com")?;
    targets(&options.target, zone)?;
    let ttl = options.ttl_s;
    ensure((1..=604_800).contains(&ttl), "ttl_s", || format!("is {ttl}"), "1 to 604,800 seconds")?;
    for word in &options.reserved_slugs {
        ensure(
            Slug::label(word).is_ok(),
            "reserved_slugs",
            || format!("has {}", quoted(word)),
            "words that could be slugs: 3 to 40 of a-z, 0-9 and `-`",
        )?;
    }
    ensure(!options.plans.is_empty(), "plans", || "is empty".to_owned(), "at least one plan, such as [tenants.plans.basic]")?;
    options.plans.iter().try_for_each(|(name, options)| plan(name, options))?;
    steps(options)
}

fn targets(targets: &[String], zone: &str) -> Checked {
    const EXPECTED: &str = "1 to 16 addresses, or one host name that is not in the zone of the tenants";
    ensure((1..=MAX_TARGETS).contains(&targets.len()), "target", || format!("has {} values", targets.len()), EXPECTED)?;
    let are_addresses = targets.iter().all(|target| target.parse::<IpAddr>().is_ok());
    let in_zone = |name: &String| name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'));
    let is_name = matches!(targets, [name] if name.contains('.') && is_host_name(name) && !in_zone(name));
    ensure(
        are_addresses || is_name,
        "target",
        || format!("is {}", targets.iter().map(|target| quoted(target)).collect::<Vec<_>>().join(", ")),
        EXPECTED,
    )
}

fn plan(name: &str, plan: &PlanOptions) -> Checked {
    let key = |field: &str| format!("plans.{name}{field}");
    ensure(is_word(name), &key(""), || "has a name that cannot be used".to_owned(), "1 to 40 of a-z, 0-9, `-` and `_`")?;
    ensure(!plan.regions.is_empty(), &key(".regions"), || "is empty".to_owned(), "at least one region")?;
    for region in &plan.regions {
        ensure(is_word(region), &key(".regions"), || format!("has {}", quoted(region)), "words of 1 to 40 of a-z, 0-9, `-` and `_`")?;
    }
    if let Some(template) = &plan.template {
        ensure(is_word(template), &key(".template"), || shown(template), "1 to 40 of a-z, 0-9, `-` and `_`")?;
    }
    let served = !plan.ready_without_tls || plan.certificate;
    ensure(served, &key(".ready_without_tls"), || "is true without a certificate".to_owned(), "it only where `certificate` is true")?;
    ensure(plan.integrations.len() <= MAX_INTEGRATIONS, &key(".integrations"), || format!("has {} systems", plan.integrations.len()), "at most 16")?;
    for system in plan.integrations.keys() {
        ensure(is_word(system), &key(".integrations"), || format!("has {}", quoted(system)), "names of 1 to 40 of a-z, 0-9, `-` and `_`")?;
    }
    let texts = plan.integrations.values().chain([&plan.settings]).flatten();
    for (name, value) in texts {
        let short = (1..=MAX_WORD).contains(&name.len()) && value.len() <= MAX_TEXT;
        ensure(short, &key(""), || format!("has the setting {}", quoted(name)), "a name of at most 40 and a value of at most 1,024 bytes")?;
    }
    ensure(plan.quota != Some(0), &key(".quota"), || "is 0".to_owned(), "at least 1; leave the plan out to sell it no more")
}

fn steps(options: &Options) -> Checked {
    let steps = &options.steps;
    let all = [
        ("create_record", steps.create_record),
        ("database", steps.database),
        ("storage", steps.storage),
        ("dns", steps.dns),
        ("certificate_order", steps.certificate_order),
        ("challenge", steps.challenge),
        ("certificate", steps.certificate),
        ("seed_data", steps.seed_data),
        ("integrations", steps.integrations),
        ("admin_user", steps.admin_user),
        ("activate", steps.activate),
        ("welcome_email", steps.welcome_email),
    ];
    all.into_iter().try_for_each(|(name, step)| {
        let timeout = step.timeout_ms;
        ensure((1..=3_600_000).contains(&timeout), &format!("steps.{name}.timeout_ms"), || format!("is {timeout}"), "1 to 3,600,000 milliseconds")?;
        let attempts = step.max_attempts.get();
        ensure(attempts <= 1_000, &format!("steps.{name}.max_attempts"), || format!("is {attempts}"), "1 to 1,000")
    })
}

fn ensure(holds: bool, key: &str, what: impl FnOnce() -> String, expected: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(InvalidOptions { key: key.to_owned(), what: what(), expected }) }
}

/// A value as it is shown, whatever is in it.
fn quoted(value: &str) -> String {
    format!("{:?}", value.chars().take(64).collect::<String>())
}

fn shown(value: &str) -> String {
    if value.is_empty() { "is missing".to_owned() } else { format!("is {}", quoted(value)) }
}

/// Labels of lower-case letters, digits and dashes with dots between them.
fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(sound) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

fn is_word(word: &str) -> bool {
    (1..=MAX_WORD).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(changes: serde_json::Value) -> Result<(), String> {
        let mut options =
            serde_json::json!({"zone": "app.example.com", "target": ["192.0.2.1", "2001:db8::1"], "plans": {"pro": {"regions": ["eu"]}}});
        for (key, value) in changes.as_object().unwrap() {
            options[key] = value.clone();
        }
        serde_json::from_value::<Options>(options).unwrap().check().map_err(|error| error.to_string())
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_key_and_what_was_expected() {
        use serde_json::json;
        check(json!({})).unwrap();
        check(json!({"target": ["edge.example.net"]})).unwrap();
        let bad = [
            (json!({"zone": ""}), "`zone` is missing: expected a name of the DNS"),
            (json!({"zone": "App.example.com"}), "`zone` is \"App.example.com\": expected"),
            (json!({"zone": "app.example.com."}), "`zone` is \"app.example.com.\": expected"),
            (json!({"target": []}), "`target` has 0 values: expected"),
            (json!({"target": ["192.0.2.1", "edge.example.net"]}), "`target` is \"192.0.2.1\", \"edge.example.net\": expected"),
            (json!({"target": ["edge.app.example.com"]}), "that is not in the zone"),
            (json!({"ttl_s": 0}), "`ttl_s` is 0: expected 1 to 604,800 seconds"),
            (json!({"reserved_slugs": ["a.b"]}), "`reserved_slugs` has \"a.b\": expected"),
            (json!({"plans": {}}), "`plans` is empty: expected at least one plan"),
            (json!({"plans": {"pro": {}}}), "`plans.pro.regions` is empty: expected at least one region"),
            (json!({"plans": {"Pro": {"regions": ["eu"]}}}), "`plans.Pro` has a name that cannot be used"),
            (
                json!({"plans": {"pro": {"regions": ["eu"], "certificate": false, "ready_without_tls": true}}}),
                "`plans.pro.ready_without_tls` is true without a certificate",
            ),
            (json!({"plans": {"pro": {"regions": ["eu"], "quota": 0}}}), "`plans.pro.quota` is 0: expected at least 1"),
            (json!({"plans": {"pro": {"regions": ["eu"], "integrations": {"C R M": {}}}}}), "`plans.pro.integrations` has \"C R M\": expected"),
            (json!({"steps": {"dns": {"timeout_ms": 0}}}), "`steps.dns.timeout_ms` is 0: expected"),
        ];
        for (changes, error) in bad {
            let found = check(changes.clone()).unwrap_err();
            assert!(found.contains(error), "{changes}: {found}");
        }
    }
}
