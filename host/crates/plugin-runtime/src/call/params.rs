//! Parameters of calls, and those of calls that are over.
//!
//! The values that wasmtime takes own every name and every text in them. Those of an ordinary call are some forty allocations, and the next call of the same
//! function needs the same ones, so it writes over them.

use std::{
    fmt,
    ops::Deref,
    sync::{Mutex, PoisonError},
};

use wasmtime::component::Val;

/// How many are kept of one function.
const MAX_SPARE: usize = 8;
/// Larger ones are not kept: memory that one call needed would stay taken.
const MAX_WEIGHT: usize = 4 << 10;

/// The parameters of one call.
pub(super) struct Params {
    vals: Vec<Val>,
    /// About how many bytes they have.
    weight: usize,
}

impl Params {
    pub(super) fn new(vals: Vec<Val>, weight: usize) -> Self {
        Self { vals, weight }
    }
}

impl Deref for Params {
    type Target = [Val];

    fn deref(&self) -> &[Val] {
        &self.vals
    }
}

/// Parameters that can be written over.
#[derive(Default)]
pub(super) struct Spare(Mutex<Vec<Vec<Val>>>);

impl Spare {
    pub(super) fn take(&self) -> Option<Vec<Val>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    pub(super) fn keep(&self, params: Params) {
        if params.weight > MAX_WEIGHT {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_SPARE {
            kept.push(params.vals);
        }
    }
}

/// Without the values: they are somebody's data.
impl fmt::Debug for Spare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spare").finish_non_exhaustive()
    }
}
