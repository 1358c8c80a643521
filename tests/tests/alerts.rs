//! The alert rules that ship, judged by Prometheus' own tool: `JACKFIELD_PROMTOOL` names it.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const RULES: &str = include_str!("../../host/docs/alerts/orders.rules.yaml");

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/docs/alerts")
}

#[expect(clippy::disallowed_methods, reason = "the suite is told where the tool is")]
fn promtool(arguments: &[&str], file: &Path) -> Output {
    let promtool = std::env::var_os("JACKFIELD_PROMTOOL").unwrap_or_else(|| "promtool".into());
    Command::new(&promtool).args(arguments).arg(file).output().unwrap_or_else(|error| panic!("{}: {error}", promtool.display()))
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_rules_are_rules() {
    let output = promtool(&["check", "rules"], &folder().join("orders.rules.yaml"));
    assert!(output.status.success() && said(&output).contains("4 rules found"), "{}", said(&output));
}

#[test]
fn every_alert_fires_when_it_should_and_only_then() {
    let output = promtool(&["test", "rules"], &folder().join("orders.test.yaml"));
    assert!(output.status.success(), "{}", said(&output));
}

/// What may not be changed without a test that notices.
const CHANGES: [(&str, &str); 11] = [
    ("> 0.10 *", "> 0.20 *"),
    ("> 0.10 *", "> 0.03 *"),
    ("[1h]", "[3h]"),
    ("> 20 * 3600", "> 18 * 3600"),
    ("> 20 * 3600", "> 22 * 3600"),
    ("> 0.05", "> 0.005"),
    ("<= 3 *", "<= 30 *"),
    ("<= 3 *", "<= 0.3 *"),
    (" offset 15m", ""),
    ("(milliseconds|seconds)", "(milliseconds)"),
    ("reason=\"billing_failed\"", "reason=\"no_inventory\""),
];

#[test]
fn a_rule_that_is_changed_is_noticed() {
    for (number, (from, to)) in CHANGES.iter().enumerate() {
        assert!(RULES.contains(from), "{from} is not in the rules");
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("orders.rules.yaml"), RULES.replace(from, to)).unwrap();
        fs::copy(folder().join("orders.test.yaml"), directory.path().join("orders.test.yaml")).unwrap();
        let output = promtool(&["test", "rules"], &directory.path().join("orders.test.yaml"));
        assert!(!output.status.success() && said(&output).contains("FAILED"), "change {number} ({from} to {to}) was not noticed: {}", said(&output));
    }
}
