//! Copies of a live store and the way back.

use std::{fs, os::unix::fs::PermissionsExt, sync::Arc};

use engine::port::{Journal, Position};
use store_sqlite::{BackupError, OpenError, Options, RestoreError, Store, restore};

use crate::common::{Fixture, seqs};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_busy_store_holds_whole_appends_up_to_one_moment() {
    let f = Arc::new(Fixture::new());
    f.append(f.start(1)).await.unwrap();
    let mut writing = tokio::task::JoinSet::new();
    writing.spawn({
        let f = Arc::clone(&f);
        async move {
            for head in (1..600).step_by(3) {
                f.append(f.more(1, head, 3)).await.unwrap();
            }
        }
    });
    let mut backups = Vec::new();
    loop {
        let (path, before) = (f.directory.path().join(format!("backup-{}.db", backups.len())), *f.store.positions().borrow());
        f.store.backup(&path).await.unwrap();
        backups.push((path, before));
        if let Some(done) = writing.try_join_next() {
            done.unwrap();
            break;
        }
    }
    for (path, before) in backups {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (store, opening) = Store::open(&path, Options::default()).unwrap();
        assert_eq!(opening.epoch.0, 2);
        assert_eq!(opening.secret, f.opening.secret);
        let seqs = seqs(&store, 1).await;
        assert!(seqs.len() >= usize::try_from(before.0).unwrap() && seqs.len() % 3 == 1, "{} records, {before:?} when it began", seqs.len());
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
        assert_eq!(store.row(&crate::common::run(1)).await.unwrap().unwrap().head.0, seqs.len() as u64);
    }
}

#[tokio::test]
async fn a_backup_never_writes_over_a_file() {
    let f = Fixture::new();
    let path = f.directory.path().join("there");
    fs::write(&path, b"precious").unwrap();
    let error = f.store.backup(&path).await.unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` exists already: name a new file", path.display()));
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    assert!(matches!(f.store.backup(f.directory.path().join("no/such/directory.db")).await, Err(BackupError::Io { .. })));
}

#[tokio::test]
async fn a_restored_store_continues_where_the_backup_was_made() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    let backup = f.directory.path().join("backup.db");
    f.store.backup(&backup).await.unwrap();
    f.append(f.more(1, 1, 1)).await.unwrap();
    let target = f.directory.path().join("new/place.db");
    restore(&backup, &target).unwrap();
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
    let mut g = Fixture::new();
    (g.store, g.opening) = Store::open(&target, Options::default()).unwrap();
    assert_eq!(seqs(&g.store, 1).await, [1]);
    assert_eq!(g.append(g.more(1, 1, 1)).await.unwrap().position, Position(2));
}

#[tokio::test]
async fn restore_refuses_what_it_could_harm_and_what_is_harmed() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    let backup = f.directory.path().join("backup.db");
    f.store.backup(&backup).await.unwrap();
    assert!(matches!(restore(&backup, &f.path), Err(RestoreError::Unfit(OpenError::InUse { .. }))));
    f.store.close().await;
    assert!(matches!(restore(&backup, &f.path), Err(RestoreError::Exists { .. })));

    let target = f.directory.path().join("target.db");
    let log = f.directory.path().join("target.db-wal");
    fs::write(&log, b"old").unwrap();
    assert!(matches!(restore(&backup, &target), Err(RestoreError::Exists { path }) if path == log));
    fs::remove_file(&log).unwrap();
    assert!(matches!(restore(f.directory.path().join("nowhere.db"), &target), Err(RestoreError::Missing { .. })));

    let whole = fs::read(&backup).unwrap();
    let mut damaged = whole.clone();
    let last = damaged.len() - 4096;
    damaged[last..].fill(0x5a);
    for (bytes, expected) in
        [(damaged, "is damaged"), (whole[..whole.len() - 4096].to_vec(), "is damaged"), (b"text".to_vec(), "is not an SQLite database")]
    {
        fs::write(&backup, bytes).unwrap();
        let error = restore(&backup, &target).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!target.exists());
    }
    fs::write(&backup, whole).unwrap();
    restore(&backup, &target).unwrap();
}
