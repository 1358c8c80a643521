//! The reference set: the shapes of runs that are in flight together when the process dies, as data.

use std::num::NonZeroU32;

use engine::{BindingTable, testing};
use pipeline::{AfterFailure, Criticality, Definition, ItemId, Mapped, PipelineName, StepDefinition, Undo, View, Work};
use serde_json::{Value, json};

/// One run of the set.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name, which is also its pipeline's and its idempotency key.
    pub name: &'static str,
    /// How it ends, in the words of the report.
    pub ends: &'static str,
    /// Its pipeline.
    pub definition: Definition,
}

/// A provider: its name, whether it can observe, whether repeating `apply` is safe.
const PROVIDERS: [(&str, bool, bool); 10] = [
    ("observed", true, false),
    ("dedup", false, true),
    ("blind", false, false),
    ("poll", false, true),
    ("watched", true, false),
    ("callback", false, true),
    ("stubborn", true, false),
    ("refusing", true, false),
    ("shaky", true, false),
    ("clinging", true, false),
];

/// The runs that are started from outside.
pub fn cases() -> Vec<Case> {
    let refused = "failed in c: refused for good";
    vec![
        case("linear", "completed", &[("a", "observed"), ("b", "observed"), ("c", "observed")], |_| {}),
        case("fan_out", "completed", &[("each", "observed"), ("last", "observed")], fan_out),
        case("fan_out_dedup", "completed", &[("each", "dedup")], fan_out),
        case("unwind", refused, &[("a", "observed"), ("b", "observed"), ("c", "refusing")], |_| {}),
        case("unwind_dedup", refused, &[("a", "dedup"), ("b", "observed"), ("c", "refusing")], |_| {}),
        case("unwind_shaky", refused, &[("a", "shaky"), ("b", "observed"), ("c", "refusing")], |_| {}),
        case("undo_fallout", refused, &[("a", "observed"), ("b", "clinging"), ("c", "refusing")], |_| {}),
        case("released", "completed", &[("a", "observed"), ("b", "observed"), ("c", "dedup")], |steps| {
            steps[0].undo = Undo::After(steps[1].name.clone());
        }),
        case("best_effort", "completed", &[("a", "refusing"), ("b", "observed")], |steps| steps[0].criticality = Criticality::BestEffort),
        case("pending", "completed", &[("a", "observed"), ("b", "poll")], |_| {}),
        case("pending_watched", "completed", &[("a", "observed"), ("b", "watched")], |_| {}),
        case("callback", "completed", &[("a", "callback"), ("b", "observed")], |_| {}),
        case("child", "completed", &[("a", "observed"), ("b", "observed"), ("c", "observed")], child),
        case("fallout", "completed", &[("a", "observed"), ("b", "stubborn"), ("c", "observed")], |steps| held(&mut steps[1], false)),
        case("unwound_fallout", "completed", &[("a", "observed"), ("b", "stubborn")], |steps| held(&mut steps[1], true)),
        case("blind", "completed", &[("a", "blind"), ("b", "blind")], |steps| steps.iter_mut().for_each(|step| step.undo = Undo::Never)),
        case("retry", "completed", &[("a", "shaky"), ("b", "dedup")], |_| {}),
    ]
}

/// All pipelines: those of the cases and the one that a step of `child` starts.
pub fn definitions() -> Vec<Definition> {
    let leaf = case("leaf", "completed", &[("x", "observed"), ("y", "dedup")], |_| {});
    cases().into_iter().chain([leaf]).map(|case| case.definition).collect()
}

/// Which provider answers which contract.
pub fn table() -> BindingTable {
    let contracts: Vec<String> = PROVIDERS.iter().map(|(provider, ..)| contract(provider)).collect();
    testing::table(contracts.iter().zip(PROVIDERS).map(|(contract, (provider, observe, idempotent))| {
        let mut pin = testing::pin(provider);
        (pin.verbs.observe, pin.idempotent) = (observe, idempotent);
        (contract.as_str(), pin)
    }))
}

/// The input of a case: its name, which every request carries, and the items of a fan-out.
pub fn input(name: &str) -> Value {
    let items: Vec<Value> = (0..8).map(|_| json!({"name": name})).collect();
    json!({"name": name, "items": items})
}

/// What an effect is called in the ledger, whatever the run's id.
pub fn effect_name(run: &str, item: &ItemId) -> String {
    format!("{run}/{}[{}].{}", item.step, item.item, item.round)
}

fn case(name: &'static str, ends: &'static str, steps: &[(&str, &str)], change: impl Fn(&mut [StepDefinition])) -> Case {
    let names: Vec<&str> = steps.iter().map(|(step, _)| *step).collect();
    let mut definition = pipeline::testing::linear(&names);
    definition.name = word(name);
    for (step, (_, provider)) in definition.steps.iter_mut().zip(steps) {
        let contract = contract(provider).parse().expect("a valid contract");
        step.work = Work::Effect { contract, callback: *provider == "callback" };
        step.map = |view| Ok(Mapped::one(json!({"name": view.input()["name"]})));
    }
    change(&mut definition.steps);
    Case { name, ends, definition }
}

fn contract(provider: &str) -> String {
    format!("jackfield:test/{provider}@1")
}

fn word(name: &str) -> PipelineName {
    PipelineName::new(name).expect("a valid name")
}

/// The first step has eight items, four at a time.
fn fan_out(steps: &mut [StepDefinition]) {
    (steps[0].fan_out, steps[0].map) = (NonZeroU32::new(4), pipeline::testing::map_items);
}

/// The second step is a run of its own.
fn child(steps: &mut [StepDefinition]) {
    steps[1].work = Work::Child { pipeline: word("leaf") };
    steps[1].undo = Undo::Never;
    steps[1].map = |view: &View<'_>| Ok(Mapped::one(json!({"name": format!("{}.leaf", view.input()["name"].as_str().unwrap_or_default())})));
}

/// A failure of the step is held for a person, after an unwind or at once.
fn held(step: &mut StepDefinition, unwind: bool) {
    (step.on_failure.unwind, step.on_failure.then) = (unwind, AfterFailure::Fallout);
}
