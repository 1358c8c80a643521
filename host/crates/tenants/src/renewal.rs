//! The caretaker: fetches certificates for tenants that are ready without one, renews those that are about to end, and carries out wishes for tenants to be taken away.

use std::{sync::Arc, time::Duration};

use engine::{
    api::{Engine, Start},
    port::{Clock, DocumentPage, DocumentQuery, Documents, ReadError, Secrets},
};
use pipeline::{PipelineName, RunId, TenantName, Timestamp};
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::{
    certificate_pipeline::CERTIFICATE_PIPELINE,
    following::{Rested, RestedRuns},
    input::{CertificateInput, TenantInput},
    projection::{CERTIFICATE_COLLECTION, TENANT_COLLECTION},
    providers::signing_material,
    removal::Remover,
};

/// How often all certificates are looked at.
const EVERY: Duration = Duration::from_secs(3_600);

/// How often it is looked whether tenants can be taken away whose runs were not at rest, or could not be reached, when that was wanted.
const WISHES_EVERY: Duration = Duration::from_secs(5);

/// How many renewals one look begins at most: an authority counts them, and the next look comes soon.
const MOST_AT_ONCE: usize = 64;

/// How many documents are read at a time.
const PAGE: u64 = 1_000;

const SECOND: u64 = 1_000_000;
const DAY: u64 = 24 * 3_600 * SECOND;

/// Looks after tenants that are there.
#[derive(Debug)]
pub struct Caretaker {
    parts: CaretakerParts,
    rested: RestedRuns,
}

/// What the caretaker works with.
#[derive(Debug, Clone)]
pub struct CaretakerParts {
    /// Starts runs.
    pub engine: Arc<dyn Engine>,
    /// What is known of tenants.
    pub documents: Arc<dyn Documents>,
    /// Seals keys.
    pub secrets: Arc<dyn Secrets>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Takes tenants away.
    pub remover: Arc<Remover>,
    /// Whose runs these are.
    pub service: TenantName,
}

/// Why a certificate is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Due {
    /// There is none yet.
    First,
    /// It ends; this is its serial number.
    Ends(String),
}

impl Caretaker {
    /// A caretaker that hears of runs that came to rest.
    pub fn new(parts: CaretakerParts, rested: RestedRuns) -> Self {
        Self { parts, rested }
    }

    /// Looks after tenants until it is dropped.
    pub async fn run(mut self) {
        if let Err(error) = self.parts.remover.load().await {
            warn!("wishes for tenants to be taken away are carried out after the next start: {error}");
        }
        let (mut next, mut all) = (self.parts.clock.now(), self.parts.clock.now());
        loop {
            // The losers of this race hold nothing: a message is taken or it is not.
            tokio::select! {
                rested = self.rested.0.recv() => match rested {
                    Some(Rested { id, run }) => self.rested(&id, &run).await,
                    None => return,
                },
                () = self.parts.clock.sleep_until(next) => {
                    let now = self.parts.clock.now();
                    next = now.plus(WISHES_EVERY);
                    for id in self.parts.remover.wanted() {
                        self.pursue(&id).await;
                    }
                    if now >= all {
                        all = now.plus(EVERY);
                        self.look_at_all().await;
                    }
                }
            }
        }
    }

    async fn pursue(&self, id: &str) {
        if let Err(error) = self.parts.remover.pursue(id).await {
            warn!(tenant = id, "the tenant is taken away later: {error}");
        }
    }

    /// A run has come to rest: somebody may have waited for that to take its tenant away, and a tenant that is ready without a certificate gets one.
    async fn rested(&self, id: &str, run: &RunId) {
        self.pursue(id).await;
        match self.parts.documents.get(TENANT_COLLECTION, id).await {
            Ok(Some(document)) if document.body["run"] == run.as_str() => {
                self.look_at(&document.body).await;
            }
            Ok(_) => {}
            Err(error) => warn!(tenant = id, "the certificate is looked at later: {error}"),
        }
    }

    async fn look_at_all(&self) {
        if let Err(error) = self.renewals().await {
            warn!("certificates of tenants are looked at later: {error}");
        }
    }

    async fn renewals(&self) -> Result<(), ReadError> {
        let (mut offset, mut begun) = (0, 0);
        loop {
            let equal = vec![("active".to_owned(), "true".to_owned())];
            let query = DocumentQuery { collection: TENANT_COLLECTION, equal, offset, limit: PAGE };
            let DocumentPage { documents, total } = self.parts.documents.find(query).await?;
            for document in documents {
                begun += usize::from(self.look_at(&document.body).await);
                if begun >= MOST_AT_ONCE {
                    return Ok(());
                }
            }
            offset += PAGE;
            if offset >= total {
                return Ok(());
            }
        }
    }

    /// Fetches a certificate for a tenant if one is due. Whether a run was begun for it.
    async fn look_at(&self, tenant: &Value) -> bool {
        let id = tenant["id"].as_str().unwrap_or_default();
        match self.fetch(id, tenant).await {
            Ok(Some(run)) => {
                info!(tenant = id, run = %run, "a certificate is being fetched");
                true
            }
            Ok(None) => false,
            Err(reason) => {
                warn!(tenant = id, "a certificate is due and is fetched later: {reason}");
                false
            }
        }
    }

    async fn fetch(&self, id: &str, tenant: &Value) -> Result<Option<RunId>, String> {
        let now = self.parts.clock.now();
        let renewed = self.parts.documents.get(CERTIFICATE_COLLECTION, id).await.map_err(|error| error.to_string())?;
        let renewed = renewed.map(|document| (document.body, document.rank));
        let Some(due) = due(tenant, renewed.as_ref().map(|(body, rank)| (body, *rank)), now) else { return Ok(None) };
        let run = RunId::new(tenant["run"].as_str().unwrap_or_default()).map_err(|error| error.to_string())?;
        let view = self.parts.engine.query(&run).await.map_err(|error| error.to_string())?.ok_or("its run is not known")?;
        let input: TenantInput = serde_json::from_value(view.run.input().clone()).map_err(|error| error.to_string())?;
        let kind = match &due {
            Due::First => "first",
            Due::Ends(serial) => serial,
        };
        let material = signing_material(std::slice::from_ref(&input.domain)).map_err(|error| error.to_string())?;
        let certificate_key = self.parts.secrets.seal(&self.parts.service, &material.key).map_err(|error| error.to_string())?;
        let TenantInput { id, slug, plan, region, domain, zone, ttl, .. } = input;
        // One attempt a day: an authority that refuses is not asked at every look.
        let key = format!("certificate:{id}:{kind}:{}", now.0 / DAY);
        let input = CertificateInput { id, slug, plan, region, domain, zone, ttl, certificate_key, signing_request: material.request };
        let start = Start {
            tenant: self.parts.service.clone(),
            pipeline: PipelineName::new(CERTIFICATE_PIPELINE).expect("the pipeline's name is a valid name"),
            input: json!(input),
            idempotency_key: Some(key),
            trace: None,
        };
        let started = self.parts.engine.start(start).await.map_err(|error| error.to_string())?;
        Ok(started.created.then_some(started.run))
    }
}

/// Whether a tenant needs a certificate: it has none, or less than a third of the life of its own is left. Those of one day do not all come at once: each is moved
/// forward by up to a thirtieth of its life.
fn due(tenant: &Value, renewed: Option<(&Value, u64)>, now: Timestamp) -> Option<Due> {
    let id = tenant["id"].as_str().unwrap_or_default();
    if tenant["active"] != true || renewed.is_some_and(|(body, _)| matches!(body["state"].as_str(), Some("running" | "held"))) {
        return None;
    }
    let fetched = renewed.filter(|(body, _)| body["certificate"]["state"] == "issued").map(|(body, rank)| (&body["certificate"], rank));
    let (certificate, since) = fetched.unwrap_or((&tenant["certificate"], tenant["since"].as_u64().unwrap_or(0)));
    if certificate["state"] == "later" {
        return Some(Due::First);
    }
    let until = certificate["not-after"].as_u64()?.saturating_mul(SECOND);
    let life = until.saturating_sub(since);
    let share = u64::from(blake3::hash(id.as_bytes()).as_bytes()[0]);
    let renew_at = until.saturating_sub(life / 3).saturating_sub(life / 30 / 256 * share);
    (now.0 >= renew_at).then(|| Due::Ends(certificate["serial"].as_str().unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_due_when_a_third_of_its_life_is_left() {
        let now = Timestamp(1_000 * DAY);
        let seconds = |day: u64| day * DAY / SECOND;
        let tenant = |certificate: Value| json!({"id": "t-1", "active": true, "since": 940 * DAY, "certificate": certificate});
        let issued = |serial: &str, until: u64| json!({"state": "issued", "serial": serial, "not-after": seconds(until)});
        assert_eq!(due(&tenant(issued("01", 1_030)), None, now), Some(Due::Ends("01".to_owned())), "30 of 90 days are left");
        assert_eq!(due(&tenant(issued("01", 1_040)), None, now), None, "40 of 100 days are left");
        assert_eq!(due(&tenant(json!({"state": "later"})), None, now), Some(Due::First));
        assert_eq!(due(&tenant(json!({"state": "none"})), None, now), None);
        let renewed = json!({"state": "done", "certificate": issued("02", 1_080)});
        assert_eq!(due(&tenant(issued("01", 1_001)), Some((&renewed, 990 * DAY)), now), None, "another one was fetched");
        let running = json!({"state": "running", "certificate": {"state": "waiting"}});
        assert_eq!(due(&tenant(issued("01", 1_001)), Some((&running, 990 * DAY)), now), None, "another one is being fetched");
        let failed = json!({"state": "failed", "certificate": {"state": "waiting"}});
        assert_eq!(due(&tenant(issued("01", 1_001)), Some((&failed, 990 * DAY)), now), Some(Due::Ends("01".to_owned())));
        let inactive = json!({"id": "t-1", "active": false, "since": 0, "certificate": issued("01", 1)});
        assert_eq!(due(&inactive, None, now), None);
    }
}
