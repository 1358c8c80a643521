//! Orders of which it is in doubt what was done for them, with the check of what must hold. The tests of orders ask that it
//! holds; the tests of mutants ask that it fails for a plugin whose `observe` is broken.

use serde_json::{Value, json};

use crate::harness::{Host, Lab, orders::order};

/// The back ends that the steps of an order write to, with the method and how often an order for `fibre-100` does it.
const WORK: [(&str, &str, usize); 3] = [("element", "PUT", 2), ("activation", "POST", 1), ("billing", "POST", 1)];

/// Each back end does its work and loses the first answer. The order completes, and nothing was done twice.
///
/// # Errors
///
/// What was not done once.
pub fn lost_answers(lab: &Lab, host: &Host) -> Result<(), String> {
    for (back_end, method, _) in WORK {
        lab.switch(back_end, "drop-answer", json!({"method": method}));
    }
    let id = host.submit(&order("fibre-100"));
    host.wait(&id, &["completed"]);
    let wrong = WORK.into_iter().filter_map(|(back_end, _, wanted)| {
        let did = work(lab, back_end);
        (did.len() != wanted).then(|| format!("{back_end} did {} instead of {wanted} for one order: {}", did.len(), did.join(", ")))
    });
    complaints(wrong)
}

/// A back end does its work, loses every answer, and cannot be asked about it until the step has failed; then a person cancels the order. Nothing is left
/// of it. The host must give up after two attempts.
///
/// # Errors
///
/// What is left.
pub fn lost_answers_of_a_cancelled_order(lab: &Lab, host: &Host, back_end: &str) -> Result<(), String> {
    let (_, method, _) = WORK.into_iter().find(|(name, ..)| *name == back_end).expect("a back end that is written to");
    if back_end == "element" {
        // The plugin looks before it writes: this look is answered, at once.
        lab.switch(back_end, "delay", json!({"method": "GET"}));
    }
    lab.switch(back_end, "fail", json!({"method": "GET"}));
    lab.switch(back_end, "drop-answer", json!({"method": method, "count": 2}));
    let id = host.submit(&order("fibre-100"));
    host.wait(&id, &["held"]);
    let cancelled = host.cli(&["run", "resolve", &id, "cancel", "--by", "ann", "--note", "not wanted any more"]);
    assert!(cancelled.status.success(), "{}", String::from_utf8_lossy(&cancelled.stderr));
    host.wait(&id, &["cancelled"]);
    let ledger = lab.ledger(back_end);
    let taken_back = |did: &&Value| entries(&ledger, &["deleted"]).any(|gone| gone["resource"] == did["resource"]);
    let mut made = entries(&ledger, &["created"]).peekable();
    if made.peek().is_none() {
        return Err(format!("{back_end} was not asked to do anything: {ledger}"));
    }
    let left = made.filter(|did| !taken_back(did));
    complaints(left.map(|did| format!("{back_end} keeps {} of a cancelled order", did["resource"].as_str().unwrap_or_default())))
}

/// What a back end did, but for what it took back.
fn work(lab: &Lab, back_end: &str) -> Vec<String> {
    let text = |did: &Value| format!("{} {}", did["action"].as_str().unwrap_or_default(), did["resource"].as_str().unwrap_or_default());
    entries(&lab.ledger(back_end), &["created", "replaced"]).map(text).collect()
}

fn entries<'a>(ledger: &'a Value, actions: &'a [&str]) -> impl Iterator<Item = &'a Value> {
    ledger.as_array().into_iter().flatten().filter(move |did| actions.iter().any(|action| did["action"] == *action))
}

fn complaints(found: impl Iterator<Item = String>) -> Result<(), String> {
    let found: Vec<String> = found.collect();
    if found.is_empty() { Ok(()) } else { Err(found.join("\n")) }
}
