//! Versions of keys: checked against what the call saw, and never used twice.

use engine::port::{AppendError, KeyValue, Versioned};

use crate::common::{Fixture, seqs, set};

async fn value(f: &Fixture, key: &str) -> Option<(String, u64)> {
    f.store.get("n", key).await.unwrap().map(|Versioned { value, version }| (value, version))
}

#[tokio::test]
async fn a_deleted_and_recreated_key_goes_on_counting() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    let steps = [
        (0, Some("a"), Some(("a", 1))),
        (1, Some("b"), Some(("b", 2))),
        (2, Some("b"), Some(("b", 2))), // a check only
        (2, None, None),
        (0, None, None), // a check only
        (0, Some("c"), Some(("c", 4))),
        (4, None, None),
        (0, Some("d"), Some(("d", 6))),
    ];
    for (head, (expected_version, new, after)) in (1..).zip(steps) {
        f.append(f.with_writes(1, head, vec![set("k", expected_version, new)])).await.unwrap();
        assert_eq!(value(&f, "k").await, after.map(|(text, version)| (text.to_owned(), version)), "after step {head}");
    }
}

#[tokio::test]
async fn a_change_since_the_read_refuses_the_whole_append() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    f.append(f.with_writes(1, 1, vec![set("k", 0, Some("a")), set("gone", 0, Some("x"))])).await.unwrap();
    f.append(f.with_writes(1, 2, vec![set("gone", 1, None)])).await.unwrap();
    for (key, expected_version, new) in [
        ("k", 0, Some("b")),
        ("k", 2, Some("b")),
        ("k", 0, Some("a")), // a check fails too
        ("k", 0, None),
        ("gone", 1, Some("y")),
        ("gone", 2, None),
        ("never", 1, None),
    ] {
        let error = f.append(f.with_writes(1, 3, vec![set("new", 0, Some("z")), set(key, expected_version, new)])).await;
        assert_eq!(error, Err(AppendError::Conflict { namespace: "n".to_owned(), key: key.to_owned() }), "{key} {expected_version} {new:?}");
    }
    assert_eq!(value(&f, "k").await, Some(("a".to_owned(), 1)));
    assert_eq!(value(&f, "new").await, None);
    assert_eq!(seqs(&f.store, 1).await, [1, 2, 3]);
}

#[tokio::test]
async fn keys_are_listed_in_byte_order_within_prefix_and_namespace() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    let mut writes: Vec<_> = ["a", "p/1", "p/10", "p/2", "p/ü", "p/z", "q"].map(|key| set(key, 0, Some(""))).into();
    writes.push(engine::port::KeyValueWrite { namespace: "m".to_owned(), ..set("p/other", 0, Some("")) });
    f.append(f.with_writes(1, 1, writes)).await.unwrap();
    f.append(f.with_writes(1, 2, vec![set("p/10", 1, None)])).await.unwrap();
    let list = async |prefix: &str, after: Option<&str>, limit| f.store.list("n", prefix, after, limit).await.unwrap();
    assert_eq!(list("p/", None, 9).await, ["p/1", "p/2", "p/z", "p/ü"]);
    assert_eq!(list("p/", None, 2).await, ["p/1", "p/2"]);
    assert_eq!(list("p/", Some("p/2"), 9).await, ["p/z", "p/ü"]);
    assert_eq!(list("p/", Some("a"), 1).await, ["p/1"]);
    assert_eq!(list("", None, 9).await, ["a", "p/1", "p/2", "p/z", "p/ü", "q"]);
    assert!(list("p/", Some("q"), 9).await.is_empty());
    assert!(list("x", None, 9).await.is_empty());
}
