//! What must hold after every record of every run: checked by the world as it goes, so every test checks it.

use std::collections::BTreeMap;

use pipeline::{Activity, Definition, Direction, Event, IdempotencyKey, ItemId, Phase, Record, Run, Standing, StepName, Undo, decide};

/// What is remembered of a run in order to judge its next record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    keys: BTreeMap<String, (ItemId, Direction)>,
    attempts: BTreeMap<(ItemId, Direction), u32>,
    /// Items in the order in which they were first seen to act since their step was scheduled; the place is kept when one is given other input.
    admitted: Vec<(StepName, u32)>,
}

impl Watch {
    /// Judges a run after a record.
    pub(crate) fn check(&mut self, definition: &Definition, before: &Run, record: &Record, run: &Run) {
        self.something_wakes_it(definition, run);
        if let Event::StepScheduled { step, .. } = &record.event {
            self.admitted.retain(|(admitted, _)| admitted != step);
        }
        if let (Event::UndoScheduled { item }, Phase::Unwinding { .. }) = (&record.event, before.phase()) {
            self.nothing_later_is_left(definition, before, item);
        }
        for (step, (state, step_definition)) in run.steps().iter().zip(&definition.steps).enumerate() {
            for item in 0..state.items.len() {
                self.item(run, run.item_id(definition, step, item), &state.items[item].activity);
            }
            let doing = state.items.iter().filter(|item| !item.is_idle()).count();
            let bound = step_definition.fan_out.map_or(1, |bound| bound.get() as usize);
            let bounded = matches!(run.phase(), Phase::Forward) && matches!(state.status, pipeline::StepStatus::Scheduled(_));
            assert!(!bounded || doing <= bound, "{doing} items of {} act at a time", step_definition.name);
        }
    }

    fn something_wakes_it(&self, definition: &Definition, run: &Run) {
        let live = run.outcome().is_none() || run.owes_parent();
        let woken = !run.wakes(definition).is_empty() || !decide(definition, run).is_empty();
        assert!(!live || woken, "nothing wakes the run: {run:#?}");
        if run.outcome().is_some() && !run.owes_parent() {
            assert_eq!(decide(definition, run), [], "a run that is over asks for nothing");
            assert_eq!((run.wakes(definition), run.wake_at()), (Vec::new(), None));
        }
    }

    /// Undone in the reverse of the order of admission: everything let in later has nothing left to take back, or is held.
    fn nothing_later_is_left(&self, definition: &Definition, run: &Run, undone: &ItemId) {
        let later = self.admitted.iter().rev().take_while(|(step, item)| (step, *item) != (&undone.step, undone.item));
        for (step, position) in later {
            let (index, step_definition) = definition.step(step).unwrap();
            let Some(item) = run.steps()[index].items.get(*position as usize) else { continue };
            let held = run.open_fallouts().any(|fallout| fallout.opened.step == *step && fallout.opened.item == Some(*position));
            let left = matches!(item.standing, Standing::Done { by_hand: false, .. }) && step_definition.undo != Undo::Never;
            assert!(!left || held, "{undone:?} is undone before {step}[{position}]");
        }
    }

    fn item(&mut self, run: &Run, id: ItemId, activity: &Activity) {
        let place = (id.step.clone(), id.item);
        if *activity != Activity::Queued && !self.admitted.contains(&place) {
            self.admitted.push(place);
        }
        let Activity::Ready(ready) = activity else { return };
        let key: IdempotencyKey = run.key(&id, ready.direction);
        let owner = self.keys.entry(key.to_string()).or_insert_with(|| (id.clone(), ready.direction));
        assert_eq!(*owner, (id.clone(), ready.direction), "a key belongs to one effect");
        let last = self.attempts.entry((id.clone(), ready.direction)).or_default();
        assert!(ready.attempt == *last || ready.attempt == *last + 1, "attempt {} of {id:?} follows attempt {last}", ready.attempt);
        *last = ready.attempt;
    }

    /// The steps whose effects an unwinding must leave nothing of.
    pub(crate) fn undoable(definition: &Definition) -> impl Iterator<Item = &StepName> {
        definition.steps.iter().filter(|step| step.undo != Undo::Never).map(|step| &step.name)
    }
}
