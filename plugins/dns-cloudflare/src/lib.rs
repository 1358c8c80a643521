//! The `dns` contract over an API of the shape of Cloudflare's version 4.
//!
//! At the logical endpoint `dns`, below the path in the setting `base_path` (default `/client/v4`):
//!
//! | request | meaning |
//! |---|---|
//! | `GET /zones?name={zone}` | the zone with its id; an empty list where the token sees no such zone |
//! | `GET /zones/{id}/dns_records?name={name}&per_page=100&page={n}` | the records at a name |
//! | `POST /zones/{id}/dns_records/batch` | all changes of a call, deletions first; all or none |
//! | `POST /zones/{id}/dns_records`, `PATCH` and `DELETE /zones/{id}/dns_records/{record}` | one change each, where the setting `batch` is `false` |
//!
//! A record here is one value; records of one name and type are a set. What another writes at the same time shows as the errors 81053, 81054, 81057, 81058
//! (such a record exists) and 81044 (it is gone): nothing was written then, and if the zone is already as wanted, all is well. There is no other condition:
//! two that write one name at the same time must be kept apart by the host, or find out when they read back. Without batches a call that fails halfway
//! leaves what was written, and is `unknown-outcome`. Records are written with `proxied: false`.
//!
//! The token is the operator's: the rule of the endpoint adds the header `Authorization`.
//!
//! Settings: `base_path`, `batch` (default `true`), `min_ttl` and `max_ttl` (TTLs outside are moved to the nearest; default 60 and 86400).
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod api;
mod record;
#[cfg(test)]
mod tests;

use api::Cloudflare;
use jackfield_plugin_sdk::{Call, Capabilities, Contract, Dns, Endpoint, Failure, Manifest, Setting, Verb, dns, zone};

const MANIFEST: Manifest = Manifest {
    name: "dns-cloudflare",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract { name: "dns", verbs: &[Verb::Apply, Verb::Observe, Verb::Undo], idempotent: true }],
    capabilities: Capabilities {
        http: &[Endpoint::new("dns", "reads the records of tenants and changes them, with GET, POST, PATCH and DELETE (Cloudflare, version 4)")],
        config: &[
            Setting::new("base_path", "the path of the API; /client/v4 unless set").schema(r#"{"type": "string", "pattern": "^(/[^/?#]+)*$"}"#),
            Setting::new("batch", "whether the API takes all changes of a call at once; true unless set").schema(r#"{"type": "boolean"}"#),
            Setting::new("min_ttl", "the shortest TTL in seconds that is written; 60 unless set")
                .schema(r#"{"type": "integer", "minimum": 0, "maximum": 2147483647}"#),
            Setting::new("max_ttl", "the longest TTL in seconds that is written; 86400 unless set")
                .schema(r#"{"type": "integer", "minimum": 0, "maximum": 2147483647}"#),
        ],
        ..Capabilities::NONE
    },
    failure_codes: zone::CODES,
    ..Manifest::EMPTY
};

/// The plugin.
#[derive(Debug)]
pub struct Plugin;

impl Dns for Plugin {
    fn apply(_: &Call, request: dns::Request) -> Result<dns::Outcome, Failure> {
        zone::apply(&mut Cloudflare::configured()?, &request)
    }

    fn observe(_: &Call, request: dns::Request) -> Result<dns::Observed, Failure> {
        zone::observe(&mut Cloudflare::configured()?, &request)
    }

    fn undo(_: &Call, receipt: dns::Receipt) -> Result<dns::Outcome, Failure> {
        zone::undo(&mut Cloudflare::configured()?, &receipt)
    }
}

jackfield_plugin_sdk::export!(Plugin: dns; MANIFEST);
