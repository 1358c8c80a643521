//! The alert rules that ship, judged by Prometheus' own tool: `JACKFIELD_PROMTOOL` names it.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// What stands in a rule file, and what it is changed to.
type Change = (&'static str, &'static str);

/// Rule files with how many rules each has and what may not be changed in it without a test that notices.
const FILES: [(&str, &str, usize, &[Change]); 3] = [
    ("orders", include_str!("../../host/docs/alerts/orders.rules.yaml"), 4, &ORDERS),
    ("cpe", include_str!("../../host/docs/alerts/cpe.rules.yaml"), 4, &CPE),
    ("tenants", include_str!("../../host/docs/alerts/tenants.rules.yaml"), 6, &TENANTS),
];

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

const ORDERS: [Change; 11] = [
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

const CPE: [Change; 12] = [
    ("> 0.05 *", "> 0.12 *"),
    ("> 0.05 *", "> 0.03 *"),
    ("{result!=\"success\"}", "{result=\"unknown_device\"}"),
    ("{result!=\"success\"}[15m]", "{result!=\"success\"}[1h]"),
    ("> 60\n", "> 80\n"),
    ("> 60\n", "> 40\n"),
    (" / 1000", ""),
    ("milliseconds_sum{error_type=\"\"}", "milliseconds_sum"),
    ("or\n", "unless\n"),
    ("result=\"verification_failed\"", "result=\"config_push_failed\""),
    ("active_sessions) >= sum", "active_sessions) > sum"),
    ("session_limit)", "session_limit) * 2"),
];

const TENANTS: [Change; 22] = [
    ("> 0.05 *", "> 0.12 *"),
    ("> 0.05 *", "> 0.03 *"),
    (" offset 30m)\n      )", ")\n      )"),
    ("sum by (job, instance) (tenant_provision_failures_total", "sum (tenant_provision_failures_total"),
    ("tenant_provision_failures_total)", "tenant_provision_failures_total{step=\"dns\"})"),
    ("> 0.05\n", "> 0.25\n"),
    ("> 0.05\n", "> 0.03\n"),
    ("<= 3 *", "<= 30 *"),
    ("<= 3 *", "<= 0.3 *"),
    ("host[.](cancelled|restarted)", "host[.]cancelled"),
    ("host[.](cancelled|restarted)", "host[.]restarted"),
    ("sum by (step) ", "sum "),
    ("> 120\n", "> 300\n"),
    ("> 120\n", "> 60\n"),
    ("<= 2 *", "<= 5 *"),
    ("<= 2 *", "<= 0.5 *"),
    ("sum{error_type=\"\"}", "sum"),
    ("|tenant_repair", ""),
    ("offset 15m", "offset 5m"),
    ("> 2 * sum", "> 4 * sum"),
    ("> 2 * sum", "> 1 * sum"),
    ("tenant_certificate\", error_type!=\"\", error_type!=\"host.cancelled\"", "tenant_certificate\", error_type!=\"\""),
];

#[test]
fn the_rules_are_rules() {
    for (name, _, rules, _) in FILES {
        let output = promtool(&["check", "rules"], &folder().join(format!("{name}.rules.yaml")));
        assert!(output.status.success() && said(&output).contains(&format!("{rules} rules found")), "{name}: {}", said(&output));
    }
}

#[test]
fn every_alert_fires_when_it_should_and_only_then() {
    for (name, ..) in FILES {
        let output = promtool(&["test", "rules"], &folder().join(format!("{name}.test.yaml")));
        assert!(output.status.success(), "{name}: {}", said(&output));
    }
}

#[test]
fn a_rule_that_is_changed_is_noticed() {
    for (name, rules, _, changes) in FILES {
        for (number, (from, to)) in changes.iter().enumerate() {
            assert!(rules.contains(from), "{from} is not in the rules of {name}");
            let (rule_file, test_file) = (format!("{name}.rules.yaml"), format!("{name}.test.yaml"));
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join(rule_file), rules.replace(from, to)).unwrap();
            fs::copy(folder().join(&test_file), directory.path().join(&test_file)).unwrap();
            let output = promtool(&["test", "rules"], &directory.path().join(test_file));
            let noticed = !output.status.success() && said(&output).contains("FAILED");
            assert!(noticed, "change {number} of {name} ({from} to {to}) was not noticed: {}", said(&output));
        }
    }
}
