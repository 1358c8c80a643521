//! `jackfield run trace`: the spans of a run as a tree.

use std::{collections::HashMap, process::ExitCode};

use serde_json::Value;

use crate::cli::{client::encode, connection::Connection, output};

/// Deeper trees are cut: a span that is its own ancestor can only come from a host of another version.
const MAX_DEPTH: usize = 32;

pub(super) async fn trace(run: &str, connection: &Connection) -> anyhow::Result<ExitCode> {
    let trace: Value = connection.client()?.get(&format!("/api/v1/runs/{}/trace", encode(run))).await?.json()?;
    if connection.json {
        output::say_json(&trace)?;
    } else {
        output::say(&text(&trace))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(trace: &Value) -> String {
    let spans = trace["spans"].as_array().map_or(&[][..], Vec::as_slice);
    let ids: Vec<&str> = spans.iter().filter_map(|span| span["span_id"].as_str()).collect();
    let mut children: HashMap<&str, Vec<&Value>> = HashMap::new();
    let mut roots = Vec::new();
    for span in spans {
        match span["parent"].as_str().filter(|parent| ids.contains(parent)) {
            Some(parent) => children.entry(parent).or_default().push(span),
            // The caller's span, if the run has one, is in the caller's own telemetry.
            None => roots.push(span),
        }
    }
    let mut rows = Vec::new();
    for root in roots {
        walk(root, &children, &Branch::default(), trace["now"].as_u64(), &mut rows);
    }
    let sampled = if trace["sampled"] == true { "exported" } else { "not exported: the run is not sampled" };
    format!("trace {} ({sampled})\n{}", output::cell(&trace["trace_id"]), output::table(&["SPAN", "TOOK", "STATUS"], &rows))
}

/// Where in the drawing a span stands.
#[derive(Default)]
struct Branch {
    /// What stands before the span itself.
    own: String,
    /// What stands before its children.
    below: String,
    depth: usize,
}

fn walk(span: &Value, children: &HashMap<&str, Vec<&Value>>, branch: &Branch, now: Option<u64>, rows: &mut Vec<Vec<String>>) {
    rows.push(vec![format!("{}{}", branch.own, output::cell(&span["name"])), took(span, now), status(span)]);
    let below = span["span_id"].as_str().and_then(|id| children.get(id)).map_or(&[][..], Vec::as_slice);
    if branch.depth >= MAX_DEPTH {
        return;
    }
    for (index, child) in below.iter().enumerate() {
        let last = index + 1 == below.len();
        let (corner, line) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let branch = Branch { own: format!("{}{corner}", branch.below), below: format!("{}{line}", branch.below), depth: branch.depth + 1 };
        walk(child, children, &branch, now, rows);
    }
}

fn took(span: &Value, now: Option<u64>) -> String {
    match (span["start"].as_u64(), span["end"].as_u64()) {
        (Some(start), Some(end)) => output::duration(end.saturating_sub(start)),
        // The host's clock, by which spans start, says how long an open one has lasted.
        (Some(start), None) => format!("{} so far", output::duration(now.unwrap_or(start).saturating_sub(start))),
        (None, _) => String::new(),
    }
}

fn status(span: &Value) -> String {
    let status = output::cell(&span["status"]);
    let text = match status.as_str() {
        "error" => format!("ERROR {} ({})", output::cell(&span["description"]), output::cell(&span["attributes"]["error.type"])),
        "open" => "OPEN".to_owned(),
        "unset" => String::new(),
        other => other.to_owned(),
    };
    if span["links"].as_array().is_some_and(|links| !links.is_empty()) { format!("{text} (a retry)").trim_start().to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spans_are_drawn_below_their_parents_and_open_ones_are_marked() {
        let trace = json!({"trace_id": "t", "sampled": true, "now": 5_000_000, "spans": [
            {"span_id": "r", "parent": "elsewhere", "name": "root", "start": 0, "end": null, "status": "open"},
            {"span_id": "a", "parent": "r", "name": "first", "start": 0, "end": 1500, "status": "unset", "links": []},
            {"span_id": "g", "parent": "r", "name": "group", "start": 1500, "end": null, "status": "open"},
            {"span_id": "x", "parent": "g", "name": "one", "start": 1500, "end": 1900, "status": "error", "description": "no port", "attributes": {"error.type": "no_inventory"}, "links": ["y"]},
        ]});
        let expected = "\
trace t (exported)
SPAN          TOOK         STATUS
root          5.00 s so far  OPEN
├─ first      1.50 ms
└─ group      5.00 s so far  OPEN
   └─ one     400 us         ERROR no port (no_inventory) (a retry)";
        let squeezed = |text: &str| text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
        assert_eq!(squeezed(&text(&trace)), squeezed(expected));
    }
}
