//! Over TLS a device proves who it is by a password or by a certificate in its name, and gets what is its own.

use cpe::acs::Tls;
use lab::device::{Device, DeviceOptions, End, Login, Model, Tls as DeviceTls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::json;

use super::{
    host::{Ground, Host},
    objects::is_right,
};

/// Whom both sides believe.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate and its key, as PEM.
    fn certify(&self, common: &str, names: &[&str]) -> (String, String) {
        let mut params = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, common);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_over_tls_gets_what_is_its_own() {
    let authority = Authority::new();
    let (chain, key) = authority.certify("acs", &["127.0.0.1"]);
    let tls = Tls::new(chain.as_bytes(), key.as_bytes(), Some(authority.0.pem().as_bytes())).unwrap();
    let host = Host::on(Ground { tls: Some(tls), ..Ground::default() }, json!([])).await;
    host.sell().await;
    let cases = [
        ("T1", Login::Basic, None, "provisioned"),
        ("T2", Login::Digest, None, "provisioned"),
        ("T3", Login::Nothing, Some("T3"), "provisioned"),
        ("T4", Login::Nothing, Some("T1"), "unknown"),
        ("T5", Login::Nothing, None, "unknown"),
    ];
    for (serial, login, certified, expected) in cases {
        let named = certified.map(|serial| DeviceOptions::of(Model::Tr181Router, serial).username());
        let identity = named.map(|name| authority.certify(&name, &[]));
        let shown = identity.as_ref().map(|(chain, key)| (chain.as_bytes(), key.as_bytes()));
        let tls = DeviceTls::new(authority.0.pem().as_bytes(), shown).unwrap();
        let options = DeviceOptions { acs_url: host.url.clone(), login, tls: Some(tls), ..DeviceOptions::of(Model::Tr181Router, serial) };
        let device = Device::new(options);
        host.import(std::slice::from_ref(&device)).await;
        let session = device.session(&["1 BOOT"]).await.unwrap();
        let state = if session.ended == End::Done { host.provision(&device).await.1 } else { "unknown".to_owned() };
        assert_eq!((state.as_str(), is_right(&device)), (expected, expected == "provisioned"), "{serial}: {session:#?}");
    }
}
