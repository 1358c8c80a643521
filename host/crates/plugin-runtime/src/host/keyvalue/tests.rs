//! Staged keys over a store in memory.

use std::sync::Mutex;

use async_trait::async_trait;
use engine::port::{ReadError, Versioned as Stored};

use super::*;

#[derive(Debug, Default)]
struct Keys(Mutex<BTreeMap<String, Stored>>);

#[async_trait]
impl KeyValue for Keys {
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Stored>, ReadError> {
        assert_eq!(namespace, "pool");
        Ok(self.0.lock().unwrap().get(key).cloned())
    }

    async fn list(&self, _namespace: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<String>, ReadError> {
        let keys = self.0.lock().unwrap();
        let in_range = |key: &&String| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after);
        Ok(keys.keys().filter(in_range).take(limit).cloned().collect())
    }
}

/// A store with the given keys; the value of each is its own name, its version 7.
fn staged(keys: &[&str]) -> Staged {
    let stored = keys.iter().map(|key| ((*key).to_owned(), Stored { value: (*key).to_owned(), version: 7 }));
    Staged::new(Arc::new(Keys(Mutex::new(stored.collect()))), "pool".into(), &Limits::default())
}

fn writes(staged: Staged) -> Vec<(String, u64, Option<String>)> {
    staged.into_writes().into_iter().map(|write| (write.key, write.expected_version, write.value)).collect()
}

fn value(found: Result<Option<Versioned>, Error>) -> Option<(String, u64)> {
    found.unwrap().map(|found| (found.value, found.version))
}

#[tokio::test]
async fn a_call_sees_its_own_writes_and_hands_them_over_under_the_versions_it_read() {
    let mut staged = staged(&["a", "b", "c"]);
    assert_eq!(value(staged.get("a").await), Some(("a".to_owned(), 7)));
    assert_eq!(staged.set("b", "new".to_owned()).await.unwrap(), 8);
    assert_eq!(value(staged.get("b").await), Some(("new".to_owned(), 8)));
    assert!(staged.delete("c").await.unwrap());
    assert!(!staged.delete("c").await.unwrap());
    assert_eq!(value(staged.get("c").await), None);
    assert_eq!(staged.set("d", "made".to_owned()).await.unwrap(), 1);
    assert_eq!(value(staged.get("absent").await), None);
    let text = |text: &str| Some(text.to_owned());
    let expected = [("a", 7, text("a")), ("absent", 0, None), ("b", 7, text("new")), ("c", 7, None), ("d", 0, text("made"))];
    assert_eq!(writes(staged), expected.map(|(key, version, value)| (key.to_owned(), version, value)));
}

#[tokio::test]
async fn swap_compares_the_version_that_the_call_sees() {
    let mut staged = staged(&["a"]);
    assert!(matches!(staged.swap("a", None, "x".into()).await, Err(Error::Conflict(Some(7)))));
    assert!(matches!(staged.swap("new", Some(1), "x".into()).await, Err(Error::Conflict(None))));
    assert_eq!(staged.swap("a", Some(7), "x".into()).await.unwrap(), 8);
    assert_eq!(staged.swap("new", None, "y".into()).await.unwrap(), 1);
    assert!(matches!(staged.swap("new", None, "z".into()).await, Err(Error::Conflict(Some(1)))));
}

#[tokio::test]
async fn a_list_is_the_committed_keys_with_the_call_s_own_changes() {
    let mut staged = staged(&["p/1", "p/3", "p/5", "q/1"]);
    staged.set("p/2", String::new()).await.unwrap();
    staged.set("p/9", String::new()).await.unwrap();
    staged.delete("p/3").await.unwrap();
    assert_eq!(staged.list("p/", None, 10).await.unwrap(), ["p/1", "p/2", "p/5", "p/9"]);
    assert_eq!(staged.list("p/", None, 2).await.unwrap(), ["p/1", "p/2"]);
    assert_eq!(staged.list("p/", Some("p/2"), 1).await.unwrap(), ["p/5"]);
    assert_eq!(staged.list("p/", Some("p/5"), 10).await.unwrap(), ["p/9"]);
    assert_eq!(staged.list("x/", None, 10).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn limits_are_said_with_their_value() {
    let mut staged = staged(&[]);
    let limit = |error: Error| {
        let Error::Limit(text) = error else { panic!("expected a limit, found {error:?}") };
        text
    };
    assert_eq!(limit(staged.get("").await.unwrap_err()), "the key has 0 bytes, expected 1 to 512 (key_bytes)");
    assert_eq!(limit(staged.get(&"k".repeat(513)).await.unwrap_err()), "the key has 513 bytes, expected 1 to 512 (key_bytes)");
    assert_eq!(limit(staged.set("k", "v".repeat(65_537)).await.unwrap_err()), "the value has 65537 bytes, expected at most 65536 (value_bytes)");
    while staged.operations < 1000 {
        staged.get("k").await.unwrap();
    }
    assert_eq!(limit(staged.get("k").await.unwrap_err()), "a call may make at most 1000 operations (keyvalue_operations)");
}
