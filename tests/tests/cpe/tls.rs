//! Devices over TLS, as an operator configures it: a certificate in its name proves a device, and gets it its secrets.

use end_to_end_tests::harness::until;
use lab::device::{DeviceOptions, End, Login, Model, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::support::{base, counts, device, import, session, settled, stock};

/// A certificate and its key, as PEM.
fn certify(authority: &CertifiedIssuer<'static, KeyPair>, common: &str, names: &[&str]) -> (String, String) {
    let mut params = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name.push(DnType::CommonName, common);
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

#[test]
fn a_certificate_in_its_name_proves_a_device() {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let (chain, key) = certify(&authority, "acs", &["127.0.0.1"]);
    let directory = tempfile::tempdir().unwrap();
    for (file, text) in [("acs.pem", &chain), ("acs.key", &key), ("devices-ca.pem", &authority.pem())] {
        std::fs::write(directory.path().join(file), text).unwrap();
    }
    let tls = "[cpe.tls]\nlisten = \"127.0.0.1:0\"\ncertificate = \"acs.pem\"\nkey = \"file:acs.key\"\nclient_ca = \"devices-ca.pem\"";
    let mut host = base("", tls).start_in(directory);
    let endpoints = std::fs::read_to_string(host.directory().join("jackfield-data/cwmp-endpoint")).unwrap();
    let url = endpoints.lines().find(|line| line.starts_with("https://")).unwrap().to_owned();
    import(&host, &stock(Model::Tr181Router, "R0000001"));

    let showing = |name: &str| {
        let name = DeviceOptions::of(Model::Tr181Router, name).username();
        let (chain, key) = certify(&authority, &name, &[]);
        let tls = Tls::new(authority.pem().as_bytes(), Some((chain.as_bytes(), key.as_bytes()))).unwrap();
        device(&host, Model::Tr181Router, "R0000001", |options| {
            (options.acs_url, options.login, options.tls) = (url.clone(), Login::Nothing, Some(tls));
        })
    };
    let stranger = showing("R0000002");
    assert_eq!(session(&stranger, &["0 BOOTSTRAP"]).ended, End::Refused(401), "a certificate in another's name");
    let router = showing("R0000001");
    assert_eq!(session(&router, &["0 BOOTSTRAP", "1 BOOT"]).ended, End::Done);
    settled(&host);
    until("the count", || counts(&host).contains(&("success".to_owned(), 1.0)));
    assert_eq!(router.value("Device.PPP.Interface.1.Password").as_deref(), Some("ppp-secret-1"));

    // A certificate that cannot be read stops the start, before anything is opened.
    assert_eq!(host.terminate(), Some(0), "{}", host.log());
    std::fs::write(host.directory().join("acs.pem"), "no certificate").unwrap();
    let output = host.cli(&["serve", "--config", "jackfield.toml"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("cpe.tls") && said.contains("the certificate cannot be read"), "{said}");
}
