//! Records that an operator gives while the host serves. They are kept in the store and come after those of the product and of the configuration, in the order
//! of their names, so that they change what those say.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use engine::port::{Clock, Document, DocumentError, DocumentQuery, Documents, ReadError};
use serde_json::json;
use tokio::sync::Mutex;
use tracing::warn;

use super::{QuirkError, QuirkRecord, QuirkTable, Quirks};
use crate::device::DeviceId;

/// The collection of records; the ids are their names.
pub const QUIRK_COLLECTION: &str = "cpe-quirk";

/// How many records are kept at most: each is looked at for every Inform.
const MOST: usize = 1_000;

/// The longest name of a record, and the longest note.
const MAX_NAME: usize = 64;
const MAX_NOTE: usize = 1_024;

/// How devices differ from the standard, with what operators say about it while the host serves.
pub struct KeptQuirks {
    documents: Arc<dyn Documents>,
    clock: Arc<dyn Clock>,
    /// The records of the product and of the configuration.
    configured: QuirkTable,
    now: RwLock<Arc<Now>>,
    /// Held by whoever makes a change.
    changing: Mutex<()>,
}

#[derive(Debug)]
struct Now {
    kept: BTreeMap<String, QuirkRecord>,
    table: QuirkTable,
}

/// Why a record was not kept. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The name is none.
    #[error("`{0}` is no name of a quirk record: expected 1 to {MAX_NAME} characters of [a-zA-Z0-9_.-]")]
    Name(String),
    /// It could never apply, or no device could be spoken to with it.
    #[error(transparent)]
    Record(#[from] QuirkError),
    /// There are as many as there may be.
    #[error("{MOST} quirk records are kept, and no more may be: remove one")]
    TooMany,
    /// The store did not take it.
    #[error(transparent)]
    Write(#[from] DocumentError),
}

impl fmt::Debug for KeptQuirks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptQuirks").field("now", &self.now).finish_non_exhaustive()
    }
}

impl KeptQuirks {
    /// The records of the product and the configuration, and over them those that the store has.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn load(documents: Arc<dyn Documents>, clock: Arc<dyn Clock>, configured: QuirkTable) -> Result<Self, ReadError> {
        let query = DocumentQuery { collection: QUIRK_COLLECTION, equal: Vec::new(), offset: 0, limit: MOST as u64 };
        let mut kept = BTreeMap::new();
        for document in documents.find(query).await?.documents {
            let read = serde_json::from_value::<QuirkRecord>(document.body).map_err(|error| error.to_string());
            match read.and_then(|record| check(&document.id, &record).map(|()| record).map_err(|error| error.to_string())) {
                Ok(record) => drop(kept.insert(document.id, record)),
                // Another version of the program may have kept it. It stays where it is.
                Err(error) => warn!("quirk record `{}` in the store is passed over: {error}", document.id),
            }
        }
        let now = RwLock::new(Arc::new(Now::of(&configured, kept)));
        Ok(Self { documents, clock, configured, now, changing: Mutex::default() })
    }

    /// How a device is spoken to.
    #[must_use]
    pub fn resolve(&self, device: &DeviceId, model: &str, firmware: &str) -> Quirks {
        self.now().table.resolve(device, model, firmware)
    }

    /// The records of the product and of the configuration.
    #[must_use]
    pub fn configured(&self) -> &QuirkTable {
        &self.configured
    }

    /// The records that are kept, in the order in which they apply.
    #[must_use]
    pub fn kept(&self) -> BTreeMap<String, QuirkRecord> {
        self.now().kept.clone()
    }

    /// Keeps a record, over one of its name, which is given back. It applies from the next session of each device on.
    ///
    /// # Errors
    ///
    /// It is not valid, or the store has no room.
    pub async fn put(&self, name: &str, record: QuirkRecord) -> Result<Option<QuirkRecord>, KeepError> {
        check(name, &record)?;
        let _turn = self.changing.lock().await;
        let mut kept = self.kept();
        if kept.len() >= MOST && !kept.contains_key(name) {
            return Err(KeepError::TooMany);
        }
        let (rank, body) = (self.clock.now().0, json!(record));
        self.documents.put(vec![Document { collection: QUIRK_COLLECTION, id: name.to_owned(), rank, body, attributes: Vec::new() }]).await?;
        let before = kept.insert(name.to_owned(), record);
        self.set(kept);
        Ok(before)
    }

    /// Forgets a record, which is given back; `None` where there is none.
    ///
    /// # Errors
    ///
    /// The store cannot be written to.
    pub async fn remove(&self, name: &str) -> Result<Option<QuirkRecord>, KeepError> {
        let _turn = self.changing.lock().await;
        let mut kept = self.kept();
        let Some(before) = kept.remove(name) else { return Ok(None) };
        self.documents.remove(QUIRK_COLLECTION, name).await.map_err(DocumentError::from)?;
        self.set(kept);
        Ok(Some(before))
    }

    fn now(&self) -> Arc<Now> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, kept: BTreeMap<String, QuirkRecord>) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Now::of(&self.configured, kept));
    }
}

impl Now {
    fn of(configured: &QuirkTable, kept: BTreeMap<String, QuirkRecord>) -> Self {
        Self { table: configured.with(kept.values().cloned()), kept }
    }
}

fn check(name: &str, record: &QuirkRecord) -> Result<(), KeepError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(fits) {
        return Err(KeepError::Name(name.chars().take(MAX_NAME).collect()));
    }
    let whose = format!("quirk record {name}");
    if let Some(note) = record.note.as_ref().filter(|note| note.len() > MAX_NOTE) {
        return Err(QuirkError::new(&whose, "note", note, "at most 1,024 bytes").into());
    }
    Ok(record.check(&whose)?)
}

#[cfg(test)]
mod tests {
    use engine::{port::SystemClock, testing::MemoryStore};

    use super::*;

    fn record(text: &str) -> QuirkRecord {
        serde_json::from_str(text).unwrap()
    }

    async fn over(store: &Arc<MemoryStore>) -> KeptQuirks {
        let configured = vec![record(r#"{"manufacturer": "Acme", "set": {"set_batch": 8, "get_batch": 8}}"#)];
        KeptQuirks::load(store.clone(), Arc::new(SystemClock), QuirkTable::new(configured).unwrap()).await.unwrap()
    }

    fn seen(quirks: &KeptQuirks) -> (u32, u32) {
        let device = DeviceId { manufacturer: "Acme".to_owned(), oui: "A1B2C3".to_owned(), ..DeviceId::default() };
        let quirks = quirks.resolve(&device, "", "");
        (quirks.set_batch.get(), quirks.get_batch.get())
    }

    #[tokio::test]
    async fn records_change_what_the_configuration_says_and_outlive_the_host() {
        let store: Arc<MemoryStore> = Arc::default();
        let quirks = over(&store).await;
        assert_eq!(seen(&quirks), (8, 8));
        assert_eq!(quirks.put("b", record(r#"{"manufacturer": "Acme", "set": {"set_batch": 2}}"#)).await.unwrap(), None);
        quirks.put("a", record(r#"{"manufacturer": "Acme", "set": {"set_batch": 1, "get_batch": 4}}"#)).await.unwrap();
        assert_eq!(seen(&quirks), (2, 4), "the later name wins");
        let next = over(&store).await;
        assert_eq!((seen(&next), next.kept().len()), ((2, 4), 2), "another host over the same store");
        assert!(next.remove("b").await.unwrap().is_some() && next.remove("b").await.unwrap().is_none());
        assert_eq!((seen(&next), seen(&over(&store).await)), ((1, 4), (1, 4)));
    }

    #[tokio::test]
    async fn a_record_that_is_wrong_is_not_kept_and_one_of_another_version_is_passed_over() {
        let store: Arc<MemoryStore> = Arc::default();
        let quirks = over(&store).await;
        for (name, given, expected) in [
            ("", "{}", "`` is no name of a quirk record"),
            ("a/b", "{}", "`a/b` is no name of a quirk record"),
            ("a", r#"{"oui": "xyz*"}"#, "quirk record a: `oui` is `xyz*`"),
            ("a", r#"{"set": {"read_back_delay_ms": 3600000}}"#, "quirk record a: `read_back_delay_ms`"),
        ] {
            let error = quirks.put(name, record(given)).await.unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        assert_eq!(quirks.kept().len(), 0);
        let other = Document { collection: QUIRK_COLLECTION, id: "new".to_owned(), rank: 0, body: json!({"colour": 1}), attributes: Vec::new() };
        Documents::put(&*store, vec![other]).await.unwrap();
        assert_eq!(seen(&over(&store).await), (8, 8));
    }
}
