//! A disk without room, for anybody: by a limit on the size of files, by the operator's own limit, and by a log that cannot be written.

use std::fs;

use end_to_end_tests::harness::{Answer, Host, Lab, until};
use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
use serde_json::{Value, json};

use super::{each_step, order, post, setup};

/// How large a file the host's process may write from now on; `None`: as large as this process may.
fn limit_files(host: &Host, bytes: Option<u64>) {
    let own = getrlimit(Resource::Fsize);
    let limit = Rlimit { current: bytes.or(own.current), maximum: own.maximum };
    prlimit(Some(host.pid()), Resource::Fsize, limit).unwrap();
}

/// Checks that an order was refused for want of room.
fn refused_for_room(answer: &Answer, why: &str) {
    assert_eq!((answer.status, answer.header("retry-after"), &answer.body["code"]), (503, Some("5"), &json!("5")), "{}", answer.body);
    let message = answer.body["message"].as_str().unwrap();
    assert!(message.starts_with("no run can be started now: the store cannot be written to: ") && message.contains(why), "{message}");
}

#[test]
fn without_room_intake_says_503_orders_wait_and_nothing_is_done_twice() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    lab.switch("activation", "delay", json!({"method": "POST", "ms": 4_000, "count": 3}));
    let orders = [(); 3].map(|()| host.submit(&order("fibre-100")));
    until("the three calls", || lab.asked("activation", "POST") == 3);
    // From here on the write-ahead log cannot grow by a byte.
    let log = host.database().with_file_name("jackfield.db-wal");
    limit_files(&host, Some(fs::metadata(&log).unwrap().len()));

    refused_for_room(&post(&host, &order("fibre-100")), "");
    // The back end does its work, and what came of it cannot be written down.
    until("the three effects", || lab.effects("activation", "created") == 3);
    until("the wait for room", || host.log().matches("the journal cannot be written to, trying again").count() >= 3);
    refused_for_room(&post(&host, &order("fibre-100")), "");
    assert_eq!(lab.effects("billing", "created"), 0);
    // What is there can be seen, and the process is well.
    assert_eq!(host.request("GET", "/healthz", &[], "").status, 200);
    for id in &orders {
        assert_eq!(host.order(id)["state"], "inProgress");
        host.type_in(&["run", "show", id]).good(&["step        activate"]);
    }
    host.type_in(&["order", "list"]).good(&[&orders[0]]);
    assert!(host.is_alive(), "{}", host.log());

    limit_files(&host, None);
    for id in &orders {
        host.wait(id, &["completed"]);
    }
    assert_eq!((lab.asked("activation", "POST"), lab.asked("billing", "POST")), (3, 3), "no call was made twice");
    assert_eq!(host.request("GET", super::ORDERS, &[], "").header("x-total-count"), Some("3"), "what was refused is not there");
    host.wait(&host.submit(&order("fibre-100")), &["completed"]);
    assert_eq!(host.terminate(), Some(0));
}

#[test]
fn the_operator_s_limit_is_a_full_disk_until_it_is_raised() {
    let lab = Lab::start();
    // The first start makes the store and puts the plugins into it.
    let mut host = each_step(setup(&lab), "retry_initial_ms = 50\nmax_attempts = 8").start();
    assert_eq!(host.terminate(), Some(0));
    let config = host.directory().join("jackfield.toml");
    let unlimited = fs::read_to_string(&config).unwrap();
    let room = fs::metadata(host.database()).unwrap().len() + 96 * 1024;
    fs::write(&config, format!("{unlimited}\n[store]\nmax_bytes = {room}\n")).unwrap();
    host.restart();
    lab.switch("activation", "delay", json!({"method": "POST", "ms": 500, "count": 0}));
    let mut orders = Vec::new();
    let refused = loop {
        let answer = post(&host, &order("fibre-100"));
        match answer.body["id"].as_str() {
            Some(id) => orders.push(id.to_owned()),
            None => break answer,
        }
        assert!(orders.len() < 500, "the limit is never reached");
    };
    refused_for_room(&refused, "database or disk is full");
    until("the wait for room", || host.log().contains("the journal cannot be written to, trying again"));
    assert!(!orders.is_empty() && host.order(&orders[0]).is_object(), "what was accepted is there");
    assert_eq!(host.request("GET", "/healthz", &[], "").status, 200);

    // It is read at the start, so a raised limit needs one.
    assert_eq!(host.terminate(), Some(0), "{}", host.log());
    lab.switch("activation", "reset", json!({}));
    fs::write(&config, unlimited).unwrap();
    host.restart();
    for id in &orders {
        host.wait(id, &["completed"]);
    }
    let accounts = ureq::get(format!("{}/accounts", lab.url("billing"))).call().unwrap().body_mut().read_to_string().unwrap();
    assert_eq!(serde_json::from_str::<Vec<Value>>(&accounts).unwrap().len(), orders.len(), "one account for each order");
}

#[test]
fn a_host_whose_log_cannot_be_written_works_without_it() {
    let lab = Lab::start();
    let mut host = setup(&lab).within(&["sh", "-c", "exec \"$@\" 2>/dev/full", "sh"]).start();
    lab.switch("element", "fail", json!({"method": "PUT", "status": 503}));
    host.wait(&host.submit(&order("fibre-100")), &["completed"]);
    // Every refusal of the store is logged, by the thread that writes and by the run that waits.
    let log = host.database().with_file_name("jackfield.db-wal");
    limit_files(&host, Some(fs::metadata(&log).unwrap().len()));
    refused_for_room(&post(&host, &order("fibre-100")), "");
    limit_files(&host, None);
    host.wait(&host.submit(&order("fibre-100")), &["completed"]);
    assert_eq!(host.terminate(), Some(0));
}
