//! What plugins of the contract [`dns`](crate::dns) have in common: who owns what, what is to be changed, and the order of looking and writing. A plugin
//! says how its vendor is asked and told, by implementing [`Vendor`]; [`apply`], [`observe`] and [`undo`] do the rest.
//!
//! * A set of records that is not shared belongs to the owner that a TXT record beside it names: at `_jackfield-owner.NAME` (for a wildcard `*.NAME` at
//!   `_jackfield-owner._wildcard.NAME`), with the text `heritage=jackfield,owner=OWNER`. What is there without it is somebody else's.
//! * Of a shared set only the values asked for are added and removed; the rest, and its TTL, stay.
//! * Texts are compared in one form: names in lower case without the last dot, addresses as they are written shortest, TXT without quotes and in one piece.
//! * A TTL that the vendor rounds is not written again and again: it alone is no drift, and reading another one back is no failure.

mod answer;
mod plan;
#[cfg(test)]
mod tests;
mod text;
mod wanted;

use std::{collections::BTreeSet, ops::RangeInclusive};

pub use answer::success;
pub use plan::{Change, RecordSet};
pub use text::{caa, canonical, presented, quoted};
pub use wanted::{Wanted, marker, marker_text};

use crate::{Failure, Observed, Outcome, config, dns};

/// Failure code: the request breaks a rule of the contract.
pub const BAD_REQUEST: &str = "bad_request";
/// Failure code: a setting cannot be read.
pub const BAD_CONFIG: &str = "bad_config";
/// Failure code: a record of another owner is in the way.
pub const FOREIGN_RECORD: &str = "foreign_record";
/// Failure code: the vendor does not serve the zone for us.
pub const UNKNOWN_ZONE: &str = "unknown_zone";
/// Failure code: the vendor does not accept the credentials.
pub const NOT_AUTHORISED: &str = "not_authorised";
/// Failure code: the vendor refused, or is in trouble.
pub const DNS_FAILED: &str = "dns_failed";
/// Failure code: somebody wrote between looking and writing; nothing was written.
pub const CHANGED_MEANWHILE: &str = "changed_meanwhile";
/// Failure code: what was read back is not what was written.
pub const NOT_AS_WRITTEN: &str = "not_as_written";

/// The failure codes of this module, for the manifest.
pub const CODES: &[&str] = &[BAD_REQUEST, BAD_CONFIG, FOREIGN_RECORD, UNKNOWN_ZONE, NOT_AUTHORISED, DNS_FAILED, CHANGED_MEANWHILE, NOT_AS_WRITTEN];

/// The longest TTL there is (RFC 2181, section 8).
pub const MAX_TTL: u32 = i32::MAX as u32;

/// A system that serves zones.
pub trait Vendor {
    /// Its name in receipts.
    const PROVIDER: &'static str;

    /// The TTLs that it keeps; others are moved to the nearest before anything is compared.
    fn ttls(&self) -> RangeInclusive<u32>;

    /// All sets at these names; sets at other names are ignored. Values as in a zone file: names with or without the last dot, texts with or without quotes.
    ///
    /// # Errors
    /// Rejected with [`UNKNOWN_ZONE`] if the zone is not served for us; otherwise what is true.
    fn look(&mut self, zone: &str, names: &BTreeSet<String>) -> Result<Vec<RecordSet>, Failure>;

    /// Makes all changes, at best all or none, otherwise in this order. At least one is given. Called after `look`.
    ///
    /// # Errors
    /// What is true; `unavailable` with [`CHANGED_MEANWHILE`] if the zone is not any more as it was seen.
    fn change(&mut self, zone: &str, changes: &[Change]) -> Result<(), Failure>;
}

/// Writes what differs from what is there and reads it back.
///
/// # Errors
/// Rejected with [`BAD_REQUEST`] or [`FOREIGN_RECORD`]; otherwise those of the vendor.
pub fn apply<V: Vendor>(vendor: &mut V, request: &dns::Request) -> Result<dns::Outcome, Failure> {
    let wanted = Wanted::of_request(request, &vendor.ttls())?;
    let changes = changes(vendor, &wanted)?;
    if !changes.is_empty() {
        match vendor.change(&wanted.zone, &changes) {
            Ok(()) => read_back(vendor, &wanted)?,
            // What is wanted may be just what the other one wrote.
            Err(failure) if failure.reason().code == CHANGED_MEANWHILE => match self::changes(vendor, &wanted) {
                Ok(left) if left.is_empty() => {}
                Ok(_) | Err(_) => return Err(failure),
            },
            Err(failure) => return Err(failure),
        }
    }
    Ok(Outcome::Done(wanted.receipt(V::PROVIDER)))
}

/// Says what is there.
///
/// # Errors
/// Rejected with [`BAD_REQUEST`]; otherwise those of the vendor.
pub fn observe<V: Vendor>(vendor: &mut V, request: &dns::Request) -> Result<dns::Observed, Failure> {
    let wanted = Wanted::of_request(request, &vendor.ttls())?;
    let present = look(vendor, &wanted)?;
    Ok(plan::observe(&wanted, &present, V::PROVIDER))
}

/// Removes what is this owner's.
///
/// # Errors
/// Rejected with [`BAD_REQUEST`] if the receipt makes no sense; otherwise those of the vendor.
pub fn undo<V: Vendor>(vendor: &mut V, receipt: &dns::Receipt) -> Result<dns::Outcome, Failure> {
    let wanted = Wanted::of_receipt(receipt)?;
    let changes = plan::removal(&wanted, &look(vendor, &wanted)?);
    if !changes.is_empty() {
        vendor.change(&wanted.zone, &changes)?;
    }
    Ok(Outcome::Undone)
}

/// The TTLs that the settings `min_ttl` and `max_ttl` allow; those of the vendor where they are not set.
///
/// # Errors
/// Rejected with [`BAD_CONFIG`] if they make no sense.
pub fn ttl_settings(vendor: RangeInclusive<u32>) -> Result<RangeInclusive<u32>, Failure> {
    let read = |key: &str, default: u32| match config::get(key) {
        None => Ok(default),
        Some(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|ttl| *ttl <= MAX_TTL)
            .ok_or_else(|| Failure::rejected(BAD_CONFIG, format!("the setting {key} is {text:?}; expected a number of seconds up to {MAX_TTL}"))),
    };
    let (min, max) = (read("min_ttl", *vendor.start())?, read("max_ttl", *vendor.end())?);
    if min > max {
        return Err(Failure::rejected(BAD_CONFIG, format!("the setting min_ttl is {min}; expected at most max_ttl, which is {max}")));
    }
    Ok(min..=max)
}

fn look<V: Vendor>(vendor: &mut V, wanted: &Wanted) -> Result<Vec<RecordSet>, Failure> {
    let names = wanted.names();
    let mut present: Vec<RecordSet> = vendor.look(&wanted.zone, &names)?.into_iter().map(RecordSet::canonical).collect();
    present.retain(|set| names.contains(&set.name));
    Ok(present)
}

fn changes<V: Vendor>(vendor: &mut V, wanted: &Wanted) -> Result<Vec<Change>, Failure> {
    let present = look(vendor, wanted)?;
    plan::changes(wanted, &present).map_err(|foreign| Failure::rejected(FOREIGN_RECORD, foreign.message))
}

/// Whatever goes wrong from here on: something was written.
fn read_back<V: Vendor>(vendor: &mut V, wanted: &Wanted) -> Result<(), Failure> {
    let left = changes(vendor, wanted).map_err(|failure| {
        let reason = failure.reason();
        Failure::unknown_outcome(reason.code.clone(), format!("written, but it cannot be read back: {}", reason.message))
    })?;
    match left.iter().find(|change| !change.is_only_ttl()) {
        None => Ok(()),
        Some(change) => {
            let (name, kind, found) = (&change.name, &change.kind, change.before.as_ref().map(|set| &set.values));
            let message = format!("{name} {kind} was written as {:?} and is read back as {:?}", change.after, found.unwrap_or(&Vec::new()));
            Err(Failure::unknown_outcome(NOT_AS_WRITTEN, message))
        }
    }
}

impl Wanted {
    /// What was written, or was there as requested.
    fn receipt(&self, provider: &str) -> dns::Receipt {
        dns::Receipt { zone: self.zone.clone(), owner: self.owner.clone(), records: self.records.clone(), provider: provider.to_owned() }
    }
}

/// The type that [`observe`] answers.
type Seen = Observed<dns::Receipt>;
