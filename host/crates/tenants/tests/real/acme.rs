//! Certificates from Pebble, which looks for the proofs in PowerDNS, does not like every nonce, and forgets everything when it is killed.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use engine::{
    port::{Answer, Observed, Signal, SystemClock},
    testing::{MemorySecrets, MemoryStore},
};
use pipeline::Failure;
use serde_json::{Value, json};
use servers::{Backend, Pebble, PebbleOptions, PowerDns};
use tenants::providers::{ACME_ACCOUNT_COLLECTION, Acme, AcmeBinding, AcmeCertificates, AcmeOptions, AcmeOrders, AcmeParts, signing_material};
use x509_parser::{parse_x509_certificate, pem::Pem};
use zeroize::Zeroizing;

use crate::testing::{Caller, owner};

const NAMES: [&str; 2] = ["acme.app.test", "*.acme.app.test"];

struct World {
    dns: PowerDns,
    pebble: Pebble,
    parts: AcmeParts,
    order: Caller<AcmeOrders>,
    certificate: Caller<AcmeCertificates>,
}

fn world(options: PebbleOptions) -> World {
    let dns = PowerDns::start(Backend::Lmdb).unwrap();
    dns.create_zone("app.test").unwrap();
    let pebble = Pebble::start(&PebbleOptions { dns: Some(dns.dns()), ..options }).unwrap();
    let parts = AcmeParts {
        documents: Arc::new(MemoryStore::default()),
        secrets: Arc::new(MemorySecrets::default()),
        owner: owner(),
        clock: Arc::new(SystemClock),
    };
    let (order, certificate) = callers(&pebble, Some(pebble.server_root()), None, &parts);
    World { dns, pebble, parts, order, certificate }
}

/// A provider, as after a start of the host.
fn callers(
    pebble: &Pebble,
    roots: Option<&str>,
    name_server: Option<SocketAddr>,
    parts: &AcmeParts,
) -> (Caller<AcmeOrders>, Caller<AcmeCertificates>) {
    let options = AcmeOptions {
        directory: pebble.directory_url(),
        contacts: vec!["mailto:ops@example.test".to_owned()],
        roots: roots.map(str::to_owned),
        name_server,
        timeout_ms: 20_000,
        poll_ms: 100,
        give_up_s: 60,
    };
    let acme = Acme::new(options, None, parts.clone()).unwrap();
    (Caller::new(AcmeOrders(acme.clone()), Acme::order_pin()), Caller::new(AcmeCertificates(acme), Acme::certificate_pin()))
}

/// The options for a server that is trusted.
fn options(pebble: &Pebble) -> AcmeOptions {
    serde_json::from_value(json!({"directory": pebble.directory_url(), "roots": pebble.server_root(), "timeout_ms": 20_000})).unwrap()
}

fn order_request() -> Value {
    json!({"owner": "t-1", "names": NAMES})
}

impl World {
    /// As after a start of the host.
    fn restarted(&mut self) {
        (self.order, self.certificate) = callers(&self.pebble, Some(self.pebble.server_root()), None, &self.parts);
    }

    /// Puts the values into the DNS; all of them are at one name.
    fn prove(&self, values: &[String]) {
        if values.is_empty() {
            return;
        }
        let records: Vec<_> = values.iter().map(|value| json!({"content": format!("\"{value}\""), "disabled": false})).collect();
        let set = json!({"name": "_acme-challenge.acme.app.test.", "type": "TXT", "ttl": 60, "changetype": "REPLACE", "records": records});
        self.dns.api("PATCH", "/zones/app.test.", &json!({"rrsets": [set]}).to_string()).unwrap();
    }

    /// Orders, and returns the request of the certificate with what proves it.
    async fn ordered(&self) -> (Value, Vec<String>, Value) {
        let receipt = self.order.receipt(&order_request()).await;
        let challenges = receipt["challenges"].as_array().unwrap();
        assert!(challenges.iter().all(|challenge| challenge["name"] == "_acme-challenge.acme.app.test"), "{receipt}");
        let values: Vec<_> = challenges.iter().map(|challenge| challenge["value"].as_str().unwrap().to_owned()).collect();
        let signing = signing_material(&NAMES.map(str::to_owned)).unwrap();
        let request = json!({"owner": "t-1", "order": receipt["order"], "names": NAMES, "signing-request": signing.request});
        (request, values, receipt)
    }

    /// Goes on until the order is at its end.
    async fn settled(&self, request: &Value) -> Result<Value, Failure> {
        let mut answer = self.certificate.apply(request).await;
        loop {
            match answer? {
                Answer::Done(receipt) => return Ok(receipt),
                Answer::Pending(pending) => {
                    assert!(pending.poll_after.is_some());
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    answer = self.certificate.resume(request, &pending.checkpoint, Signal::Timer).await;
                }
                other @ (Answer::Undone | Answer::Observed(_)) => panic!("expected a receipt or to wait: {other:?}"),
            }
        }
    }

    fn status(&self, receipt: &Value) -> Option<String> {
        self.pebble.status(receipt["serial"].as_str().unwrap()).unwrap()
    }
}

#[tokio::test]
async fn a_certificate_is_issued_over_a_restart_and_revoked() {
    let mut world = world(PebbleOptions { nonce_reject: 20, ..PebbleOptions::default() });
    let (request, values, ordered) = world.ordered().await;
    assert_eq!(values.len(), 2);
    assert_eq!(world.order.receipt(&order_request()).await, ordered, "the same order again");
    assert_eq!(world.order.observe(&order_request()).await, Observed::Ours(ordered.clone()));
    assert_eq!(world.certificate.observe(&request).await, Observed::Absent);
    world.prove(&values);
    world.restarted();
    let receipt = world.settled(&request).await.unwrap();
    assert_eq!(world.status(&receipt).as_deref(), Some("Valid"));
    assert_eq!(world.certificate.receipt(&request).await, receipt, "a repetition fetches nothing");
    assert_eq!(world.certificate.observe(&request).await, Observed::Ours(receipt.clone()));

    let chain: Vec<_> = Pem::iter_from_buffer(receipt["chain"].as_str().unwrap().as_bytes()).map(|pem| pem.unwrap().contents).collect();
    let (leaf, issuer) = (parse_x509_certificate(&chain[0]).unwrap().1, parse_x509_certificate(&chain[1]).unwrap().1);
    leaf.verify_signature(Some(issuer.public_key())).unwrap();
    assert_eq!(receipt["not-after"], leaf.validity().not_after.timestamp());

    world.certificate.undo(&request, &receipt).await;
    assert_eq!(world.status(&receipt).as_deref(), Some("Revoked"));
    assert!(matches!(world.certificate.observe(&request).await, Observed::Drifted(_)));
    world.order.undo(&order_request(), &ordered).await;
    assert_eq!(world.order.observe(&order_request()).await, Observed::Absent);

    let account = world.parts.documents.get(ACME_ACCOUNT_COLLECTION, &world.pebble.directory_url()).await.unwrap().unwrap();
    assert!(account.body["credentials"].as_str().unwrap().starts_with("jackfield-sealed."), "{:?}", account.body);
}

#[tokio::test]
async fn a_name_that_is_not_proved_ends_the_order_with_the_authoritys_words() {
    let world = world(PebbleOptions::default());
    let (request, values, _) = world.ordered().await;
    world.prove(&values[..1]);
    let failure = world.settled(&request).await.unwrap_err();
    assert_eq!((format!("{:?}", failure.class), failure.error_type.as_str()), ("Rejected".to_owned(), "challenge_failed"));
    assert!(failure.message.contains("Correct value not found for DNS challenge"), "{}", failure.message);
    assert_eq!(world.certificate.observe(&request).await, Observed::Absent);
}

#[tokio::test]
async fn an_authority_that_forgets_the_order_has_issued_nothing() {
    let mut world = world(PebbleOptions { validation_sleep: 3, ..PebbleOptions::default() });
    let (request, values, ordered) = world.ordered().await;
    world.prove(&values);
    // Slowly validated: the order is still pending when it is looked at again.
    let Ok(Answer::Pending(pending)) = world.certificate.apply(&request).await else { panic!("expected to wait") };
    assert_eq!(world.certificate.apply(&request).await, Ok(Answer::Pending(pending.clone())), "said twice");
    world.pebble.kill9();
    let failure = world.certificate.resume(&request, &pending.checkpoint, Signal::Timer).await.unwrap_err();
    assert_eq!((format!("{:?}", failure.class), failure.error_type.as_str()), ("Unavailable".to_owned(), "ca_unavailable"));
    world.pebble.restart().unwrap();
    let failure = world.certificate.resume(&request, &pending.checkpoint, Signal::Timer).await.unwrap_err();
    assert_eq!((format!("{:?}", failure.class), failure.error_type.as_str()), ("Rejected".to_owned(), "order_lost"));
    assert_eq!(world.certificate.observe(&request).await, Observed::Absent);
    assert_eq!(world.certificate.resume(&request, &pending.checkpoint, Signal::Cancel).await, Ok(Answer::Undone));
    let finalized = json!({"finalized": true}).to_string();
    let failure = world.certificate.resume(&request, &finalized, Signal::Timer).await.unwrap_err();
    assert_eq!((format!("{:?}", failure.class), failure.error_type.as_str()), ("Held".to_owned(), "order_lost"), "who knows");

    world.order.undo(&order_request(), &ordered).await;
    world.order.item += 1;
    let (request, values, _) = world.ordered().await;
    world.prove(&values);
    // Begun anew all the time, also while the authority looks at one of the names and has looked at the other.
    let receipt = loop {
        match world.certificate.apply(&request).await.unwrap() {
            Answer::Done(receipt) => break receipt,
            Answer::Undone | Answer::Observed(_) | Answer::Pending(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert_eq!(world.status(&receipt).as_deref(), Some("Valid"), "with another account");
}

#[tokio::test]
async fn what_is_cancelled_too_late_is_revoked() {
    let mut world = world(PebbleOptions { nonce_reject: 20, ..PebbleOptions::default() });
    let (request, values, _) = world.ordered().await;
    world.prove(&values);
    let receipt = world.settled(&request).await.unwrap();
    // As if the process had been killed before it wrote down what it had.
    world.parts.documents.remove("tenant-acme-certificate", request["order"].as_str().unwrap()).await.unwrap();
    world.restarted();
    let Observed::Ours(seen) = world.certificate.observe(&request).await else { panic!("expected it to be found") };
    assert_eq!(seen["serial"], receipt["serial"]);
    let finalized = json!({"finalized": true}).to_string();
    assert_eq!(world.certificate.resume(&request, &finalized, Signal::Cancel).await, Ok(Answer::Undone));
    assert_eq!(world.status(&receipt).as_deref(), Some("Revoked"));
}

#[tokio::test]
async fn the_authority_is_not_told_to_look_before_the_proofs_can_be_seen() {
    let mut world = world(PebbleOptions::default());
    let root = Some(world.pebble.server_root());
    (world.order, world.certificate) = callers(&world.pebble, root, Some(world.dns.dns()), &world.parts);
    let (request, values, _) = world.ordered().await;
    for proved in [&values[..0], &values[..1]] {
        world.prove(proved);
        let Ok(Answer::Pending(pending)) = world.certificate.apply(&request).await else { panic!("expected to wait") };
        assert_eq!(pending.checkpoint, json!({"ready": false, "finalized": false}).to_string());
    }
    world.prove(&values);
    let receipt = world.settled(&request).await.unwrap();
    assert_eq!(world.status(&receipt).as_deref(), Some("Valid"));

    world.order.item += 1;
    let (request, ..) = world.ordered().await;
    world.dns.kill9();
    assert_eq!(world.certificate.fails(&request).await, "Unavailable dns_unreachable");
}

#[tokio::test]
async fn an_account_is_bound_where_the_authority_wants_it() {
    // The key is `0123456789abcdef0123456789abcdef`.
    let binding = ("kid-1".to_owned(), "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY".to_owned());
    let world = world(PebbleOptions { binding: Some(binding), ..PebbleOptions::default() });
    assert_eq!(world.order.fails(&order_request()).await, "Held ca_account");
    let bound = |key: &str| {
        let binding = AcmeBinding { id: "kid-1".to_owned(), key: Zeroizing::new(key.as_bytes().to_vec()) };
        let acme = Acme::new(options(&world.pebble), Some(binding), world.parts.clone()).unwrap();
        Caller::new(AcmeOrders(acme), Acme::order_pin())
    };
    assert!(bound("another key, as long as the first").apply(&order_request()).await.is_err());
    let mut tasks = tokio::task::JoinSet::new();
    let order = bound("0123456789abcdef0123456789abcdef");
    for item in 0..4 {
        let order = Caller { item, ..order.clone() };
        tasks.spawn(async move { order.apply(&order_request()).await.is_ok() });
    }
    assert_eq!(tasks.join_all().await, [true; 4]);
    let log = world.pebble.log();
    assert!(log.contains("There are now 1 accounts") && !log.contains("There are now 2 accounts"), "{log}");
}

#[tokio::test]
async fn an_authority_that_is_not_trusted_gets_no_order() {
    let world = world(PebbleOptions::default());
    let (order, _) = callers(&world.pebble, None, None, &world.parts);
    assert_eq!(order.fails(&order_request()).await, "Unavailable ca_unavailable");
    assert_eq!(order.observe(&order_request()).await, Observed::Absent);
    for name in ["a b.test", "", "UPPER.test"] {
        assert_eq!(world.order.fails(&json!({"owner": "t-1", "names": [name]})).await, "Rejected bad_names");
    }
}
