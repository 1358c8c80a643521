//! From the order to the revocation, with the proof in the embedded zone and the chain checked by another library.

use std::os::unix::fs::PermissionsExt as _;

use engine::testing::{MemoryStore, SimClock};
use serde_json::Value;
use x509_parser::{parse_x509_certificate, pem::Pem};

use super::*;
use crate::providers::{signing_material, testing::Caller};

struct World {
    _folder: tempfile::TempDir,
    clock: Arc<SimClock>,
    zone: Caller<LocalZone>,
    order: Caller<LocalCertificateOrder>,
    certificate: Caller<LocalCertificates>,
}

fn world(takes: Duration) -> World {
    let (store, clock, folder) = (Arc::new(MemoryStore::default()), Arc::new(SimClock::default()), tempfile::tempdir().unwrap());
    // Clocks of certificates have no time before 1970.
    clock.advance(Duration::from_secs(1_800_000_000));
    let zone = LocalZone::new(store.clone(), clock.clone());
    let ca = LocalCa::open(folder.path(), zone.clone(), store, clock.clone()).unwrap().taking(takes);
    World {
        _folder: folder,
        clock,
        zone: Caller::new(zone, LocalZone::pin()),
        order: Caller::new(LocalCertificateOrder(ca.clone()), LocalCa::order_pin()),
        certificate: Caller::new(LocalCertificates(ca), LocalCa::certificate_pin()),
    }
}

const NAMES: [&str; 2] = ["acme.app.test", "*.acme.app.test"];

fn names() -> Vec<String> {
    NAMES.map(str::to_owned).to_vec()
}

impl World {
    /// Orders, proves, and returns the request of the certificate.
    async fn proved(&self) -> Value {
        let order = self.order.receipt(&json!({"owner": "t-1", "names": NAMES})).await;
        let values: Vec<_> = order["challenges"].as_array().unwrap().iter().map(|challenge| challenge["value"].clone()).collect();
        let record = json!({"name": "_acme-challenge.acme.app.test", "kind": "TXT", "ttl": 60, "values": values, "shared": true});
        self.zone.receipt(&json!({"owner": "t-1", "zone": "app.test", "records": [record]})).await;
        json!({"owner": "t-1", "order": order["order"], "names": NAMES, "signing-request": signing_material(&names()).unwrap().request})
    }
}

#[tokio::test]
async fn a_certificate_is_issued_for_names_that_are_proved_and_revoked() {
    let world = world(Duration::ZERO);
    let ordered = json!({"owner": "t-1", "names": NAMES});
    let order = world.order.receipt(&ordered).await;
    assert_eq!(world.order.observe(&ordered).await, Observed::Ours(order.clone()));
    assert!(order["challenges"].as_array().unwrap().iter().all(|challenge| challenge["name"] == "_acme-challenge.acme.app.test"));
    let request = world.proved().await;
    assert_eq!(world.certificate.observe(&request).await, Observed::Absent);
    let receipt = world.certificate.receipt(&request).await;
    assert_eq!(world.certificate.receipt(&request).await, receipt, "a repetition issues nothing");
    assert_eq!(world.certificate.observe(&request).await, Observed::Ours(receipt.clone()));

    let certificates: Vec<_> = Pem::iter_from_buffer(receipt["chain"].as_str().unwrap().as_bytes()).map(|pem| pem.unwrap().contents).collect();
    let (leaf, root) = (parse_x509_certificate(&certificates[0]).unwrap().1, parse_x509_certificate(&certificates[1]).unwrap().1);
    leaf.verify_signature(Some(root.public_key())).unwrap();
    assert!(!leaf.is_ca() && root.is_ca());
    assert_eq!(leaf.validity().not_after.timestamp(), 1_800_000_001 + 90 * 86_400);
    assert_eq!(
        (leaf.validity().not_after.timestamp(), leaf.raw_serial_as_string().replace(':', "")),
        (receipt["not-after"].as_i64().unwrap(), receipt["serial"].as_str().unwrap().to_owned())
    );
    let found: Vec<_> = leaf.subject_alternative_name().unwrap().unwrap().value.general_names.iter().map(ToString::to_string).collect();
    assert_eq!(found, NAMES.map(|name| format!("DNSName({name})")));

    world.certificate.undo(&request, &receipt).await;
    assert!(matches!(world.certificate.observe(&request).await, Observed::Drifted(_)));
    assert_eq!(world.certificate.runner.0.revoked().await.unwrap(), [receipt["serial"].as_str().unwrap()]);
    assert_eq!(world.certificate.fails(&request).await, "Rejected order_used");
    world.clock.advance(VALIDITY);
    assert!(world.certificate.runner.0.revoked().await.unwrap().is_empty(), "what is over need not be on the list");
}

#[tokio::test]
async fn without_proof_or_for_other_names_nothing_is_issued() {
    let world = world(Duration::ZERO);
    let mut request = world.proved().await;
    let good = request.clone();
    request["order"] = json!("order-of-another");
    assert_eq!(world.certificate.fails(&request).await, "Rejected challenge_failed");
    for text in ["", "AAAA", "not base64", signing_material(&names()[..1]).unwrap().request.as_str()] {
        request = good.clone();
        request["signing-request"] = json!(text);
        assert_eq!(world.certificate.fails(&request).await, "Rejected bad_signing_request", "{text}");
    }
    for names in [json!([]), json!(["a b"]), json!(["a.test", "a.test"])] {
        assert_eq!(world.order.fails(&json!({"owner": "t-1", "names": names})).await, "Rejected bad_names");
    }
    assert_eq!(world.certificate.observe(&good).await, Observed::Absent);
}

#[tokio::test]
async fn an_authority_that_takes_its_time_answers_pending_until_then() {
    let world = world(Duration::from_secs(5));
    let request = world.proved().await;
    let Ok(Answer::Pending(pending)) = world.certificate.apply(&request).await else { panic!("expected to wait") };
    assert_eq!(pending.poll_after, Some(Duration::from_secs(5)));
    world.clock.advance(Duration::from_secs(2));
    let Ok(Answer::Pending(again)) = world.certificate.resume(&request, &pending.checkpoint, Signal::Timer).await else { panic!("expected to wait") };
    assert_eq!((again.poll_after, &again.checkpoint), (Some(Duration::from_secs(3)), &pending.checkpoint));
    world.clock.advance(Duration::from_secs(3));
    let Ok(Answer::Done(receipt)) = world.certificate.resume(&request, &pending.checkpoint, Signal::Timer).await else {
        panic!("expected a receipt")
    };
    assert_eq!(world.certificate.resume(&request, &pending.checkpoint, Signal::Cancel).await, Ok(Answer::Undone));
    assert_eq!(world.certificate.runner.0.revoked().await.unwrap(), [receipt["serial"].as_str().unwrap()]);
}

#[test]
fn the_authority_is_made_once_and_its_key_is_private() {
    let (store, clock, folder) = (Arc::new(MemoryStore::default()), Arc::new(SimClock::default()), tempfile::tempdir().unwrap());
    let path = folder.path().join("ca");
    let open = || LocalCa::open(&path, LocalZone::new(store.clone(), clock.clone()), store.clone(), clock.clone());
    let root = open().unwrap().root().to_owned();
    assert_eq!(open().unwrap().root(), root);
    assert_eq!(std::fs::read_to_string(path.join("root.pem")).unwrap(), root);
    let key = path.join("authority.pem");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!format!("{:?}", open().unwrap()).contains("PRIVATE"));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(open().unwrap_err().to_string().contains("its mode is 644"));
    std::fs::write(&key, "nonsense").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(open().is_err());
}
