//! The contract `dns` answered from records that this host keeps itself, for a host without a DNS vendor. They can be read as a zone file.

mod check;
mod file;
mod rows;

use std::sync::Arc;

use async_trait::async_trait;
use engine::port::{Answer, Call, CallReport, Clock, Document, DocumentQuery, Documents, Observed, Runner};
use pipeline::{Failure, Pin};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

use self::rows::{Claim, RecordSet};
use super::effect::{self, Effect, LASTING, body, done, drifted, ours, rejected, unreadable, unremoved, unwritten};
use crate::contract::{DnsReceipt, DnsRecord, DnsRequest};

/// The name of the provider in bindings.
pub const LOCAL_ZONE_PROVIDER: &str = "local-zone";

/// The collection of sets of records, by name and type.
pub const RECORD_COLLECTION: &str = "tenant-zone-record";

/// The collection of zones, which says how often each was changed.
pub const ZONE_COLLECTION: &str = "tenant-zone";

/// How many sets of records are read at a time.
const PAGE: u64 = 500;

/// The types that there are.
const KINDS: [&str; 5] = ["A", "AAAA", "CNAME", "TXT", "CAA"];

/// Keeps the records of zones. One process has one of it: what it changes is changed by one call at a time.
#[derive(Debug, Clone)]
pub struct LocalZone {
    documents: Arc<dyn Documents>,
    clock: Arc<dyn Clock>,
    alone: Arc<Mutex<()>>,
}

/// How often a zone was changed.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct ZoneRow {
    serial: u32,
}

impl LocalZone {
    /// Zones in these documents.
    pub fn new(documents: Arc<dyn Documents>, clock: Arc<dyn Clock>) -> Self {
        Self { documents, clock, alone: Arc::default() }
    }

    /// What the steps of the DNS are bound to.
    pub fn pin() -> Pin {
        effect::native(LOCAL_ZONE_PROVIDER, "jackfield:tenant/dns@1.0.0", LASTING, true)
    }

    /// The values of a name's TXT records.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn texts(&self, name: &str) -> Result<Vec<String>, Failure> {
        Ok(self.set(name, "TXT").await?.map(|set| set.distinct()).unwrap_or_default())
    }

    /// A zone as a file (RFC 1035, section 5).
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn zone_file(&self, zone: &str) -> Result<String, Failure> {
        let mut sets = Vec::new();
        loop {
            let equal = vec![("zone".to_owned(), zone.to_owned())];
            let query = DocumentQuery { collection: RECORD_COLLECTION, equal, offset: sets.len() as u64, limit: PAGE };
            let page = self.documents.find(query).await.map_err(|error| unreadable(&error))?;
            for document in &page.documents {
                sets.push(body::<RecordSet>(RECORD_COLLECTION, &document.body)?);
            }
            if page.documents.is_empty() || sets.len() as u64 >= page.total {
                break;
            }
        }
        Ok(file::render(zone, self.zone(zone).await?.serial, sets))
    }

    async fn zone(&self, zone: &str) -> Result<ZoneRow, Failure> {
        let found = self.documents.get(ZONE_COLLECTION, zone).await.map_err(|error| unreadable(&error))?;
        found.map_or_else(|| Ok(ZoneRow::default()), |document| body(ZONE_COLLECTION, &document.body))
    }

    async fn set(&self, name: &str, kind: &str) -> Result<Option<RecordSet>, Failure> {
        let found = self.documents.get(RECORD_COLLECTION, &rows::id(name, kind)).await.map_err(|error| unreadable(&error))?;
        found.map(|document| body(RECORD_COLLECTION, &document.body)).transpose()
    }

    /// What the records of a request find.
    async fn claims(&self, owner: &str, records: &[DnsRecord]) -> Result<Vec<Claim>, Failure> {
        let mut claims = Vec::new();
        for record in records {
            claims.push(Claim::of(self.set(&record.name, &record.kind).await?, owner, record));
        }
        Ok(claims)
    }

    /// A name that is another name has nothing else (RFC 1034, section 3.6.2).
    async fn check_aliases(&self, records: &[DnsRecord]) -> Result<(), Failure> {
        for record in records {
            for kind in KINDS.into_iter().filter(|kind| *kind != record.kind && (record.kind == "CNAME" || *kind == "CNAME")) {
                if self.set(&record.name, kind).await?.is_some() {
                    let message = format!("{} has a record of type {kind} already, and so cannot have one of type {}", record.name, record.kind);
                    return Err(rejected("alias_conflict", message));
                }
            }
        }
        Ok(())
    }

    /// Writes sets together with the count of changes.
    async fn write(&self, zone: &str, sets: &[RecordSet]) -> Result<(), Failure> {
        let (rank, serial) = (self.clock.now().0, self.zone(zone).await?.serial.wrapping_add(1));
        let row = Document { collection: ZONE_COLLECTION, id: zone.to_owned(), rank, body: json!(ZoneRow { serial }), attributes: Vec::new() };
        let documents = sets.iter().map(|set| set.document(rank)).chain([row]);
        self.documents.put(documents.collect()).await.map_err(|error| unwritten(&error))
    }
}

fn receipt(request: DnsRequest) -> DnsReceipt {
    let DnsRequest { owner, zone, records } = request;
    DnsReceipt { zone, owner, records, provider: LOCAL_ZONE_PROVIDER.to_owned() }
}

#[async_trait]
impl Runner for LocalZone {
    async fn call(&self, call: Call) -> CallReport {
        effect::run(self, &call).await
    }
}

#[async_trait]
impl Effect for LocalZone {
    type Request = DnsRequest;
    type Receipt = DnsReceipt;

    async fn apply(&self, _: &Call, request: DnsRequest) -> Result<Answer, Failure> {
        check::request(&request)?;
        let _alone = self.alone.lock().await;
        let claims = self.claims(&request.owner, &request.records).await?;
        if let Some((record, claim)) = request.records.iter().zip(&claims).find(|(_, claim)| claim.foreign.is_some()) {
            let whose = claim.foreign.as_deref().unwrap_or_default();
            return Err(rejected("foreign_record", format!("{} {} belongs to {whose}", record.name, record.kind)));
        }
        self.check_aliases(&request.records).await?;
        let changed = request.records.iter().zip(claims).filter(|(_, claim)| !claim.is_met);
        let sets: Vec<_> = changed.map(|(record, claim)| RecordSet::with(claim.found, &request.owner, &request.zone, record)).collect();
        if !sets.is_empty() {
            self.write(&request.zone, &sets).await?;
        }
        Ok(done(&receipt(request)))
    }

    async fn observe(&self, _: &Call, request: DnsRequest) -> Result<Observed, Failure> {
        check::request(&request)?;
        let claims = self.claims(&request.owner, &request.records).await?;
        if let Some(whose) = claims.iter().find_map(|claim| claim.foreign.clone()) {
            return Ok(Observed::Foreign(whose));
        }
        let receipt = receipt(request);
        Ok(match () {
            () if claims.iter().all(|claim| claim.is_met) => ours(&receipt),
            () if claims.iter().any(|claim| claim.is_begun) => drifted(&receipt),
            () => Observed::Absent,
        })
    }

    async fn undo(&self, _: &Call, receipt: DnsReceipt) -> Result<(), Failure> {
        let _alone = self.alone.lock().await;
        let (mut kept, mut emptied) = (Vec::new(), Vec::new());
        for record in &receipt.records {
            let Some(set) = self.set(&record.name, &record.kind).await? else { continue };
            match set.without(&receipt.owner, record) {
                None => {}
                Some(rest) if rest.values.is_empty() => emptied.push(rest),
                Some(rest) => kept.push(rest),
            }
        }
        for set in &emptied {
            self.documents.remove(RECORD_COLLECTION, &rows::id(&set.name, &set.kind)).await.map_err(|error| unremoved(&error))?;
        }
        if !kept.is_empty() || !emptied.is_empty() {
            self.write(&receipt.zone, &kept).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
