//! The book of devices: where each stands, in memory, so that a device that needs nothing costs no look at the store. It is rebuilt from documents when the
//! host starts; a device that is not in it is looked up.

mod entry;

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use engine::port::{DocumentQuery, Documents, ReadError};
use pipeline::RunId;

pub(crate) use self::entry::{Entry, Session, Standing};
use super::{
    caller::PAUSES,
    command::COMMAND_COLLECTION,
    facts::{DEVICE_COLLECTION, Facts, key},
    options::Options,
    projection::STATE_COLLECTION,
};
use crate::{acs::SessionId, device::DeviceKey};

/// Devices are spread over so many locks.
const SHARDS: usize = 64;

/// How many documents are read at a time when the book is rebuilt.
const PAGE: u64 = 5_000;

/// How many commands of one device wait at most.
pub(crate) const MAX_COMMANDS: usize = 64;

/// Where each device stands.
#[derive(Debug)]
pub struct Book {
    documents: Arc<dyn Documents>,
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    /// Whether every device that the store knows is in memory, so that one that is not is new.
    complete: AtomicBool,
}

/// Two generations: what was used lately, and what was not used since then. When the younger is full, the older is forgotten.
#[derive(Debug)]
struct Shard {
    young: HashMap<DeviceKey, Entry>,
    old: HashMap<DeviceKey, Entry>,
    half: usize,
}

/// Whether a run may speak with its device now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It may.
    Now,
    /// Not in this session, or not yet.
    Later,
}

impl Book {
    /// An empty book over these documents.
    pub fn new(documents: Arc<dyn Documents>, options: &Options) -> Self {
        let half = (options.known_devices / SHARDS / 2).max(8);
        let shard = || Mutex::new(Shard { young: HashMap::new(), old: HashMap::new(), half });
        Self { documents, shards: (0..SHARDS).map(|_| shard()).collect(), hasher: RandomState::new(), complete: AtomicBool::new(false) }
    }

    /// Reads what the store knows, as far as there is room for it.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn load(&self) -> Result<(), ReadError> {
        let room = self.shards.len() as u64 * 2 * self.shard(0).half as u64;
        self.complete.store(true, Ordering::Relaxed);
        for collection in [DEVICE_COLLECTION, STATE_COLLECTION] {
            let mut offset = 0;
            while offset < room {
                let page = self.documents.find(DocumentQuery { collection, equal: Vec::new(), offset, limit: PAGE }).await?;
                for document in &page.documents {
                    let Some(device) = key(&document.id) else { continue };
                    self.write(&device, |entry| entry.read(collection, &document.body));
                }
                offset += PAGE;
                if offset >= page.total {
                    break;
                }
                if offset >= room {
                    self.complete.store(false, Ordering::Relaxed);
                }
            }
        }
        self.load_commands().await
    }

    async fn load_commands(&self) -> Result<(), ReadError> {
        let open = || vec![("open".to_owned(), "true".to_owned())];
        let mut offset = 0;
        loop {
            let query = DocumentQuery { collection: COMMAND_COLLECTION, equal: open(), offset, limit: PAGE };
            let page = self.documents.find(query).await?;
            for document in &page.documents {
                let (Some(device), Ok(run)) = (document.body["device"].as_str().and_then(key), RunId::new(&document.id)) else { continue };
                self.write(&device, |entry| entry.add_command(run));
            }
            offset += PAGE;
            if offset >= page.total {
                return Ok(());
            }
        }
    }

    /// Brings a device into memory.
    pub(crate) async fn ensure(&self, device: &DeviceKey) -> Result<(), ReadError> {
        if self.touch(device) || self.complete.load(Ordering::Relaxed) {
            return Ok(());
        }
        let id = device.as_str();
        let mut read = Entry::default();
        for collection in [DEVICE_COLLECTION, STATE_COLLECTION] {
            if let Some(document) = self.documents.get(collection, id).await? {
                read.read(collection, &document.body);
            }
        }
        let equal = vec![("device".to_owned(), id.to_owned()), ("open".to_owned(), "true".to_owned())];
        let open = self.documents.find(DocumentQuery { collection: COMMAND_COLLECTION, equal, offset: 0, limit: MAX_COMMANDS as u64 }).await?;
        open.documents.iter().filter_map(|document| RunId::new(&document.id).ok()).for_each(|run| read.add_command(run));
        let mut shard = self.shard_of(device);
        // Somebody else may have read it meanwhile, and gone on.
        if !shard.young.contains_key(device) {
            shard.insert(device.clone(), read, &self.complete);
        }
        Ok(())
    }

    /// What is kept of a device.
    pub(crate) async fn facts(&self, device: &DeviceKey) -> Result<Option<Facts>, ReadError> {
        let document = self.documents.get(DEVICE_COLLECTION, device.as_str()).await?;
        Ok(document.and_then(|document| serde_json::from_value(document.body).ok()))
    }

    /// Changes what is known of a device, which is new if it is not in memory.
    pub(crate) fn write<T>(&self, device: &DeviceKey, change: impl FnOnce(&mut Entry) -> T) -> T {
        let mut shard = self.shard_of(device);
        shard.refresh(device);
        if let Some(entry) = shard.young.get_mut(device) {
            return change(entry);
        }
        let mut entry = Entry::default();
        let changed = change(&mut entry);
        shard.insert(device.clone(), entry, &self.complete);
        changed
    }

    /// Looks at a device, or changes it, if it is in memory.
    pub(crate) fn known<T>(&self, device: &DeviceKey, look: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let mut shard = self.shard_of(device);
        let Shard { young, old, .. } = &mut *shard;
        young.get_mut(device).or_else(|| old.get_mut(device)).map(look)
    }

    /// As [`Self::write`], but a device that is not in memory and may be in the store stays there.
    pub(crate) fn follow(&self, device: &DeviceKey, change: impl FnOnce(&mut Entry)) {
        if self.touch(device) || self.complete.load(Ordering::Relaxed) {
            self.write(device, change);
        }
    }

    /// Whether a run that provisions a device may speak with it in a session. A run that the book does not know yet is newer than the one that it knows.
    pub(crate) fn turn(&self, device: &DeviceKey, session: SessionId, run: &RunId) -> Turn {
        let turn = self.known(device, |entry| {
            let here = entry.session.as_ref().is_some_and(|open| open.id == session);
            let taken_over = entry.starting.as_ref().is_some_and(|over| over.as_ref() == Some(run));
            if here && !taken_over { Turn::Now } else { Turn::Later }
        });
        turn.unwrap_or(Turn::Later)
    }

    /// The newer run that provisions the device, if there is one.
    pub(crate) fn superseded(&self, device: &DeviceKey, run: &RunId) -> Option<RunId> {
        self.known(device, |entry| entry.standing.as_ref().filter(|standing| *run < standing.run).map(|standing| standing.run.clone())).flatten()
    }

    /// Whether nothing that a device said is known, and nothing is being begun for it.
    pub(crate) fn is_unknown(&self, device: &DeviceKey) -> bool {
        let nothing = |entry: &mut Entry| entry.facts == 0 && entry.starting.is_none();
        self.known(device, nothing).unwrap_or_else(|| self.complete.load(Ordering::Relaxed))
    }

    /// How often a device was called for a run, to which another time is added. `None` where that was often enough, or the device is not in memory.
    pub(crate) fn calls(&self, device: &DeviceKey, run: &RunId) -> Option<usize> {
        self.known(device, |entry| {
            let calls = entry.called.as_ref().filter(|(known, _)| known == run).map_or(0, |(_, calls)| *calls);
            (calls <= PAUSES.len()).then(|| {
                entry.called = Some((run.clone(), calls + 1));
                calls
            })
        })?
    }

    /// Keeps a place for a command that is about to be given, unless as many wait as may.
    pub(crate) fn place<'a>(&'a self, device: &'a DeviceKey) -> Option<Place<'a>> {
        let has_room = |entry: &mut Entry| {
            let room = entry.commands.len() + entry.giving < MAX_COMMANDS;
            entry.giving += usize::from(room);
            room
        };
        self.write(device, has_room).then(|| Place { book: self, device })
    }

    /// Whether the Inform of a session has been looked at, so that commands may speak with the device.
    pub(crate) fn is_open(&self, device: &DeviceKey, session: SessionId) -> bool {
        self.known(device, |entry| entry.session.as_ref().is_some_and(|open| open.id == session)).unwrap_or(false)
    }

    /// Notes that a run has nothing more to say to its device in a session, or in whichever is open. Gives the session if that is so of every run, so that it can
    /// end.
    pub(crate) fn rest(&self, device: &DeviceKey, session: Option<SessionId>, run: &RunId, provisions: bool) -> Option<SessionId> {
        let idle = |entry: &mut Entry| {
            let open = entry.session.as_ref().map(|open| open.id).filter(|open| session.is_none_or(|session| session == *open))?;
            if !entry.resting.contains(run) {
                entry.resting.push(run.clone());
            }
            let rests = |run: &RunId| entry.resting.contains(run);
            let standing = entry.standing.as_ref();
            // A run that is newer than the one that is known is the one that is being begun.
            let begins = entry.starting.is_some() && !(provisions && standing.is_none_or(|known| known.run <= *run));
            let provisioned = standing.is_none_or(|known| !known.is_under_way() || (provisions && known.run < *run) || rests(&known.run));
            (provisioned && !begins && entry.commands.iter().all(rests)).then_some(open)
        };
        self.known(device, idle).flatten()
    }

    /// Whether it is in memory; then it counts as used.
    fn touch(&self, device: &DeviceKey) -> bool {
        let mut shard = self.shard_of(device);
        shard.refresh(device);
        shard.young.contains_key(device)
    }

    fn shard_of(&self, device: &DeviceKey) -> MutexGuard<'_, Shard> {
        let position = usize::try_from(self.hasher.hash_one(device) % SHARDS as u64).unwrap_or(0);
        self.shard(position)
    }

    fn shard(&self, position: usize) -> MutexGuard<'_, Shard> {
        self.shards[position].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place for a command that is about to be given.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    book: &'a Book,
    device: &'a DeviceKey,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.book.known(self.device, |entry| entry.giving = entry.giving.saturating_sub(1));
    }
}

impl Shard {
    /// Brings a device back that was not used for a while.
    fn refresh(&mut self, device: &DeviceKey) {
        if let Some((device, entry)) = self.old.remove_entry(device) {
            self.young.insert(device, entry);
        }
    }

    fn insert(&mut self, device: DeviceKey, entry: Entry, complete: &AtomicBool) {
        if self.young.len() >= self.half {
            let young = std::mem::take(&mut self.young);
            let forgotten = std::mem::replace(&mut self.old, young);
            let before = forgotten.len();
            // A device that is in session stays.
            self.young.extend(forgotten.into_iter().filter(|(_, entry)| entry.session.is_some() || entry.starting.is_some() || entry.giving > 0));
            if self.young.len() < before {
                complete.store(false, Ordering::Relaxed);
            }
        }
        self.young.insert(device, entry);
    }
}
