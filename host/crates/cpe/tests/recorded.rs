//! Sessions of real devices, sent again byte by byte. The recordings are no part of this repository; the variable `JACKFIELD_FIXTURES` names the directory
//! that has them.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "acs/device.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod device;
#[path = "acs/server.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod server;

use std::{fs, path::PathBuf};

use cpe::{
    acs::{AskError, SessionEnd, Work},
    device::DeviceKey,
    soap::{Answer, DeviceRpc, Envelope, Limits, Message, Rpc, read},
};
use device::Device;
use server::{Server, open};
use tokio::task::JoinSet;

/// What a device said and what it was answered, as bytes.
struct Recorded {
    name: String,
    device: Vec<u8>,
    server: Vec<u8>,
}

#[expect(clippy::disallowed_methods, reason = "where the material is, is the business of whoever runs this suite, not configuration of the product")]
fn sessions(folder: &str) -> Vec<Vec<Recorded>> {
    let fixtures = std::env::var_os("JACKFIELD_FIXTURES").expect("JACKFIELD_FIXTURES names the directory of third-party material");
    let folder = PathBuf::from(fixtures).join("cwmp/captured").join(folder);
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with("-cpe.txt"));
    names.sort();
    let mut sessions: Vec<Vec<Recorded>> = Vec::new();
    for name in names {
        let bytes = |name: &str| fs::read(folder.join(name)).unwrap();
        let exchange = Recorded { device: bytes(&name), server: bytes(&name.replace("-cpe", "-acs")), name };
        match sessions.last_mut() {
            Some(session) if session[0].name[..3] == exchange.name[..3] => session.push(exchange),
            _ => sessions.push(vec![exchange]),
        }
    }
    sessions
}

/// The message in a recording, if its body is one.
fn envelope(bytes: &[u8]) -> Option<Envelope> {
    let body = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    read(&bytes[body..], None, &Limits::default()).ok()
}

fn status(bytes: &[u8]) -> u16 {
    std::str::from_utf8(&bytes[9..12]).unwrap().parse().unwrap()
}

/// What was asked of the device in an answer.
fn asked(recorded: &Recorded) -> Option<Rpc> {
    let message = envelope(&recorded.server)?.message;
    if message == Message::Event(DeviceRpc::GetRpcMethods) {
        return Some(Rpc::GetRpcMethods);
    }
    if let Message::Rpc(rpc) = message { Some(rpc) } else { None }
}

async fn replay(session: &[Recorded]) {
    let server = Server::start(open(), Work::Expected).await;
    let Some(Message::Inform(inform)) = envelope(&session[0].device).map(|envelope| envelope.message) else { panic!("{}", session[0].name) };
    let key: DeviceKey = inform.device.key();
    let requests: Vec<_> = session.iter().filter_map(asked).collect();
    assert!(requests.len() >= 4, "{}", session[0].name);
    let mut asking = JoinSet::new();
    let mut device = Device::connect(server.address).await;
    for recorded in session {
        if asked(recorded).is_some() && asking.is_empty() {
            let (acs, key, requests) = (server.acs.clone(), key.clone(), requests.clone());
            asking.spawn(async move {
                let session = acs.in_session(&key).unwrap().session;
                let mut answers = Vec::new();
                for rpc in requests {
                    answers.push(acs.ask(&key, session, rpc, None).await);
                }
                acs.expect(&key, session, false);
                answers
            });
        }
        device.send(&recorded.device).await;
        let reply = device.reply().await;
        // The challenge of the recording is not asked here: the device says who it is all the same.
        let expected = if status(&recorded.server) == 401 { 200 } else { status(&recorded.server) };
        assert_eq!(reply.status, expected, "{}", recorded.name);
        if let Some(rpc) = asked(recorded) {
            let message = reply.envelope().message;
            let same = if rpc == Rpc::GetRpcMethods { message == Message::Event(DeviceRpc::GetRpcMethods) } else { message == Message::Rpc(rpc) };
            assert!(same, "{}: {message:?}", recorded.name);
        }
    }
    check(asking.join_next().await.unwrap().unwrap(), session);
    loop {
        match server.ended().await {
            (_, SessionEnd::Superseded) => {}
            (ended, end) => break assert_eq!((ended, end), (key, SessionEnd::Done)),
        }
    }
}

/// Every answer of the device is heard as it was said.
fn check(answers: Vec<Result<Answer, AskError>>, session: &[Recorded]) {
    let said = session.windows(2).filter(|pair| asked(&pair[0]).is_some()).map(|pair| (&pair[1].name, envelope(&pair[1].device).unwrap().message));
    let said: Vec<_> = said.collect();
    assert_eq!(answers.len(), said.len());
    for (answer, (name, said)) in answers.into_iter().zip(said) {
        match (answer, said) {
            (Ok(answer), Message::Answer(said)) => assert_eq!(answer, said, "{name}"),
            (Err(AskError::Fault(fault)), Message::Fault(said)) => assert_eq!(fault, said, "{name}"),
            (answer, said) => panic!("{name}: {answer:?} for {said:?}"),
        }
    }
}

#[tokio::test]
async fn recorded_sessions_go_as_they_went() {
    for folder in ["easycwmp", "genieacs-sim", "genieacs-sim-bootstrap"] {
        let sessions = sessions(folder);
        assert!(!sessions.is_empty(), "{folder}");
        for session in sessions {
            replay(&session).await;
        }
    }
}
