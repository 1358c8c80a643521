//! What no honest device sends: it is refused, and nobody else notices.

use std::io::Write;

use cpe::acs::{Options, SessionEnd, Work};
use flate2::{Compression, write::GzEncoder};

use crate::{
    device::{Device, inform, key, request, set_done},
    server::{Server, open},
};

fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        encoder.write_all(&[b' '; 1 << 20]).unwrap();
    }
    encoder.finish().unwrap()
}

fn laughs() -> String {
    let entities: String = (1..9).map(|at| format!("<!ENTITY l{at} \"{}\">", format!("&l{};", at - 1).repeat(10))).collect();
    format!("<!DOCTYPE x [<!ENTITY l0 \"lol\">{entities}]>{}", inform("1").replace("Maker", "&l8;"))
}

/// Sends bytes on a connection of their own; nothing if it is closed without an answer.
async fn status(server: &Server, bytes: &[u8]) -> Option<u16> {
    let mut device = Device::connect(server.address).await;
    device.try_send(bytes).await;
    device.try_reply().await.map(|reply| reply.status)
}

#[tokio::test]
async fn bad_requests_are_refused_and_harm_nobody() {
    let server = Server::start(Options { body_bytes: 64 << 10, inflated_bytes: 256 << 10, session_ms: 300_000, ..open() }, Work::None).await;
    let mut bystander = Device::connect(server.address).await;
    let cookie = bystander.post("", inform("bystander")).await.cookie();
    let session = server.acs.in_session(&key("bystander")).unwrap().session;
    let text = inform("1");
    let post = |body: &str| request("", body);
    for (what, bytes, expected) in [
        ("no HTTP", b"\x16\x03\x01 hello\r\n\r\n".to_vec(), Some(400)),
        ("another method", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), Some(405)),
        ("a head without an end", format!("POST / HTTP/1.1\r\nX: {}", "x".repeat(100_000)).into_bytes(), Some(431)),
        ("a body that announces too much", b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n".to_vec(), Some(413)),
        ("two lengths", b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx".to_vec(), Some(400)),
        ("a chunk that is none", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec(), Some(400)),
        ("too many chunks", too_many_chunks(), Some(413)),
        ("a bomb", request("Content-Encoding: gzip\r\n", bomb()), Some(413)),
        ("a broken archive", request("Content-Encoding: gzip\r\n", "no archive"), Some(400)),
        ("an unknown encoding", request("Content-Encoding: br\r\n", &text), Some(415)),
        ("no XML", post("hello"), Some(400)),
        ("half an envelope", post(&text[..200]), Some(400)),
        ("two envelopes", post(&format!("{text}{text}")), Some(400)),
        ("an entity that grows", post(&laughs()), Some(400)),
        ("too deep", post(&"<a>".repeat(10_000)), Some(400)),
        ("an answer to nothing, of nobody", post(&set_done("1")), Some(400)),
        ("an empty body of nobody", post(""), Some(400)),
        ("a cookie that is none", request("Cookie: cwmp=00000000000000000000000000000000\r\n", ""), Some(400)),
        ("a cookie with bytes", request("Cookie: cwmp=\u{fc}\r\n", ""), Some(400)),
        ("another session's ID as a cookie", request(&format!("Cookie: cwmp={session}{}\r\n", "0".repeat(24)), ""), Some(400)),
    ] {
        assert_eq!(status(&server, &bytes).await, expected, "{what}");
        assert_eq!(server.acs.in_session(&key("bystander")).map(|live| live.session), Some(session), "{what}");
    }
    assert_eq!(server.acs.sessions(), 1);
    assert_eq!(bystander.post(&cookie, "").await.status, 204);
    assert_eq!(server.ended().await, (key("bystander"), SessionEnd::Done));
}

#[tokio::test]
async fn who_is_slow_costs_a_connection_for_a_while() {
    let server = Server::start(Options { head_ms: 1_000, body_ms: 500, session_ms: 300_000, ..open() }, Work::None).await;
    let mut bystander = Device::connect(server.address).await;
    let cookie = bystander.post("", inform("bystander")).await.cookie();
    assert_eq!(status(&server, b"POST / HT").await, None, "a head that never comes");
    assert_eq!(status(&server, &request("", inform("1"))[..300]).await, Some(408), "a body that never comes");
    assert_eq!(status(&server, b"").await, None, "nothing");
    assert!(bystander.is_closed().await, "a connection that is idle is closed; its session goes on");
    assert_eq!(Device::connect(server.address).await.post(&cookie, "").await.status, 204);
}

fn too_many_chunks() -> Vec<u8> {
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 10, "x".repeat(1 << 10));
    ["POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", &chunk.repeat(100)].concat().into_bytes()
}

#[tokio::test]
async fn an_inform_with_very_many_parameters_is_taken() {
    let server = Server::start(open(), Work::None).await;
    let parameter = |at: usize| format!("<ParameterValueStruct><Name>Device.X.{at}</Name><Value>v</Value></ParameterValueStruct>");
    let many: String = (0..10_000).map(parameter).collect();
    let text = inform("1").replace("</ParameterList>", &format!("{many}</ParameterList>"));
    assert!(text.len() > 700_000, "the parameters are in it");
    let mut device = Device::connect(server.address).await;
    assert_eq!(device.post("", text).await.status, 200);
    assert_eq!(server.acs.in_session(&key("1")).unwrap().inform.parameters.len(), 10_002);
    assert_eq!(device.post("", "").await.status, 204);
}
