//! Every rule of a manifest, with what is said where one is broken; old manifests are read.

use serde_json::{Value, json};

use super::*;

fn check(json: &str, expected: &str) {
    let found = match Manifest::parse(json.as_bytes()) {
        Ok(manifest) => format!("ok {} {}", manifest.name, manifest.version),
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected);
}

/// A manifest with that field.
fn with(field: &str, value: Value) -> String {
    let mut manifest = json!({
        "name": "pool", "version": "1.2.3",
        "contracts": [{"contract": "jackfield:order/inventory", "verbs": ["apply", "undo"], "idempotent": true}],
    });
    manifest[field] = value;
    manifest.to_string()
}

#[test]
fn a_manifest_is_read_and_each_rule_is_checked() {
    let contract = r#"{"contract":"jackfield:order/inventory","verbs":["apply","undo"],"idempotent":true}"#;
    let of = |rest: &str| format!(r#"{{"name":"pool","version":"1.2.3","contracts":[{contract}]{rest}}}"#);
    check(&of(""), "ok pool 1.2.3");
    check(
        &of(r#","colour":1"#),
        "manifest: unknown field `colour`, expected one of `name`, `version`, `vendor`, `contracts`, `capabilities`, `failure_codes`, `telemetry` at line 1 column 139",
    );
    check("{", "manifest: EOF while parsing an object at line 1 column 1");
    check(&of(r#","failure_codes":["plugin.trap"]"#), "manifest.failure_codes: `plugin.trap` begins with `plugin.`, which only the host gives");
    check(&of(r#","failure_codes":["No!"]"#), "manifest.failure_codes: `No!` is not valid: expected 1 to 48 characters of [a-z0-9_.]");
    check(
        r#"{"name":"pool","version":"1","contracts":[]}"#,
        "manifest.version: `1` is not a semantic version: unexpected end of input while parsing major version number",
    );
    check(r#"{"name":"pool","version":"1.0.0","contracts":[]}"#, "manifest.contracts: it is empty, expected at least one contract");
    check(
        r#"{"name":"pool","version":"1.0.0","contracts":[{"contract":"a:b/c","verbs":["undo"],"idempotent":false}]}"#,
        "manifest.contracts[0].verbs: `apply` is missing: every contract has it",
    );
    check(
        r#"{"name":"pool","version":"1.0.0","contracts":[{"contract":"inventory","verbs":["apply"],"idempotent":false}]}"#,
        "manifest.contracts[0].contract: `inventory` is not a contract: expected an interface such as jackfield:order/inventory, optionally with @1",
    );
    check(&with("vendor", json!("a\nb")), "manifest.vendor: it has a control character: expected a text of one line");
    check(&format!("{}{}", with("vendor", json!("")), " ".repeat(70_000)), "manifest: it has 70143 bytes, expected at most 65536");
}

#[test]
fn a_capability_is_a_name_or_says_why() {
    let old = json!({"http": ["element"], "keyvalue": true, "config": ["pools"]});
    let manifest = Manifest::parse(with("capabilities", old).as_bytes()).unwrap();
    assert_eq!(manifest.capabilities.http, [Asked { name: "element".to_owned(), why: None }]);
    assert_eq!((manifest.capabilities.keyvalue, manifest.capabilities.tcp), (Some(Wanted { why: None }), None));
    assert_eq!(manifest.telemetry, None);

    let new = json!({
        "http": [{"name": "element", "why": "configures ports"}, "other"],
        "tcp": {"why": "asks devices"},
        "keyvalue": false,
        "secrets": [{"name": "vault"}],
        "config": [{"name": "pools", "why": "what there is", "schema": {"type": "object"}, "required": true}],
    });
    let manifest = Manifest::parse(with("capabilities", new).as_bytes()).unwrap();
    let capabilities = &manifest.capabilities;
    assert_eq!(capabilities.http[0].why.as_deref(), Some("configures ports"));
    assert_eq!((capabilities.tcp.as_ref().unwrap().why.as_deref(), &capabilities.keyvalue), (Some("asks devices"), &None));
    assert_eq!((capabilities.config[0].schema.as_ref().unwrap(), capabilities.config[0].required), (&json!({"type": "object"}), true));
    // What is written is read again.
    assert_eq!(Manifest::parse(&serde_json::to_vec(&manifest).unwrap()).unwrap(), manifest);
}

#[test]
fn a_capability_of_another_form_is_refused_with_its_place() {
    let refused = |capabilities: Value, expected: &str| {
        let found = Manifest::parse(with("capabilities", capabilities).as_bytes()).unwrap_err().to_string();
        assert!(found.starts_with(expected), "expected: {expected}\nfound: {found}");
    };
    refused(json!({"http": ["a/b"]}), "manifest.capabilities.http: `a/b` is not valid: expected 1 to 63 characters of [a-z0-9-]");
    refused(json!({"http": ["a", "a"]}), "manifest.capabilities.http: `a` is listed twice");
    refused(json!({"http": [1]}), "manifest: invalid type: integer `1`, expected a name or an object with `name` and `why`");
    refused(json!({"http": [{"name": "a", "way": "x"}]}), "manifest: unknown field `way`, expected `name` or `why`");
    refused(json!({"http": [{"name": "a", "why": " "}]}), "manifest.capabilities.http: a reason is empty");
    refused(json!({"http": [{"name": "a", "why": "x".repeat(257)}]}), "manifest.capabilities.http: why: it has 257 bytes, expected at most 256");
    refused(json!({"keyvalue": "yes"}), "manifest: invalid type: string \"yes\", expected true, false or an object with `why`");
    refused(json!({"tcp": {"why": "a\u{1b}[2J"}}), "manifest.capabilities.tcp: why: it has a control character");
    refused(json!({"config": ["a b"]}), "manifest.capabilities.config: `a b` is not valid");
    refused(json!({"config": [{"why": "x"}]}), "manifest: missing field `name`");
    refused(json!({"sockets": true}), "manifest: unknown field `sockets`, expected one of `http`, `tcp`, `keyvalue`, `secrets`, `config`");
}

#[test]
fn telemetry_is_declared_by_name() {
    let telemetry = json!({
        "attributes": ["acme.olt.port", "acme.pool.*"], "events": ["acme.olt.selected"], "spans": ["acme.search"],
        "metrics": [{"name": "acme.ports", "kind": "counter", "labels": {"result": ["hit", "miss"]}}],
    });
    let declared = Manifest::parse(with("telemetry", telemetry).as_bytes()).unwrap().telemetry.unwrap();
    for (key, allowed) in
        [("acme.olt.port", true), ("acme.olt.ports", false), ("acme.pool.size", true), ("acme.pool", false), ("acme.poolside", false)]
    {
        assert_eq!(declared.allows_attribute(key), allowed, "{key}");
    }
    assert!(declared.allows_event("acme.olt.selected") && !declared.allows_event("acme.search"));
    assert!(declared.allows_span("acme.search") && !declared.allows_span("acme.olt.selected"));
    assert_eq!(declared.metric("acme.ports").unwrap().unit, "1");
    assert!(declared.metric("acme.olt.port").is_none());
}

#[test]
fn telemetry_that_cannot_be_declared_is_refused_with_its_place() {
    let refused = |telemetry: Value, expected: &str| {
        let found = Manifest::parse(with("telemetry", telemetry).as_bytes()).unwrap_err().to_string();
        assert!(found.starts_with(expected), "expected: {expected}\nfound: {found}");
    };
    refused(json!({"attributes": ["plugin.name"]}), "manifest.telemetry.attributes: `plugin.name` begins with `plugin.`, which belongs to the host");
    refused(json!({"attributes": ["plugin.*"]}), "manifest.telemetry.attributes: `plugin` begins with `plugin.`, which belongs to the host");
    refused(json!({"attributes": ["*"]}), "manifest.telemetry.attributes: `*` is not valid");
    refused(json!({"events": ["Big"]}), "manifest.telemetry.events: `Big` is not valid");
    refused(json!({"events": ["1st"]}), "manifest.telemetry.events: `1st` is not valid: expected a name that begins with a letter");
    refused(json!({"events": ["a", "a"]}), "manifest.telemetry.events: `a` is listed twice");
    let spans: Vec<String> = (0..33).map(|number| format!("s{number}")).collect();
    refused(json!({"spans": spans}), "manifest.telemetry.spans: it has 33 entries, expected at most 32");
    let metric = |labels: Value| json!({"metrics": [{"name": "m", "kind": "counter", "labels": labels}]});
    let values: Vec<String> = (0..64).map(|number| number.to_string()).collect();
    refused(metric(json!({"l": values})), "manifest.telemetry.metrics.m.labels: the labels make 65 series, expected at most 64");
    refused(metric(json!({"l": [""]})), "manifest.telemetry.metrics.m.labels: `` is not valid: expected 1 to 64 printable characters");
    refused(json!({"metrics": [{"name": "m", "kind": "gauge"}]}), "manifest: unknown variant `gauge`, expected `counter` or `histogram`");
}
