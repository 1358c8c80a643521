//! The `catalog` contract: what an offering consists of, from a setting that the operator writes.
//!
//! The setting `offerings` is JSON: `{"fiber-100": {"plan": "fiber-100-monthly", "services": [{"name": "broadband-access", "resource_type": "port"}]}}`.

use std::collections::BTreeMap;

use jackfield_plugin_sdk::{Call, Capabilities, Catalog, Contract, Failure, Manifest, ServiceSpec, Setting, catalog, config};
use serde::Deserialize;

const MANIFEST: Manifest = Manifest {
    name: "plugin-name",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "",
    contracts: &[Contract::pure("catalog")],
    capabilities: Capabilities {
        config: &[Setting::new("offerings", "which services each offering consists of").schema(r#"{"type": "object"}"#).required()],
        ..Capabilities::NONE
    },
    failure_codes: &[UNKNOWN_OFFERING, EMPTY_OFFERING, BAD_CONFIG],
    ..Manifest::EMPTY
};

/// There is no such offering.
const UNKNOWN_OFFERING: &str = "unknown_offering";
/// The offering consists of nothing.
const EMPTY_OFFERING: &str = "empty_offering";
/// The setting `offerings` is missing or not as described.
const BAD_CONFIG: &str = "bad_config";

/// The plugin.
#[derive(Debug)]
pub struct Plugin;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Offering {
    plan: Option<String>,
    services: Vec<Service>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    name: String,
    resource_type: String,
}

impl Catalog for Plugin {
    fn apply(_: &Call, request: catalog::Request) -> Result<catalog::Decomposition, Failure> {
        let mut offerings: BTreeMap<String, Offering> = config::json("offerings", BAD_CONFIG)?;
        let Some(offering) = offerings.remove(&request.offering) else {
            return Err(Failure::rejected(UNKNOWN_OFFERING, format!("there is no offering {}", request.offering)));
        };
        if offering.services.is_empty() {
            return Err(Failure::rejected(EMPTY_OFFERING, format!("the offering {} consists of nothing", request.offering)));
        }
        // What the customer chose is handed on to every service.
        let spec = |service: Service| ServiceSpec {
            name: service.name,
            resource_type: service.resource_type,
            characteristics: request.characteristics.clone(),
        };
        Ok(catalog::Decomposition { services: offering.services.into_iter().map(spec).collect(), plan: offering.plan })
    }
}

jackfield_plugin_sdk::export!(Plugin: catalog; MANIFEST);

#[cfg(test)]
mod tests {
    use jackfield_plugin_sdk::{
        Characteristic,
        testing::{self, Config},
    };

    use super::*;

    fn decompose(offering: &str) -> Result<catalog::Decomposition, Failure> {
        let offerings = r#"{"fiber": {"plan": "monthly", "services": [{"name": "access", "resource_type": "port"}]}, "air": {"services": []}}"#;
        Config::set("offerings", offerings);
        let characteristics = vec![Characteristic::new("bandwidth", "100")];
        let request = catalog::Request { offering: offering.into(), action: catalog::Action::Add, quantity: 1, characteristics };
        Plugin::apply(&testing::call("key"), request)
    }

    #[test]
    fn an_offering_is_decomposed_with_what_the_customer_chose() {
        let services = vec![ServiceSpec {
            name: "access".into(),
            resource_type: "port".into(),
            characteristics: vec![Characteristic::new("bandwidth", "100")],
        }];
        assert_eq!(decompose("fiber"), Ok(catalog::Decomposition { services, plan: Some("monthly".into()) }));
    }

    #[test]
    fn an_unknown_and_an_empty_offering_are_rejected() {
        assert_eq!(decompose("copper"), Err(Failure::rejected("unknown_offering", "there is no offering copper")));
        assert_eq!(decompose("air"), Err(Failure::rejected("empty_offering", "the offering air consists of nothing")));
    }
}
