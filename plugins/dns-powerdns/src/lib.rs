//! The `dns` contract over the HTTP API of PowerDNS Authoritative Server, version 1 (4.6 and later).
//!
//! At the logical endpoint `dns`, below the path in the setting `base_path` (default `/api/v1`):
//!
//! | request | meaning |
//! |---|---|
//! | `GET /servers/{server}/zones/{zone}.?rrset_name={name}.` | the sets at a name; 404 where there is no such zone |
//! | `PATCH /servers/{server}/zones/{zone}.` | all changes of a call in one transaction; 204 |
//!
//! It reads first: where nothing differs nothing is written, and the serial of the zone stays. PowerDNS has no conditional change, so two that write one set
//! at the same time must be kept apart by the host. Who owns what is in TXT records, since not every back end of PowerDNS keeps comments. Records that are
//! disabled, and values of others, are written back as they were.
//!
//! The API key is the operator's: the rule of the endpoint adds the header `X-API-Key`.
//!
//! Settings: `server` (default `localhost`), `base_path`, `min_ttl` and `max_ttl` (TTLs outside are moved to the nearest; default 0 and 2147483647).
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod api;
#[cfg(test)]
mod tests;

use api::PowerDns;
use jackfield_plugin_sdk::{Call, Capabilities, Contract, Dns, Endpoint, Failure, Manifest, Setting, Verb, dns, zone};

const MANIFEST: Manifest = Manifest {
    name: "dns-powerdns",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract { name: "dns", verbs: &[Verb::Apply, Verb::Observe, Verb::Undo], idempotent: true }],
    capabilities: Capabilities {
        http: &[Endpoint::new("dns", "reads the records of tenants and changes them, with GET and PATCH (PowerDNS)")],
        config: &[
            Setting::new("server", "the id of the server in the API; localhost unless set").schema(r#"{"type": "string", "minLength": 1}"#),
            Setting::new("base_path", "the path of the API; /api/v1 unless set").schema(r#"{"type": "string", "pattern": "^(/[^/?#]+)*$"}"#),
            Setting::new("min_ttl", "the shortest TTL in seconds that is written; 0 unless set")
                .schema(r#"{"type": "integer", "minimum": 0, "maximum": 2147483647}"#),
            Setting::new("max_ttl", "the longest TTL in seconds that is written; 2147483647 unless set")
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
        zone::apply(&mut PowerDns::configured()?, &request)
    }

    fn observe(_: &Call, request: dns::Request) -> Result<dns::Observed, Failure> {
        zone::observe(&mut PowerDns::configured()?, &request)
    }

    fn undo(_: &Call, receipt: dns::Receipt) -> Result<dns::Outcome, Failure> {
        zone::undo(&mut PowerDns::configured()?, &receipt)
    }
}

jackfield_plugin_sdk::export!(Plugin: dns; MANIFEST);
