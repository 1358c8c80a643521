//! A device over TLS believes whom it was told to believe, and shows what it was given.

use std::sync::Arc;

use lab::device::{Device, DeviceOptions, End, Tls};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::{RootCertStore, ServerConfig, crypto::ring, server::WebPkiClientVerifier};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

/// A certificate and its key, as PEM.
struct Pem(String, String);

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn certify(&self, name: &str) -> Pem {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        Pem(certificate.pem(), key.serialize_pem())
    }
}

/// A server that answers every Inform with 403 and says how many certificates it was shown.
async fn server(authority: &Authority) -> (String, mpsc::UnboundedReceiver<usize>, JoinSet<()>) {
    let Pem(certificate, key) = authority.certify("127.0.0.1");
    let chain = rustls_pki_types::CertificateDer::pem_slice_iter(certificate.as_bytes()).map(Result::unwrap).collect();
    let mut roots = RootCertStore::empty();
    roots.add(rustls_pki_types::CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).allow_unauthenticated().build().unwrap();
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap().with_client_cert_verifier(verifier);
    let config = config.with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let (sender, shown) = mpsc::unbounded_channel();
    let mut task = JoinSet::new();
    task.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            sender.send(stream.get_ref().1.peer_certificates().map_or(0, <[_]>::len)).unwrap();
            let mut buffer = vec![0; 16_384];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
        }
    });
    (url, shown, task)
}

#[tokio::test]
async fn a_device_believes_its_authorities_and_shows_its_certificate() {
    let (ours, others) = (Authority::new(), Authority::new());
    let (acs_url, mut shown, _server) = server(&ours).await;
    let own = ours.certify("0A11CE-NR-2200-R0000001");
    let session = async |tls: Option<Tls>| {
        let device = Device::new(DeviceOptions { acs_url: acs_url.clone(), tls, ..DeviceOptions::default() });
        device.session(&["1 BOOT"]).await.unwrap().ended
    };
    assert_eq!(session(Some(Tls::new(ours.pem.as_bytes(), None).unwrap())).await, End::Refused(403));
    assert_eq!(shown.recv().await, Some(0));
    let identity = (own.0.as_bytes(), own.1.as_bytes());
    assert_eq!(session(Some(Tls::new(ours.pem.as_bytes(), Some(identity)).unwrap())).await, End::Refused(403));
    assert_eq!(shown.recv().await, Some(1));
    for (tls, said) in [(Tls::new(others.pem.as_bytes(), None).ok(), "invalid peer certificate"), (None, "this device has none")] {
        let End::Lost(reason) = session(tls).await else { panic!("not lost: {said}") };
        assert!(reason.contains(said), "{reason}");
    }
    assert!(Tls::new(ours.pem.as_bytes(), Some((b"", b""))).is_err());
}
