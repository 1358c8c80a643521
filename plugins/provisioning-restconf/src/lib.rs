//! The `provisioning` contract over RESTCONF (RFC 8040).
//!
//! One list entry per resource at the logical endpoint `element`, a controller or a network element:
//! `/restconf/data/jackfield-service:services/service={resource id}` (the YANG module is in `jackfield-service.yang`
//! beside this file). The entry names the idempotency key that wrote it, so ours and foreign can be told apart:
//!
//! * `apply` writes only where nothing is or where the entry is ours, and reads back what it wrote;
//! * `observe` compares;
//! * `undo` deletes the entry if it is still ours.
//!
//! A receipt's `configuration` is the path of the entry, `#`, and the key that wrote it.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod entry;
mod restconf;
#[cfg(test)]
mod tests;

use entry::Entry;
use jackfield_plugin_sdk::{
    Call, Capabilities, Contract, Endpoint, Failure, Manifest, Observed, Outcome, Provisioning, Telemetry, Verb, http, provisioning,
    telemetry::{self, Level},
};
use restconf::Written;

const MANIFEST: Manifest = Manifest {
    name: "provisioning-restconf",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract { name: "provisioning", verbs: &[Verb::Apply, Verb::Observe, Verb::Undo], idempotent: true }],
    capabilities: Capabilities {
        http: &[Endpoint::new("element", "writes the configuration of services, reads it back and removes it (RESTCONF)")],
        ..Capabilities::NONE
    },
    failure_codes: &[CONFIG_REFUSED, FOREIGN_CONFIGURATION, READBACK_MISMATCH, BAD_RECEIPT],
    telemetry: Telemetry { attributes: &["restconf.path"], ..Telemetry::NONE },
};

/// Failure code: the element refused the configuration.
const CONFIG_REFUSED: &str = "config_refused";
/// Failure code: the resource is configured already, by somebody else.
const FOREIGN_CONFIGURATION: &str = "foreign_configuration";
/// Failure code: what was read back is not what was written.
const READBACK_MISMATCH: &str = "readback_mismatch";
/// Failure code: a receipt that this plugin did not write.
const BAD_RECEIPT: &str = "bad_receipt";

/// The plugin.
#[derive(Debug)]
pub struct Restconf;

impl Provisioning for Restconf {
    fn apply(call: &Call, request: provisioning::Request) -> Result<provisioning::Outcome, Failure> {
        let path = path(&request.resource.id);
        let wanted = Entry::new(call, &request);
        let before = restconf::read(&path)?;
        match &before {
            Some(found) if found.entry == wanted => return Ok(Outcome::Done(receipt(&path, &wanted))),
            Some(found) if found.entry.owner != wanted.owner => return Err(foreign(&path, &found.entry)),
            Some(_) | None => {}
        }
        if restconf::write(&path, &wanted, before.as_ref())? == Written::Overtaken {
            let message = format!("{path} was written by somebody else meanwhile");
            return Err(Failure::rejected(FOREIGN_CONFIGURATION, message));
        }
        let back = restconf::read(&path)?;
        if back.is_none_or(|found| found.entry != wanted) {
            let message = format!("{path} does not read back as it was written");
            return Err(Failure::unknown_outcome(READBACK_MISMATCH, message));
        }
        telemetry::annotate([("restconf.path", path.as_str().into())]);
        Ok(Outcome::Done(receipt(&path, &wanted)))
    }

    fn observe(call: &Call, request: provisioning::Request) -> Result<provisioning::Observed, Failure> {
        let path = path(&request.resource.id);
        let wanted = Entry::new(call, &request);
        Ok(match restconf::read(&path)? {
            None => Observed::Absent,
            Some(found) if found.entry == wanted => Observed::Ours(receipt(&path, &wanted)),
            Some(found) if found.entry.owner == wanted.owner => Observed::Drifted(receipt(&path, &wanted)),
            Some(found) => Observed::Foreign(format!("order {:?} (owner {:?})", found.entry.order, found.entry.owner)),
        })
    }

    fn undo(_: &Call, receipt: provisioning::Receipt) -> Result<provisioning::Outcome, Failure> {
        let Some((path, owner)) = receipt.configuration.rsplit_once('#') else {
            let message = format!("the configuration {:?} names no owner", receipt.configuration);
            return Err(Failure::rejected(BAD_RECEIPT, message));
        };
        match restconf::read(path)? {
            Some(found) if found.entry.owner == owner => restconf::delete(path, found.tag.as_deref())?,
            Some(found) => {
                let message = format!("{path} belongs to order {:?} now and is left alone", found.entry.order);
                telemetry::log(Level::Warn, &message, []);
            }
            None => {}
        }
        Ok(Outcome::Undone)
    }
}

fn path(resource: &str) -> String {
    format!("/restconf/data/jackfield-service:services/service={}", http::encode(resource))
}

fn receipt(path: &str, entry: &Entry) -> provisioning::Receipt {
    provisioning::Receipt {
        configuration: format!("{path}#{}", entry.owner),
        network_element: entry.network_element.clone(),
        result: "configured".into(),
    }
}

fn foreign(path: &str, found: &Entry) -> Failure {
    Failure::rejected(FOREIGN_CONFIGURATION, format!("{path} belongs to order {:?}", found.order))
}

jackfield_plugin_sdk::export!(Restconf: provisioning; MANIFEST);
