//! The table in which calls find a plugin by its digest.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use pipeline::{Digest, Revision};

use super::Plugin;

/// The plugins that can be called. A cheap handle.
///
/// A plugin is found by its digest. What it may reach can depend on the revision of the binding table that a run is pinned to, so a plugin may be added for one
/// revision; that one is preferred by runs of the revision.
#[derive(Debug, Clone, Default)]
pub struct Plugins {
    table: Arc<RwLock<ByHash<Digest, Grants>>>,
}

/// One component under the grants it was added with.
#[derive(Debug, Default)]
struct Grants {
    /// For runs of every revision that is not named.
    any: Option<Plugin>,
    of_revisions: ByHash<Revision, Plugin>,
}

type ByHash<K, V> = HashMap<K, V, BuildHasherDefault<OfHash>>;

/// The hash of a hash in hexadecimal digits: its last 16 are as good as any other function of it.
#[derive(Debug, Default)]
struct OfHash(u64);

impl Hasher for OfHash {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(tail) = bytes.last_chunk::<16>() {
            // A digit has four bits that differ; the product moves them to where the table looks, which is both ends.
            let folded = u128::from_le_bytes(*tail).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            self.0 ^= u64::from_le_bytes(*folded.to_be_bytes().first_chunk().expect("16 bytes have 8"));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Plugins {
    /// Makes a plugin callable by runs of every revision that has no grants of its own for it.
    pub fn add(&self, plugin: Plugin) {
        let digest = plugin.digest().clone();
        self.write().entry(digest).or_default().any = Some(plugin);
    }

    /// Makes a plugin callable, with its grants, by runs of one revision.
    pub fn add_for(&self, revision: Revision, plugin: Plugin) {
        self.write().entry(plugin.digest().clone()).or_default().of_revisions.insert(revision, plugin);
    }

    /// The plugin of a digest.
    pub fn get(&self, digest: &Digest) -> Option<Plugin> {
        self.read().get(digest)?.any.clone()
    }

    /// The plugin of a digest with the grants of a revision, or else with those of `add`.
    pub fn get_for(&self, revision: &Revision, digest: &Digest) -> Option<Plugin> {
        let table = self.read();
        let grants = table.get(digest)?;
        grants.of_revisions.get(revision).or(grants.any.as_ref()).cloned()
    }

    /// Whether a digest can be called by runs of a revision under grants that were added for that revision.
    pub fn has_for(&self, revision: &Revision, digest: &Digest) -> bool {
        self.read().get(digest).is_some_and(|grants| grants.of_revisions.contains_key(revision))
    }

    /// Keeps what was added for a revision only where that is wanted; calls that run are not disturbed.
    pub fn retain(&self, mut wanted: impl FnMut(&Revision, &Digest) -> bool) {
        self.write().retain(|digest, grants| {
            grants.of_revisions.retain(|revision, _| wanted(revision, digest));
            grants.any.is_some() || !grants.of_revisions.is_empty()
        });
    }

    /// Ends a plugin's being callable under any grants; calls that run are not disturbed.
    pub fn remove(&self, digest: &Digest) -> Option<Plugin> {
        let Grants { any, of_revisions } = self.write().remove(digest)?;
        any.or_else(|| of_revisions.into_values().next())
    }

    /// Those that were added for every revision, by name and version.
    pub fn all(&self) -> Vec<Plugin> {
        let mut all: Vec<_> = self.read().values().filter_map(|grants| grants.any.clone()).collect();
        all.sort_by(|a, b| (a.name(), a.version(), a.digest()).cmp(&(b.name(), b.version(), b.digest())));
        all
    }

    fn read(&self) -> RwLockReadGuard<'_, ByHash<Digest, Grants>> {
        self.table.read().expect("no holder of the lock panics")
    }

    fn write(&self) -> RwLockWriteGuard<'_, ByHash<Digest, Grants>> {
        self.table.write().expect("no holder of the lock panics")
    }
}

#[cfg(test)]
mod tests {
    use std::hash::Hash as _;

    use sha2::Digest as _;

    use super::*;

    #[test]
    fn digests_spread_over_the_table() {
        let hashes = (0..4096_u32).map(|n| {
            let digest = Digest::new(sha2::Sha256::digest(n.to_le_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>()).unwrap();
            let mut hasher = OfHash::default();
            digest.hash(&mut hasher);
            hasher.finish()
        });
        let hashes: Vec<u64> = hashes.collect();
        let distinct = |of: fn(u64) -> u64| hashes.iter().map(|hash| of(*hash)).collect::<std::collections::HashSet<_>>().len();
        // 4096 balls in 4096 bins fill some 2,600 of them; the other end has 128 bins.
        assert!(distinct(|hash| hash & 4095) > 2_000, "{}", distinct(|hash| hash & 4095));
        assert_eq!(distinct(|hash| hash >> 57), 128);
    }
}
