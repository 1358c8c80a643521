//! `docs/operate.md` has a paragraph for everything that an operator can meet, and names nothing else.

use std::collections::BTreeSet;

const OPERATE: &str = include_str!("../../docs/operate.md");
const REGISTRY: &str = include_str!("../../crates/telemetry/registry.yaml");

/// The names of the headings of one kind: `### Error `name``.
fn headings(kind: &str) -> BTreeSet<String> {
    let heading = format!("### {kind} `");
    OPERATE.lines().filter_map(|line| line.strip_prefix(&heading)?.strip_suffix('`')).map(str::to_owned).collect()
}

#[test]
fn every_error_code_of_the_contract_has_its_paragraph() {
    let line = REGISTRY.lines().find_map(|line| line.trim().strip_prefix("error_types: [")?.strip_suffix(']')).unwrap();
    let codes: BTreeSet<String> = line.split(", ").map(str::to_owned).collect();
    assert!(codes.len() > 20);
    assert_eq!(headings("Error"), codes);
}

#[test]
fn every_fallout_reason_has_its_paragraph() {
    assert_eq!(headings("Reason"), orders::REASONS.map(str::to_owned).into());
}

#[test]
fn no_paragraph_is_empty() {
    let mut lines = OPERATE.lines().peekable();
    while let Some(line) = lines.next() {
        let next = lines.peek().map_or(0, |next| next.len());
        assert!(!line.starts_with("### ") || next > 60, "{line} has no paragraph");
    }
}
