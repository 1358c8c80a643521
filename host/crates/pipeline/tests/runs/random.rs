//! Random worlds: definitions, providers, people, schedules and crashes, from numbers, so that they shrink.

use std::num::NonZeroU32;

use pipeline::{
    AfterFailure, Criticality, Definition, Pin, PipelineName, Provider, Resolution, RetryPolicy, StepDefinition, StepName, Undo, Verbs, Work, testing,
};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{Act, Callback, Script, Verb, When, World, name, plugin, repin_a_to_b};

const NAMES: [&str; 5] = ["s0", "s1", "s2", "s3", "s4"];

/// One random step.
#[derive(Debug, Clone)]
struct StepPlan {
    /// Which earlier steps it follows, bit by bit.
    after: u8,
    fan_out: Option<NonZeroU32>,
    kind: Kind,
    criticality: Criticality,
    unwind: bool,
    then: AfterFailure,
    attempts: u32,
    observe: bool,
    undo: bool,
    idempotent: bool,
    scripts: Vec<(Verb, Vec<Act>, bool)>,
}

/// What a random step calls and when it is undone.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Pure,
    Undoable,
    Lasting,
    UndoneAfterNext,
    CallsBack,
    Child,
}

/// A random world.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    steps: Vec<StepPlan>,
    items: usize,
    /// What the provider of a child's only step does.
    child: Vec<Act>,
    operator: Vec<Resolution>,
    callbacks: Vec<(usize, When)>,
    /// Whether the operator binds items otherwise, and if so, also those that did something.
    repin: Option<bool>,
    reopens: u32,
    choices: Vec<u8>,
    crashes: Vec<usize>,
}

impl Plan {
    pub(crate) fn definition(&self) -> Definition {
        let mut definition = testing::empty();
        definition.steps = self.steps.iter().enumerate().map(|(position, plan)| plan.step(position, self.steps.len())).collect();
        definition
    }

    pub(crate) fn world(&self) -> World {
        let mut world = World::new(&self.definition(), json!({"items": vec![0; self.items]}));
        world.add_definition(&child());
        world.script("x", Verb::Apply, &self.child);
        for (step, plan) in NAMES.iter().zip(&self.steps) {
            world.pins.insert(name(step), plugin("a", plan.pin()));
            for (verb, acts, forever) in &plan.scripts {
                world.backend.scripts.insert((name(step), None, *verb), Script { acts: acts.clone(), forever: *forever });
            }
        }
        let able = Pin { verbs: Verbs { observe: true, resume: true, undo: true }, ..testing::pin() };
        world.repins.extend(self.repin.map(|include_done| repin_a_to_b(include_done, able)));
        world.reopens = self.reopens;
        world.operator.extend(self.operator.clone());
        world.callbacks.extend(self.callbacks.iter().map(|(step, when)| Callback { step: NAMES[*step], when: *when, body: "call" }));
        world.choices.extend(&self.choices);
        world.crashes.clone_from(&self.crashes);
        world
    }
}

impl StepPlan {
    fn step(&self, position: usize, count: usize) -> StepDefinition {
        let mut step = testing::step(NAMES[position]);
        step.after = (0..position).filter(|earlier| self.after & (1 << earlier) != 0).map(|earlier| name(NAMES[earlier])).collect();
        if self.fan_out.is_some() {
            (step.fan_out, step.map) = (self.fan_out, testing::map_items);
        }
        let contract = testing::contract();
        (step.work, step.undo) = match self.kind {
            Kind::Pure => (Work::Pure { contract }, Undo::Never),
            Kind::Undoable => (Work::Effect { contract, callback: false }, Undo::OnUnwind),
            Kind::Child => (Work::Child { pipeline: child().name }, Undo::Never),
            Kind::Lasting => (Work::Effect { contract, callback: false }, Undo::Never),
            Kind::UndoneAfterNext if position + 1 < count => (Work::Effect { contract, callback: false }, Undo::After(next(position))),
            Kind::UndoneAfterNext | Kind::CallsBack => (Work::Effect { contract, callback: true }, Undo::OnUnwind),
        };
        step.criticality = self.criticality;
        (step.on_failure.unwind, step.on_failure.then) = (self.unwind, self.then);
        step.retry = RetryPolicy { max_attempts: NonZeroU32::new(self.attempts).unwrap(), ..step.retry };
        step
    }

    fn pin(&self) -> Pin {
        Pin {
            provider: Provider::Native { name: "test".to_owned() },
            verbs: Verbs { observe: self.observe, resume: true, undo: self.undo },
            idempotent: self.idempotent,
            ..testing::pin()
        }
    }
}

fn child() -> Definition {
    let mut child = testing::linear(&["x"]);
    child.name = PipelineName::new("child").unwrap();
    child
}

fn next(position: usize) -> StepName {
    name(NAMES[position + 1])
}

/// A random world.
pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    let callbacks = prop::collection::vec((0..NAMES.len(), prop::sample::select(vec![When::Early, When::InTime, When::Again, When::Late])), 0..3);
    let operator =
        (prop::collection::vec(resolution(), 0..5), prop::option::weighted(0.3, any::<bool>()), prop_oneof![3 => Just(0_u32), 1 => 1..3_u32]);
    let schedule = (prop::collection::vec(any::<u8>(), 0..60), prop::collection::vec(1..60_usize, 0..3));
    let child = prop::collection::vec(act().prop_filter("an apply finds nothing", |act| fits(Verb::Apply, *act)), 0..3);
    let world = (prop::collection::vec(step_plan(), 1..=NAMES.len()), 0..4_usize, child);
    (world, operator, callbacks, schedule).prop_map(|((steps, items, child), (operator, repin, reopens), callbacks, (choices, crashes))| Plan {
        steps,
        items,
        child,
        operator,
        callbacks,
        repin,
        reopens,
        choices,
        crashes,
    })
}

fn step_plan() -> impl Strategy<Value = StepPlan> {
    let kind =
        prop::sample::select(vec![Kind::Pure, Kind::Undoable, Kind::Undoable, Kind::Lasting, Kind::UndoneAfterNext, Kind::CallsBack, Kind::Child]);
    let criticality = prop_oneof![5 => Just(Criticality::Required), 1 => Just(Criticality::BestEffort), 1 => Just(Criticality::PointOfNoReturn)];
    let then = prop::sample::select(vec![AfterFailure::Fail, AfterFailure::Fallout]);
    let script = (
        prop::sample::select(vec![Verb::Apply, Verb::Apply, Verb::Resume, Verb::Observe, Verb::Undo]),
        prop::collection::vec(act(), 0..3),
        any::<bool>(),
    );
    let shape = (any::<u8>(), prop::option::of((1..4_u32).prop_map(|bound| NonZeroU32::new(bound).unwrap())), kind, criticality);
    let provider = (any::<bool>(), prop::bool::weighted(0.9), any::<bool>(), prop::collection::vec(script, 0..3));
    (shape, (any::<bool>(), then, 1..4_u32), provider).prop_map(
        |((after, fan_out, kind, criticality), (unwind, then, attempts), (observe, undo, idempotent, scripts))| {
            let scripts =
                scripts.into_iter().map(|(verb, acts, forever)| (verb, acts.into_iter().filter(|act| fits(verb, *act)).collect(), forever)).collect();
            StepPlan { after, fan_out, kind, criticality, unwind, then, attempts, observe, undo, idempotent, scripts }
        },
    )
}

/// Whether a provider may answer so: an observation neither pends nor does anything, only an observation finds something.
fn fits(verb: Verb, act: Act) -> bool {
    let finding = matches!(act, Act::Foreign | Act::Drifted);
    let doing = matches!(act, Act::Pending { .. } | Act::Unknown { did: true });
    if verb == Verb::Observe { !doing } else { !finding }
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => Just(Act::Obeys),
        2 => Just(Act::Rejected),
        2 => Just(Act::Unavailable),
        1 => Just(Act::Held),
        2 => any::<bool>().prop_map(|did| Act::Unknown { did }),
        2 => prop::option::of(1..40_u64).prop_map(|poll_ms| Act::Pending { poll_ms, give_up_ms: 100 }),
        1 => Just(Act::Foreign),
        1 => Just(Act::Drifted),
    ]
}

/// A random decision. Taking the responsibility for an effect (other input, an output by hand) is rarer than the rest, since it excuses much.
fn resolution() -> impl Strategy<Value = Resolution> {
    prop_oneof![
        4 => Just(Resolution::Retry),
        4 => Just(Resolution::Cancel),
        1 => Just(Resolution::RetryWith(json!({"items": [7]}))),
        1 => Just(Resolution::SkipWith(json!("by hand"))),
    ]
}
