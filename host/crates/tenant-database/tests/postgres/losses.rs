//! Connections that end at the wrong moment.

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use engine::port::{Observed, Verb};
use pipeline::FailureClass;
use serde_json::json;

use super::{
    SERVER,
    common::{Guest, apply, call, observe, sealed, undo},
    open,
    proxy::{Cut, Proxy},
};

async fn through(cut: Cut, shut_after: bool) -> (Proxy, super::PostgresRunner) {
    let proxy = Proxy::start(SERVER.port(), cut, shut_after).await;
    let address = super::address().replace(&SERVER.port().to_string(), &proxy.port.to_string());
    let runner = super::at(&address, &[]);
    (proxy, runner)
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_found_out() {
    let (_proxy, runner) = through(Cut::After, false).await;
    let receipt = apply(&runner, "t-after").await.unwrap();
    assert_eq!(receipt["migrations"], 1);
    assert!(matches!(observe(&open(&[]), "t-after").await, Observed::Ours(_)));
    // The same when it is taken away.
    let (proxy, runner) = through(Cut::After, false).await;
    undo(&runner, &receipt).await.unwrap();
    assert!(!proxy.armed.load(Ordering::SeqCst));
    assert_eq!(observe(&open(&[]), "t-after").await, Observed::Absent);
}

#[tokio::test]
async fn a_commit_that_was_not_made_is_found_out_too() {
    let (_proxy, runner) = through(Cut::Before, false).await;
    let report = call(&runner, Verb::Apply, "t-before", &sealed("pass'word")).await;
    let failure = report.answer.unwrap_err();
    assert_eq!((failure.class, report.sent), (FailureClass::Unavailable, true));
    assert_eq!(observe(&open(&[]), "t-before").await, Observed::Absent);
    apply(&runner, "t-before").await.unwrap();
}

#[tokio::test]
async fn a_server_that_cannot_be_asked_leaves_the_outcome_unknown_until_it_can() {
    let (proxy, runner) = through(Cut::After, true).await;
    let report = call(&runner, Verb::Apply, "t-unknown", &sealed("pass'word")).await;
    assert_eq!((report.answer.unwrap_err().class, report.sent), (FailureClass::Unknown, true));
    proxy.open.store(true, Ordering::SeqCst);
    let Observed::Ours(receipt) = observe(&runner, "t-unknown").await else { panic!("it was made") };
    assert_eq!(apply(&runner, "t-unknown").await.unwrap()["schema"], receipt["schema"]);
}

#[tokio::test]
async fn a_connection_that_is_ended_before_its_commit_leaves_nothing() {
    let slow = open(&[("0002_slow.sql", "SELECT pg_sleep(30) AS \"t-killed sleeps\"")]);
    let killer = tokio::task::spawn_blocking(|| {
        let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE '%t-killed sleeps%' AND pid <> pg_backend_pid()";
        while SERVER.psql(kill).unwrap() == "0" {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let report = call(&slow, Verb::Apply, "t-killed", &sealed("pass'word")).await;
    assert_eq!(report.answer.unwrap_err().class, FailureClass::Unavailable);
    killer.await.unwrap();
    let runner = open(&[]);
    assert_eq!(observe(&runner, "t-killed").await, Observed::Absent);
    apply(&runner, "t-killed").await.unwrap();
    // A pool whose connections all ended goes on.
    SERVER.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'jackfield' AND query LIKE '%t_killed%'").unwrap();
    observe(&slow, "t-killed").await;
}

#[tokio::test]
async fn a_guests_transaction_whose_end_was_lost_is_made_once() {
    let insert = [("INSERT INTO notes (text) VALUES ('once')", json!([]))];
    let count = || SERVER.psql("SELECT count(*) FROM t_t_lost.notes").unwrap();
    apply(&open(&[]), "t-lost").await.unwrap();
    let (_proxy, runner) = through(Cut::Before, false).await;
    let guest = Guest::new(Arc::new(runner.0), &["t-lost"]);
    let answer = guest.transaction("t-lost", "seed", &insert).await;
    assert!(answer["err"]["unavailable"].is_string(), "{answer}");
    assert_eq!(count(), "0");
    let (_proxy, runner) = through(Cut::After, false).await;
    let guest = Guest::new(Arc::new(runner.0), &["t-lost"]);
    assert_eq!(guest.transaction("t-lost", "seed", &insert).await["ok"][0]["changed"], 1);
    assert_eq!(guest.transaction("t-lost", "seed", &insert).await["ok"][0]["changed"], 1);
    assert_eq!(count(), "1");
}
