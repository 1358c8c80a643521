//! The settings of the plugin, with their defaults.
//!
//! * `filters`: JSON text that maps a resource type to the attributes by which the inventory knows it, for example
//!   `{"port": {"resourceSpecification.id": "rs-gpon-port", "category": "access"}}`. A type that it does not name is sought by
//!   `resourceSpecification.name`.
//! * `place_attribute`: the attribute that must be the order's place of installation, for example `place.name`. Without it the place does not matter.
//! * `containment`: the `relationshipType` that leads to the network element, default `containedIn`.
//! * `element`: the network element of resources without such a relationship.

use std::collections::BTreeMap;

use jackfield_plugin_sdk::{Failure, config, inventory};

use crate::BAD_CONFIG;

/// Attributes, dotted below the first level, and what they must be.
pub(crate) type Filters = BTreeMap<String, String>;

/// The settings.
pub(crate) struct Settings {
    filters: BTreeMap<String, Filters>,
    place_attribute: Option<String>,
    /// The type of the relationship to the network element.
    pub(crate) containment: String,
    /// The network element of resources that name none.
    pub(crate) element: Option<String>,
}

impl Settings {
    /// Reads them.
    pub(crate) fn read() -> Result<Self, Failure> {
        let filters = if config::get("filters").is_some() { config::json("filters", BAD_CONFIG)? } else { BTreeMap::new() };
        Ok(Self {
            filters,
            place_attribute: config::get("place_attribute"),
            containment: config::get("containment").unwrap_or_else(|| "containedIn".into()),
            element: config::get("element"),
        })
    }

    /// What a resource for the request must be.
    pub(crate) fn filters(&self, request: &inventory::Request) -> Filters {
        let wanted = &request.service.resource_type;
        let by_name = || [("resourceSpecification.name".to_owned(), wanted.clone())].into();
        let mut filters = self.filters.get(wanted).cloned().unwrap_or_else(by_name);
        if let (Some(attribute), Some(place)) = (&self.place_attribute, &request.location) {
            filters.insert(attribute.clone(), place.clone());
        }
        filters
    }
}
