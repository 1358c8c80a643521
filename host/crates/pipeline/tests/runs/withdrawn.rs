//! The part of the reference set in which a provider is withdrawn: calls are held because nobody may make them, items are bound to another provider,
//! runs that are over are reopened, steps are bound by another revision than the run's.

use pipeline::{Criticality, Resolution, testing};

use crate::{
    scenario::{Scenario, abc, with},
    support::{Act, Verb, World, name, plugin, repin_a_to_b, revision},
};

const POLL: Act = Act::Pending { poll_ms: Some(20), give_up_ms: 1000 };
const WAIT: Act = Act::Pending { poll_ms: None, give_up_ms: 1000 };

pub(crate) fn all() -> Vec<Scenario> {
    let mut all = held();
    all.extend(repinned());
    all.extend(reopened());
    all.push(Scenario::new("pin_step", abc(), "failed in c: Rejected refused", |world| {
        world.revisions.insert(name("b"), revision("d"));
        world.always("c", Verb::Apply, Act::Rejected);
    }));
    all
}

/// Each verb is held once; then a person sends the run on.
fn held() -> Vec<Scenario> {
    let held = |scenario: &str, ends: &'static str, acts: &'static [(Verb, &'static [Act])], decisions: &'static [Resolution]| {
        Scenario::new(scenario, abc(), ends, move |world| {
            acts.iter().for_each(|(verb, acts)| world.script("b", *verb, acts));
            world.operator.extend(decisions.iter().cloned());
        })
    };
    vec![
        held("held_apply", "completed", &[(Verb::Apply, &[Act::Held])], &[Resolution::Retry]),
        held(
            "held_observe",
            "completed",
            &[(Verb::Apply, &[Act::Unknown { did: true }]), (Verb::Observe, &[Act::Held, Act::Held])],
            &[Resolution::Retry, Resolution::Retry],
        ),
        held("held_resume", "completed", &[(Verb::Apply, &[POLL]), (Verb::Resume, &[Act::Held, Act::Held])], &[Resolution::Retry, Resolution::Retry]),
        held("held_resume_cancelled", "cancelled", &[(Verb::Apply, &[POLL]), (Verb::Resume, &[Act::Held])], &[Resolution::Cancel]),
        held(
            "held_cancel",
            "cancelled",
            &[(Verb::Apply, &[POLL]), (Verb::Resume, &[Act::Held, Act::Held])],
            &[Resolution::Cancel, Resolution::Retry],
        ),
        held("held_give_up", "failed in b: Rejected timeout", &[(Verb::Apply, &[WAIT]), (Verb::Resume, &[Act::Held])], &[Resolution::Retry]),
        Scenario::new("held_undo", abc(), "failed in c: Rejected refused", |world| {
            world.always("c", Verb::Apply, Act::Rejected);
            world.script("b", Verb::Undo, &[Act::Held, Act::Held]);
            world.operator.extend([Resolution::Retry, Resolution::Retry]);
        }),
        Scenario::new("held_undo_resume", abc(), "failed in c: Rejected refused", |world| {
            world.always("c", Verb::Apply, Act::Rejected);
            world.script("b", Verb::Undo, &[POLL, Act::Held]);
            world.operator.extend([Resolution::Retry]);
        }),
        Scenario::new("held_best_effort", with(abc(), "b", |step| step.criticality = Criticality::BestEffort), "completed", |world| {
            world.script("b", Verb::Apply, &[Act::Held]);
        }),
    ]
}

fn repinned() -> Vec<Scenario> {
    let repin = |scenario: &str, ends: &'static str, include_done: bool, setup: fn(&mut World)| {
        Scenario::new(scenario, abc(), ends, move |world| {
            world.pins.extend(["a", "b", "c"].map(|step| (name(step), plugin("a", testing::pin()))));
            setup(world);
            world.repins.push_back(repin_a_to_b(include_done, testing::pin()));
        })
    };
    vec![
        repin("repin_in_fallout", "completed", false, |world| {
            world.script("b", Verb::Apply, &[Act::Held]);
            world.operator.extend([Resolution::Retry]);
        }),
        repin("repin_in_backoff", "completed", false, |world| world.script("b", Verb::Apply, &[Act::Unknown { did: true }])),
        repin("repin_while_pending", "completed", false, |world| world.script("b", Verb::Apply, &[POLL])),
        repin("repin_for_undo", "failed in c: Rejected refused", true, |world| {
            world.always("c", Verb::Apply, Act::Rejected);
            world.script("b", Verb::Undo, &[Act::Held]);
            world.operator.extend([Resolution::Retry]);
        }),
    ]
}

/// A run that is over takes back what it did.
fn reopened() -> Vec<Scenario> {
    let reopen = |scenario: &str, definition, ends: &'static str, setup: fn(&mut World)| {
        Scenario::new(scenario, definition, ends, move |world| {
            world.reopens = 1;
            setup(world);
        })
    };
    let past = with(abc(), "b", |step| step.criticality = Criticality::PointOfNoReturn);
    vec![
        reopen("reopen_completed", past, "cancelled", |_| {}),
        reopen("reopen_undo_held", abc(), "cancelled", |world| {
            world.script("b", Verb::Undo, &[Act::Held]);
            world.operator.extend([Resolution::Retry]);
        }),
        reopen("reopen_undo_failed", abc(), "cancelled", |world| {
            // The first end leaves an undo that failed; the second takes it back.
            world.always("c", Verb::Apply, Act::Rejected);
            world.script("b", Verb::Undo, &[Act::Rejected]);
            world.operator.extend([Resolution::Fail]);
        }),
    ]
}
