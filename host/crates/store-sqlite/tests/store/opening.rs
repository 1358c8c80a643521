//! Opening: what is refused, what is said, and that nothing is touched then.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use engine::port::{AppendError, Blobs, Clock, Journal, Position, WriteError};
use pipeline::{Epoch, Timestamp};
use store_sqlite::{OpenError, Options, Store};
use tempfile::TempDir;

use crate::common::{Fixture, run};

fn refusal(path: &Path) -> OpenError {
    Store::open(path, Options::default()).unwrap_err()
}

#[tokio::test]
async fn each_opening_raises_the_epoch_and_keeps_the_secret() {
    let mut f = Fixture::new();
    let first = f.opening.clone();
    assert_eq!(first.epoch, Epoch(1));
    assert_ne!(first.secret, [0; 32]);
    f.reopen(Options::default()).await;
    assert_eq!(f.opening.epoch, Epoch(2));
    assert_eq!(f.opening.secret, first.secret);
    assert_ne!(Fixture::new().opening.secret, first.secret);
}

#[tokio::test]
async fn opening_twice_is_refused_and_names_the_process() {
    let f = Fixture::new();
    let error = refusal(&f.path);
    assert_eq!(error.to_string(), format!("`{}` is open in another process (process id {})", f.path.display(), std::process::id()));
    f.append(f.start(1)).await.unwrap();
    f.store.close().await;
    let (again, _) = Store::open(&f.path, Options::default()).unwrap();
    assert_eq!(again.load(&run(1)).await.unwrap().len(), 1);
    assert!(matches!(f.append(f.start(2)).await, Err(AppendError::Write(WriteError::Unavailable(_)))), "a closed store takes nothing");
    assert!(f.store.load(&run(1)).await.is_err());
}

#[tokio::test]
async fn a_higher_epoch_fences_every_write() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    f.raw().execute("UPDATE meta SET epoch = epoch + 1", []).unwrap();
    assert_eq!(f.append(f.more(1, 1, 1)).await, Err(AppendError::Write(WriteError::Fenced(Epoch(2)))));
    assert_eq!(f.append(f.start(2)).await, Err(AppendError::Write(WriteError::Fenced(Epoch(2)))));
    assert_eq!(f.store.save_cursor("a", Position(1)).await, Err(WriteError::Fenced(Epoch(2))));
    assert!(f.store.put(vec![1]).await.is_err());
    assert_eq!(f.store.load(&run(1)).await.unwrap().len(), 1);
    assert_eq!(f.store.cursor("a").await.unwrap(), Position(0));
}

#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let directory = f.path.parent().unwrap();
    assert_eq!(mode(directory), 0o700);
    let names: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(names.len(), 4, "database, log, its index and the lock: {names:?}");
    for path in names {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    f.store.close().await;
    fs::set_permissions(&f.path, fs::Permissions::from_mode(0o644)).unwrap();
    let _store = Store::open(&f.path, Options::default()).unwrap();
    assert_eq!(mode(&f.path), 0o600);
}

#[tokio::test]
async fn a_newer_database_is_refused_untouched() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    f.store.close().await;
    f.raw().pragma_update(None, "user_version", 7).unwrap();
    let before = fs::read(&f.path).unwrap();
    let error = refusal(&f.path);
    let OpenError::Newer { known, .. } = error else { panic!("{error}") };
    let expected =
        format!("`{}` has database version 7, this binary knows versions up to {known}: use the newer binary, nothing was changed", f.path.display());
    assert_eq!(error.to_string(), expected);
    assert!(fs::read(&f.path).unwrap() == before);
}

#[tokio::test]
async fn what_is_not_a_store_is_refused_untouched() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("store.db");
    let page = |bytes: &[u8]| [b"SQLite format 3\0".as_slice(), bytes].concat();
    let check = |bytes: Vec<u8>, expected: &str| {
        fs::write(&path, &bytes).unwrap();
        let error = refusal(&path).to_string();
        assert!(error.starts_with(&format!("`{}` {expected}", path.display())), "{error}");
        assert!(fs::read(&path).unwrap() == bytes, "{expected}: the file was changed");
    };
    check(b"not a database\n".to_vec(), "is not an SQLite database");
    check((0..8192_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect(), "is not an SQLite database");
    check(page(b""), "is damaged: it has 16 bytes, less than a header; restore a backup");
    check(page(&[0xff; 8176]), "is damaged: it has 8192 bytes, but its header speaks of");
    check(foreign_database(), "is a database of another program: its application id is 0x00000000, expected 0x4a4b4644");
}

/// The bytes of somebody else's database.
fn foreign_database() -> Vec<u8> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("other.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    fs::read(path).unwrap()
}

#[tokio::test]
async fn a_truncated_or_overwritten_store_is_refused_untouched() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    f.store.close().await;
    let whole = fs::read(&f.path).unwrap();
    let truncated = whole[..whole.len() - 4096].to_vec();
    let mut overwritten = whole.clone();
    overwritten[100..4096].fill(0x5a);
    for bytes in [truncated, overwritten] {
        fs::write(&f.path, &bytes).unwrap();
        let error = refusal(&f.path);
        assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
        assert!(fs::read(&f.path).unwrap() == bytes);
    }
    fs::write(&f.path, whole).unwrap();
    Store::open(&f.path, Options::default()).unwrap();
}

#[tokio::test]
async fn an_empty_file_and_a_creation_that_was_cut_short_become_a_store() {
    let directory = TempDir::new().unwrap();
    let empty = directory.path().join("empty.db");
    fs::write(&empty, b"").unwrap();
    let cut = directory.path().join("cut.db");
    let raw = rusqlite::Connection::open(&cut).unwrap();
    raw.query_row("PRAGMA journal_mode = wal", [], |_| Ok(())).unwrap();
    drop(raw);
    assert!(fs::metadata(&cut).unwrap().len() > 0);
    for path in [empty, cut] {
        let (_store, opening) = Store::open(path, Options::default()).unwrap();
        assert_eq!(opening.epoch, Epoch(1));
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, b"x").unwrap();
    let error = refusal(&file.join("store.db")).to_string();
    assert!(error.starts_with(&format!("`{}` cannot be given a directory: ", file.join("store.db").display())), "{error}");
}

#[tokio::test]
async fn a_failure_that_is_not_understood_ends_all_work() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    f.raw().execute_batch("ALTER TABLE journal RENAME COLUMN payload TO lost").unwrap();
    assert!(matches!(f.append(f.more(1, 1, 1)).await, Err(AppendError::Write(WriteError::Fatal(_)))));
    f.raw().execute_batch("ALTER TABLE journal RENAME COLUMN lost TO payload").unwrap();
    assert!(matches!(f.append(f.more(1, 1, 1)).await, Err(AppendError::Write(WriteError::Fatal(_)))), "also when the cause is gone");
    assert!(matches!(f.store.save_cursor("a", Position(1)).await, Err(WriteError::Fatal(_))));
    assert!(f.store.load(&run(1)).await.unwrap_err().to_string().contains("the store failed"));
}

/// A clock that stands until it is set.
#[derive(Debug)]
struct SetClock(Mutex<u64>);

#[async_trait]
impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(*self.0.lock().unwrap())
    }

    async fn sleep_until(&self, _: Timestamp) {
        std::future::pending().await
    }
}

#[tokio::test]
async fn an_opening_knows_when_the_previous_epoch_was_last_alive() {
    let clock = Arc::new(SetClock(Mutex::new(10_000_000)));
    let set = |at| *clock.0.lock().unwrap() = at;
    let options = || Options { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..Options::default() };
    let f = Fixture::with(options());
    assert_eq!(f.opening.last_sign_of_life, Timestamp(10_000_000));
    let alive_at = || f.raw().query_row("SELECT alive_at FROM meta", [], |row| row.get::<_, u32>(0)).unwrap();
    set(10_900_000);
    f.append(f.start(1)).await.unwrap();
    assert_eq!(alive_at(), 10_000_000, "at most once a second");
    set(11_100_000);
    f.append(f.start(2)).await.unwrap();
    assert_eq!(alive_at(), 11_100_000, "with an append");
    // What a crash leaves behind: the files as they are now.
    let crashed = f.directory.path().join("crashed.db");
    for suffix in ["", "-wal"] {
        fs::copy(format!("{}{suffix}", f.path.display()), format!("{}{suffix}", crashed.display())).unwrap();
    }
    set(20_000_000);
    let (store, opening) = Store::open(&crashed, options()).unwrap();
    assert_eq!(opening.last_sign_of_life, Timestamp(11_100_000));
    set(21_000_000);
    store.close().await;
    let (_store, opening) = Store::open(&crashed, options()).unwrap();
    assert_eq!(opening.last_sign_of_life, Timestamp(21_000_000), "a store that is closed says so");
}

#[tokio::test]
async fn an_idle_store_gives_signs_of_life() {
    let f = Fixture::with(Options { sign_of_life: std::time::Duration::from_millis(5), ..Options::default() });
    let raw = f.raw();
    let alive_at = || raw.query_row("SELECT alive_at FROM meta", [], |row| row.get::<_, i64>(0)).unwrap();
    let first = alive_at();
    while alive_at() <= first {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
