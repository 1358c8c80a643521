//! Who a device is: nobody gets what belongs to another one.

use std::{sync::Arc, time::Duration};

use cpe::acs::{Algorithm, AuthMode, Options, Proof, Tls, Work};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    device::{CLASS, Device, Digest, OUI, Reply, inform, key, parameter},
    server::{Known, REALM, Server},
};

fn known() -> Known {
    Known::default()
        .with("one", "secret", Some(key("1")), None)
        .with("two", "other", Some(key("2")), None)
        .with("fleet", "shared", None, Some(OUI))
        .with("foreign", "shared", None, Some("FFFFFF"))
        .with("any", "shared", None, None)
}

async fn server(options: Options) -> Server {
    Server::with(Options { close_after_session: false, ..options }, Work::None, known(), None).await
}

/// A new connection, with a nonce.
async fn challenged(server: &Server) -> (Device, String) {
    let mut device = Device::connect(server.address).await;
    let challenge = device.post("", inform("1")).await;
    assert_eq!((challenge.status, challenge.header("connection")), (401, None));
    let nonce = parameter(challenge.header("www-authenticate").unwrap(), "nonce").to_owned();
    (device, nonce)
}

fn digest<'a>(username: &'a str, password: &'a str, nonce: &'a str) -> Digest<'a> {
    Digest { algorithm: Algorithm::Md5, username, password, nonce, count: "00000001", uri: "/acs", realm: REALM }
}

#[tokio::test]
async fn both_algorithms_are_offered_and_taken() {
    let server = server(Options::default()).await;
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let mut device = Device::connect(server.address).await;
        let challenge = device.post("", inform("1")).await;
        let challenges: Vec<_> = challenge.all("www-authenticate").collect();
        assert_eq!(challenges.iter().map(|challenge| parameter(challenge, "algorithm")).collect::<Vec<_>>(), ["MD5", "SHA-256"]);
        assert!(challenges.iter().all(|challenge| challenge.contains("qop=\"auth\"") && !challenge.contains("stale")), "{challenges:?}");
        let digest = Digest { algorithm, ..digest("one", "secret", parameter(challenges[0], "nonce")) };
        assert_eq!(device.post(&digest.line(), inform("1")).await.status, 200);
        assert_eq!(server.acs.in_session(&key("1")).unwrap().proof, Proof::Own);
        assert_eq!(device.post("", "").await.status, 204);
    }
}

#[tokio::test]
async fn a_nonce_serves_later_sessions_and_no_count_serves_twice() {
    let server = server(Options::default()).await;
    let (mut device, nonce) = challenged(&server).await;
    for (count, status) in [("00000001", 200), ("00000002", 200), ("00000005", 200)] {
        let line = Digest { count, ..digest("one", "secret", &nonce) }.line();
        assert_eq!(device.post(&line, inform("1")).await.status, status, "{count}");
        assert_eq!(device.post("", "").await.status, 204);
    }
    // A later request of the session uses a count up, too.
    let seen = Digest { count: "00000009", ..digest("one", "secret", &nonce) }.line();
    let opened = Digest { count: "00000008", ..digest("one", "secret", &nonce) }.line();
    assert_eq!(device.post(&opened, inform("1")).await.status, 200);
    assert_eq!(device.post(&seen, "").await.status, 204);
    for count in ["00000005", "00000009"] {
        let mut thief = Device::connect(server.address).await;
        let replayed = thief.post(&Digest { count, ..digest("one", "secret", &nonce) }.line(), inform("1")).await;
        assert_eq!(replayed.status, 401);
        let challenge = replayed.header("www-authenticate").unwrap();
        assert!(challenge.contains("stale=true"), "{challenge}");
        // Who has the secret goes on with the new nonce at once.
        let line = digest("one", "secret", parameter(challenge, "nonce")).line();
        assert_eq!(thief.post(&line, inform("1")).await.status, 200);
    }
}

#[tokio::test]
async fn who_proves_nothing_twice_is_sent_away() {
    let server = server(Options::default()).await;
    let nonce = challenged(&server).await.1;
    let right = digest("one", "secret", &nonce).line();
    for (what, line) in [
        ("nothing", String::new()),
        ("a wrong password", digest("one", "wrong", &nonce).line()),
        ("an unknown user", digest("nobody", "secret", &nonce).line()),
        ("another realm", Digest { realm: "other", ..digest("one", "secret", &nonce) }.line()),
        ("another resource", Digest { uri: "/other", ..digest("one", "secret", &nonce) }.line()),
        ("a nonce of nobody", digest("one", "secret", "0000000000000000000000000000000000000000").line()),
        ("a count that is none", Digest { count: "1x", ..digest("one", "secret", &nonce) }.line()),
        ("another protection", right.replace("qop=auth", "qop=auth-conf")),
        ("another algorithm", right.replace("algorithm=MD5", "algorithm=MD5-sess")),
        ("a count not signed", right.replace("nc=00000001", "nc=00000002")),
        ("two users", right.replace("username=\"one\"", "username=\"two\", username=\"one\"")),
        ("half a header", right[..60].to_owned() + "\r\n"),
        ("Basic in the open", "Authorization: Basic b25lOnNlY3JldA==\r\n".to_owned()),
        ("bytes", "Authorization: \u{fc}\r\n".to_owned()),
    ] {
        let mut device = Device::connect(server.address).await;
        let first = device.post(&line, inform("1")).await;
        assert_eq!((first.status, first.header("connection")), (401, None), "{what}");
        let second = device.post(&line, inform("1")).await;
        assert_eq!((second.status, second.header("connection")), (401, Some("close")), "{what}");
        assert!(device.is_closed().await, "{what}");
    }
    assert!(server.intake.contacts.lock().unwrap().is_empty());
    let mut device = Device::connect(server.address).await;
    assert_eq!(device.post(&right, inform("1")).await.status, 200, "what failed used nothing up");
}

/// A connection from another address of this machine.
async fn from_elsewhere(server: &Server) -> Device {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    Device::over(socket.connect(server.address).await.unwrap())
}

#[tokio::test]
async fn nobody_tries_secrets_without_end() {
    let server = server(Options { wrong_secrets: 3, wrong_secret_s: 10_000, ..Options::default() }).await;
    let nonce = challenged(&server).await.1;
    let tries = async |username: &str, password: &str, count: &str| {
        let line = Digest { count, ..digest(username, password, &nonce) }.line();
        Device::connect(server.address).await.post(&line, inform("1")).await
    };
    for username in ["one", "nobody"] {
        for (try_, status) in [("a", 401), ("b", 401), ("c", 401), ("d", 503), ("e", 503)] {
            let reply = tries(username, try_, "00000001").await;
            assert_eq!((reply.status, reply.header("retry-after").is_some()), (status, status == 503), "{username} with {try_}");
        }
    }
    // From there not even the right one is looked at, so that nobody learns which it is.
    assert_eq!(tries("one", "secret", "00000001").await.status, 503);
    assert_eq!(tries("fleet", "shared", "00000002").await.status, 200, "another user name is not kept out");
    let mut honest = from_elsewhere(&server).await;
    let line = Digest { count: "00000003", ..digest("one", "secret", &nonce) }.line();
    assert_eq!(honest.post(&line, inform("1")).await.status, 200, "nor is the device itself");
    assert_eq!(server.acs.in_session(&key("1")).unwrap().proof, Proof::Own);
}

#[tokio::test]
async fn a_stop_waits_for_no_handshake() {
    let authority = Authority::new();
    let (certificate, private) = authority.sign("acs", &["acs.example"]);
    let tls = Tls::new(certificate.pem().as_bytes(), private.serialize_pem().as_bytes(), None).unwrap();
    let mut server = Server::with(Options { head_ms: 600_000, ..Options::default() }, Work::None, known(), Some(tls)).await;
    let _silent = TcpStream::connect(server.address).await.unwrap();
    // The one after it is served, so it was accepted.
    assert_eq!(over_tls(&server, &authority, None).await.unwrap().post("", inform("1")).await.status, 401);
    server.stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(60), server.serving.join_next()).await.expect("the server stops").unwrap().unwrap();
}

#[tokio::test]
async fn a_secret_is_good_for_its_owner_only() {
    let server = server(Options::default()).await;
    for (username, password, serial, expected) in [
        ("one", "secret", "1", Some(Proof::Own)),
        ("one", "secret", "2", None),
        ("two", "other", "1", None),
        ("fleet", "shared", "1", Some(Proof::Shared)),
        ("foreign", "shared", "1", None),
        ("any", "shared", "7", Some(Proof::Shared)),
    ] {
        let (mut device, nonce) = challenged(&server).await;
        let reply = device.post(&digest(username, password, &nonce).line(), inform(serial)).await;
        assert_eq!(server.acs.in_session(&key(serial)).map(|live| live.proof), expected, "{username} as {serial}");
        match expected {
            Some(_) => assert_eq!(device.post(&reply.cookie(), "").await.status, 204),
            None => assert_eq!((reply.status, reply.header("connection"), device.is_closed().await), (401, Some("close"), true)),
        }
    }
    let (mut device, nonce) = challenged(&server).await;
    assert_eq!(device.post(&digest("unavailable", "x", &nonce).line(), inform("1")).await.status, 503);
}

#[tokio::test]
async fn who_proves_less_ends_no_session() {
    let server = server(Options { auth: AuthMode::Optional, ..Options::default() }).await;
    let mut thief = Device::connect(server.address).await;
    assert_eq!(thief.post("", inform("1")).await.status, 200);
    assert_eq!(server.acs.in_session(&key("1")).unwrap().proof, Proof::None);
    // What is shown and wrong is a refusal all the same; the challenge has a nonce.
    let mut device = Device::connect(server.address).await;
    let refused = device.post("Authorization: Digest username=\"one\"\r\n", inform("1")).await;
    assert_eq!(refused.status, 401);
    let nonce = parameter(refused.header("www-authenticate").unwrap(), "nonce").to_owned();
    let opened = device.post(&digest("one", "secret", &nonce).line(), inform("1")).await;
    assert_eq!(opened.status, 200);
    assert_eq!(server.acs.in_session(&key("1")).unwrap().proof, Proof::Own);
    assert_eq!(thief.post("", "").await.status, 400, "its session was superseded");
    let mut thief = Device::connect(server.address).await;
    assert_eq!(thief.post("", inform("1")).await.status, 503);
    assert_eq!(device.post(&opened.cookie(), "").await.status, 204);
}

#[tokio::test]
async fn basic_is_taken_where_it_may_be() {
    let server = server(Options { allow_basic_plain: true, ..Options::default() }).await;
    for (line, status) in [
        ("Authorization: Basic b25lOnNlY3JldA==\r\n", 200),
        ("Authorization: basic b25lOnNlY3JldA==\r\n", 200),
        ("Authorization: Basic b25lOndyb25n\r\n", 401),
        ("Authorization: Basic ???\r\n", 401),
    ] {
        let reply = Device::connect(server.address).await.post(line, inform("1")).await;
        assert_eq!(reply.status, status, "{line}");
        let basic = reply.all("www-authenticate").any(|challenge| challenge.starts_with("Basic realm="));
        assert_eq!(basic, status == 401, "{reply:?}");
    }
}

#[tokio::test]
async fn a_digest_without_protection_serves_once() {
    let server = server(Options::default()).await;
    let (mut device, nonce) = challenged(&server).await;
    let hash = |text: String| format!("{:x}", <md5::Md5 as sha2::Digest>::digest(text));
    let response = hash(format!("{}:{nonce}:{}", hash(format!("one:{REALM}:secret")), hash("POST:/acs".into())));
    let line = format!("Authorization: Digest username=\"one\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"/acs\", response=\"{response}\"\r\n");
    assert_eq!(device.post(&line, inform("1")).await.status, 200);
    assert_eq!(device.post("", "").await.status, 204);
    assert_eq!(device.post(&line, inform("1")).await.status, 401);
}

/// An authority, with certificates that it signs.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn sign(&self, common: &str, names: &[&str]) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, common);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }
}

/// A device over TLS that shows a certificate, or none.
async fn over_tls(server: &Server, root: &Authority, shows: Option<(rcgen::Certificate, KeyPair)>) -> std::io::Result<Device<TlsStream<TcpStream>>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.0.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots);
    let config = match shows {
        Some((certificate, key)) => {
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            config.with_client_auth_cert(vec![CertificateDer::from(certificate.der().to_vec())], key).unwrap()
        }
        None => config.with_no_client_auth(),
    };
    let stream = TcpStream::connect(server.address).await.unwrap();
    Ok(Device::over(TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("acs.example").unwrap(), stream).await?))
}

#[tokio::test]
async fn a_certificate_proves_its_device() {
    let (ours, devices, stranger) = (Authority::new(), Authority::new(), Authority::new());
    let (certificate, private) = ours.sign("acs", &["acs.example"]);
    let tls = Tls::new(certificate.pem().as_bytes(), private.serialize_pem().as_bytes(), Some(devices.0.pem().as_bytes())).unwrap();
    let server = Server::with(Options::default(), Work::None, known(), Some(tls)).await;
    let own = key("1").to_string();
    assert_eq!(own, format!("{OUI}-{CLASS}-1"));
    for (shows, status, proof) in [
        (Some(devices.sign(&own, &[])), 200, Some(Proof::Certificate)),
        (Some(devices.sign("a box", &[&own])), 200, Some(Proof::Certificate)),
        (Some(devices.sign(&key("2").to_string(), &[])), 401, None),
        (None, 401, None),
    ] {
        let mut device = over_tls(&server, &ours, shows).await.unwrap();
        let reply: Reply = device.post("", inform("1")).await;
        assert_eq!((reply.status, server.acs.in_session(&key("1")).map(|live| live.proof)), (status, proof));
        if status == 200 {
            assert_eq!(device.post("", "").await.status, 204);
        } else {
            // Nobody on the way can read a Basic here.
            assert!(reply.all("www-authenticate").any(|challenge| challenge.starts_with("Basic ")), "{reply:?}");
            let opened = device.post("Authorization: Basic b25lOnNlY3JldA==\r\n", inform("1")).await;
            assert_eq!(opened.status, 200);
            assert_eq!(device.post("", "").await.status, 204);
        }
    }
    // What a stranger signed is no certificate at all: the connection ends before anything is said.
    let refused = match over_tls(&server, &ours, Some(stranger.sign(&own, &[]))).await {
        Ok(mut device) => device.is_closed().await,
        Err(_) => true,
    };
    assert!(refused);
}

#[test]
fn tls_says_what_is_wrong_with_its_files() {
    let authority = Authority::new();
    let (certificate, private) = authority.sign("acs", &["acs.example"]);
    let (certificate, private, other) = (certificate.pem(), private.serialize_pem(), KeyPair::generate().unwrap().serialize_pem());
    for (chain, key, authorities, expected) in [
        ("", private.as_str(), None, "the certificate cannot be read"),
        (certificate.as_str(), "", None, "the private key cannot be read"),
        (&certificate, &other, None, "the certificate with its private key cannot be used"),
        (&certificate, &private, Some("x"), "the device authority cannot be read"),
    ] {
        let error = Tls::new(chain.as_bytes(), key.as_bytes(), authorities.map(str::as_bytes)).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
