//! Pebble, with an ACME client that is not ours.

use std::process::Command;

use servers::{Backend, Lego, Pebble, PebbleOptions, PowerDns};

#[test]
fn a_certificate_is_issued_for_a_name_that_was_proved_and_revoked() {
    let dns = PowerDns::start(Backend::Lmdb).unwrap();
    dns.create_zone("app.example.test").unwrap();
    let options = PebbleOptions { dns: Some(dns.dns()), nonce_reject: 20, validity: 3_600, ..PebbleOptions::default() };
    let mut pebble = Pebble::start(&options).unwrap();
    let lego = Lego::new().unwrap();
    let chain = lego.issue(&pebble, &dns, "t1.app.example.test").unwrap();
    assert!(openssl(&chain, &["-checkend", "60"]).is_ok() && openssl(&chain, &["-checkend", "3700"]).is_err());
    let serial = openssl(&chain, &["-serial"]).unwrap().trim().strip_prefix("serial=").unwrap().to_lowercase();
    assert_eq!(pebble.status(&serial).unwrap().as_deref(), Some("Valid"));
    lego.revoke(&pebble, &dns, "t1.app.example.test").unwrap();
    assert_eq!(pebble.status(&serial).unwrap().as_deref(), Some("Revoked"));
    assert!(lego.issue(&pebble, &dns, "t1.elsewhere.test").is_err(), "there is no such zone");

    let root = pebble.issuing_root().unwrap();
    pebble.kill9();
    assert!(pebble.status(&serial).is_err());
    pebble.restart().unwrap();
    assert_eq!(pebble.status(&serial).unwrap(), None);
    assert_ne!(pebble.issuing_root().unwrap(), root);
    let refused = lego.issue(&pebble, &dns, "t1.app.example.test").unwrap_err().to_string();
    assert!(refused.contains("accountDoesNotExist"), "{refused}");
}

#[test]
fn two_are_two() {
    let options = PebbleOptions { always_valid: true, validity: 3_600, ..PebbleOptions::default() };
    let (one, other) = (Pebble::start(&options).unwrap(), Pebble::start(&options).unwrap());
    assert_ne!(one.directory_url(), other.directory_url());
    assert_ne!(one.server_root(), other.server_root());
    assert_ne!(one.issuing_root().unwrap(), other.issuing_root().unwrap());
}

/// What a program that is not ours says of the first certificate of a chain; its refusal is an error.
fn openssl(chain: &str, question: &[&str]) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.pem");
    std::fs::write(&path, chain).unwrap();
    let output = Command::new("openssl").args(["x509", "-noout"]).args(question).arg("-in").arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    if output.status.success() { Ok(text) } else { Err(text) }
}
