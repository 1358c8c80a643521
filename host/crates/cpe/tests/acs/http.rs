//! HTTP as devices speak it.

use std::io::Write;

use cpe::acs::{Options, Work};
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};

use crate::{
    device::{Device, inform, request},
    server::{Server, open},
};

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn raw(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("POST /any/path?x=1 {head}\r\n\r\n").as_bytes(), body].concat()
}

fn chunked(text: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for piece in text.as_bytes().chunks(100) {
        body.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        body.extend_from_slice(piece);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    body
}

#[tokio::test]
async fn an_inform_may_come_in_many_forms() {
    let server = Server::start(Options { close_after_session: false, ..open() }, Work::None).await;
    let text = inform("1");
    let length = text.len();
    let latin = text.replace("Maker", "M\u{e4}ker").chars().map(|letter| u8::try_from(letter).unwrap()).collect::<Vec<_>>();
    for (what, bytes) in [
        ("as it should", request("Content-Type: text/xml; charset=\"utf-8\"\r\nSOAPAction: \"\"\r\n", &text)),
        ("no header that is not needed", raw(&format!("HTTP/1.1\r\nContent-Length: {length}"), text.as_bytes())),
        ("HTTP/1.0 that stays", raw(&format!("HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: {length}"), text.as_bytes())),
        ("chunks", raw("HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", &chunked(&text))),
        ("a wish to go on", raw(&format!("HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: {length}"), text.as_bytes())),
        ("gzip", request("Content-Encoding: gzip\r\n", gzip(&text))),
        ("deflate", request("Content-Encoding: deflate\r\n", zlib(&text))),
        ("another character set", request("Content-Type: text/xml; charset=ISO-8859-1\r\n", latin)),
        ("a byte order mark and white space", request("", format!("\u{feff}\r\n{text}\r\n\0"))),
        ("blank lines before", [b"\r\n\r\n", &request("", &text)[..]].concat()),
    ] {
        let mut device = Device::connect(server.address).await;
        device.send(&bytes).await;
        let reply = device.reply().await;
        assert_eq!((reply.status, reply.message().as_str()), (200, "InformResponse"), "{what}");
        assert_eq!(device.post("", "").await.status, 204, "{what}: the connection goes on");
    }
}

#[tokio::test]
async fn a_few_stray_bytes_after_a_body_do_no_harm() {
    let server = Server::start(Options { close_after_session: false, ..open() }, Work::None).await;
    let mut device = Device::connect(server.address).await;
    for stray in ["\r\n", "\0", "elope>", "</soap:Envelope>\r\n\r\n"] {
        device.send([&request("", inform("1"))[..], stray.as_bytes()].concat()).await;
        assert_eq!(device.reply().await.status, 200, "{stray:?}");
        // They come at once with what follows, or on their own.
        device.send(stray).await;
        assert_eq!(device.post("", "").await.status, 204, "{stray:?}");
    }
}

#[tokio::test]
async fn requests_that_come_at_once_are_answered_one_after_the_other() {
    let server = Server::start(Options { close_after_session: false, ..open() }, Work::None).await;
    let mut device = Device::connect(server.address).await;
    device.send([request("", inform("1")), request("", ""), request("", inform("1")), request("", "")].concat()).await;
    for status in [200, 204, 200, 204] {
        assert_eq!(device.reply().await.status, status);
    }
}

#[tokio::test]
async fn the_connection_is_closed_when_a_device_of_http_1_0_expects_it() {
    let server = Server::start(open(), Work::None).await;
    let mut device = Device::connect(server.address).await;
    let text = inform("1");
    device.send(raw(&format!("HTTP/1.0\r\nContent-Length: {}", text.len()), text.as_bytes())).await;
    let opened = device.reply().await;
    assert_eq!(opened.status, 200);
    assert!(device.is_closed().await);
    let mut device = Device::connect(server.address).await;
    device.send(raw(&format!("HTTP/1.0\r\n{}Content-Length: 0", opened.cookie()), b"")).await;
    assert_eq!(device.reply().await.status, 204);
    assert!(device.is_closed().await);
}

#[tokio::test]
async fn too_many_connections_are_told_to_come_again_later() {
    let server = Server::start(Options { connections: 2, ..open() }, Work::None).await;
    let mut kept = Vec::new();
    for serial in ["1", "2"] {
        let mut device = Device::connect(server.address).await;
        assert_eq!(device.post("", inform(serial)).await.status, 200);
        kept.push(device);
    }
    let mut third = Device::connect(server.address).await;
    let reply = third.post("", inform("3")).await;
    assert_eq!((reply.status, reply.header("retry-after").is_some(), third.is_closed().await), (503, true, true));
    for device in &mut kept {
        assert_eq!(device.post("", "").await.status, 204);
        assert!(device.is_closed().await);
    }
    // A place is free as soon as the server has done with the connection that had it.
    loop {
        let reply = Device::connect(server.address).await.post("", inform("3")).await;
        if reply.status == 200 {
            break;
        }
        assert_eq!(reply.status, 503);
    }
}

#[tokio::test]
async fn too_many_large_bodies_are_told_to_come_again_later() {
    let server = Server::start(Options { large_bodies: 1, ..open() }, Work::None).await;
    let large = inform("1").replace("Maker", &"x".repeat(40_000));
    let bytes = request("", &large);
    let (begins, ends) = bytes.split_at(bytes.len() - 10);
    let mut slow = Device::connect(server.address).await;
    slow.send(begins).await;
    // It has the only place as soon as enough of it has arrived; until then another one may be taken.
    loop {
        let reply = Device::connect(server.address).await.post("", &large).await;
        if reply.status == 503 {
            break;
        }
        assert_eq!(reply.status, 200);
    }
    assert_eq!(Device::connect(server.address).await.post("", inform("2")).await.status, 200, "a small one has a place of its own");
    slow.send(ends).await;
    assert_eq!(slow.reply().await.status, 200);
    assert_eq!(Device::connect(server.address).await.post("", &large).await.status, 200);
}
