//! Which resource is taken by whom, in the host's key-value store.
//!
//! `slot/{type}/{id}` exists while a resource is taken and holds the claim; `owner/{idempotency key}` leads from the call
//! that took it to the slot. Both are written by one call, so the host stores both or neither.
//!
//! The slot is sought from a hash of the idempotency key, so calls in parallel rarely meet; where they do, `swap` lets
//! only one of them have it. A repeated call finds its own claim through `owner` and takes nothing. A new round has a new
//! key and takes anew.

use std::collections::BTreeSet;

use jackfield_plugin_sdk::{Call, Characteristic, Failure, Resource, characteristic, inventory, kv};
use serde::{Deserialize, Serialize};

use crate::Pool;

/// Slots tried by hash before the taken ones are listed: enough in any pool that is not nearly full.
const PROBES: u32 = 16;
/// Keys asked for at a time; the host gives no more.
const PAGE: u32 = 1000;
/// The characteristic of a receipt that says which claim it belongs to. `undo` is called with another key than `apply`.
const MARK: &str = "allocation";

/// A taken resource.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claim {
    pub(crate) key: String,
    pub(crate) order: String,
    pub(crate) id: String,
    pub(crate) resource_type: String,
    pub(crate) service: String,
    pub(crate) element: String,
    pub(crate) characteristics: Vec<Characteristic>,
    #[serde(skip)]
    pub(crate) probes: u32,
}

/// What the call with this idempotency key took, if it did.
pub(crate) fn of(key: &str) -> Result<Option<Claim>, Failure> {
    let Some(slot) = kv::get(&owner(key))? else {
        return Ok(None);
    };
    let claim = read(&slot.value)?;
    Ok(claim.filter(|it| it.key == key))
}

/// Takes a free resource of the pool, or answers none if there is none.
pub(crate) fn claim(call: &Call, request: &inventory::Request, pool: &Pool) -> Result<Option<Claim>, Failure> {
    let size = pool.size();
    if size == 0 {
        return Ok(None);
    }
    let mut probes = 0;
    for probe in 0..PROBES {
        probes += 1;
        let index = hash(&call.idempotency_key, probe) % size;
        if let Some(claim) = take(call, request, pool, index, probes)? {
            return Ok(Some(claim));
        }
    }
    let taken = taken(&request.service.resource_type)?;
    let start = hash(&call.idempotency_key, 0) % size;
    for index in (start..size).chain(0..start) {
        let Some((id, _)) = pool.at(index) else { continue };
        if taken.contains(&slot(&request.service.resource_type, &id)) {
            continue;
        }
        probes += 1;
        if let Some(claim) = take(call, request, pool, index, probes)? {
            return Ok(Some(claim));
        }
    }
    Ok(None)
}

/// Gives a resource back, if the claim is still the one that the receipt was written for.
pub(crate) fn release(receipt: &Resource) -> Result<(), Failure> {
    let Some(key) = characteristic(&receipt.characteristics, MARK) else {
        return Ok(());
    };
    let name = slot(&receipt.resource_type, &receipt.id);
    if read(&name)?.is_some_and(|claim| claim.key == key) {
        kv::delete(&name)?;
        kv::delete(&owner(key))?;
    }
    Ok(())
}

/// What makes a receipt releasable.
pub(crate) fn mark(key: &str) -> Characteristic {
    Characteristic::new(MARK, key)
}

fn take(call: &Call, request: &inventory::Request, pool: &Pool, index: u64, probes: u32) -> Result<Option<Claim>, Failure> {
    let Some((id, characteristics)) = pool.at(index) else {
        return Ok(None);
    };
    let name = slot(&request.service.resource_type, &id);
    let claim = Claim {
        key: call.idempotency_key.clone(),
        order: request.order.clone(),
        id,
        resource_type: request.service.resource_type.clone(),
        service: request.service.name.clone(),
        element: pool.element.clone(),
        characteristics,
        probes,
    };
    let text = serde_json::to_string(&claim).expect("a claim holds only text");
    match kv::swap(&name, None, &text) {
        Ok(_) => {
            kv::set(&owner(&claim.key), &name)?;
            Ok(Some(claim))
        }
        Err(kv::Error::Conflict(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn read(slot: &str) -> Result<Option<Claim>, Failure> {
    let Some(stored) = kv::get(slot)? else {
        return Ok(None);
    };
    let claim = serde_json::from_str(&stored.value)
        .map_err(|error| Failure::rejected(kv::CODE, format!("the stored claim {slot} cannot be read: {error}")))?;
    Ok(Some(claim))
}

fn taken(resource_type: &str) -> Result<BTreeSet<String>, Failure> {
    let prefix = slot(resource_type, "");
    let mut all = BTreeSet::new();
    let mut after: Option<String> = None;
    loop {
        let page = kv::list(&prefix, after.as_deref(), PAGE)?;
        let more = page.len() == PAGE as usize;
        after = page.last().cloned();
        all.extend(page);
        if !more {
            return Ok(all);
        }
    }
}

fn slot(resource_type: &str, id: &str) -> String {
    format!("slot/{resource_type}/{id}")
}

fn owner(key: &str) -> String {
    format!("owner/{key}")
}

/// FNV-1a with a final mix (SplitMix64), so that the low bits are as good as the high ones.
fn hash(key: &str, probe: u32) -> u64 {
    let mut it = 0xcbf2_9ce4_8422_2325_u64;
    for byte in key.bytes().chain(probe.to_le_bytes()) {
        it = (it ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    it ^ (it >> 31)
}
