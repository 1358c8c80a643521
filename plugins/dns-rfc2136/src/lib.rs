//! The `dns` contract over dynamic updates (RFC 2136) with TSIG (RFC 8945, `hmac-sha256`), one TCP connection a call.
//!
//! The host makes every MAC with the secret `tsig`: the key is not in the plugin. Every answer is verified the same way.
//!
//! * It reads with queries. A wildcard answers for names that do not exist, so whatever is found is asked for again with an update that has one
//!   prerequisite, that the name is not in use, and nothing to change.
//! * All changes of a call are one update, which the server makes as a whole or not at all. Its prerequisites are what was seen: where another wrote
//!   meanwhile the server refuses, and the call is `unavailable` with `changed_meanwhile`.
//!
//! Settings: `server` (address and port of the primary server, which the operator must also grant), `key` (the name of the TSIG key), `min_ttl` and
//! `max_ttl` (TTLs outside are moved to the nearest; default 0 and 2147483647).
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod connection;
mod records;
mod server;
#[cfg(test)]
mod tests;
mod tsig;
mod update;

use jackfield_plugin_sdk::{Call, Capabilities, Contract, Dns, Failure, Manifest, Secret, Setting, Verb, dns, http, zone};
use server::Server;

const MANIFEST: Manifest = Manifest {
    name: "dns-rfc2136",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract { name: "dns", verbs: &[Verb::Apply, Verb::Observe, Verb::Undo], idempotent: true }],
    capabilities: Capabilities {
        tcp: Some("asks the primary server of the zone for records of tenants and sends it updates"),
        secrets: &[Secret::new("tsig", "is the TSIG key with which the host signs what is sent to the server")],
        config: &[
            Setting::new("server", "the address and the port of the primary server, such as 192.0.2.53:53")
                .schema(r#"{"type": "string", "minLength": 1}"#)
                .required(),
            Setting::new("key", "the name of the TSIG key").schema(r#"{"type": "string", "minLength": 1, "maxLength": 253}"#).required(),
            Setting::new("min_ttl", "the shortest TTL in seconds that is written; 0 unless set")
                .schema(r#"{"type": "integer", "minimum": 0, "maximum": 2147483647}"#),
            Setting::new("max_ttl", "the longest TTL in seconds that is written; 2147483647 unless set")
                .schema(r#"{"type": "integer", "minimum": 0, "maximum": 2147483647}"#),
        ],
        ..Capabilities::NONE
    },
    failure_codes: &[
        zone::BAD_REQUEST,
        zone::BAD_CONFIG,
        zone::FOREIGN_RECORD,
        zone::UNKNOWN_ZONE,
        zone::NOT_AUTHORISED,
        zone::DNS_FAILED,
        zone::CHANGED_MEANWHILE,
        zone::NOT_AS_WRITTEN,
        http::UNREACHABLE,
        http::NO_ANSWER,
        http::BAD_ANSWER,
    ],
    ..Manifest::EMPTY
};

/// The plugin.
#[derive(Debug)]
pub struct Plugin;

impl Dns for Plugin {
    fn apply(_: &Call, request: dns::Request) -> Result<dns::Outcome, Failure> {
        zone::apply(&mut Server::configured()?, &request)
    }

    fn observe(_: &Call, request: dns::Request) -> Result<dns::Observed, Failure> {
        zone::observe(&mut Server::configured()?, &request)
    }

    fn undo(_: &Call, receipt: dns::Receipt) -> Result<dns::Outcome, Failure> {
        zone::undo(&mut Server::configured()?, &receipt)
    }
}

jackfield_plugin_sdk::export!(Plugin: dns; MANIFEST);
