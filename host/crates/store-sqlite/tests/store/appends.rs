//! Every precondition of an append, alone and in company.

use std::collections::HashSet;

use engine::port::{AppendError, Journal, KeyValue, Position, ReadError, WriteError};
use pipeline::{Seq, TenantName};
use store_sqlite::Options;

use crate::common::{Fixture, run, seqs, set};

#[tokio::test]
async fn an_append_is_readable_once_it_is_acknowledged() {
    let f = Fixture::new();
    let mut positions = f.store.positions();
    assert_eq!(*positions.borrow_and_update(), Position(0));
    assert_eq!(f.append(f.start(1)).await.unwrap().position, Position(1));
    let more = f.more(1, 1, 3);
    assert_eq!(f.append(more.clone()).await.unwrap().position, Position(4));
    assert_eq!(*positions.borrow_and_update(), Position(4));
    assert_eq!(f.store.load(&run(1)).await.unwrap(), [f.start(1).records, more.records.clone()].concat());
    assert_eq!(f.store.row(&run(1)).await.unwrap(), Some(more.row));
    assert_eq!(f.store.row(&run(2)).await.unwrap(), None);
    assert!(f.store.load(&run(2)).await.unwrap().is_empty());
    let committed = f.store.committed(Position(1), 2).await.unwrap();
    assert_eq!(committed.iter().map(|c| (c.position.0, c.record.seq.0)).collect::<Vec<_>>(), [(2, 2), (3, 3)]);
    assert_eq!(committed[0].run, run(1));
    assert_eq!(committed[0].record, more.records[0]);
}

#[tokio::test]
async fn an_append_to_an_old_head_is_stale() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    f.append(f.more(1, 1, 2)).await.unwrap();
    let stale = |n, expected, actual| AppendError::Stale { run: run(n), expected: Seq(expected), actual: Seq(actual) };
    assert_eq!(f.append(f.more(1, 1, 1)).await, Err(stale(1, 1, 3)));
    assert_eq!(f.append(f.more(1, 9, 1)).await, Err(stale(1, 9, 3)));
    assert_eq!(f.append(f.start(1)).await, Err(stale(1, 0, 3)));
    assert_eq!(f.append(f.more(2, 4, 1)).await, Err(stale(2, 4, 0)));
    assert_eq!(seqs(&f.store, 1).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_key_starts_one_run_per_tenant_and_pipeline() {
    let f = Fixture::new();
    let start = |n, key: &str, tenant: &str| {
        let mut append = f.start(n);
        append.row.idempotency_key = Some(key.to_owned());
        append.row.tenant = TenantName::new(tenant).unwrap();
        append
    };
    f.append(start(1, "k", "default")).await.unwrap();
    assert_eq!(f.append(start(2, "k", "default")).await, Err(AppendError::Exists(run(1))));
    assert_eq!(f.append(start(1, "k", "default")).await, Err(AppendError::Exists(run(1))), "the answer of the first may have been lost");
    f.append(start(3, "k", "other")).await.unwrap();
    f.append(start(4, "l", "default")).await.unwrap();
    assert!(f.store.row(&run(2)).await.unwrap().is_none());
    assert_eq!(*f.store.positions().borrow(), Position(3));
}

#[tokio::test]
async fn a_malformed_append_is_refused_and_harms_nothing() {
    let f = Fixture::new();
    let mut gap = f.more(1, 0, 2);
    gap.records[1].seq = Seq(3);
    let mut wrong_head = f.start(1);
    wrong_head.row.head = Seq(2);
    let mut empty = f.start(1);
    empty.records.clear();
    for append in [gap, wrong_head, empty] {
        let error = f.append(append).await.unwrap_err();
        assert!(matches!(&error, AppendError::Write(WriteError::Fatal(detail)) if detail.starts_with("a malformed append to run")), "{error}");
    }
    f.append(f.start(1)).await.unwrap();
}

#[tokio::test]
async fn refused_appends_leave_the_rest_of_their_batch_alone() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    f.append(f.with_writes(1, 1, vec![set("k", 0, Some("old"))])).await.unwrap();
    // While somebody else holds the write lock, everything queues and then shares one commit.
    let raw = f.raw();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    let good = f.append(f.with_writes(1, 2, vec![set("k", 1, Some("new"))]));
    let stale = f.append(f.more(1, 2, 1));
    let conflict = f.append(f.with_writes(1, 3, vec![set("other", 0, Some("x")), set("k", 1, Some("lost"))]));
    let duplicate = f.append(f.start(1));
    let other = f.append(f.start(2));
    let release = async { raw.execute_batch("ROLLBACK").unwrap() };
    let (good, stale, conflict, duplicate, other, ()) = tokio::join!(good, stale, conflict, duplicate, other, release);
    assert_eq!(good.unwrap().position, Position(3));
    assert_eq!(stale, Err(AppendError::Stale { run: run(1), expected: Seq(2), actual: Seq(3) }));
    assert_eq!(conflict, Err(AppendError::Conflict { namespace: "n".to_owned(), key: "k".to_owned() }));
    assert_eq!(duplicate, Err(AppendError::Stale { run: run(1), expected: Seq(0), actual: Seq(3) }));
    assert_eq!(other.unwrap().position, Position(4));
    assert_eq!(f.store.get("n", "k").await.unwrap().unwrap().value, "new");
    assert_eq!(f.store.get("n", "other").await.unwrap(), None, "a refused append contributes nothing");
    assert_eq!(seqs(&f.store, 1).await, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_appends_get_positions_without_gaps() {
    // A short queue, so that callers wait for room.
    let f = std::sync::Arc::new(Fixture::with(Options { queue_length: 4, batch_writes: 3, ..Options::default() }));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 1..=40 {
        let f = std::sync::Arc::clone(&f);
        tasks.spawn(async move {
            f.append(f.start(n)).await.unwrap();
            for head in 1..=10 {
                f.append(f.more(n, head, 1)).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let committed = f.store.committed(Position(0), 1_000).await.unwrap();
    assert_eq!(committed.iter().map(|c| c.position.0).collect::<Vec<_>>(), (1..=440).collect::<Vec<_>>());
    assert_eq!(committed.iter().map(|c| (c.run.clone(), c.record.seq)).collect::<HashSet<_>>().len(), 440);
    for n in 1..=40 {
        assert_eq!(seqs(&f.store, n).await, (1..=11).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn of_two_appends_to_one_head_exactly_one_wins() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    let (a, b) = tokio::join!(f.append(f.more(1, 1, 1)), f.append(f.more(1, 1, 1)));
    assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
    assert_eq!(seqs(&f.store, 1).await, [1, 2]);
}

#[tokio::test]
async fn dropping_the_future_does_not_stop_the_write() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    {
        let append = f.append(f.more(1, 1, 1));
        tokio::pin!(append);
        // Polled once: queued, and then forgotten.
        tokio::select! {
            biased;
            _ = &mut append => {}
            () = std::future::ready(()) => {}
        }
    }
    f.append(f.start(2)).await.unwrap();
    assert_eq!(seqs(&f.store, 1).await, [1, 2]);
}

#[tokio::test]
async fn a_damaged_record_is_found_and_those_before_it_are_still_read() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    f.append(f.more(1, 1, 2)).await.unwrap();
    for damage in [
        "UPDATE journal SET payload = CAST(replace(CAST(payload AS TEXT), 'parent', 'parenT') AS BLOB) WHERE seq = 2",
        "UPDATE journal SET at = at + 1 WHERE seq = 2",
    ] {
        assert_eq!(f.raw().execute(damage, []).unwrap(), 1);
        let damaged = |error: ReadError| matches!(error, ReadError::Damaged { run: id, seq: Seq(2), .. } if id == run(1).as_str());
        assert!(damaged(f.store.load(&run(1)).await.unwrap_err()));
        assert_eq!(f.store.committed(Position(0), 10).await.unwrap().len(), 1);
        assert!(damaged(f.store.committed(Position(1), 10).await.unwrap_err()));
    }
    f.raw().execute("DELETE FROM journal WHERE seq = 2", []).unwrap();
    let missing = f.store.load(&run(1)).await.unwrap_err();
    assert_eq!(missing.to_string(), format!("record Seq(2) of run {} is damaged: it is missing, the next is 3", run(1)));
}
