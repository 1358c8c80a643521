//! The sessions that are open, by device and by cookie.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasher, Hash, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{Proof, SessionId, session::Session};
use crate::device::DeviceKey;

/// Enough that two threads seldom want the same one.
const SHARDS: usize = 64;

/// The sessions that are open. Under a lock of this table that of a session may be taken, never the other way round.
#[derive(Debug)]
pub(super) struct Table {
    by_device: Sharded<DeviceKey>,
    by_id: Sharded<SessionId>,
    open: AtomicUsize,
    most: usize,
}

/// Why a session cannot begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// There are as many as there may be.
    Full,
    /// The device is in session, and is better proven than this.
    Weaker,
}

impl Table {
    pub(super) fn new(most: usize) -> Self {
        Self { by_device: Sharded::new(), by_id: Sharded::new(), open: AtomicUsize::new(0), most }
    }

    /// Opens a session, and gives out the one of the same device that it takes the place of; the caller ends it.
    ///
    /// The newest session wins, because a device that restarts forgets the one before; where there are as many as there may be it takes the place of that one. But who proves less never ends the session of who proved more.
    pub(super) fn open(&self, session: &Arc<Session>) -> Result<Option<Arc<Session>>, Refused> {
        let is_full = self.open.fetch_add(1, Ordering::Relaxed) >= self.most;
        // By its ID first: once the device is known to have the session, anybody may close it.
        self.by_id.shard(&session.id).insert(session.id, session.clone());
        let before = match self.by_device.shard(&session.device).entry(session.device.clone()) {
            Entry::Occupied(open) if strength(open.get().proof) > strength(session.proof) => Err(Refused::Weaker),
            Entry::Occupied(mut open) => Ok(Some(open.insert(session.clone()))),
            Entry::Vacant(_) if is_full => Err(Refused::Full),
            Entry::Vacant(vacant) => {
                vacant.insert(session.clone());
                Ok(None)
            }
        };
        if before.is_err() {
            self.close(session);
        }
        before
    }

    /// Forgets a session.
    pub(super) fn close(&self, session: &Arc<Session>) {
        let mut devices = self.by_device.shard(&session.device);
        if devices.get(&session.device).is_some_and(|open| Arc::ptr_eq(open, session)) {
            devices.remove(&session.device);
        }
        drop(devices);
        if self.by_id.shard(&session.id).remove(&session.id).is_some() {
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(super) fn of(&self, device: &DeviceKey) -> Option<Arc<Session>> {
        self.by_device.shard(device).get(device).cloned()
    }

    pub(super) fn with(&self, id: SessionId) -> Option<Arc<Session>> {
        self.by_id.shard(&id).get(&id).cloned()
    }

    /// How many are open.
    pub(super) fn count(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Those that are `wanted`.
    pub(super) fn find<T>(&self, mut wanted: impl FnMut(&Arc<Session>) -> Option<T>) -> Vec<(Arc<Session>, T)> {
        let mut found = Vec::new();
        for shard in &self.by_id.shards {
            found.extend(lock(shard).values().filter_map(|session| wanted(session).map(|why| (session.clone(), why))));
        }
        found
    }
}

fn strength(proof: Proof) -> u8 {
    match proof {
        Proof::Own | Proof::Certificate => 2,
        Proof::Shared => 1,
        Proof::None => 0,
    }
}

#[derive(Debug)]
struct Sharded<K> {
    shards: Vec<Mutex<HashMap<K, Arc<Session>>>>,
    hasher: RandomState,
}

impl<K: Hash> Sharded<K> {
    fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, HashMap<K, Arc<Session>>> {
        let hash = self.hasher.hash_one(key);
        lock(&self.shards[usize::try_from(hash % SHARDS as u64).unwrap_or(0)])
    }
}

/// What is kept under these locks is whole whenever they are free.
fn lock<K>(shard: &Mutex<HashMap<K, Arc<Session>>>) -> MutexGuard<'_, HashMap<K, Arc<Session>>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
