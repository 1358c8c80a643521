//! What recovery and the timer loop ask.

use engine::port::{RunState, Timers};
use pipeline::{PipelineName, Timestamp};

use crate::common::{Fixture, run};

/// Starts a run in a state.
async fn start(f: &Fixture, n: u64, state: RunState, wake_at: Option<u64>) {
    let mut append = f.start(n);
    append.row.state = state;
    append.row.wake_at = wake_at.map(Timestamp);
    f.append(append).await.unwrap();
}

#[tokio::test]
async fn due_runs_come_in_the_order_of_their_timers() {
    let f = Fixture::new();
    assert_eq!(f.store.next().await.unwrap(), None);
    for (n, state, wake_at) in [
        (1, RunState::Waiting, Some(30)),
        (2, RunState::Held, Some(10)),
        (3, RunState::Waiting, Some(20)),
        (4, RunState::Active, Some(5)),
        (5, RunState::Ended, Some(5)),
        (6, RunState::Waiting, None),
        (7, RunState::Waiting, Some(20)),
    ] {
        start(&f, n, state, wake_at).await;
    }
    let due = async |now, limit| f.store.due(Timestamp(now), limit).await.unwrap();
    assert_eq!(due(9, 10).await, []);
    assert_eq!(due(20, 10).await, [run(2), run(3), run(7)]);
    assert_eq!(due(99, 2).await, [run(2), run(3)]);
    assert_eq!(f.store.next().await.unwrap(), Some(Timestamp(10)));
}

#[tokio::test]
async fn a_timer_follows_its_run() {
    let f = Fixture::new();
    start(&f, 1, RunState::Waiting, Some(10)).await;
    for (head, state, wake_at, next) in [
        (1, RunState::Waiting, Some(20), Some(20)),
        (2, RunState::Active, None, None),
        (3, RunState::Waiting, Some(5), Some(5)),
        (4, RunState::Waiting, None, None),
        (5, RunState::Held, Some(7), Some(7)),
        (6, RunState::Ended, Some(7), None),
    ] {
        let mut append = f.more(1, head, 1);
        append.row.state = state;
        append.row.wake_at = wake_at.map(Timestamp);
        f.append(append).await.unwrap();
        assert_eq!(f.store.next().await.unwrap(), next.map(Timestamp), "after record {}", head + 1);
    }
}

#[tokio::test]
async fn rows_of_a_state_are_paged_by_run() {
    let f = Fixture::new();
    for n in 1..=9 {
        start(&f, n, RunState::ALL[usize::try_from(n % 4).unwrap()], None).await;
    }
    for (state, expected) in
        [(RunState::Active, vec![4, 8]), (RunState::Waiting, vec![1, 5, 9]), (RunState::Held, vec![2, 6]), (RunState::Ended, vec![3, 7])]
    {
        let mut found = Vec::new();
        while let Some(row) = f.store.in_state(state, found.last(), 1).await.unwrap().pop() {
            assert_eq!(row.state, state);
            found.push(row.run);
        }
        assert_eq!(found, expected.into_iter().map(run).collect::<Vec<_>>());
    }
    assert_eq!(f.store.in_state(RunState::Waiting, Some(&run(1)), 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_census_counts_live_runs_by_pipeline_and_state() {
    let f = Fixture::new();
    for (n, name, state) in [
        (1, "order", RunState::Active),
        (2, "order", RunState::Waiting),
        (3, "order", RunState::Waiting),
        (4, "cpe", RunState::Waiting),
        (5, "order", RunState::Ended),
        (6, "cpe", RunState::Held),
    ] {
        let mut append = f.start(n);
        append.row.pipeline = PipelineName::new(name).unwrap();
        append.row.state = state;
        f.append(append).await.unwrap();
    }
    let mut census: Vec<_> =
        f.store.census().await.unwrap().into_iter().map(|(name, state, count)| (name.to_string(), state.as_str(), count)).collect();
    census.sort();
    let expected = [("cpe", "held", 1), ("cpe", "waiting", 1), ("order", "active", 1), ("order", "waiting", 2)];
    assert_eq!(census, expected.map(|(name, state, count)| (name.to_owned(), state, count)));
}
