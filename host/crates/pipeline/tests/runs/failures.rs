//! Every step fails in every way, every undo fails in every way, and the process dies at every moment of it: whatever a person then decides, no effect
//! outlives a run that was unwound, and no effect is made twice where the provider can observe it or recognises its key.

use std::collections::VecDeque;

use pipeline::{AfterFailure, Definition, Pin, Resolution, StepName, Verbs, testing};
use serde_json::json;

use crate::{
    scenario::{Scenario, all},
    support::{Act, Verb},
};

/// What a provider can do about doubt.
fn pins() -> [Pin; 3] {
    let blind = Verbs { observe: false, ..testing::pin().verbs };
    [testing::pin(), Pin { verbs: blind, idempotent: true, ..testing::pin() }, Pin { verbs: blind, ..testing::pin() }]
}

/// What people decide, fallout by fallout.
fn operators() -> [VecDeque<Resolution>; 3] {
    let cancel = || Resolution::Cancel;
    [[].into(), [cancel(), Resolution::Retry, cancel()].into(), [Resolution::Retry, cancel(), cancel()].into()]
}

/// The ways in which calls fail; where `true`, the last goes on for ever, otherwise the next call succeeds.
const FAILURES: [(&[Act], bool); 12] = [
    (&[Act::Rejected], true),
    (&[Act::Unavailable], true),
    (&[Act::Unavailable], false),
    (&[Act::Held], true),
    (&[Act::Unknown { did: true }], true),
    (&[Act::Unknown { did: false }], true),
    (&[Act::Unknown { did: true }], false),
    (&[Act::Unknown { did: false }], false),
    (&[Act::Unknown { did: true }, Act::Unavailable], true),
    (&[Act::Unknown { did: true }, Act::Rejected], true),
    (&[Act::Unknown { did: false }, Act::Unavailable, Act::Unknown { did: true }], true),
    (&[Act::Pending { poll_ms: Some(5), give_up_ms: 50 }], true),
];

/// One way in which one step fails.
#[derive(Debug, Clone)]
struct Trouble {
    step: StepName,
    pin: Pin,
    verb: Verb,
    acts: &'static [Act],
    always: bool,
    operator: VecDeque<Resolution>,
    held_after_unwind: bool,
}

/// One definition of each shape; scripts of the scenario itself are dropped.
fn shapes() -> Vec<Scenario> {
    let shapes = ["linear", "fan_out", "best_effort", "point_of_no_return", "undo_after", "branches", "pure", "child", "callback_in_time"];
    all().into_iter().filter(|scenario| shapes.contains(&scenario.name.as_str())).collect()
}

fn troubles(definition: &Definition) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    for step in &definition.steps {
        for (acts, always) in FAILURES {
            for pin in pins() {
                for operator in operators() {
                    for verb in [Verb::Apply, Verb::Undo] {
                        let (step, pin, operator) = (step.name.clone(), pin.clone(), operator.clone());
                        let held_after_unwind = operator.len() % 2 == 1;
                        troubles.push(Trouble { step, pin, verb, acts, always, operator, held_after_unwind });
                    }
                }
            }
        }
    }
    troubles
}

fn check(scenario: &Scenario, trouble: &Trouble, crash: Option<usize>) -> usize {
    let mut definition = scenario.definition.clone();
    if trouble.held_after_unwind {
        definition.steps.iter_mut().for_each(|step| step.on_failure.then = AfterFailure::Fallout);
    }
    let scenario_world = Scenario { definition, input: json!({"items": [0, 1]}), name: String::new(), setup: Box::new(|_| {}), ends: "" };
    let mut world = scenario_world.world();
    if scenario.name == "child" {
        (scenario.setup)(&mut world);
    }
    world.pins.insert(trouble.step.clone(), trouble.pin.clone());
    let script = crate::support::Script { acts: trouble.acts.to_vec(), forever: trouble.always };
    world.backend.scripts.insert((trouble.step.clone(), None, trouble.verb), script);
    // Whatever comes of it, something must be undone: the last step fails.
    let last = &scenario.definition.steps.last().unwrap().name;
    if *last != trouble.step {
        world.always(last.as_str(), Verb::Apply, Act::Rejected);
    }
    world.operator = trouble.operator.clone();
    world.crashes = crash.into_iter().collect();
    world.finish();
    world.audit();
    world.moments
}

#[test]
fn whichever_call_fails_in_whichever_way_nothing_is_left_and_nothing_is_done_twice() {
    let mut runs = 0;
    for scenario in shapes() {
        for trouble in troubles(&scenario.definition) {
            check(&scenario, &trouble, None);
            runs += 1;
        }
    }
    println!("{runs} runs");
    assert!(runs > 3000, "the enumeration shrank: {runs}");
}

#[test]
fn nor_when_the_process_dies_meanwhile() {
    let mut runs = 0;
    for scenario in shapes().iter().filter(|scenario| ["linear", "branches"].contains(&scenario.name.as_str())) {
        // One operator is enough: he cancels, retries and cancels, so that everything is undone in the end.
        for trouble in troubles(&scenario.definition).into_iter().filter(|trouble| trouble.operator.front() == Some(&Resolution::Cancel)) {
            let moments = check(scenario, &trouble, None);
            for moment in 1..=moments {
                check(scenario, &trouble, Some(moment));
                runs += 1;
            }
        }
    }
    println!("{runs} runs");
    assert!(runs > 10_000, "the enumeration shrank: {runs}");
}
