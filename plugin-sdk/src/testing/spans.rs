//! The spans that the plugin under test began, told among what it said.

use std::cell::Cell;

use super::telemetry::{Record, push};
use crate::telemetry::Attribute;

thread_local! {
    static NEXT: Cell<u32> = const { Cell::new(0) };
}

/// A span under test: its number, in the order in which they began.
#[derive(Debug)]
pub(crate) struct Span(u32);

impl Span {
    pub(crate) fn start(name: &str, attributes: &[Attribute]) -> Self {
        let number = NEXT.get();
        NEXT.set(number + 1);
        push(Record::SpanStart(number, name.into(), attributes.to_vec()));
        Self(number)
    }

    pub(crate) fn set(&self, attributes: &[Attribute]) {
        push(Record::SpanSet(self.0, attributes.to_vec()));
    }

    pub(crate) fn event(&self, name: &str, attributes: &[Attribute]) {
        push(Record::SpanEvent(self.0, name.into(), attributes.to_vec()));
    }

    pub(crate) fn fail(&self, error_type: &str, message: &str) {
        push(Record::SpanFail(self.0, error_type.into(), message.into()));
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        push(Record::SpanEnd(self.0));
    }
}

pub(super) fn reset() {
    NEXT.set(0);
}
