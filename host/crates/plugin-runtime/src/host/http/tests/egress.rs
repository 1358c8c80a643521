//! Ways around a rule: names that lead elsewhere, redirects, headers of the connection, and too much of everything.

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::host::net::Scripted;

const CLOSING: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
const REDIRECT: &[u8] = b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/meta-data/\r\ncontent-length: 0\r\n\r\n";

/// A guest whose endpoint is a name with scripted addresses, at the server's port.
fn guest_of(server: &Server, resolver: &Arc<Scripted>, edit: impl FnOnce(&mut HttpRule)) -> Guest {
    let url = format!("http://printer.example:{}", server.address.port());
    Guest::outside(&url, edit, LONG, &Outside::with(Arc::clone(resolver) as _))
}

fn granting(rule: &mut HttpRule, addresses: &[&str]) {
    rule.addresses = addresses.iter().map(|range| range.parse().unwrap()).collect();
}

#[tokio::test]
async fn a_name_that_leads_to_an_address_that_is_not_public_is_denied_unless_it_is_granted() {
    let server = Server::start(OK).await;
    for (address, class) in [
        ("127.0.0.1", "an address of this machine"),
        ("10.1.2.3", "a private address"),
        ("169.254.169.254", "the metadata service of a cloud"),
        ("::1", "an address of this machine"),
        ("::ffff:127.0.0.1", "an IPv4 address written as an IPv6 address"),
        ("64:ff9b::7f00:1", "an IPv4 address behind a translator or tunnel"),
        ("0.0.0.0", "the unspecified address"),
    ] {
        let mut guest = guest_of(&server, &Arc::new(Scripted::new(&[&[address]])), |_| {});
        let refused = guest.send(request("POST", "http://printer/jobs", "x"), None).await;
        assert!(matches!(refused, Err(Error::DestinationIpProhibited)), "{address}: {refused:?}");
        assert!(!guest.account.sent(), "{address}");
        let expected = format!(
            "a connection to http://printer was denied: `printer.example` resolves to {address}, {class}; to allow it, set below \
             [plugins.worker.grant]: http.printer.addresses = [\"{address}\"]"
        );
        assert_eq!(guest.account.denied().unwrap(), expected);
    }
    assert!(server.heads.lock().unwrap().is_empty());

    let mut guest = guest_of(&server, &Arc::new(Scripted::new(&[&["127.0.0.1"]])), |rule| granting(rule, &["127.0.0.0/8"]));
    assert_eq!(guest.send(request("POST", "http://printer/jobs", "x"), None).await.unwrap().0, 200);
    let head = server.heads.lock().unwrap()[0].to_lowercase();
    assert!(head.contains(&format!("host: printer.example:{}\r\n", server.address.port())), "{head}");
}

#[tokio::test]
async fn a_name_that_changes_is_judged_at_every_connection_and_asked_for_once() {
    let server = Server::start(CLOSING).await;
    let resolver = Arc::new(Scripted::new(&[&["127.0.0.1"], &["169.254.169.254"]]));
    let mut guest = guest_of(&server, &resolver, |rule| granting(rule, &["127.0.0.1"]));
    assert_eq!(guest.send(request("GET", "http://printer/", ""), None).await.unwrap().0, 200);
    assert_eq!(resolver.asked(), 1, "what was judged is what was connected to");
    assert!(matches!(guest.send(request("GET", "http://printer/", ""), None).await, Err(Error::DestinationIpProhibited)));
    assert_eq!((resolver.asked(), server.heads.lock().unwrap().len()), (2, 1));
}

#[tokio::test]
async fn of_several_addresses_only_those_that_pass_are_used() {
    let server = Server::start(OK).await;
    let resolver = Arc::new(Scripted::new(&[&["169.254.169.254", "10.0.0.1", "127.0.0.1"]]));
    let mut guest = guest_of(&server, &resolver, |rule| granting(rule, &["127.0.0.1"]));
    assert_eq!(guest.send(request("GET", "http://printer/", ""), None).await.unwrap().0, 200);
    assert_eq!(guest.account.denied(), None);
}

#[tokio::test]
async fn a_name_without_an_address_is_no_effect() {
    let server = Server::start(OK).await;
    let mut guest = guest_of(&server, &Arc::new(Scripted::new(&[])), |_| {});
    assert!(matches!(guest.send(request("POST", "http://printer/", "x"), None).await, Err(Error::DestinationUnavailable)));
    assert!(!guest.account.sent());
}

#[tokio::test]
async fn a_redirect_is_the_guest_s_and_each_hop_is_checked() {
    let server = Server::start(REDIRECT).await;
    let mut guest = Guest::new(&format!("http://{}", server.address), |_| {}, LONG);
    assert_eq!(guest.send(request("GET", "http://printer/", ""), None).await.unwrap().0, 302);
    for hop in ["http://169.254.169.254/latest/meta-data/", "http://printer@169.254.169.254/", "http://2852039166/", "http://[::ffff:a9fe:a9fe]/"] {
        assert!(matches!(guest.send(request("GET", hop, ""), None).await, Err(Error::HttpRequestDenied)), "{hop}");
    }
    assert_eq!(server.heads.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn headers_of_the_connection_are_the_host_s() {
    let server = Server::start(OK).await;
    let mut guest = Guest::new(&format!("http://{}", server.address), |_| {}, LONG);
    let mut sent = request("POST", "http://printer/", "x");
    for (name, value) in [
        ("host", "evil.example"),
        ("connection", "x-hop, keep-alive"),
        ("x-hop", "1"),
        ("keep-alive", "timeout=5"),
        ("proxy-authorization", "Basic Zm9v"),
        ("te", "trailers"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("expect", "100-continue"),
        ("http2-settings", "AAMAAABk"),
        ("x-kept", "yes"),
    ] {
        sent.headers_mut().append(http::HeaderName::from_static(name), http::HeaderValue::from_static(value));
    }
    guest.send(sent, None).await.unwrap();
    let head = server.heads.lock().unwrap()[0].to_lowercase();
    assert!(head.contains("x-kept: yes\r\n"), "{head}");
    assert_eq!(head.matches("host:").count(), 1, "{head}");
    for gone in ["evil", "x-hop", "keep-alive", "proxy-", "\r\nte:", "upgrade", "expect", "http2"] {
        assert!(!head.contains(gone), "{gone} in {head}");
    }
}

#[test]
fn a_line_break_is_no_part_of_a_header_or_of_a_url() {
    for value in ["a\r\nx-evil: 1", "a\nb", "a\rb", "a\0b", "a\x7fb", "a\x1bb"] {
        assert!(http::HeaderValue::from_str(value).is_err(), "{value:?}");
        assert!(format!("http://printer/{value}").parse::<http::Uri>().is_err(), "{value:?}");
    }
    assert!(http::HeaderName::from_bytes(b"x evil").is_err());
    assert!(http::HeaderName::from_bytes(b"x:evil").is_err());
}

#[tokio::test]
async fn two_lengths_of_one_body_are_refused() {
    let server = Server::start(OK).await;
    for lengths in [&["1", "2"][..], &["+1"], &["0x1"], &[""]] {
        let mut guest = Guest::new(&format!("http://{}", server.address), |_| {}, LONG);
        let mut sent = request("POST", "http://printer/", "x");
        for length in lengths {
            sent.headers_mut().append(http::header::CONTENT_LENGTH, http::HeaderValue::from_static(length));
        }
        assert!(matches!(guest.send(sent, None).await, Err(Error::HttpRequestBodySize(None))), "{lengths:?}");
    }
    assert!(server.heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn each_direction_has_its_own_bound() {
    let server = Server::start(OK).await;
    let edit = |rule: &mut HttpRule| (rule.max_request_bytes, rule.max_response_bytes) = (Some(3), Some(5));
    let mut guest = Guest::new(&format!("http://{}", server.address), edit, LONG);
    assert!(matches!(guest.send(request("PUT", "http://printer/", "1234"), None).await, Err(Error::HttpRequestBodySize(Some(3)))));
    assert_eq!(guest.send(request("PUT", "http://printer/", "123"), None).await.unwrap().0, 200);
    let edit = |rule: &mut HttpRule| rule.max_response_bytes = Some(4);
    let mut guest = Guest::new(&format!("http://{}", server.address), edit, LONG);
    assert!(matches!(guest.send(request("PUT", "http://printer/", "123"), None).await, Err(Error::HttpResponseBodySize(None))));
}

#[tokio::test]
async fn a_request_that_would_wait_beyond_its_call_is_not_sent() {
    let server = Server::start(OK).await;
    let edit = |rule: &mut HttpRule| rule.rate = "1/h".parse().ok();
    let mut guest = Guest::new(&format!("http://{}", server.address), edit, LONG);
    assert_eq!(guest.send(request("GET", "http://printer/", ""), None).await.unwrap().0, 200);
    assert!(matches!(guest.send(request("POST", "http://printer/", "x"), None).await, Err(Error::ConnectionLimitReached)));
    assert!(!guest.account.sent());
}

#[tokio::test]
async fn a_rule_s_own_time_ends_a_request_before_the_call() {
    let server = Server::start(b"").await;
    let mut guest = Guest::new(&format!("http://{}", server.address), |rule| rule.timeout_ms = Some(30), LONG);
    assert!(matches!(guest.send(request("GET", "http://printer/", ""), None).await, Err(Error::ConnectionReadTimeout)));
}

const CA: &str = include_str!("../../../../tests/tls/ca.pem");
const CERTIFICATE: &str = include_str!("../../../../tests/tls/server.pem");
const KEY: &str = include_str!("../../../../tests/tls/server.key");

/// Speaks TLS as `printer.example` and answers one request.
async fn secure() -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions().unwrap();
    let certificates = CertificateDer::pem_slice_iter(CERTIFICATE.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(certificates, key).unwrap()));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut buffer = vec![0; 1 << 16];
            if let Ok(1..) = stream.read(&mut buffer).await {
                stream.write_all(CLOSING).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        }
    });
    (address, tasks)
}

#[tokio::test]
async fn an_authority_of_the_operator_is_trusted_at_its_endpoint_and_by_name() {
    let (address, _tasks) = secure().await;
    let outside = Outside::with(Arc::new(Scripted::new(&[&["127.0.0.1"]])));
    for (host, ca, trusted) in
        [("printer.example", Some(CA), true), ("printer.example", None, false), ("other.example", Some(CA), false), ("127.0.0.1", Some(CA), false)]
    {
        let edit = |rule: &mut HttpRule| {
            granting(rule, &["127.0.0.1"]);
            rule.ca = ca.map(str::to_owned);
        };
        let mut guest = Guest::outside(&format!("https://{host}:{}", address.port()), edit, LONG, &outside);
        let answer = guest.send(request("GET", "http://printer/", ""), None).await;
        assert_eq!(answer.is_ok(), trusted, "{host}: {answer:?}");
    }
}
