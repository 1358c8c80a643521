//! PowerDNS.

use serde_json::json;
use servers::{Backend, PowerDns};

const ZONE: &str = "app.example.test";

fn set(server: &PowerDns, name: &str, kind: &str, content: &str) -> Result<String, servers::Error> {
    let record = json!({"content": content, "disabled": false});
    let set = json!({"rrsets": [{"name": name, "type": kind, "ttl": 60, "changetype": "REPLACE", "records": [record]}]});
    server.api("PATCH", &format!("/zones/{ZONE}."), &set.to_string())
}

#[test]
fn what_was_acknowledged_survives() {
    for backend in [Backend::Lmdb, Backend::Sqlite] {
        let mut server = PowerDns::start(backend).unwrap();
        server.create_zone(ZONE).unwrap();
        set(&server, "t1.app.example.test.", "A", "127.0.0.77").unwrap();
        set(&server, "t1.app.example.test.", "TXT", "\"a b\"").unwrap();
        server.kill9();
        assert!(server.dig("t1.app.example.test", "A").is_err());
        server.restart().unwrap();
        assert_eq!(server.dig("t1.app.example.test", "A").unwrap(), ["127.0.0.77"]);
        let records = server.records(ZONE).unwrap();
        let found: Vec<_> = records.iter().map(|record| (record.name.as_str(), record.kind.as_str(), record.content.as_str())).collect();
        let expected = [("t1.app.example.test.", "A", "127.0.0.77"), ("t1.app.example.test.", "TXT", "\"a b\"")];
        assert!(found.len() == 4 && found.ends_with(&expected), "{backend:?}: {found:?}");
        assert!(set(&server, "elsewhere.test.", "A", "127.0.0.1").unwrap_err().to_string().contains("422"));
    }
}

#[test]
fn two_are_two() {
    let (one, other) = (PowerDns::start(Backend::Lmdb).unwrap(), PowerDns::start(Backend::Lmdb).unwrap());
    one.create_zone(ZONE).unwrap();
    assert!(one.create_zone(ZONE).unwrap_err().to_string().contains("409"));
    assert!(other.records(ZONE).is_err());
    assert_ne!((one.api_key(), one.dns()), (other.api_key(), other.dns()));
}
