//! Claims, accounts, activation and certificates, with what is left after each is taken back.

use engine::testing::{MemoryStore, SimClock};
use serde_json::json;

use super::*;
use crate::providers::testing::Caller;

fn directory() -> (Arc<MemoryStore>, Caller<Directory>) {
    let store = Arc::new(MemoryStore::default());
    let directory = Directory::new(store.clone(), Arc::new(SimClock::default()));
    (store, Caller::new(directory, Directory::pin()))
}

fn create(id: &str, slug: &str) -> Value {
    json!({"operation": "create", "tenant": {"id": id, "slug": slug, "plan": "pro", "region": "eu"}, "name": "Acme", "domain": format!("{slug}.app.test")})
}

fn account(email: &str) -> Value {
    json!({"operation": "account", "id": "t-1", "email": email, "password": "jackfield-sealed.0."})
}

fn certificate(serial: &str) -> Value {
    let certificate = json!({"status": "valid", "issuer": "CN=ca", "serial": serial, "not-after": 9, "chain": "-----"});
    json!({"operation": "certificate", "id": "t-1", "certificate": certificate, "key": format!("sealed {serial}")})
}

#[tokio::test]
async fn a_slug_is_claimed_once_and_free_when_the_claim_is_taken_back() {
    let (_, caller) = directory();
    assert_eq!(caller.observe(&create("t-1", "acme")).await, Observed::Absent);
    let receipt = caller.receipt(&create("t-1", "acme")).await;
    assert_eq!(receipt, json!({"operation": "create", "id": "t-1"}));
    assert_eq!(caller.receipt(&create("t-1", "acme")).await, receipt, "the same again");
    assert_eq!(caller.fails(&create("t-2", "acme")).await, "Rejected slug_taken");
    assert_eq!(caller.fails(&create("t-1", "other")).await, "Rejected id_taken");
    assert_eq!(caller.observe(&create("t-2", "acme")).await, Observed::Foreign("t-1".to_owned()));
    assert_eq!(caller.observe(&create("t-1", "acme")).await, Observed::Ours(receipt.clone()));
    assert!(!caller.runner.entry("t-1").await.unwrap().unwrap().active);
    caller.undo(&create("t-1", "acme"), &receipt).await;
    assert_eq!(caller.observe(&create("t-1", "acme")).await, Observed::Absent);
    caller.receipt(&create("t-2", "acme")).await;
    caller.undo(&create("t-1", "acme"), &receipt).await;
    assert_eq!(caller.runner.id_of("acme").await.unwrap().as_deref(), Some("t-2"), "an old undo does not free what another has now");
}

#[tokio::test]
async fn of_many_that_want_a_slug_at_once_one_gets_it() {
    let (_, caller) = directory();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..16 {
        let caller = caller.clone();
        tasks.spawn(async move { caller.apply(&create(&format!("t-{n}"), "acme")).await.is_ok() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|got| *got).count(), 1);
}

#[tokio::test]
async fn an_account_keeps_its_password_and_a_tenant_is_activated_last() {
    let (_, caller) = directory();
    assert_eq!(caller.fails(&account("a@b.test")).await, "Rejected unknown_tenant");
    caller.receipt(&create("t-1", "acme")).await;
    let made = caller.receipt(&account("a@b.test")).await;
    assert!(!made.to_string().contains("a@b.test"), "a receipt has no address");
    caller.runner.set_password("t-1", "jackfield-sealed.1.".to_owned()).await.unwrap();
    caller.receipt(&account("a@b.test")).await;
    assert_eq!(caller.runner.account("t-1").await.unwrap().unwrap().password, "jackfield-sealed.1.");
    assert!(matches!(caller.observe(&account("c@d.test")).await, Observed::Drifted(_)));

    let activate = json!({"operation": "activate", "id": "t-1"});
    assert_eq!(caller.observe(&activate).await, Observed::Absent);
    let active = caller.receipt(&activate).await;
    assert!(caller.runner.entry("t-1").await.unwrap().unwrap().active);
    caller.undo(&activate, &active).await;
    assert!(!caller.runner.entry("t-1").await.unwrap().unwrap().active);
    caller.undo(&account("a@b.test"), &made).await;
    assert_eq!(caller.runner.account("t-1").await.unwrap(), None);
}

#[tokio::test]
async fn a_certificate_that_is_taken_back_leaves_the_one_before() {
    let (_, caller) = directory();
    caller.receipt(&create("t-1", "acme")).await;
    let mut receipts = Vec::new();
    for serial in ["01", "02"] {
        receipts.push(caller.receipt(&certificate(serial)).await);
        assert_eq!(caller.observe(&certificate(serial)).await, Observed::Ours(receipts.last().unwrap().clone()));
    }
    assert!(matches!(caller.observe(&certificate("01")).await, Observed::Drifted(_)));
    caller.undo(&certificate("02"), &receipts[1]).await;
    assert_eq!(caller.runner.certificate("t-1").await.unwrap().unwrap().key, "sealed 01");
    caller.receipt(&certificate("02")).await;
    caller.undo(&certificate("01"), &receipts[0]).await;
    assert_eq!(caller.runner.certificate("t-1").await.unwrap().unwrap().key, "sealed 02", "the one in use stays");
    caller.undo(&create("t-1", "acme"), &json!({"operation": "create", "id": "t-1"})).await;
    assert_eq!(caller.runner.certificate("t-1").await.unwrap(), None, "nothing is left of a tenant that is gone");
}

#[tokio::test]
async fn what_the_store_does_not_take_is_not_done() {
    let (store, caller) = directory();
    store.set_full(true);
    assert_eq!(caller.fails(&create("t-1", "acme")).await, "Unavailable host.internal");
    store.set_full(false);
    assert_eq!(caller.observe(&create("t-1", "acme")).await, Observed::Absent);
    for (id, slug, code) in [("t-1", "a.b", "bad_slug"), ("t-1", "", "bad_slug"), ("../x", "acme", "bad_id"), ("t-1", "é", "bad_slug")] {
        assert_eq!(caller.fails(&create(id, slug)).await, format!("Rejected {code}"));
    }
    assert_eq!(caller.fails(&json!({"operation": "nonsense"})).await, "Held plugin.contract");
}
