//! The registry: one change is one transaction, and of two that were built on one state the second is refused.

use std::fs;

use engine::port::{
    Blobs,
    registry::{ChangeError, Deed, InstalledPlugin, Quarantine, Registry, RegistryChange, RegistryState, Removal, Rollout},
};
use pipeline::{Digest, Revision, Timestamp};
use serde_json::{Value, json};
use store_sqlite::{Options, Store};

use crate::common::Fixture;

fn digest(n: u8) -> Digest {
    Digest::new(format!("{n:02x}").repeat(32)).unwrap()
}

fn revision(table: &[u8]) -> Revision {
    Revision::new(blake3::hash(table).to_hex().as_str()).unwrap()
}

fn deed(action: &str) -> Deed {
    Deed {
        by: "ann".to_owned(),
        action: action.to_owned(),
        subject: "pool".to_owned(),
        before: Value::Null,
        after: json!({"n": 1}),
        note: String::new(),
    }
}

fn change(expected: u64, action: &str) -> RegistryChange {
    RegistryChange::of(expected, Timestamp(1_000 + expected), deed(action))
}

fn plugin(n: u8, bytes: &[u8]) -> InstalledPlugin {
    InstalledPlugin {
        digest: digest(n),
        name: "pool".to_owned(),
        version: format!("1.0.{n}"),
        vendor: "Acme".to_owned(),
        publisher: None,
        component: blake3::hash(bytes).to_hex().to_string(),
        size: bytes.len() as u64,
        contracts: vec!["jackfield:order/inventory@1.1.0".to_owned()],
        at: Timestamp(u64::from(n)),
        by: "ann".to_owned(),
    }
}

fn rollout() -> Rollout {
    Rollout {
        canary: digest(2),
        baseline: vec![digest(1)],
        share: 50_000,
        since: Timestamp(5),
        watch_ms: 600_000,
        min_calls: 50,
        max_error_rate: 10_000,
        max_p99_ms: Some(200),
        by: "ann".to_owned(),
    }
}

/// A change that does everything at once.
fn everything(expected: u64) -> RegistryChange {
    RegistryChange {
        blobs: vec![b"one".to_vec(), b"component".to_vec()],
        current: Some(revision(b"one")),
        install: vec![plugin(1, b"component"), plugin(2, b"component")],
        quarantine: vec![(digest(3), Some(Quarantine { reason: "leaks".to_owned(), at: Timestamp(1), by: "ann".to_owned() }))],
        rollouts: vec![("pool".to_owned(), Some(rollout()))],
        newest: vec![("pool".to_owned(), "1.0.2".to_owned())],
        applied: Some("fingerprint".to_owned()),
        ..change(expected, "everything")
    }
}

fn check_everything(state: &RegistryState) {
    assert_eq!(state.number, 1);
    assert_eq!(state.current.as_ref().map(|row| (row.number, &row.revision, row.by.as_str(), row.trial)), Some((1, &revision(b"one"), "ann", true)));
    assert_eq!(state.plugins, [plugin(1, b"component"), plugin(2, b"component")]);
    assert_eq!(state.newest["pool"], "1.0.2");
    assert_eq!(state.quarantine[&digest(3)].reason, "leaks");
    assert_eq!(state.rollouts["pool"], rollout());
    assert_eq!(state.applied.as_deref(), Some("fingerprint"));
}

#[tokio::test]
async fn a_change_is_there_whole_and_after_a_reopening() {
    let mut f = Fixture::new();
    assert_eq!(f.store.state().await.unwrap(), RegistryState::default());
    f.store.change(everything(0)).await.unwrap();
    check_everything(&f.store.state().await.unwrap());
    f.reopen(Options::default()).await;
    check_everything(&f.store.state().await.unwrap());
    assert_eq!(Blobs::get(&*f.store, revision(b"one").as_str()).await.unwrap().unwrap(), b"one");
    let audit = f.store.audit(0, 10).await.unwrap();
    assert_eq!(audit.iter().map(|entry| (entry.number, entry.deed.clone())).collect::<Vec<_>>(), [(1, deed("everything"))]);
}

#[tokio::test]
async fn a_canary_of_an_older_host_is_read_without_what_is_not_kept_any_more() {
    let f = Fixture::new();
    f.store.change(everything(0)).await.unwrap();
    let sql = "UPDATE rollouts SET details = json_insert(details, '$.back_to', ?1)";
    assert_eq!(f.raw().execute(sql, [revision(b"one").as_str()]).unwrap(), 1);
    check_everything(&f.store.state().await.unwrap());
}

#[tokio::test]
async fn a_table_keeps_which_canaries_were_under_way_and_one_of_an_older_host_does_not_say() {
    let f = Fixture::new();
    f.store.change(everything(0)).await.unwrap();
    let next = |n: u64, text: &[u8]| RegistryChange { blobs: vec![text.to_vec()], current: Some(revision(text)), ..change(n, "activate") };
    f.store.change(RegistryChange { rollouts: vec![("pool".to_owned(), None)], ..next(1, b"two") }).await.unwrap();
    let kept = || async {
        let rows = f.store.revisions(10).await.unwrap();
        rows.into_iter().map(|row| (row.number, row.trial, row.canaries.into_iter().collect::<Vec<_>>())).collect::<Vec<_>>()
    };
    assert_eq!(kept().await, [(2, false, Vec::new()), (1, true, vec![("pool".to_owned(), digest(2))])]);
    f.raw().execute("UPDATE revisions SET canaries = NULL", []).unwrap();
    assert_eq!(kept().await, [(2, false, Vec::new()), (1, true, Vec::new())]);
}

#[tokio::test]
async fn of_two_changes_built_on_one_state_one_is_refused_and_leaves_nothing() {
    let f = Fixture::new();
    let (first, second) = tokio::join!(f.store.change(everything(0)), f.store.change(everything(0)));
    assert_eq!(second, Err(ChangeError::Stale { expected: 0, actual: 1 }));
    assert_eq!(first, Ok(()));
    check_everything(&f.store.state().await.unwrap());
    assert_eq!(f.store.audit(0, 10).await.unwrap().len(), 1);
    let next = RegistryChange { quarantine: vec![(digest(3), None)], rollouts: vec![("pool".to_owned(), None)], ..change(1, "end") };
    f.store.change(next).await.unwrap();
    let state = f.store.state().await.unwrap();
    assert!(state.quarantine.is_empty() && state.rollouts.is_empty());
    assert_eq!(state.applied.as_deref(), Some("fingerprint"), "what a change does not mention stays");
    assert_eq!(f.store.audit(1, 10).await.unwrap()[0].deed.action, "end");
}

#[tokio::test]
async fn a_crash_leaves_the_old_state_or_the_new_one() {
    let f = Fixture::new();
    let log = |f: &Fixture| fs::read(format!("{}-wal", f.path.display())).unwrap();
    f.store.change(change(0, "begin")).await.unwrap();
    let before = log(&f).len();
    let old = f.store.state().await.unwrap();
    f.store.change(everything(1)).await.unwrap();
    let new = f.store.state().await.unwrap();
    let after = log(&f);
    let step = ((after.len() - before) / 16).max(1);
    for cut in (before..after.len()).step_by(step).chain([after.len() - 1, after.len()]) {
        let to = f.directory.path().join(format!("cut-{cut}.db"));
        fs::copy(&f.path, &to).unwrap();
        fs::write(format!("{}-wal", to.display()), &after[..cut]).unwrap();
        let (store, _) = Store::open(&to, Options::default()).unwrap();
        assert_eq!(store.state().await.unwrap(), if cut == after.len() { new.clone() } else { old.clone() }, "cut at {cut} of {}", after.len());
    }
}

#[tokio::test]
async fn what_is_removed_takes_its_bytes_along_unless_they_are_needed() {
    let f = Fixture::new();
    f.store.change(everything(0)).await.unwrap();
    let (component, has) = (plugin(1, b"component").component, |hash: String| {
        let store = f.store.clone();
        async move { Blobs::get(&*store, &hash).await.unwrap().is_some() }
    });
    let remove = |plugins, revisions| Removal { plugins, revisions };
    let current = RegistryChange { remove: remove(Vec::new(), vec![revision(b"one")]), ..change(1, "gc") };
    let refused = f.store.change(current).await.unwrap_err();
    assert_eq!(refused, ChangeError::Needed { what: format!("revision {}", revision(b"one")), by: "it is the current table".to_owned() });
    // Two plugins of one component: it goes with the second. An old revision goes once another one is current.
    let next = RegistryChange { blobs: vec![b"two".to_vec()], current: Some(revision(b"two")), ..change(1, "activate") };
    f.store.change(next).await.unwrap();
    f.store.change(RegistryChange { remove: remove(vec![digest(1)], Vec::new()), ..change(2, "gc") }).await.unwrap();
    assert!(has(component.clone()).await && has(revision(b"one").to_string()).await);
    f.store.change(RegistryChange { remove: remove(vec![digest(2)], vec![revision(b"one")]), ..change(3, "gc") }).await.unwrap();
    let state = f.store.state().await.unwrap();
    assert!(!has(component).await && !has(revision(b"one").to_string()).await && has(revision(b"two").to_string()).await);
    assert_eq!((state.plugins.len(), state.newest["pool"].as_str()), (0, "1.0.2"), "an old version stays known as one");
    assert_eq!(f.store.revisions(10).await.unwrap().iter().map(|row| row.number).collect::<Vec<_>>(), [2]);
    // A number is not given twice.
    f.store.change(RegistryChange { current: Some(revision(b"one")), blobs: vec![b"one".to_vec()], ..change(4, "rollback") }).await.unwrap();
    assert_eq!(f.store.revisions(10).await.unwrap().iter().map(|row| row.number).collect::<Vec<_>>(), [3, 2]);
}

#[tokio::test]
async fn what_a_run_has_come_to_need_is_not_removed() {
    let f = Fixture::new();
    f.store.change(everything(0)).await.unwrap();
    let next = RegistryChange { blobs: vec![b"two".to_vec()], current: Some(revision(b"two")), ..change(1, "activate") };
    f.store.change(next).await.unwrap();
    let hold = |digest: &str, count: i64| {
        let sql = "INSERT INTO holds (revision, digest, count) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET count = excluded.count";
        f.raw().execute(sql, rusqlite::params![revision(b"one").as_str(), digest, count]).unwrap();
    };
    let removal = |plugins: &[Digest], revisions: &[Revision]| {
        let remove = Removal { plugins: plugins.to_vec(), revisions: revisions.to_vec() };
        f.store.change(RegistryChange { remove, ..change(2, "gc") })
    };
    hold(digest(1).as_str(), 1);
    let needed = |what: String, times: u32| ChangeError::Needed { what, by: format!("runs need it, {times} times") };
    assert_eq!(removal(&[digest(1)], &[]).await, Err(needed(format!("plugin {}", digest(1)), 1)));
    assert_eq!(removal(&[digest(2)], &[revision(b"one")]).await, Err(needed(format!("revision {}", revision(b"one")), 1)));
    assert_eq!(f.store.state().await.unwrap().plugins.len(), 2, "a refused change removes nothing");
    hold(digest(1).as_str(), 0);
    removal(&[digest(1), digest(2)], &[revision(b"one")]).await.unwrap();
}
