//! What a definition must be, and what a run of it is refused for before its first step.

use pipeline::{Definition, InvalidDefinition, PipelineName, Seq, Undo, Work, begin, replay, testing};

use crate::{scenario::with, support::name};

fn check(definition: Definition, expected: InvalidDefinition, text: &str) {
    assert_eq!(expected.to_string(), text);
    assert_eq!(definition.validate(), Err(expected));
}

fn abc() -> Definition {
    testing::linear(&["a", "b", "c"])
}

#[test]
fn a_sound_definition_is_accepted() {
    assert_eq!(abc().validate(), Ok(()));
    assert_eq!(with(abc(), "a", |step| step.undo = Undo::After(name("c"))).validate(), Ok(()));
}

#[test]
fn a_pipeline_has_a_step() {
    check(testing::empty(), InvalidDefinition::Empty("test".to_owned()), "pipeline `test` has no step");
}

#[test]
fn a_name_is_given_once() {
    check(testing::linear(&["a", "b", "a"]), InvalidDefinition::Duplicate(name("a")), "step `a` is defined twice");
}

#[test]
fn a_step_follows_earlier_steps_only() {
    for missing in ["c", "b", "nowhere"] {
        let definition = with(abc(), "b", |step| step.after = vec![name("a"), name(missing)]);
        let text = format!("step `b` comes after `{missing}`, which is not an earlier step");
        check(definition, InvalidDefinition::NotEarlier { step: name("b"), missing: name(missing) }, &text);
    }
}

#[test]
fn a_step_lasts_until_a_later_step_only() {
    for missing in ["a", "b", "nowhere"] {
        let definition = with(abc(), "b", |step| step.undo = Undo::After(name(missing)));
        let text = format!("step `b` is undone after `{missing}`, which is not a later step");
        check(definition, InvalidDefinition::NotLater { step: name("b"), missing: name(missing) }, &text);
    }
}

#[test]
fn what_has_no_undo_is_not_undone() {
    for work in [Work::Pure { contract: testing::contract() }, Work::Child { pipeline: PipelineName::new("child").unwrap() }] {
        for undo in [Undo::OnUnwind, Undo::After(name("c"))] {
            let definition = with(abc(), "b", |step| (step.work, step.undo) = (work.clone(), undo.clone()));
            check(definition, InvalidDefinition::NoUndo(name("b")), "step `b` cannot be undone: only contracts with effects have an undo");
        }
        assert_eq!(with(abc(), "b", |step| (step.work, step.undo) = (work.clone(), Undo::Never)).validate(), Ok(()));
    }
}

#[test]
fn a_journal_begins_with_its_run_and_its_definition() {
    let definition = abc();
    let first = testing::started(&definition);
    let refused = |record, reason: &str| {
        assert_eq!(begin(&definition, testing::run_id(1), &record).unwrap_err().reason, reason);
    };
    refused(pipeline::Record { seq: Seq(2), ..first.clone() }, "a journal begins with record 1");
    refused(pipeline::Record { event: pipeline::Event::ParentNotified, ..first.clone() }, "a journal begins with run-started");
    let later = Definition { version: 2, ..abc() };
    refused(testing::started(&later), "the run has another pipeline or version than the definition");
    let none = replay(&definition, testing::run_id(1), &[]).unwrap_err();
    assert_eq!(none.to_string(), "record Seq(0) is not legal here: the journal is empty");
}
