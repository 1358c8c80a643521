//! BIND.

use servers::Bind;

const ZONE: &str = "app.example.test";

#[test]
fn what_was_acknowledged_survives() {
    let mut server = Bind::start(&[ZONE, "other.example.test"]).unwrap();
    let add = "prereq nxrrset t1.app.example.test A\nupdate add t1.app.example.test 60 A 127.0.0.77";
    server.nsupdate(add).unwrap();
    server.kill9();
    assert!(server.dig("t1.app.example.test", "A").is_err());
    server.restart().unwrap();
    assert_eq!(server.dig("t1.app.example.test", "A").unwrap(), ["127.0.0.77"]);
    assert!(server.nsupdate(add).unwrap_err().to_string().contains("YXRRSET"));
    let names: Vec<_> = server.records(ZONE).unwrap().into_iter().map(|record| (record.name, record.kind)).collect();
    let expected = [("app.example.test.", "NS"), ("app.example.test.", "SOA"), ("ns1.app.example.test.", "A"), ("t1.app.example.test.", "A")];
    assert_eq!(names, expected.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
    assert_eq!(server.records("other.example.test").unwrap().len(), 3);
}

#[test]
fn two_are_two() {
    let (one, other) = (Bind::start(&[ZONE]).unwrap(), Bind::start(&[ZONE]).unwrap());
    one.nsupdate("update add t1.app.example.test 60 A 127.0.0.77").unwrap();
    assert!(other.dig("t1.app.example.test", "A").unwrap().is_empty());
    assert_ne!((one.key_secret(), one.dns()), (other.key_secret(), other.dns()));
}
