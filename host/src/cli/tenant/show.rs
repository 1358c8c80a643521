//! What there is to see of tenants.

use std::process::ExitCode;

use serde_json::Value;

use super::{TENANTS, Target, path};
use crate::cli::{client::encode, connection::Connection, output};

/// The most tenants of a page; the interface has the same limit.
const PAGE: u64 = 200;

const DAY: u64 = 24 * 3_600 * 1_000_000;

pub(super) async fn list(filters: &[(&str, Option<String>)], limit: u64, connection: &Connection) -> anyhow::Result<ExitCode> {
    let client = connection.client()?;
    let given = filters.iter().filter_map(|(name, value)| Some(format!("&{name}={}", encode(value.as_ref()?))));
    let filter: String = given.collect();
    let (mut tenants, mut total) = (Vec::<Value>::new(), 0);
    loop {
        let left = limit - tenants.len() as u64;
        let page: Value = client.get(&format!("{TENANTS}?offset={}&limit={}{filter}", tenants.len(), left.min(PAGE))).await?.json()?;
        total = page["total"].as_u64().unwrap_or(total);
        let found = page["tenants"].as_array().cloned().unwrap_or_default();
        let last = found.is_empty();
        tenants.extend(found);
        if last || tenants.len() as u64 >= limit.min(total) {
            break;
        }
    }
    if connection.json {
        output::say_json(&tenants)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = tenants.iter().map(row).collect();
    output::say(&output::table(&["TENANT", "SLUG", "STATE", "SINCE", "PLAN", "REGION", "WHY"], &rows))?;
    if total > tenants.len() as u64 {
        eprintln!("{} of {total} tenants; --limit shows more", tenants.len());
    }
    Ok(ExitCode::SUCCESS)
}

fn row(tenant: &Value) -> Vec<String> {
    let cell = |key: &str| output::cell(&tenant[key]);
    let since = tenant["since"].as_u64().map_or_else(String::new, output::instant);
    let why = if tenant["error"].is_object() {
        format!("{}: {}", output::cell(&tenant["error"]["step"]), output::cell(&tenant["error"]["type"]))
    } else {
        String::new()
    };
    vec![cell("id"), cell("slug"), cell("state"), since, cell("plan"), cell("region"), why]
}

pub(super) async fn show(target: &Target) -> anyhow::Result<ExitCode> {
    let (client, id) = target.find().await?;
    let tenant: Value = client.get(&path(&id, "")).await?.json()?;
    target.tell(&tenant, &text(&tenant))
}

/// A tenant as people read it: where it stands, how long each step took, what exists of it.
pub(super) fn text(tenant: &Value) -> String {
    let mut lines: Vec<String> = ["id", "state", "slug", "domain", "name", "plan", "region", "run"]
        .iter()
        .filter(|field| !tenant[**field].is_null())
        .map(|field| format!("{field:<12}{}", output::cell(&tenant[*field])))
        .collect();
    if tenant["error"].is_object() {
        let part = |field: &str| output::cell(&tenant["error"][field]);
        lines.push(format!("{:<12}{} {}: {}", "error", part("step"), part("type"), part("message")));
    }
    if let (Some(took), Some(slowest)) = (tenant["took_ms"].as_u64(), tenant["slowest"]["step"].as_str()) {
        let longest = tenant["slowest"]["took_ms"].as_u64().unwrap_or(0);
        lines.push(format!(
            "{:<12}{}; the longest step was {slowest} with {}",
            "took",
            output::duration(took * 1_000),
            output::duration(longest * 1_000)
        ));
    }
    let steps: Vec<Vec<String>> = tenant["steps"].as_array().into_iter().flatten().map(step).collect();
    lines.push(format!("\n{}", output::table(&["STEP", "STATE", "TOOK", "ATTEMPTS"], &steps)));
    let resources: Vec<Vec<String>> = tenant["resources"].as_array().into_iter().flatten().map(resource).collect();
    if !resources.is_empty() {
        lines.push(format!("\n{}", output::table(&["WHAT", "STATE", "PROVIDER", "WHERE"], &resources)));
    }
    lines.join("\n")
}

fn step(step: &Value) -> Vec<String> {
    let took = step["took_ms"].as_u64().map_or_else(String::new, |took| output::duration(took * 1_000));
    vec![output::cell(&step["step"]), output::cell(&step["state"]), took, output::cell(&step["attempts"])]
}

fn resource(resource: &Value) -> Vec<String> {
    let place = resource["what"].as_object().into_iter().flatten().map(|(name, value)| format!("{name}={}", output::cell(value)));
    let place = place.collect::<Vec<_>>().join(" ");
    vec![output::cell(&resource["step"]), output::cell(&resource["state"]), output::cell(&resource["provider"]), place]
}

pub(super) async fn drift(target: &Target) -> anyhow::Result<ExitCode> {
    let (client, id) = target.find().await?;
    let drift: Value = client.get(&path(&id, "/drift")).await?.json()?;
    target.tell(&drift, &table_of(&drift["resources"]))?;
    Ok(if drift["drift"] == true { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

pub(super) async fn repair(target: &Target) -> anyhow::Result<ExitCode> {
    let (client, id) = target.find().await?;
    let repair: Value = client.post(&path(&id, "/repair"), &[], Vec::new()).await?.json()?;
    let run = repair["run"]
        .as_str()
        .map_or_else(|| "there is nothing to make again".to_owned(), |run| format!("run {run} makes again what is gone or was changed"));
    let mut text = format!("{run}\n{}", table_of(&repair["repairs"]));
    if repair["left"].as_array().is_some_and(|left| !left.is_empty()) {
        text.push_str(&format!("\n\nnot made again:\n{}", table_of(&repair["left"])));
    }
    target.tell(&repair, &text)
}

fn table_of(found: &Value) -> String {
    let cells = |found: &Value| ["step", "label", "found", "provider", "detail"].map(|field| output::cell(&found[field])).to_vec();
    let rows: Vec<Vec<String>> = found.as_array().into_iter().flatten().map(cells).collect();
    output::table(&["STEP", "ITEM", "FOUND", "PROVIDER", "DETAIL"], &rows)
}

pub(super) async fn stats(days: u64, connection: &Connection) -> anyhow::Result<ExitCode> {
    let client = connection.client()?;
    let week: Value = client.get(&format!("{TENANTS}/stats")).await?.json()?;
    let stats: Value = match (days, week["until"].as_u64()) {
        (7, _) | (_, None) => week,
        (_, Some(now)) => client.get(&format!("{TENANTS}/stats?since={}", now.saturating_sub(days * DAY))).await?.json()?,
    };
    if connection.json {
        output::say_json(&stats)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = stats["steps"].as_array().into_iter().flatten().map(figures).collect();
    let table = output::table(&["STEP", "DONE", "P50", "P95", "MAX", "ATTEMPTS", "FAILED", "ERRORS"], &rows);
    let told = |field: &str, none: &str| stats[field].as_str().map_or_else(|| none.to_owned(), str::to_owned);
    let most = told("most_failing", "none");
    output::say(&format!("{} sign-ups; fails most: {most}; takes longest: {}\n\n{table}", output::cell(&stats["tenants"]), told("slowest", "none")))?;
    Ok(ExitCode::SUCCESS)
}

fn figures(step: &Value) -> Vec<String> {
    let time = |field: &str| step[field].as_u64().map_or_else(String::new, |ms| output::duration(ms * 1_000));
    let errors = step["errors"].as_object().into_iter().flatten().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ");
    let cell = |field: &str| output::cell(&step[field]);
    vec![cell("step"), cell("done"), time("p50_ms"), time("p95_ms"), time("max_ms"), cell("attempts"), cell("failed"), errors]
}
