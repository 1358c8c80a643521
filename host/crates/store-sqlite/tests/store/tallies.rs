//! Cursors and durable counters.

use engine::port::Position;
use store_sqlite::{Options, Tally, TallyChange};

use crate::common::Fixture;

fn labels(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn change(pairs: &[(&str, &str)], add: f64) -> TallyChange {
    TallyChange { name: "bss.order.count".to_owned(), labels: labels(pairs), add }
}

#[tokio::test]
async fn a_batch_counts_once_however_often_it_is_repeated() {
    let mut f = Fixture::new();
    assert_eq!(f.store.cursor("telemetry").await.unwrap(), Position(0));
    for _ in 0..3 {
        let changes = vec![change(&[("b", "2"), ("a", "1")], 1.0), change(&[("a", "1"), ("b", "2")], 2.0), change(&[], 0.5)];
        f.store.commit_tallies("telemetry", Position(7), changes).await.unwrap();
        f.reopen(Options::default()).await;
    }
    f.store.commit_tallies("telemetry", Position(8), vec![change(&[], 1.0)]).await.unwrap();
    f.store.commit_tallies("telemetry", Position(5), vec![change(&[], 100.0)]).await.unwrap();
    let tally = |pairs, value| Tally { name: "bss.order.count".to_owned(), labels: labels(pairs), value };
    assert_eq!(f.store.tallies().await.unwrap(), [tally(&[("a", "1"), ("b", "2")], 3.0), tally(&[], 1.5)]);
    assert_eq!(f.store.cursor("telemetry").await.unwrap(), Position(8));
}

#[tokio::test]
async fn cursors_are_apart_and_may_be_set_back() {
    let f = Fixture::new();
    f.store.save_cursor("a", Position(5)).await.unwrap();
    f.store.save_cursor("b", Position(9)).await.unwrap();
    f.store.save_cursor("a", Position(2)).await.unwrap();
    assert_eq!(f.store.cursor("a").await.unwrap(), Position(2));
    assert_eq!(f.store.cursor("b").await.unwrap(), Position(9));
}

#[tokio::test]
async fn a_position_that_an_observer_has_seen_is_not_given_out_again() {
    let mut f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    f.store.save_cursor("a", Position(1)).await.unwrap();
    f.raw().execute("DELETE FROM journal", []).unwrap();
    f.reopen(Options::default()).await;
    assert_eq!(f.append(f.start(2)).await.unwrap().position, Position(2));
}
