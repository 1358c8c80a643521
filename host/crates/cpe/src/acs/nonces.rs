//! Nonces of Digest: they carry their own proof, and their counts only rise.
//!
//! A nonce that was never used costs nothing here. For one that was, the last count is kept, so that no credential is taken twice; when there is no room for
//! more, the oldest ones are good no longer.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use pipeline::Timestamp;

use crate::digest::{hex, same};

const SHARDS: usize = 16;

/// Gives out nonces and counts their uses.
pub(super) struct Nonces {
    key: [u8; 32],
    next: AtomicU32,
    lifetime_s: u64,
    used: [Mutex<Used>; SHARDS],
    most: usize,
}

/// When a nonce was given out in seconds, and a number; they sort by age.
type Name = u64;

#[derive(Default)]
struct Used {
    counts: BTreeMap<Name, u32>,
    /// Nonces up to this one are forgotten.
    forgotten: Option<Name>,
}

/// What a use of a nonce is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Its first with this count.
    Fresh,
    /// The nonce is too old or unknown, or the count is not higher than the last one.
    Stale,
}

impl std::fmt::Debug for Nonces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nonces").field("lifetime_s", &self.lifetime_s).field("most", &self.most).finish_non_exhaustive()
    }
}

impl Nonces {
    pub(super) fn new(key: [u8; 32], lifetime_s: u64, most: usize) -> Self {
        Self { key, next: AtomicU32::new(0), lifetime_s, used: Default::default(), most: most.div_ceil(SHARDS) }
    }

    /// A new one.
    pub(super) fn issue(&self, now: Timestamp) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name: Name = (seconds(now) << 32) | u64::from(number);
        hex(&[&name.to_be_bytes()[..], &self.proof(name)[..]].concat())
    }

    /// Takes a nonce that came with a count. Call it when all else about the credential is right.
    pub(super) fn take(&self, nonce: &str, count: u32, now: Timestamp) -> Use {
        let Some(name) = self.name(nonce) else { return Use::Stale };
        if (name >> 32) + self.lifetime_s < seconds(now) {
            return Use::Stale;
        }
        let mut used = self.used[usize::try_from(name % SHARDS as u64).unwrap_or(0)].lock().unwrap_or_else(PoisonError::into_inner);
        if used.forgotten.is_some_and(|forgotten| name <= forgotten) {
            return Use::Stale;
        }
        let last = used.counts.entry(name).or_insert(0);
        if count <= *last {
            return Use::Stale;
        }
        *last = count;
        if used.counts.len() > self.most {
            used.forgotten = used.counts.pop_first().map(|(name, _)| name);
        }
        Use::Fresh
    }

    fn name(&self, nonce: &str) -> Option<Name> {
        let name = Name::from_str_radix(nonce.get(..16)?, 16).ok()?;
        same(nonce.get(16..)?.as_bytes(), hex(&self.proof(name)).as_bytes()).then_some(name)
    }

    fn proof(&self, name: Name) -> [u8; 12] {
        let whole = blake3::keyed_hash(&self.key, &name.to_be_bytes());
        let mut proof = [0; 12];
        proof.copy_from_slice(&whole.as_bytes()[..12]);
        proof
    }
}

fn seconds(at: Timestamp) -> u64 {
    at.0 / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(seconds * 1_000_000)
    }

    #[test]
    fn no_count_of_a_nonce_is_taken_twice() {
        let nonces = Nonces::new([7; 32], 60, 1_000);
        let nonce = nonces.issue(at(1_000));
        for (count, expected) in [(1, Use::Fresh), (1, Use::Stale), (3, Use::Fresh), (2, Use::Stale), (4, Use::Fresh), (0, Use::Stale)] {
            assert_eq!(nonces.take(&nonce, count, at(1_060)), expected, "{count}");
        }
        assert_eq!(nonces.take(&nonce, 5, at(1_061)), Use::Stale, "too old");
    }

    #[test]
    fn only_nonces_of_this_server_are_taken() {
        let nonces = Nonces::new([7; 32], 60, 1_000);
        let nonce = nonces.issue(at(1_000));
        let other = Nonces::new([8; 32], 60, 1_000).issue(at(1_000));
        let altered = nonce.replacen("000003e8", "0000ffff", 1);
        assert_ne!(altered, nonce);
        for bad in [other.as_str(), &altered, &nonce[1..], &nonce[..39], "", "x", "+00003e800000000", "0000003e8000000ä"] {
            assert_eq!(nonces.take(bad, 1, at(1_000)), Use::Stale, "{bad}");
        }
        assert_eq!(nonces.take(&nonce, 1, at(1_000)), Use::Fresh);
    }

    #[test]
    fn a_nonce_that_was_forgotten_is_good_no_longer() {
        let nonces = Nonces::new([7; 32], 60, SHARDS);
        let all: Vec<_> = (0..=SHARDS).map(|_| nonces.issue(at(1_000))).collect();
        for nonce in &all {
            assert_eq!(nonces.take(nonce, 1, at(1_000)), Use::Fresh);
        }
        assert_eq!(nonces.take(&all[0], 2, at(1_000)), Use::Stale, "its place was taken by the last one");
        assert_eq!(nonces.take(&all[1], 2, at(1_000)), Use::Fresh);
    }
}
