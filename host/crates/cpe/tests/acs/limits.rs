//! What a session may take, and who is told when it has taken it.

use std::{sync::Arc, time::Duration};

use cpe::{
    acs::{AskError, Options, SessionEnd, Work},
    soap::{DeviceRpc, Fault, Message, Rpc},
};
use tokio::task::JoinSet;

use crate::{
    device::{Device, inform, key, message, request},
    server::{Server, open},
};

fn methods() -> String {
    message("m", Message::Event(DeviceRpc::GetRpcMethods))
}

fn read(name: &str) -> Rpc {
    Rpc::GetParameterValues { names: vec![name.into()] }
}

/// What takes longer than this hangs.
const HANGS: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_device_that_never_stops_talking_is_stopped() {
    for (options, most) in [
        (Options { session_exchanges: 5, ..open() }, Some(4)),
        (Options { session_total_ms: 200, session_ms: 600_000, session_max_ms: 600_000, ..open() }, None),
    ] {
        let server = Server::start(options, Work::None).await;
        let mut device = Device::connect(server.address).await;
        device.post("", inform("1")).await;
        let mut answered = 0;
        let refused = loop {
            let reply = device.post("", methods()).await;
            if reply.status != 200 {
                break reply;
            }
            answered += 1;
        };
        assert_eq!((refused.status, refused.header("connection")), (400, Some("close")));
        assert!(most.is_none_or(|most| answered == most), "{answered} were answered");
        assert_eq!(server.ended().await, (key("1"), SessionEnd::TimedOut));
        assert_eq!(server.acs.sessions(), 0);
    }
}

#[tokio::test]
async fn a_device_that_is_kept_waiting_is_let_go_when_its_session_is_over() {
    let server = Server::start(
        Options { session_total_ms: 300, hold_ms: 600_000, session_ms: 1_000_000, session_max_ms: 1_000_000, ..open() },
        Work::Expected,
    )
    .await;
    let mut device = Device::connect(server.address).await;
    device.post("", inform("1")).await;
    let reply = tokio::time::timeout(HANGS, device.post("", "")).await.expect("an answer");
    assert_eq!((reply.status, server.ended().await.1), (503, SessionEnd::TimedOut));
}

#[tokio::test]
async fn who_waits_for_an_answer_is_told_that_it_was_none() {
    let too_large = "x".repeat(100_000);
    for (lines, body, status) in
        [("", too_large.as_str(), 413), ("Content-Encoding: gzip\r\n", "no archive", 400), ("Content-Encoding: br\r\n", "x", 415)]
    {
        let server = Server::start(Options { body_bytes: 64 << 10, ..open() }, Work::Expected).await;
        let mut device = Device::connect(server.address).await;
        device.post("", inform("1")).await;
        let one = key("1");
        let asking = server.ask(&one, read("Device.X"), None);
        let answering = async {
            assert_eq!(device.post("", "").await.status, 200);
            device.post(lines, body).await.status
        };
        let (answer, answered) = tokio::join!(tokio::time::timeout(HANGS, asking), answering);
        assert_eq!(answered, status);
        assert_eq!(answer.expect("an answer"), Err(AskError::Unexpected("a message that cannot be read".into())), "{status}");
    }
}

#[tokio::test]
async fn what_is_said_before_the_intake_has_answered_counts() {
    let server = Server::start(Options { hold_ms: 600_000, session_ms: 1_000_000, session_max_ms: 1_000_000, ..open() }, Work::Expected).await;
    let paused = server.intake.paused.write().await;
    let mut device = Device::connect(server.address).await;
    let done = async {
        server.contacted(1).await;
        server.expect(&key("1"), false);
        drop(paused);
    };
    let (opened, ()) = tokio::join!(device.post("", inform("1")), done);
    assert_eq!(opened.status, 200);
    let reply = tokio::time::timeout(HANGS, device.post("", "")).await.expect("nothing is waited for");
    assert_eq!(reply.status, 204);
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_sent_again() {
    let server = Arc::new(Server::start(open(), Work::Expected).await);
    let mut device = Device::connect(server.address).await;
    let cookie = device.post("", inform("1")).await.cookie();
    let mut asking = JoinSet::new();
    let asked = server.clone();
    asking.spawn(async move { asked.ask(&key("1"), read("Device.X"), None).await });
    assert_eq!(device.post("", "").await.status, 200);
    asking.shutdown().await;
    server.expect(&key("1"), false);
    let mut again = Device::connect(server.address).await;
    assert_eq!(again.post(&cookie, "").await.status, 204);
}

#[tokio::test]
async fn an_intake_that_does_not_answer_costs_no_session() {
    let server = Server::start(Options { inform_ms: 50, ..open() }, Work::None).await;
    let paused = server.intake.paused.write().await;
    let mut device = Device::connect(server.address).await;
    let reply = tokio::time::timeout(HANGS, device.post("", inform("1"))).await.expect("an answer");
    assert_eq!((reply.status, reply.header("retry-after").is_some(), server.acs.sessions()), (503, true, 0));
    drop(paused);
    assert_eq!(Device::connect(server.address).await.post("", inform("1")).await.status, 200);
}

#[tokio::test]
async fn a_device_that_restarts_has_its_place_where_there_are_no_more() {
    let server = Server::start(Options { sessions: 1, ..open() }, Work::None).await;
    let mut before = Device::connect(server.address).await;
    assert_eq!(before.post("", inform("1")).await.status, 200);
    let mut after = Device::connect(server.address).await;
    assert_eq!(after.post("", inform("1")).await.status, 200);
    assert_eq!((server.ended().await.1, server.acs.sessions()), (SessionEnd::Superseded, 1));
    assert_eq!(Device::connect(server.address).await.post("", inform("2")).await.status, 503);
    assert_eq!(after.post("", "").await.status, 204);
    assert_eq!(server.acs.sessions(), 0);
}

#[tokio::test]
async fn a_device_that_leaves_while_it_is_kept_waiting_has_left() {
    let server = Server::start(Options { session_ms: 6_000, ..open() }, Work::Expected).await;
    let one = key("1");
    let mut device = Device::connect(server.address).await;
    let cookie = device.post("", inform("1")).await.cookie();
    device.send(request("", "")).await;
    while server.acs.in_session(&one).unwrap().exchanges < 2 {
        tokio::task::yield_now().await;
    }
    // It sends no more. One that is gone does not hear the answer.
    device.send_and_end(b"").await;
    assert_eq!(tokio::time::timeout(HANGS, device.reply()).await.expect("an answer").status, 503);
    // What is asked now goes to where the device is.
    let mut again = Device::connect(server.address).await;
    let asking = async {
        let answer = server.ask(&one, read("Device.X"), None).await;
        server.expect(&one, false);
        answer
    };
    let (answer, ()) = tokio::join!(asking, async {
        assert_eq!(again.post(&cookie, "").await.message(), "GetParameterValues");
        let fault = again.post(&cookie, message("1", Message::Fault(Fault::new(9005, "no")))).await;
        assert_eq!(fault.status, 204);
    });
    assert!(matches!(answer, Err(AskError::Fault(_))), "{answer:?}");
}
