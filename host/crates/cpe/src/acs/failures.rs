//! Wrong secrets, counted by whose name was used and where from, so that nobody tries secrets without end.
//!
//! What is counted leaks away. So a device behind the address of somebody who tries is kept out for a while and never for good, and one behind any other
//! address not at all.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
};

use pipeline::Timestamp;

const SHARDS: usize = 16;
/// How many names with their addresses are remembered in each shard: all together take some megabytes.
const ROOM: usize = 4_096;

/// Counts wrong secrets.
#[derive(Debug)]
pub(super) struct Failures {
    hasher: RandomState,
    shards: [Mutex<HashMap<u64, Level>>; SHARDS],
    /// So many are too many.
    most: u32,
    /// One is forgotten in so many seconds.
    leak_s: u64,
    /// How many names with their addresses are remembered in each shard.
    room: usize,
}

#[derive(Debug, Clone, Copy)]
struct Level {
    count: u32,
    /// In seconds.
    since: u64,
}

impl Level {
    /// What is left of it now.
    fn now(self, now: u64, leak_s: u64) -> Self {
        let leaked = now.saturating_sub(self.since) / leak_s;
        let count = self.count.saturating_sub(u32::try_from(leaked).unwrap_or(u32::MAX));
        Self { count, since: if count == 0 { now } else { self.since + leaked * leak_s } }
    }
}

impl Failures {
    pub(super) fn new(most: u32, leak_s: u64) -> Self {
        Self { hasher: RandomState::new(), shards: Default::default(), most, leak_s: leak_s.max(1), room: ROOM }
    }

    /// Whether this name was used with so many wrong secrets from there that none is looked at.
    pub(super) fn too_many(&self, username: &str, peer: IpAddr, now: Timestamp) -> bool {
        let key = self.key(username, peer);
        self.shard(key).get(&key).is_some_and(|level| level.now(seconds(now), self.leak_s).count >= self.most)
    }

    /// A secret was wrong. True if that was the last one that is looked at for now.
    pub(super) fn wrong(&self, username: &str, peer: IpAddr, now: Timestamp) -> bool {
        let (key, now) = (self.key(username, peer), seconds(now));
        let mut shard = self.shard(key);
        if !shard.contains_key(&key) && shard.len() >= self.room {
            shard.retain(|_, level| level.now(now, self.leak_s).count > 0);
            // Whoever tries many names to be forgotten is forgotten by them first.
            if shard.len() >= self.room
                && let Some(least) = shard.iter().min_by_key(|(_, level)| level.count).map(|(key, _)| *key)
            {
                shard.remove(&least);
            }
        }
        let level = shard.entry(key).or_insert(Level { count: 0, since: now });
        *level = level.now(now, self.leak_s);
        level.count = level.count.saturating_add(1);
        level.count == self.most
    }

    fn key(&self, username: &str, peer: IpAddr) -> u64 {
        // Who has an IPv6 address usually has a whole network of them.
        let network = match peer.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            address @ IpAddr::V4(_) => address,
        };
        self.hasher.hash_one((username, network))
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, HashMap<u64, Level>> {
        self.shards[usize::try_from(key % SHARDS as u64).unwrap_or(0)].lock().unwrap_or_else(PoisonError::into_inner)
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
    fn wrong_secrets_are_counted_and_forgotten() {
        let failures = Failures::new(3, 30);
        let peer = "2001:db8::1".parse().unwrap();
        let told: Vec<bool> = (0..5).map(|second| failures.wrong("one", peer, at(second))).collect();
        assert_eq!(told, [false, false, true, false, false]);
        for (username, from, second, expected) in [
            ("one", "2001:db8::1", 5, true),
            ("one", "2001:db8::ffff", 5, true),
            ("one", "2001:db8:0:1::1", 5, false),
            ("two", "2001:db8::1", 5, false),
            ("one", "2001:db8::1", 89, true),
            ("one", "2001:db8::1", 90, false),
        ] {
            assert_eq!(failures.too_many(username, from.parse().unwrap(), at(second)), expected, "{username} from {from} after {second} s");
        }
        assert!(failures.wrong("one", peer, at(90)), "one was forgotten, and here is another one");
        assert!(!failures.too_many("one", peer, at(1_000_000)));
    }

    #[test]
    fn many_names_take_bounded_room_and_make_nobody_forgotten_who_tries_much() {
        let failures = Failures { room: 16, ..Failures::new(3, 30) };
        let peer = "192.0.2.1".parse().unwrap();
        for _ in 0..3 {
            failures.wrong("one", peer, at(0));
        }
        for number in 0..4 * SHARDS * failures.room {
            failures.wrong(&number.to_string(), peer, at(0));
        }
        assert!(failures.too_many("one", peer, at(0)));
        assert!(failures.shards.iter().all(|shard| shard.lock().unwrap().len() <= failures.room));
    }
}
