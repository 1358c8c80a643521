//! A full disk, by the limit that an operator can set: refused, nothing half written, well again when there is room.

use engine::port::{AppendError, Blobs, Journal, KeyValue, WriteError};
use store_sqlite::Options;

use crate::common::{Fixture, run, seqs, set};

/// Room for the schema and about 30 large values.
fn tight() -> Options {
    Options { max_bytes: Some(1024 * 1024), ..Options::default() }
}

/// Appends with large values until one is refused; returns the head then.
async fn fill(f: &Fixture) -> u64 {
    f.append(f.start(1)).await.unwrap();
    let value = "x".repeat(30_000);
    for head in 1..1_000 {
        match f.append(f.with_writes(1, head, vec![set(&format!("k{head}"), 0, Some(&value))])).await {
            Ok(_) => {}
            Err(AppendError::Write(WriteError::Unavailable(detail))) => {
                assert!(detail.contains("full"), "{detail}");
                return head;
            }
            Err(other) => panic!("{other}"),
        }
    }
    panic!("the limit was never reached");
}

#[tokio::test]
async fn a_refused_append_writes_nothing_and_can_be_repeated_when_there_is_room() {
    let f = Fixture::with(tight());
    let head = fill(&f).await;
    let refused = || f.with_writes(1, head, vec![set("last", 0, Some(&"y".repeat(60_000)))]);
    for _ in 0..3 {
        assert!(matches!(f.append(refused()).await, Err(AppendError::Write(WriteError::Unavailable(_)))));
    }
    assert_eq!(seqs(&f.store, 1).await, (1..=head).collect::<Vec<_>>());
    assert_eq!(f.store.row(&run(1)).await.unwrap().unwrap().head.0, head);
    assert_eq!(KeyValue::get(&*f.store, "n", "last").await.unwrap(), None);
    assert!(f.store.put(vec![1; 100_000]).await.is_err());
    assert!(matches!(f.store.save_cursor(&"c".repeat(100_000), engine::port::Position(1)).await, Err(WriteError::Unavailable(_))));
    // The operator makes room while the store is open.
    f.raw().execute("DELETE FROM kv WHERE key < 'k2'", []).unwrap();
    f.append(refused()).await.unwrap();
    assert_eq!(seqs(&f.store, 1).await, (1..=head + 1).collect::<Vec<_>>());
    assert_eq!(KeyValue::get(&*f.store, "n", "last").await.unwrap().unwrap().version, 1);
}

#[tokio::test]
async fn a_higher_limit_is_room() {
    let mut f = Fixture::with(tight());
    let head = fill(&f).await;
    f.reopen(tight()).await;
    assert_eq!(seqs(&f.store, 1).await, (1..=head).collect::<Vec<_>>(), "a full store can be opened");
    assert!(matches!(
        f.append(f.with_writes(1, head, vec![set("k", 0, Some(&"x".repeat(60_000)))])).await,
        Err(AppendError::Write(WriteError::Unavailable(_)))
    ));
    f.reopen(Options { max_bytes: Some(8 * 1024 * 1024), ..Options::default() }).await;
    f.append(f.with_writes(1, head, vec![set("k", 0, Some(&"x".repeat(60_000)))])).await.unwrap();
}
