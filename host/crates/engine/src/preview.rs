//! Which provider each step of a run would get, before there is a run: what the input says is known, what earlier steps will answer is not.

use std::collections::BTreeSet;

use pipeline::{ContractTrack, Event, Pin, PipelineName, Record, RunId, RunStarted, Seq, StepDefinition, StepName, TenantName, View, begin};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Driver,
    bindings::{Binding, BindingTable, suits},
    ids,
};

/// A step as it would be bound.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepPreview {
    /// The step.
    pub step: StepName,
    /// The contract that it calls.
    pub contract: ContractTrack,
    /// What the input says of the selectors.
    pub selectors: Vec<(&'static str, String)>,
    /// Selectors that the input does not say: they are not given, or an earlier step answers them.
    pub unknown: Vec<&'static str>,
    /// The rules that could answer, by their position in the table, the one with the most names first. Only one: it does.
    pub rules: Vec<RulePreview>,
    /// Why none could.
    pub unbound: Option<String>,
}

/// A rule that could answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RulePreview {
    /// Its position in the table.
    pub rule: usize,
    /// What it asks for.
    pub when: std::collections::BTreeMap<String, Vec<String>>,
    /// Its selectors that are unknown: it answers if they turn out so.
    pub depends_on: Vec<String>,
    /// What it chooses from: the provider, its share, and whether it is the choice of the run that was named.
    pub choices: Vec<ChoicePreview>,
}

/// A choice of a rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChoicePreview {
    /// What answers.
    pub pin: std::sync::Arc<Pin>,
    /// Its part of `of`.
    pub weight: u32,
    /// The sum of the weights.
    pub of: u64,
    /// Whether the run that was named gets it; nothing without such a run.
    pub chosen: Option<bool>,
}

impl Driver {
    /// Previews a run of a pipeline under the current table. A run's choices by weight depend on its id, so they are known only when one is given.
    ///
    /// # Errors
    ///
    /// The pipeline is not known, or the input cannot begin a run.
    pub fn preview(&self, tenant: &TenantName, pipeline: &PipelineName, input: Value, run: Option<&RunId>) -> Result<Vec<StepPreview>, String> {
        let shared = self.shared();
        let pack = shared.definitions.newest(pipeline).ok_or_else(|| format!("no pipeline `{pipeline}` is registered"))?;
        let (revision, table) = shared.bindings.current();
        let started = RunStarted {
            pipeline: pipeline.clone(),
            version: pack.definition.version,
            tenant: tenant.clone(),
            input,
            idempotency_key: None,
            revision,
            trace: ids::trace(None, false),
            parent: None,
        };
        let record = Record { seq: Seq(1), epoch: shared.epoch, at: shared.clock.now(), event: Event::RunStarted(started.into()) };
        let id = run.cloned().unwrap_or_else(ids::run_id);
        let state = begin(&pack.definition, id, &record).map_err(|illegal| illegal.to_string())?;
        let view = View::new(&pack.definition, &state);
        Ok(pack.definition.steps.iter().filter_map(|step| preview(step, &view, &table, run)).collect())
    }
}

fn preview(step: &StepDefinition, view: &View<'_>, table: &BindingTable, run: Option<&RunId>) -> Option<StepPreview> {
    let contract = step.work.contract()?;
    // A step that waits for none has its request already.
    let request = if step.after.is_empty() { (step.map)(view).ok().and_then(|mapped| mapped.into_iter().next()) } else { None };
    let known = request.is_some();
    let selectors = (step.selectors.of)(view, &request.map_or(Value::Null, |mapped| mapped.request));
    let given: BTreeSet<&str> = selectors.iter().map(|(name, _)| *name).collect();
    let unknown: Vec<&'static str> =
        if known { Vec::new() } else { step.selectors.names.iter().copied().filter(|name| !given.contains(name)).collect() };
    let mut rules: Vec<(usize, &Binding, Vec<String>)> = Vec::new();
    for (position, rule) in table.rules.iter().enumerate().filter(|(_, rule)| rule.contract == *contract) {
        let (open, named): (Vec<_>, Vec<_>) = rule.when.iter().partition(|(name, _)| unknown.contains(&name.as_str()));
        if named.iter().all(|(name, wanted)| suits(name, wanted, &selectors).is_ok()) {
            rules.push((position, rule, open.into_iter().map(|(name, _)| name.clone()).collect()));
        }
    }
    rules.sort_by_key(|(position, rule, _)| (std::cmp::Reverse(rule.when.len()), *position));
    // The first that depends on nothing unknown hides all behind it.
    if let Some(last) = rules.iter().position(|(_, _, depends_on)| depends_on.is_empty()) {
        rules.truncate(last + 1);
    }
    let unbound = rules.is_empty().then(|| table.resolve(contract, &selectors, view.run().id()).err().map(|failure| failure.message)).flatten();
    let rules = rules.into_iter().map(|(position, rule, depends_on)| rule_preview(position, rule, depends_on, run)).collect();
    Some(StepPreview { step: step.name.clone(), contract: contract.clone(), selectors, unknown, rules, unbound })
}

fn rule_preview(position: usize, rule: &Binding, depends_on: Vec<String>, run: Option<&RunId>) -> RulePreview {
    let chosen = run.map(|run| rule.pick(run).map(|(choice, _)| choice));
    let of = rule.sum();
    let choices = rule.choices.iter().enumerate().map(|(number, choice)| ChoicePreview {
        pin: choice.pin.clone(),
        weight: choice.weight,
        of,
        chosen: chosen.map(|chosen| chosen == Some(number)),
    });
    RulePreview { rule: position, when: rule.when.clone(), depends_on, choices: choices.collect() }
}
