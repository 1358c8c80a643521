//! Plays the scenarios: sends orders, waits, decides, and compares what came of each with what was expected.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{
    http::Client,
    scenario::Scenario,
    stage::{ORDERS, Stage},
};

/// An order that has not come to rest after this long is stuck.
const PATIENCE: Duration = Duration::from_secs(120);

/// What came of a scenario, read from the host.
#[derive(Debug, Clone)]
pub(crate) struct Played {
    pub(crate) scenario: Scenario,
    pub(crate) id: String,
    pub(crate) order: Value,
    pub(crate) run: Value,
    /// What differs from what was expected.
    pub(crate) wrong: Vec<String>,
}

/// Plays all scenarios: those that do not touch each other at the same time, the others one by one.
pub(crate) fn all(stage: &Stage, scenarios: &[Scenario]) -> Result<Vec<Played>> {
    let (alone, together): (Vec<_>, Vec<_>) = scenarios.iter().partition(|scenario| scenario.is_alone());
    let mut sent = Vec::new();
    for scenario in together {
        let id = send(stage, scenario)?;
        println!("  sent {id}  {}", scenario.about);
        sent.push((scenario, id));
    }
    let mut played = sent.into_iter().map(|(scenario, id)| watch(stage, scenario, id)).collect::<Result<Vec<_>>>()?;
    for scenario in alone {
        played.push(one(stage, scenario)?);
    }
    Ok(played)
}

fn one(stage: &Stage, scenario: &Scenario) -> Result<Played> {
    let before = created(stage, &scenario.expect)?;
    for fault in &scenario.faults {
        let (back_end, switch) = (fault["backend"].as_str().unwrap_or_default(), fault["switch"].as_str().unwrap_or_default());
        let answer = stage.back_end(back_end, "POST", &format!("/_lab/{switch}"), Some(&fault["with"]))?;
        ensure!(answer.status < 300, "the switch `{switch}` of `{back_end}` answered {}: {}", answer.status, answer.body);
    }
    let id = send(stage, scenario)?;
    println!("  sent {id}  {}", scenario.about);
    let mut played = watch(stage, scenario, id)?;
    compare_created(&mut played.wrong, &scenario.expect, &before, &created(stage, &scenario.expect)?);
    if let (Some(resolve), true) = (&scenario.resolve, played.wrong.is_empty()) {
        decide(stage, &mut played, resolve)?;
    }
    for fault in &scenario.faults {
        stage.back_end(fault["backend"].as_str().unwrap_or_default(), "POST", "/_lab/reset", Some(&Value::Object(Default::default())))?;
    }
    Ok(played)
}

/// A person looks at a held order and decides, by command line.
fn decide(stage: &Stage, played: &mut Played, resolve: &Value) -> Result<()> {
    let before = created(stage, &resolve["expect"])?;
    let action = resolve["action"].as_str().unwrap_or_default();
    stage.jackfield(&["run", "resolve", &played.id, action, "--by", "ann", "--note", "the back end was repaired"])?;
    let again = Scenario { expect: resolve["expect"].clone(), ..played.scenario.clone() };
    let mut resolved = watch(stage, &again, played.id.clone())?;
    compare_created(&mut resolved.wrong, &resolve["expect"], &before, &created(stage, &resolve["expect"])?);
    *played = resolved;
    Ok(())
}

/// Sends an order, twice when it has a key, and returns its id.
fn send(stage: &Stage, scenario: &Scenario) -> Result<String> {
    let client = match &scenario.key {
        Some(key) => stage.client().clone().with_header("idempotency-key", key),
        None => stage.client().clone(),
    };
    let answer = client.post(ORDERS, &scenario.order)?;
    ensure!(answer.status == 201, "the order `{}` was answered with {}: {}", scenario.name, answer.status, answer.body);
    let id = answer.body["id"].as_str().context("an order has an id")?.to_owned();
    if scenario.key.is_some() {
        let again = client.post(ORDERS, &scenario.order)?;
        ensure!(again.status == 200 && again.body["id"] == answer.body["id"], "sent again it was answered with {}: {}", again.status, again.body);
    }
    Ok(id)
}

/// Waits until an order is where it was expected or nothing moves any more, and compares.
fn watch(stage: &Stage, scenario: &Scenario, id: String) -> Result<Played> {
    let patience = Instant::now() + PATIENCE;
    loop {
        let order = get(stage.client(), &format!("{ORDERS}/{id}"))?;
        let state = order["state"].as_str().unwrap_or_default();
        if state == scenario.expect["state"] || matches!(state, "completed" | "held" | "failed" | "cancelled") {
            let run = get(stage.client(), &format!("/api/v1/runs/{id}"))?;
            let wrong = compare(&scenario.expect, &order, &run);
            println!("  {} {id}  {state}", if wrong.is_empty() { "ok  " } else { "FAIL" });
            return Ok(Played { scenario: scenario.clone(), id, order, run, wrong });
        }
        if Instant::now() > patience {
            bail!("order {id} ({}) is still `{state}` after {} s", scenario.about, PATIENCE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn get(client: &Client, path: &str) -> Result<Value> {
    let answer = client.get(path)?;
    ensure!(answer.status == 200, "GET {path} was answered with {}: {}", answer.status, answer.body);
    Ok(answer.body)
}

fn compare(expect: &Value, order: &Value, run: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |what: &str, expected: &Value, found: &Value| {
        if expected != found {
            wrong.push(format!("{what} is {found}, expected {expected}"));
        }
    };
    check("state", &expect["state"], &order["state"]);
    check("fallout", &expect["fallout"], &run["open_fallouts"][0]["reason"]);
    check("the number of resources", &expect["resources"], &resources(run).into());
    for (step, expected) in expect["attempts"].as_object().into_iter().flatten() {
        check(&format!("the number of attempts of {step}"), expected, &attempts(run, step).into());
    }
    wrong
}

/// How many resources the run has now.
pub(crate) fn resources(run: &Value) -> usize {
    let steps = run["state"]["steps"].as_array().into_iter().flatten();
    let items = steps.flat_map(|step| step["items"].as_array().into_iter().flatten());
    items
        .filter(|item| {
            item["pin"]["contract"].as_str().is_some_and(|contract| contract.contains("/inventory@")) && item["standing"].get("done").is_some()
        })
        .count()
}

/// How many attempts a step took, undoing not counted.
pub(crate) fn attempts(run: &Value, step: &str) -> usize {
    let records = run["records"].as_array().into_iter().flatten().map(|record| &record["event"]);
    let finished = records.filter(|event| event["kind"] == "attempt-finished");
    finished.filter(|event| event["attempt"]["step"] == step && event["attempt"]["direction"] == "do").count()
}

/// How many things each back end that is mentioned has created so far.
fn created(stage: &Stage, expect: &Value) -> Result<Vec<(String, usize)>> {
    let names = expect["created"].as_object().into_iter().flatten().map(|(name, _)| name);
    let count = |name: &String| {
        let ledger = stage.back_end(name, "GET", "/_lab/ledger", None)?.body;
        Ok((name.clone(), ledger.as_array().into_iter().flatten().filter(|effect| effect["action"] == "created").count()))
    };
    names.map(count).collect()
}

fn compare_created(wrong: &mut Vec<String>, expect: &Value, before: &[(String, usize)], after: &[(String, usize)]) {
    for ((name, before), (_, after)) in before.iter().zip(after) {
        if expect["created"][name] != after - before {
            wrong.push(format!("{name} created {}, expected {}", after - before, expect["created"][name]));
        }
    }
}
