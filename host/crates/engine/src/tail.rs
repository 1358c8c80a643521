//! The last commits in memory, in their common order, so that observers need not read back and fold again what this process has just written.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use crate::port::{OwnedTransition, Position};

/// The most transitions that are kept; an observer that is further behind reads the journal.
const MAX_TRANSITIONS: usize = 8192;
/// The most bytes of records that are kept, about.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The last commits. Runs commit at the same time, so that they arrive out of order; a place that is still empty is a gap.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The position of the first place.
    first: u64,
    places: VecDeque<Option<(OwnedTransition, usize)>>,
    bytes: usize,
}

/// What the tail has after a position.
#[derive(Debug)]
pub(crate) enum After {
    /// These transitions, without a gap.
    Transitions(Vec<OwnedTransition>),
    /// Later ones, but not the next, which is on its way.
    Gap,
    /// Only what is further on: the next one is in the journal.
    Behind,
    /// Nothing.
    Nothing,
}

impl Tail {
    /// Takes the transitions of one append of so many bytes, whose records follow each other.
    pub(crate) fn push(&self, transitions: impl Iterator<Item = OwnedTransition>, bytes: usize) {
        let transitions: Vec<_> = transitions.collect();
        let each = bytes / transitions.len().max(1);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for transition in transitions {
            kept.push(transition, each);
        }
        kept.trim();
    }

    /// At most `limit` transitions after a position.
    pub(crate) fn after(&self, position: Position, limit: usize) -> After {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let end = kept.first + kept.places.len() as u64;
        if position.0 + 1 >= end {
            return After::Nothing;
        }
        let Some(start) = (position.0 + 1).checked_sub(kept.first).and_then(|start| usize::try_from(start).ok()) else { return After::Behind };
        let present = kept.places.range(start..).map_while(|place| place.as_ref().map(|(transition, _)| transition.clone()));
        let transitions: Vec<_> = present.take(limit).collect();
        if transitions.is_empty() { After::Gap } else { After::Transitions(transitions) }
    }
}

impl Kept {
    fn push(&mut self, transition: OwnedTransition, bytes: usize) {
        let position = transition.position.0;
        if self.places.is_empty() {
            self.first = position;
        }
        // What is older than the oldest place is in the journal.
        let Some(place) = position.checked_sub(self.first).and_then(|place| usize::try_from(place).ok()) else { return };
        if place >= 2 * MAX_TRANSITIONS {
            // A hole of that size was never to be filled.
            (self.first, self.bytes) = (position, 0);
            self.places.clear();
            return self.push(transition, bytes);
        }
        if place >= self.places.len() {
            self.places.resize_with(place + 1, || None);
        }
        self.places[place] = Some((transition, bytes));
        self.bytes += bytes;
    }

    fn trim(&mut self) {
        while self.places.len() > MAX_TRANSITIONS || (self.bytes > MAX_BYTES && self.places.len() > 1) {
            let Some(oldest) = self.places.pop_front() else { return };
            self.first += 1;
            self.bytes -= oldest.map_or(0, |(_, bytes)| bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pipeline::{begin, testing};

    use super::*;

    fn transition(position: u64) -> OwnedTransition {
        let definition = Arc::new(testing::linear(&["a"]));
        let record = testing::started(&definition);
        let after = Arc::new(begin(&definition, testing::run_id(1), &record).unwrap());
        OwnedTransition { position: Position(position), definition, before: None, record: Arc::new(record), after }
    }

    fn read(tail: &Tail, after: u64) -> Result<Vec<u64>, &'static str> {
        match tail.after(Position(after), 100) {
            After::Transitions(transitions) => Ok(transitions.iter().map(|transition| transition.position.0).collect()),
            After::Gap => Err("gap"),
            After::Behind => Err("behind"),
            After::Nothing => Ok(Vec::new()),
        }
    }

    #[test]
    fn commits_that_arrive_out_of_order_are_shown_in_order_and_up_to_the_gap() {
        let tail = Tail::default();
        assert_eq!(read(&tail, 7), Ok(vec![]));
        for position in [11, 14, 12] {
            tail.push(std::iter::once(transition(position)), 1);
        }
        assert_eq!(read(&tail, 9), Err("behind"));
        assert_eq!(read(&tail, 10), Ok(vec![11, 12]));
        assert_eq!(read(&tail, 12), Err("gap"));
        tail.push(std::iter::once(transition(13)), 1);
        assert_eq!(read(&tail, 12), Ok(vec![13, 14]));
        assert_eq!(read(&tail, 14), Ok(vec![]));
    }

    #[test]
    fn the_oldest_leave_when_there_are_too_many_or_too_large_ones() {
        let tail = Tail::default();
        for position in 1..=MAX_TRANSITIONS as u64 + 10 {
            tail.push(std::iter::once(transition(position)), 1);
        }
        assert_eq!(read(&tail, 9), Err("behind"));
        assert_eq!(read(&tail, 10).map(|positions| positions[0]), Ok(11));
        tail.push(std::iter::once(transition(MAX_TRANSITIONS as u64 + 11)), MAX_BYTES + 1);
        assert_eq!(read(&tail, MAX_TRANSITIONS as u64 + 9), Err("behind"), "one large record pushes out all others and stays itself");
        assert_eq!(read(&tail, MAX_TRANSITIONS as u64 + 10), Ok(vec![MAX_TRANSITIONS as u64 + 11]));
    }

    #[test]
    fn a_hole_that_is_never_filled_does_not_hold_the_memory() {
        let tail = Tail::default();
        tail.push(std::iter::once(transition(1)), 1);
        tail.push(std::iter::once(transition(10 * MAX_TRANSITIONS as u64)), 1);
        assert_eq!(read(&tail, 10 * MAX_TRANSITIONS as u64 - 1), Ok(vec![10 * MAX_TRANSITIONS as u64]));
    }
}
