//! What happened, as a table; every cell comes from the host.

use serde_json::Value;

use super::play::{Played, resources};

/// The table of all orders.
pub(crate) fn render(played: &[Played]) -> String {
    let header = ["order", "offering", "state", "fallout", "resources", "retries", "what it shows"].map(str::to_owned);
    columns(std::iter::once(header).chain(played.iter().map(row)).collect())
}

/// Rows with their columns one below the other.
pub(super) fn columns<const N: usize>(rows: Vec<[String; N]>) -> String {
    let widths: Vec<usize> = (0..N).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn row(played: &Played) -> [String; 7] {
    let items = played.order["productOrderItem"].as_array().into_iter().flatten();
    let offerings: Vec<_> = items.filter_map(|item| item["productOffering"]["id"].as_str()).collect();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    [
        played.id.clone(),
        offerings.join("+"),
        text(&played.order["state"]),
        text(&played.run["open_fallouts"][0]["reason"]),
        resources(&played.run).to_string(),
        retries(&played.run).to_string(),
        played.scenario.about.clone(),
    ]
}

/// How many attempts were followed by another one.
fn retries(run: &Value) -> usize {
    let events = run["records"].as_array().into_iter().flatten().map(|record| &record["event"]);
    events.filter(|event| event["retry_at"].is_number()).count()
}
