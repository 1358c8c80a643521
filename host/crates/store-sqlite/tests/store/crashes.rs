//! What a crash leaves: every acknowledged append, and of the log's torn end nothing.

use std::{fs, path::Path};

use engine::port::{Journal, Position};
use store_sqlite::{Options, Store};

use crate::common::{Fixture, seqs, set};

/// Copies the files of a live store, as a crash at this moment would leave them.
fn crash(f: &Fixture, to: &Path, log_length: Option<usize>) {
    fs::copy(&f.path, to).unwrap();
    let log = fs::read(format!("{}-wal", f.path.display())).unwrap();
    fs::write(format!("{}-wal", to.display()), &log[..log_length.unwrap_or(log.len()).min(log.len())]).unwrap();
}

#[tokio::test]
async fn acknowledged_appends_survive_a_crash() {
    // A tiny log, so that the crash falls between checkpoints as well.
    let f = Fixture::with(Options { checkpoint_bytes: 64 * 1024, ..Options::default() });
    f.append(f.start(1)).await.unwrap();
    for head in 1..=200_u64 {
        let previous = if head == 1 { 0 } else { head - 1 };
        f.append(f.with_writes(1, head, vec![set("k", previous, Some(&"v".repeat(usize::try_from(head).unwrap())))])).await.unwrap();
        if head % 20 == 0 {
            let to = f.directory.path().join(format!("crash-{head}.db"));
            crash(&f, &to, None);
            let (store, opening) = Store::open(&to, Options::default()).unwrap();
            assert_eq!(opening.epoch.0, 2);
            assert_eq!(seqs(&store, 1).await, (1..=head + 1).collect::<Vec<_>>());
            assert_eq!(engine::port::KeyValue::get(&*store, "n", "k").await.unwrap().unwrap().version, head);
        }
    }
}

#[tokio::test]
async fn a_torn_log_leaves_whole_appends_only() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    let mut lengths = vec![log_length(&f)];
    for head in (1..=24).step_by(3) {
        f.append(f.more(1, head, 3)).await.unwrap();
        lengths.push(log_length(&f));
    }
    // Cut inside each commit: before its first frame is whole, and one byte before its end.
    for (commits, length) in (0_u64..).zip(&lengths).skip(1) {
        let before = lengths[usize::try_from(commits).unwrap() - 1];
        for (cut, whole) in [(before + 100, commits - 1), (length - 1, commits - 1), (*length, commits)] {
            let to = f.directory.path().join(format!("torn-{cut}.db"));
            crash(&f, &to, Some(cut));
            let (store, _) = Store::open(&to, Options::default()).unwrap();
            assert_eq!(seqs(&store, 1).await, (1..=1 + 3 * whole).collect::<Vec<_>>(), "cut at {cut} of {length}");
            assert_eq!(*store.positions().borrow(), Position(1 + 3 * whole));
        }
    }
}

fn log_length(f: &Fixture) -> usize {
    fs::read(format!("{}-wal", f.path.display())).unwrap().len()
}

#[tokio::test]
async fn a_dropped_store_leaves_one_whole_file() {
    let mut f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    let other = f.directory.path().join("other.db");
    (f.store, f.opening) = Store::open(&other, Options::default()).unwrap();
    assert!(!Path::new(&format!("{}-wal", f.path.display())).exists(), "everything is in the database");
    let (store, opening) = Store::open(&f.path, Options::default()).unwrap();
    assert_eq!(opening.epoch.0, 2);
    assert_eq!(seqs(&store, 1).await, [1]);
}

#[tokio::test]
async fn the_log_is_moved_into_the_database_before_it_grows_without_bound() {
    let f = Fixture::with(Options { checkpoint_bytes: 256 * 1024, ..Options::default() });
    f.append(f.start(1)).await.unwrap();
    let value = "x".repeat(20_000);
    for head in 1..=150 {
        f.append(f.with_writes(1, head, vec![set(&format!("k{head}"), 0, Some(&value))])).await.unwrap();
    }
    let length = log_length(&f);
    assert!(length < 1024 * 1024, "3 MB were written, the log has {length} bytes");
    assert_eq!(f.store.committed(Position(0), 1_000).await.unwrap().len(), 151);
}
