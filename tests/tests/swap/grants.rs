//! Grants that come in over the interface: what they may refer to, and that no secret is written out in them or shown.

use std::{fs, os::unix::fs::symlink};

use end_to_end_tests::harness::{Host, Said, Setup, plugin};
use serde_json::{Value, json};

use super::install;

const SECRET: &str = "hunter2-in-plain-text";

/// Installs the billing adapter of a later version and tries to activate it under a rule.
fn activate(host: &Host, rule: &str) -> Said {
    let rule = format!("http.billing = {{ url = \"http://127.0.0.1:1\", methods = [\"GET\", \"POST\", \"DELETE\"], {rule} }}");
    fs::write(host.directory().join("grant.toml"), rule).unwrap();
    host.type_in(&["plugin", "activate", "billing-rest@0.2.0", "--grant", "grant.toml", "--json"])
}

#[test]
fn a_grant_refers_to_what_the_configuration_allows_and_to_nothing_else() {
    let grant =
        json!({"http": {"billing": {"url": "http://127.0.0.1:1", "methods": ["GET", "POST", "DELETE"], "auth": {"bearer": "env:BILLING_TOKEN"}}}});
    let host = Setup::default()
        .plugin("billing-rest", grant)
        .environment("BILLING_TOKEN", "b1lling-token")
        .environment("OTHER_TOKEN", "0ther-token")
        .environment("ALLOWED_TOKEN", "all0wed-token")
        .config("[secrets]\nseal_key = \"file:secrets/seal.key\"\nallow = [\"env:ALLOWED_*\", \"file:secrets/\"]");
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("secrets")).unwrap();
    for (file, text) in [("secrets/seal.key", "07".repeat(32)), ("secrets/token", "t0ken-in-a-file".to_owned()), ("beside", SECRET.to_owned())] {
        fs::write(at(file), text).unwrap();
    }
    symlink(at("beside"), at("secrets/link")).unwrap();
    let host = host.start_in(directory);
    install(&host, "billing-rest", "0.2.0");
    let revision = || host.request("GET", "/api/v1/bindings", &[], "").body["revision"].clone();
    let before = revision();
    let line = "[secrets]\nallow = [\"env:ALLOWED_*\", \"file:secrets/\", \"env:OTHER_TOKEN\"]";
    for (reference, expected) in [
        ("env:OTHER_TOKEN", line),
        ("file:beside", "may not be given over the interface"),
        ("file:/etc/passwd", "may not be given over the interface"),
        ("file:/no/such/file", "may not be given over the interface"),
        ("file:jackfield-data/admin-token", "may not be given over the interface"),
        ("file:secrets/../beside", "expected a path without `..`"),
        ("file:secrets/link", "over a link"),
        ("file:secrets/seal.key", "is of the host's own"),
        ("file:secrets/none", "cannot be read"),
    ] {
        activate(&host, &format!("auth = {{ bearer = \"{reference}\" }}")).bad(5, &["grant.http.billing.auth.bearer: ", expected]);
        activate(&host, &format!("headers = {{ accept = \"{reference}\" }}")).bad(5, &["grant.http.billing.headers.accept: ", expected]);
        activate(&host, &format!("ca = \"{reference}\"")).bad(5, &["grant.http.billing.ca: ", expected]);
    }
    assert_eq!(revision(), before, "nothing was changed");
    for reference in ["env:BILLING_TOKEN", "env:ALLOWED_TOKEN", "file:secrets/token"] {
        let done = activate(&host, &format!("auth = {{ bearer = \"{reference}\" }}")).json();
        assert_eq!(done["changed"], true, "{done}");
        let audit = host.type_in(&["audit", "list", "--json"]).json();
        let given = &audit.as_array().unwrap().last().unwrap()["after"]["grant"]["http"]["billing"]["auth"];
        assert_eq!(given, &json!({ "bearer": reference }), "who gave what is in the audit trail");
    }
    for secret in ["b1lling-token", "0ther-token", "all0wed-token", "t0ken-in-a-file", SECRET] {
        assert!(!everything(&host).contains(secret), "{secret}");
    }
}

#[test]
fn a_secret_that_is_written_out_is_refused_over_the_interface_and_shown_nowhere() {
    let rule = |auth: Value| json!({"http": {"billing": {"url": "http://127.0.0.1:1", "methods": ["GET", "POST", "DELETE"], "headers": {"x-api-key": SECRET}, "auth": auth}}});
    for auth in
        [json!({"bearer": SECRET}), json!({"header": {"name": "x-k", "value": SECRET}}), json!({"basic": {"user": "ann", "password": SECRET}})]
    {
        let host = Setup::default().plugin("billing-rest", rule(auth)).start();
        let warned = "plugins.billing-rest: grant.http.billing.headers.x-api-key: a secret is written out, so it is stored with the grant";
        assert!(host.log().contains(warned) && host.log().contains("grant.http.billing.auth."), "{}", host.log());
        install(&host, "billing-rest", "0.2.0");
        // The next version inherits the grant, and neither answer nor trail repeats it.
        let answers = [
            host.type_in(&["plugin", "activate", "billing-rest@0.2.0", "--json"]).good(&["in service"]).to_owned(),
            host.type_in(&["plugin", "rollback", "billing-rest", "--json"]).good(&["in service"]).to_owned(),
            everything(&host),
        ];
        assert!(answers[2].contains("***"), "{}", answers[2]);
        assert!(answers.iter().all(|answer| !answer.contains(SECRET)), "{answers:?}");
        for (rule, place) in [
            (format!("auth = {{ bearer = \"{SECRET}\" }}"), "auth.bearer: "),
            (format!("auth = {{ bearer = {{ secret = \"{SECRET}\" }} }}"), "auth.bearer.secret: "),
            (format!("auth = {{ basic = {{ user = \"ann\", password = \"{SECRET}\" }} }}"), "auth.basic.password: "),
            (format!("auth = {{ header = {{ name = \"x-k\", value = \"{SECRET}\" }} }}"), "auth.header.value: "),
            (format!("auth = \"{SECRET}\""), "auth: "),
            (format!("headers = {{ Authorization = \"{SECRET}\" }}"), "headers.Authorization: "),
        ] {
            let refused = activate(&host, &rule);
            refused.bad(5, &["grant.http.billing.", place, "expected a reference, `env:NAME` or `file:PATH`"]);
            assert!(!refused.err.contains(SECRET), "{}", refused.err);
        }
        assert!(!everything(&host).contains(SECRET));
    }
    // Nor does the start that refuses such a configuration.
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "[plugins.billing-rest]\npath = {:?}\ngrant = {{ http.billing = {{ url = \"http://h\", auth = \"{SECRET}\" }} }}",
        plugin("billing-rest")
    );
    fs::write(directory.path().join("jackfield.toml"), text).unwrap();
    let refused = end_to_end_tests::harness::jackfield(directory.path(), &["serve"]);
    refused.bad(1, &["plugins.billing-rest: grant.http.billing: ", "***"]);
    assert!(!refused.err.contains(SECRET), "{}", refused.err);
}

/// What the interface, the command line and the log say.
fn everything(host: &Host) -> String {
    let paths = ["/api/v1/bindings", "/api/v1/plugins", "/api/v1/audit?limit=1000", "/api/v1/runs"];
    let answers = paths.map(|path| host.request("GET", path, &[], "").body.to_string());
    let typed = [&["binding", "list"][..], &["binding", "list", "--json"], &["audit", "list"], &["audit", "list", "--json"], &["plugin", "list"]];
    let typed = typed.map(|words| host.type_in(words).good(&[]).to_owned());
    [answers.concat(), typed.concat(), host.log()].concat()
}
