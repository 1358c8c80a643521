//! The `inventory` contract over TMF639 Resource Inventory Management, version 4.
//!
//! At the logical endpoint `inventory`, below `/tmf-api/resourceInventoryManagement/v4`:
//!
//! * `GET /resource?resourceSpecification.name={type}&resourceStatus=available` lists what is free. The setting `filters` names other filters by type;
//!   the setting `place_attribute` adds one for the place of installation.
//! * `GET /resource/{id}` reads one with its `ETag`.
//! * `PATCH /resource/{id}` with `If-Match` reserves it: `resourceStatus` becomes `reserved`, and four characteristics say for what (see the module
//!   `document`). Of two orders that want one resource only one matches the entity tag; the other takes the next. An inventory without entity tags is
//!   refused: nothing would keep two orders apart.
//!
//! One of the characteristics holds the idempotency key. TMF639 knows no such key, so `apply` and `observe` look for it with
//! `GET /resource?resourceCharacteristic.value={key}` first. An inventory that ignores filters is refused, not believed.
//!
//! A reservation that somebody changed since is `drifted`; `apply` then releases it and takes another. `undo` releases: it makes the resource `available`
//! and takes the four characteristics away, if they still hold the key of the receipt. A status that somebody else gave it stays.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod document;
mod settings;
#[cfg(test)]
mod tests;
mod tmf639;

use document::{Document, MARK, Reservation};
use jackfield_plugin_sdk::{
    Call, Capabilities, Contract, Endpoint, Failure, Inventory, Manifest, Observed, Outcome, Setting, Telemetry, Verb, characteristic, inventory,
    telemetry::{self, Level},
};
use settings::Settings;
use tmf639::Patched;

const MANIFEST: Manifest = Manifest {
    name: "inventory-tmf639",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract { name: "inventory", verbs: &[Verb::Apply, Verb::Observe, Verb::Undo], idempotent: true }],
    capabilities: Capabilities {
        http: &[Endpoint::new("inventory", "lists, reserves and releases resources")],
        config: &[
            Setting::new("filters", "by which attributes the inventory knows a resource type").schema(r#"{"type": "object"}"#),
            Setting::new("place_attribute", "the attribute that must be the place of installation").schema(r#"{"type": "string"}"#),
            Setting::new("containment", "the relationship that leads to the network element").schema(r#"{"type": "string"}"#),
            Setting::new("element", "the network element of resources without such a relationship").schema(r#"{"type": "string"}"#),
        ],
        ..Capabilities::NONE
    },
    failure_codes: &[NO_INVENTORY, INVENTORY_REFUSED, CONTENDED, BAD_CONFIG, BAD_RECEIPT],
    telemetry: Telemetry { attributes: &["tmf639.*"], ..Telemetry::NONE },
};

/// Failure code: nothing of the type is available, or not at that place.
const NO_INVENTORY: &str = "no_inventory";
/// Failure code: the inventory refused a request, or cannot do what is needed.
const INVENTORY_REFUSED: &str = "inventory_refused";
/// Failure code: others were faster at every resource.
const CONTENDED: &str = "contended";
/// Failure code: a setting is not as described.
const BAD_CONFIG: &str = "bad_config";
/// Failure code: a receipt that this plugin did not write.
const BAD_RECEIPT: &str = "bad_receipt";

/// How often what is free is listed anew after others took all that was tried.
const ROUNDS: u32 = 3;
/// How many of a list are tried. Each costs two requests.
const PROBES: usize = 8;

/// The plugin.
#[derive(Debug)]
pub struct Tmf639;

impl Inventory for Tmf639 {
    fn apply(call: &Call, request: inventory::Request) -> Result<inventory::Outcome, Failure> {
        let settings = Settings::read()?;
        let wanted = Reservation::new(call, &request);
        if let Some(kept) = settle(&wanted, &settings)? {
            return Ok(Outcome::Done(kept));
        }
        for _ in 0..ROUNDS {
            let free = tmf639::free(&settings.filters(&request), request.preferred_element.as_deref())?;
            if free.is_empty() {
                return Err(no_inventory(&request));
            }
            for id in in_turn(&free, &wanted.key).take(PROBES) {
                if let Some(taken) = take(id, &wanted, &settings)? {
                    telemetry::annotate([("tmf639.resource", id.into())]);
                    return Ok(Outcome::Done(taken));
                }
            }
        }
        Err(Failure::unavailable(CONTENDED, format!("every {} that was free was taken meanwhile", request.service.resource_type)))
    }

    fn observe(call: &Call, request: inventory::Request) -> Result<inventory::Observed, Failure> {
        let wanted = Reservation::new(call, &request);
        let found = tmf639::reserved_by(&wanted.key)?;
        let Some(first) = found.first() else {
            return Ok(Observed::Absent);
        };
        let receipt = first.receipt(&wanted, &Settings::read()?)?;
        let as_wanted = found.len() == 1 && first.holds(&wanted);
        Ok(if as_wanted { Observed::Ours(receipt) } else { Observed::Drifted(receipt) })
    }

    fn undo(_: &Call, receipt: inventory::Receipt) -> Result<inventory::Outcome, Failure> {
        let Some(key) = characteristic(&receipt.characteristics, MARK) else {
            return Err(Failure::rejected(BAD_RECEIPT, format!("the receipt of {:?} has no characteristic {MARK}", receipt.id)));
        };
        for found in tmf639::reserved_by(key)?.iter().map(Document::id).chain([receipt.id.as_str()]) {
            if !release(found, key)? {
                return Err(Failure::unavailable(CONTENDED, format!("{found} changed whenever it was to be released")));
            }
        }
        Ok(Outcome::Undone)
    }
}

/// Looks at what an earlier attempt left behind: keeps one reservation that is as wanted, and releases what is not, or is one too many.
fn settle(wanted: &Reservation, settings: &Settings) -> Result<Option<inventory::Receipt>, Failure> {
    let mut kept = None;
    for found in tmf639::reserved_by(&wanted.key)? {
        if kept.is_none() && found.holds(wanted) {
            kept = Some(found.receipt(wanted, settings)?);
        } else if !release(found.id(), &wanted.key)? {
            return Err(Failure::unknown_outcome(CONTENDED, format!("{} changed whenever it was to be released", found.id())));
        }
    }
    Ok(kept)
}

/// Releases a resource that the key reserved. What is not the key's, or is gone, is left alone. False if it changes all the time.
fn release(id: &str, key: &str) -> Result<bool, Failure> {
    for _ in 0..ROUNDS {
        let Some((found, tag)) = tmf639::read(id)? else {
            return Ok(true);
        };
        if found.reserved_by() != Some(key) {
            return Ok(true);
        }
        if let Patched::Done = tmf639::patch(id, &tag, key, &found.released())? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reserves a resource, or answers none if somebody else was faster.
fn take(id: &str, wanted: &Reservation, settings: &Settings) -> Result<Option<inventory::Receipt>, Failure> {
    let Some((found, tag)) = tmf639::read(id)?.filter(|(found, _)| found.is_free()) else {
        return Ok(None);
    };
    // Before it is taken: what cannot be told afterwards must not be taken.
    let receipt = found.receipt(wanted, settings)?;
    match tmf639::patch(id, &tag, &wanted.key, &found.reserved(wanted))? {
        Patched::Done => Ok(Some(receipt)),
        Patched::Overtaken => Ok(None),
    }
}

/// All of them, from one that the key chooses: calls in parallel rarely meet.
fn in_turn<'a>(free: &'a [String], key: &str) -> impl Iterator<Item = &'a str> {
    let start = key.bytes().fold(0_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)));
    free.iter().cycle().skip(start % free.len()).take(free.len()).map(String::as_str)
}

fn no_inventory(request: &inventory::Request) -> Failure {
    let message = format!("No available {}", request.service.resource_type);
    telemetry::log(Level::Warn, &message, [("tmf639.order", request.order.as_str().into())]);
    Failure::rejected(NO_INVENTORY, message)
}

jackfield_plugin_sdk::export!(Tmf639: inventory; MANIFEST);
