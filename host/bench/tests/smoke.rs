//! The cheapest figures, measured with a handful of calls: everything fits together. No time is asserted.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::{Command, Output};

use serde_json::Value;

fn bench(arguments: &[&str]) -> Output {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    Command::new(env!("CARGO_BIN_EXE_bench")).arg("--quick").arg("--directory").arg(directory.path()).args(arguments).output().unwrap()
}

fn measured(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn is_positive(json: &Value, field: &str) {
    assert!(json[field].as_f64().is_some_and(|value| value > 0.0), "{field} in {json:#}");
}

#[test]
fn a_call_and_its_floor_are_measured_and_a_quick_run_is_not_trusted() {
    let json = measured(&bench(&["--json", "--only", "plugin_call_ratio"]));
    ["plugin_call_us", "floor_us", "plugin_call_ratio", "fdatasync_p50_us"].iter().for_each(|field| is_positive(&json, field));
    assert_eq!(json["figures"].as_array().unwrap().len(), 3);
    assert_eq!(json["trusted"], false);
    assert!(json["load1"].is_number() && json["pagemap"].is_string() && json["allocation"].is_string(), "{json:#}");
}

#[test]
fn runs_and_intake_are_measured_over_the_whole_stack() {
    let only = ["--json", "--only", "run_p50_ms_c1", "--only", "runs_per_s_c128", "--only", "intake_p99_ms_500"];
    let json = measured(&bench(&only));
    ["run_p50_ms_c1", "runs_per_s_c128", "intake_p99_ms_500"].iter().for_each(|field| is_positive(&json, field));
}

#[test]
fn a_restart_on_a_history_is_measured() {
    let json = measured(&bench(&["--json", "--only", "restart_ms_1m"]));
    is_positive(&json, "restart_ms_1m");
}

#[test]
fn the_share_of_telemetry_is_measured() {
    let json = measured(&bench(&["--json", "--only", "telemetry_share_sampled"]));
    assert!(json["telemetry_share_sampled"].is_number() && json["telemetry_share_unsampled"].is_number(), "{json:#}");
}

#[test]
fn the_check_fails_on_a_run_that_cannot_be_trusted_and_an_unknown_field_is_refused() {
    let output = bench(&["--check", "--only", "floor_us"]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stdout).contains("| floor_us |"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the figures cannot be trusted: --quick measures a handful of calls"));
    let output = bench(&["--only", "speed"]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("there is no field `speed`"));
}
