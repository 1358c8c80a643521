//! The reference set: the shapes of runs that every other test enumerates over, as data.

use std::num::NonZeroU32;

use pipeline::{
    AfterFailure, Criticality, Definition, Failure, FailureClass, Pin, PipelineName, Resolution, StepDefinition, Undo, Verbs, Work, testing,
};
use serde_json::{Value, json};

use crate::{
    support::{Act, Callback, Script, Verb, When, World, name},
    withdrawn,
};

/// One shape of run, with what happens to it.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) definition: Definition,
    pub(crate) input: Value,
    /// Writes down what the providers, the operator and the outside do.
    pub(crate) setup: Box<dyn Fn(&mut World)>,
    /// How it ends, in the words of `outcome_text`.
    pub(crate) ends: &'static str,
}

impl Scenario {
    pub(crate) fn new(name: &str, definition: Definition, ends: &'static str, setup: impl Fn(&mut World) + 'static) -> Self {
        Self { name: name.to_owned(), definition, input: json!("order"), setup: Box::new(setup), ends }
    }

    /// The world at the start of the run.
    pub(crate) fn world(&self) -> World {
        let mut world = World::new(&self.definition, self.input.clone());
        (self.setup)(&mut world);
        world
    }
}

/// The whole reference set.
pub(crate) fn all() -> Vec<Scenario> {
    let mut all = shapes();
    all.extend(waiting());
    all.extend(children());
    all.extend(fallouts());
    all.extend(withdrawn::all());
    all
}

fn shapes() -> Vec<Scenario> {
    vec![
        Scenario::new("linear", abc(), "completed", |_| {}),
        Scenario { input: json!({"items": [0, 1, 2, 3, 4, 5, 6, 7]}), ..Scenario::new("fan_out", fan_out(3), "completed", |_| {}) },
        Scenario { input: json!({"items": []}), ..Scenario::new("fan_out_of_nothing", fan_out(3), "completed", |_| {}) },
        Scenario {
            input: json!({"items": [0, 1, 2, 3]}),
            ..Scenario::new("fan_out_unwind", fan_out(2), "failed in each: Rejected refused", |world| {
                let script = Script { acts: vec![Act::Rejected], forever: false };
                world.backend.scripts.insert((name("each"), Some(2), Verb::Apply), script);
            })
        },
        Scenario::new("unwind", abc(), "failed in c: Rejected refused", |world| world.always("c", Verb::Apply, Act::Rejected)),
        Scenario::new("retry", abc(), "completed", |world| world.script("b", Verb::Apply, &[Act::Unavailable, Act::Unknown { did: true }])),
        Scenario::new("exhausted", abc(), "failed in b: Unavailable busy", |world| world.always("b", Verb::Apply, Act::Unavailable)),
        Scenario::new("undo_retry", abc(), "failed in c: Rejected refused", |world| {
            world.always("c", Verb::Apply, Act::Rejected);
            world.script("b", Verb::Undo, &[Act::Unavailable, Act::Unknown { did: true }]);
        }),
        Scenario::new("best_effort", with(abc(), "b", |step| step.criticality = Criticality::BestEffort), "completed", |world| {
            world.always("b", Verb::Apply, Act::Rejected);
        }),
        Scenario::new("point_of_no_return", with(abc(), "b", |step| step.criticality = Criticality::PointOfNoReturn), "completed", |world| {
            world.script("c", Verb::Apply, &[Act::Rejected]);
            world.operator.extend([Resolution::Retry]);
        }),
        Scenario::new("undo_after", with(abc(), "a", |step| step.undo = Undo::After(name("b"))), "completed", |_| {}),
        Scenario::new("branches", branches(), "failed in r: Rejected refused", |world| world.always("r", Verb::Apply, Act::Rejected)),
        Scenario::new("start_record", abc(), "cancelled", |world| {
            // Neither observable nor idempotent: the process dies between the effect and its record, and a person must look.
            let verbs = Verbs { observe: false, ..testing::pin().verbs };
            world.pins.insert(name("b"), Pin { verbs, ..testing::pin() });
            world.crashes.push(6);
            world.operator.extend([Resolution::Cancel, Resolution::SkipWith(json!("looked"))]);
        }),
        Scenario::new("restart", abc(), "completed", |world| world.crashes.extend([7, 8])),
        Scenario::new("receipt_refused", with(abc(), "b", |step| step.accept = refuse), "failed in b: Rejected wrong", |_| {}),
        Scenario::new("abandoned", branches(), "failed in r: Rejected refused", |world| {
            world.always("l", Verb::Apply, Act::Unavailable);
            world.always("r", Verb::Apply, Act::Rejected);
        }),
        Scenario::new("pure", with(abc(), "a", pure), "completed", |world| world.script("a", Verb::Apply, &[Act::Unavailable])),
    ]
}

fn waiting() -> Vec<Scenario> {
    let poll = Act::Pending { poll_ms: Some(20), give_up_ms: 1000 };
    let wait = Act::Pending { poll_ms: None, give_up_ms: 1000 };
    let called = |name: &str, callbacks: Vec<(When, &'static str)>| {
        Scenario::new(name, with(abc(), "b", callback), "completed", move |world| {
            world.script("b", Verb::Apply, &[wait]);
            world.callbacks.extend(callbacks.iter().map(|(when, body)| Callback { step: "b", when: *when, body }));
        })
    };
    vec![
        Scenario::new("pending_poll", abc(), "completed", move |world| {
            world.script("b", Verb::Apply, &[poll]);
            world.script("b", Verb::Resume, &[poll, Act::Unavailable]);
        }),
        Scenario::new("pending_found", abc(), "completed", move |world| {
            // The process dies when the operation has begun and nothing says so yet.
            world.script("b", Verb::Apply, &[poll]);
            world.crashes.push(5);
        }),
        Scenario::new("pending_give_up", abc(), "failed in b: Rejected timeout", move |world| {
            world.script("b", Verb::Apply, &[wait]);
        }),
        Scenario::new("pending_undo", abc(), "failed in c: Rejected refused", move |world| {
            world.script("b", Verb::Undo, &[poll, poll]);
            world.always("c", Verb::Apply, Act::Rejected);
        }),
        Scenario::new("pending_cancelled", branches(), "failed in r: Rejected refused", move |world| {
            world.script("l", Verb::Apply, &[wait]);
            world.script("r", Verb::Apply, &[Act::Unavailable, Act::Rejected]);
        }),
        called("callback_in_time", vec![(When::InTime, "hello")]),
        called("callback_early", vec![(When::Early, "hello")]),
        called("callback_double", vec![(When::Early, "hello"), (When::Again, "hello again")]),
        called("callback_late", vec![(When::InTime, "hello"), (When::Late, "too late")]),
    ]
}

fn children() -> Vec<Scenario> {
    let parent = || with(abc(), "b", |step| (step.work, step.undo) = (Work::Child { pipeline: word("child") }, Undo::Never));
    let child = || {
        let mut child = testing::linear(&["x", "y"]);
        child.name = word("child");
        child
    };
    vec![
        Scenario::new("child", parent(), "completed", move |world| world.add_definition(&child())),
        Scenario::new("child_fails", parent(), "failed in b: Rejected refused", move |world| {
            world.add_definition(&child());
            world.always("y", Verb::Apply, Act::Rejected);
        }),
        Scenario::new("child_retry", with(parent(), "b", |step| step.on_failure.unwind = false), "completed", move |world| {
            world.add_definition(&child());
            world.script("y", Verb::Apply, &[Act::Held]);
            world.operator.extend([Resolution::Fail, Resolution::Retry]);
        }),
    ]
}

/// Each resolution for each kind of fallout, those that do not fit included: they are refused, and the run is failed instead.
fn fallouts() -> Vec<Scenario> {
    let resolutions = || {
        [
            ("retry", Resolution::Retry),
            ("retry_with", Resolution::RetryWith(json!("other order"))),
            ("skip_with", Resolution::SkipWith(json!("by hand"))),
            ("cancel", Resolution::Cancel),
            ("fail", Resolution::Fail),
        ]
    };
    let ends = |subject: &str, resolution: &str| match (subject, resolution) {
        ("failed", "retry" | "retry_with" | "skip_with") | ("refused", "retry" | "skip_with") | ("unwound", "retry" | "retry_with") => "completed",
        ("failed" | "refused" | "unwound", "cancel") => "cancelled",
        ("failed", _) => "failed in b: Held odd",
        ("refused", _) => "failed in b: Held nobody",
        ("undo_failed", "retry" | "skip_with") => "failed in c: Rejected refused",
        ("undo_failed", _) => "failed in b: Rejected refused",
        (_, _) => "failed in c: Rejected refused",
    };
    let mut all = Vec::new();
    for subject in ["failed", "refused", "unwound", "undo_failed"] {
        for (word, resolution) in resolutions() {
            let definition = with(abc(), "c", |step| {
                if subject == "unwound" {
                    step.on_failure.then = AfterFailure::Fallout;
                }
            });
            all.push(Scenario::new(&format!("fallout_{subject}_{word}"), definition, ends(subject, word), move |world| {
                trouble(world, subject);
                world.operator.extend([resolution.clone()]);
            }));
        }
    }
    all
}

fn trouble(world: &mut World, subject: &str) {
    match subject {
        "failed" => world.script("b", Verb::Apply, &[Act::Held]),
        "refused" => {
            let failure = Failure::new(FailureClass::Held, "nobody", "nothing answers");
            world.refusals.insert(name("b"), failure);
        }
        "unwound" => world.script("c", Verb::Apply, &[Act::Rejected]),
        _ => {
            world.always("c", Verb::Apply, Act::Rejected);
            world.script("b", Verb::Undo, &[Act::Rejected]);
        }
    }
}

pub(crate) fn abc() -> Definition {
    testing::linear(&["a", "b", "c"])
}

/// `first`, then `each` for every element of the input's `items`, then `last`.
fn fan_out(bound: u32) -> Definition {
    let mut definition = testing::linear(&["first", "each", "last"]);
    (definition.steps[1].fan_out, definition.steps[1].map) = (NonZeroU32::new(bound), testing::map_items);
    definition
}

/// `a`, then two branches, `l` to `l2` and `r`, then `z`.
fn branches() -> Definition {
    let mut definition = testing::empty();
    for (step, after) in [("a", &[][..]), ("l", &["a"]), ("r", &["a"]), ("l2", &["l"]), ("z", &["l2", "r"])] {
        definition.steps.push(StepDefinition { after: after.iter().map(|step| name(step)).collect(), ..testing::step(step) });
    }
    definition
}

/// The definition with one step changed.
pub(crate) fn with(mut definition: Definition, step: &str, change: impl Fn(&mut StepDefinition)) -> Definition {
    change(definition.steps.iter_mut().find(|candidate| candidate.name == name(step)).unwrap());
    definition
}

fn refuse(_: &Value, _: &Value) -> Result<(), Failure> {
    Err(Failure::new(FailureClass::Rejected, "wrong", "not what was asked for"))
}

fn pure(step: &mut StepDefinition) {
    (step.work, step.undo) = (Work::Pure { contract: testing::contract() }, Undo::Never);
}

fn callback(step: &mut StepDefinition) {
    step.work = Work::Effect { contract: testing::contract(), callback: true };
}

fn word(pipeline: &str) -> PipelineName {
    PipelineName::new(pipeline).unwrap()
}
