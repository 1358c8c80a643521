//! The real binary with a plugin that repeats everything it learns: no secret is in any file, answer, log record or span.

use std::{fs, path::Path};

use end_to_end_tests::harness::{
    Lab,
    orders::{all_plugins, order},
};
use serde_json::json;

use super::echo::Echo;

/// It would need escaping in JSON and in a URL, so that each place has its own form of it.
const TOKEN: &str = "s3cret/of the \"echo\" & of nobody";
/// Said beside the secret wherever the plugin says it: where this is found, the secret would have been.
const CANARY: &str = "canary-bird";

/// The secret as protocols carry it.
fn forms() -> [String; 5] {
    let json = serde_json::to_string(TOKEN).unwrap();
    let percent: String = TOKEN.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect();
    let json = json[1..json.len() - 1].to_owned();
    [TOKEN.to_owned(), json.replace('\\', "\\\\"), json, percent, TOKEN.chars().rev().collect()]
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn is_clean(place: &str, bytes: &[u8]) {
    // The last form stands in the plugin's settings on purpose.
    for form in &forms()[..4] {
        assert!(!holds(bytes, form), "{place} holds `{form}`");
    }
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => all.extend(files(&entry.path())),
            false => all.push((entry.path().display().to_string(), fs::read(entry.path()).unwrap())),
        }
    }
    all
}

#[test]
fn no_secret_is_in_memory_journal_log_span_error_or_answer() {
    let (lab, echo) = (Lab::start(), Echo::start());
    let grant = json!({
        "http": {"echo": {"url": format!("http://{}", echo.address), "methods": ["GET", "POST"], "auth": {"bearer": "env:ECHO_TOKEN"}}},
        "tcp": ["127.0.0.1:9"],
        "keyvalue": true,
        "secrets": {"token": "env:ECHO_TOKEN"},
        "config": {"behaviour": "gossip", "reversed": forms()[4]},
    });
    let setup = all_plugins(&lab, &json!({"port": {"element": "olt-1", "count": 8}}))
        .plugin("egress", grant)
        .environment("ECHO_TOKEN", TOKEN)
        .config("[telemetry]\nfile = \"otlp.jsonl\"\n[orders.allocate_inventory]\nretry_initial_ms = 50\nmax_attempts = 8")
        .config("[bindings]\n\"jackfield:order/inventory@1\" = \"egress\"");
    let mut host = setup.start();
    let id = host.submit(&order("fibre-100"));
    host.wait(&id, &["completed", "failed", "held", "partial"]);
    let run = host.run(&id).to_string();
    assert!(run.contains("the token is not in memory"), "{run}");
    let learned = echo.received();
    assert!(learned.iter().any(|request| request.contains(&format!("x-secret: {TOKEN}"))), "the secret was sent: {learned:?}");

    let answers =
        [("run", run), ("order", host.order(&id).to_string()), ("documents", host.request("GET", "/api/v1/runs", &[], "").body.to_string())];
    for (place, text) in &answers {
        is_clean(place, text.as_bytes());
    }
    assert_eq!(host.terminate(), Some(0));
    assert!(answers[0].1.contains(CANARY) && answers[0].1.contains("***"), "{}", answers[0].1);

    let kept = files(host.directory());
    for (file, bytes) in &kept {
        is_clean(file, bytes);
    }
    let tells = |name: &str| kept.iter().any(|(file, bytes)| file.contains(name) && holds(bytes, CANARY));
    assert!(tells("jackfield.db"), "the journal holds what the plugin said");
    assert!(tells("otlp.jsonl"), "spans and log records hold what the plugin said");
}
