//! The outside world: delivers each callback at least twice, and again after a crash, until it hears that the token was used.

use engine::{Driver, api::Engine};

use super::ledger::Ledger;

/// Delivers the callbacks that the ledger still owes; whether there were any.
pub(super) async fn deliver(driver: &Driver, ledger: &Ledger) -> bool {
    let owed = ledger.ask("callbacks").await;
    let [key, url] = owed.as_slice() else { return false };
    let token = url.rsplit('/').next().unwrap_or_default();
    match driver.signal(token, "the event".to_owned()).await {
        Ok(answer) => ledger.word(&format!("heard {key} {answer:?}")).await,
        Err(error) => ledger.word(&format!("heard {key} {}", error.to_string().replace(' ', "-"))).await,
    };
    true
}
