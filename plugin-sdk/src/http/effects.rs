//! Remembers whether this call may have changed something outside. Everything `?` says about a failure rests on it.

use std::cell::Cell;

thread_local! {
    static POSSIBLE: Cell<bool> = const { Cell::new(false) };
}

/// Whether a request that may have changed something was sent in this call.
pub(crate) fn possible() -> bool {
    POSSIBLE.get()
}

pub(super) fn note() {
    POSSIBLE.set(true);
}

/// A new call begins: an instance may serve several.
pub(crate) fn reset() {
    POSSIBLE.set(false);
}
