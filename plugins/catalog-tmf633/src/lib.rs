//! The `catalog` contract over a TMF620 product catalogue and a TMF633 service catalogue.
//!
//! Both are read from the logical endpoint `catalog`:
//!
//! * `/tmf-api/productCatalogManagement/v4/productOffering/{id}`: `bundledProductOffering`, `productSpecification`,
//!   `prodSpecCharValueUse`, `productOfferingPrice` (its first id is the billing plan)
//! * `/tmf-api/productCatalogManagement/v4/productSpecification/{id}`: `serviceSpecification`
//! * `/tmf-api/serviceCatalogManagement/v4/serviceSpecification/{id}`: `resourceSpecification` (its name is the resource
//!   type), `specCharacteristic`, and for a bundle (`isBundle`) `serviceSpecRelationship`
//!
//! Bundles are followed at every level. A bundle that contains itself is refused, and so is an offering that comes to
//! nothing: it could be neither delivered nor billed.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod documents;
#[cfg(test)]
mod tests;
mod walk;

use jackfield_plugin_sdk::{Call, Capabilities, Catalog, Contract, Endpoint, Failure, Manifest, Telemetry, catalog, telemetry};

const MANIFEST: Manifest = Manifest {
    name: "catalog-tmf633",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract::pure("catalog")],
    capabilities: Capabilities { http: &[Endpoint::new("catalog", "reads offerings and specifications (TMF633)")], ..Capabilities::NONE },
    failure_codes: &[
        codes::UNKNOWN_OFFERING,
        codes::NOT_SELLABLE,
        codes::CATALOG_CYCLE,
        codes::EMPTY_DECOMPOSITION,
        codes::CATALOG_LIMIT,
        codes::BAD_CATALOG,
    ],
    telemetry: Telemetry { attributes: &["catalog_tmf633.services"], ..Telemetry::NONE },
};

mod codes {
    /// The catalogue has no offering with that id.
    pub(crate) const UNKNOWN_OFFERING: &str = "unknown_offering";
    /// The offering may not be ordered (any more).
    pub(crate) const NOT_SELLABLE: &str = "not_sellable";
    /// A bundle contains itself.
    pub(crate) const CATALOG_CYCLE: &str = "catalog_cycle";
    /// The offering comes to no service at all.
    pub(crate) const EMPTY_DECOMPOSITION: &str = "empty_decomposition";
    /// The offering is too deep or too large.
    pub(crate) const CATALOG_LIMIT: &str = "catalog_limit";
    /// A document of the catalogue contradicts itself or refers to one that does not exist.
    pub(crate) const BAD_CATALOG: &str = "bad_catalog";
}

/// The plugin.
#[derive(Debug)]
pub struct Tmf633;

impl Catalog for Tmf633 {
    fn apply(_: &Call, request: catalog::Request) -> Result<catalog::Decomposition, Failure> {
        let decomposition = walk::decompose(&request)?;
        let names = decomposition.services.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
        telemetry::annotate([("catalog_tmf633.services", names.into())]);
        Ok(decomposition)
    }
}

jackfield_plugin_sdk::export!(Tmf633: catalog; MANIFEST);
