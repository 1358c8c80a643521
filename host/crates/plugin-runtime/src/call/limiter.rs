//! Memory of one call: all linear memories and tables together.

use wasmtime::ResourceLimiter;

use super::failure::LimitReached;

/// Bytes of a table element, as wasmtime stores it.
const ELEMENT: usize = size_of::<usize>();

/// Counts memory and ends the call where the sum would exceed the limit.
///
/// It ends the call rather than failing `memory.grow`, because a guest turns a failed growth into an abort that hides the reason.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: usize,
    used: usize,
}

impl Limiter {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, used: 0 }
    }

    /// The most bytes at any time. Memory never shrinks while a call runs.
    pub(super) fn peak(&self) -> usize {
        self.used
    }

    fn grow(&mut self, by: usize) -> wasmtime::Result<bool> {
        let wanted = self.used.saturating_add(by);
        if wanted > self.limit {
            return Err(LimitReached::Memory { wanted, limit: self.limit }.into());
        }
        self.used = wanted;
        Ok(true)
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        // A growth beyond the memory's own maximum fails in the guest as it does everywhere, and takes nothing.
        let own = maximum.is_some_and(|maximum| desired > maximum && maximum < self.limit);
        if own { Ok(true) } else { self.grow(desired.saturating_sub(current)) }
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let own = maximum.is_some_and(|maximum| desired > maximum);
        if own { Ok(true) } else { self.grow(desired.saturating_sub(current).saturating_mul(ELEMENT)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_over_all_memories_and_tables_together() {
        let mut limiter = Limiter::new(300_000);
        assert!(limiter.memory_growing(0, 131_072, None).unwrap());
        assert!(limiter.memory_growing(0, 65_536, None).unwrap());
        assert!(limiter.table_growing(0, 1_000, None).unwrap());
        assert_eq!(limiter.peak(), 131_072 + 65_536 + 8_000);
        let error = limiter.memory_growing(131_072, 262_144, None).unwrap_err();
        assert_eq!(error.to_string(), "it wanted 335680 bytes of memory, the limit is 300000 (memory_bytes)");
        assert!(limiter.table_growing(0, 100_000, None).is_err());
    }
}
