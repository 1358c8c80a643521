//! What runs need: against the sum over all of them after random changes, and for stores that were written before it was counted.

use std::collections::BTreeMap;

use engine::port::{Append, Held, HoldChange, Holds};
use pipeline::{Digest, Event, Revision, ScheduledItem, testing};
use proptest::prelude::*;

use crate::common::{Fixture, row};

fn revision(letter: char) -> Revision {
    Revision::new(letter.to_string().repeat(64)).unwrap()
}

fn digest(letter: char) -> Digest {
    Digest::new(letter.to_string().repeat(64)).unwrap()
}

fn change(letter: char, plugin: Option<char>, change: i64) -> HoldChange {
    HoldChange { revision: revision(letter), digest: plugin.map(digest), change }
}

/// What is needed and how often: a table, or a plugin under it.
type Needs = BTreeMap<(char, Option<char>), u64>;

fn counts(held: Vec<Held>) -> Needs {
    let letter = |text: &str| text.chars().next().unwrap();
    held.into_iter().map(|held| ((letter(held.revision.as_str()), held.digest.map(|digest| letter(digest.as_str()))), held.count)).collect()
}

/// The parts of one run: what it needs after each of its appends.
fn histories() -> impl Strategy<Value = Vec<Vec<Needs>>> {
    let hold = (prop::sample::select(vec!['a', 'b']), prop::option::of(prop::sample::select(vec!['c', 'd'])));
    let needs = prop::collection::btree_map(hold, 1..4_u64, 0..3);
    prop::collection::vec(prop::collection::vec(needs, 1..6), 1..8)
}

async fn check(histories: Vec<Vec<Needs>>) {
    let f = Fixture::new();
    let mut appends = Vec::new();
    for (run, history) in (1..).zip(&histories) {
        let mut before = BTreeMap::new();
        for (head, after) in (0..).zip(history) {
            let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
            let count = |needs: &BTreeMap<_, u64>, key| needs.get(key).map_or(0, |count| *count as i64);
            let holds = keys.iter().map(|key| change(key.0, key.1, count(after, key) - count(&before, key))).collect();
            let append = if head == 0 { f.start(run) } else { f.more(run, head, 1) };
            appends.push((head, Append { holds, ..append }));
            before.clone_from(after);
        }
    }
    // Runs are mixed, each in its own order, so that batches have parts of many of them.
    appends.sort_by_key(|(head, _)| *head);
    let mut at_once = Vec::new();
    for (head, append) in appends {
        if at_once.first().is_some_and(|(first, _)| *first != head) {
            commit(&f, std::mem::take(&mut at_once)).await;
        }
        at_once.push((head, append));
    }
    commit(&f, at_once).await;
    let mut sum = BTreeMap::new();
    histories.iter().filter_map(|history| history.last()).flatten().for_each(|(key, count)| *sum.entry(*key).or_insert(0) += count);
    assert_eq!(counts(f.store.held().await.unwrap()), sum);
    // A refused append changes nothing.
    f.append(Append { holds: vec![change('a', None, 5)], ..f.more(1, 99, 1) }).await.unwrap_err();
    assert_eq!(counts(f.store.held().await.unwrap()), sum);
}

async fn commit(f: &Fixture, appends: Vec<(u64, Append)>) {
    let appends = appends.into_iter().map(|(_, append)| f.append(append));
    futures_util::future::join_all(appends).await.into_iter().for_each(|appended| assert!(appended.is_ok(), "{appended:?}"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_counts_are_the_sum_over_all_runs(histories in histories()) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(check(histories));
    }
}

/// A store of version 1 is one without the table; opening it counts what its journals say.
#[tokio::test]
async fn a_store_of_the_first_version_is_counted_when_it_is_opened() {
    let mut f = Fixture::new();
    let item = |plugin: Option<char>| {
        let mut pin = testing::pin();
        if let Some(letter) = plugin {
            pin.provider = pipeline::Provider::Plugin { name: "p".to_owned(), version: "1.0.0".to_owned(), digest: digest(letter) };
        }
        ScheduledItem { label: String::new(), request: serde_json::json!(1).into(), pin: Some(pin.into()) }
    };
    let scheduled = |step: &str, round, items: Vec<ScheduledItem>| Event::StepScheduled { step: step.parse().unwrap(), round, items, revision: None };
    for run in [1, 2] {
        f.append(f.start(run)).await.unwrap();
        let mut append = f.more(run, 1, 3);
        append.records[0].event = scheduled("a", 1, vec![item(Some('c')), item(Some('c'))]);
        append.records[1].event = scheduled("b", 1, vec![item(None), item(Some('d'))]);
        append.records[2].event = scheduled("a", 2, vec![item(Some('e'))]);
        f.append(Append { row: row(run, 4), ..append }).await.unwrap();
    }
    f.store.close().await;
    f.raw().execute_batch("DROP TABLE holds; PRAGMA user_version = 1").unwrap();
    f.reopen(store_sqlite::Options::default()).await;
    // The first round of step `a` is over: nothing of it is needed.
    let expected = BTreeMap::from([(('0', None), 2), (('0', Some('d')), 2), (('0', Some('e')), 2)]);
    assert_eq!(counts(f.store.held().await.unwrap()), expected);
}
