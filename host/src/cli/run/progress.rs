//! One line that says how far a run is.

use serde_json::Value;

use crate::cli::output;

/// The steps with how many of their items are done, and what is waited for.
pub(in crate::cli) fn line(summary: &Value) -> String {
    let steps = summary["steps"].as_array().into_iter().flatten();
    let parts: Vec<String> = steps.filter(|step| step["status"] != "waiting").map(step).collect();
    let what = output::cell(&summary["reason"]);
    format!("{}: {}", parts.join(", "), what.lines().next().unwrap_or_default())
}

fn step(step: &Value) -> String {
    let items = step["items"].as_array().map_or(&[][..], Vec::as_slice);
    let done = items.iter().filter(|item| matches!(item["standing"].as_str(), Some("done" | "supplied by a person"))).count();
    format!("{} {done}/{}", output::cell(&step["step"]), items.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_counts_what_is_done() {
        let items = json!([{"standing": "done"}, {"standing": "open"}]);
        let steps = json!([{"step": "decompose", "status": "done", "items": [{"standing": "done"}]}, {"step": "provision", "status": "working", "items": items}, {"step": "bill", "status": "waiting", "items": []}]);
        let summary = json!({"steps": steps, "reason": "calling provision[1]"});
        assert_eq!(line(&summary), "decompose 1/1, provision 1/2: calling provision[1]");
    }
}
