//! The contracts this host speaks, read from the WIT text that is compiled in.

use std::collections::BTreeMap;

use semver::Version;
use wit_parser::{PackageId, Resolve, SourceMap, UnresolvedPackageGroup};

use crate::shape::{FunctionShape, UnsupportedType, shape_of_wit};

/// The shared types that every contract uses.
const STEP: &[(&str, &str)] = &[("step/types.wit", include_str!("../../../../wit/step/types.wit"))];

/// The contracts of a product order, present version.
const ORDER: &[(&str, &str)] = &[
    ("order/types.wit", include_str!("../../../../wit/order/types.wit")),
    ("order/catalog.wit", include_str!("../../../../wit/order/catalog.wit")),
    ("order/inventory.wit", include_str!("../../../../wit/order/inventory.wit")),
    ("order/provisioning.wit", include_str!("../../../../wit/order/provisioning.wit")),
    ("order/activation.wit", include_str!("../../../../wit/order/activation.wit")),
    ("order/billing.wit", include_str!("../../../../wit/order/billing.wit")),
];

/// The contracts of device provisioning.
const CPE: &[(&str, &str)] = &[
    ("cpe/types.wit", include_str!("../../../../wit/cpe/types.wit")),
    ("cpe/inventory.wit", include_str!("../../../../wit/cpe/inventory.wit")),
    ("cpe/profile.wit", include_str!("../../../../wit/cpe/profile.wit")),
    ("cpe/configuration.wit", include_str!("../../../../wit/cpe/configuration.wit")),
];

/// The contracts of setting up a tenant.
const TENANT: &[(&str, &str)] = &[
    ("tenant/types.wit", include_str!("../../../../wit/tenant/types.wit")),
    ("tenant/storage.wit", include_str!("../../../../wit/tenant/storage.wit")),
    ("tenant/dns.wit", include_str!("../../../../wit/tenant/dns.wit")),
    ("tenant/certificate-order.wit", include_str!("../../../../wit/tenant/certificate-order.wit")),
    ("tenant/certificate.wit", include_str!("../../../../wit/tenant/certificate.wit")),
    ("tenant/seed.wit", include_str!("../../../../wit/tenant/seed.wit")),
    ("tenant/integration.wit", include_str!("../../../../wit/tenant/integration.wit")),
    ("tenant/mail.wit", include_str!("../../../../wit/tenant/mail.wit")),
];

/// The contracts of a product order as they were published first.
const ORDER_1_0: &[(&str, &str)] = &[
    ("order-1.0/types.wit", include_str!("../../../../wit/order-1.0/types.wit")),
    ("order-1.0/catalog.wit", include_str!("../../../../wit/order-1.0/catalog.wit")),
    ("order-1.0/inventory.wit", include_str!("../../../../wit/order-1.0/inventory.wit")),
    ("order-1.0/provisioning.wit", include_str!("../../../../wit/order-1.0/provisioning.wit")),
    ("order-1.0/activation.wit", include_str!("../../../../wit/order-1.0/activation.wit")),
    ("order-1.0/billing.wit", include_str!("../../../../wit/order-1.0/billing.wit")),
];

/// The interfaces that contract packages declare for their types only: nobody exports them.
const TYPES: &str = "types";

/// Contracts by interface and version.
#[derive(Debug, Clone)]
pub struct Contracts {
    resolve: Resolve,
    by_interface: BTreeMap<String, Vec<Contract>>,
}

/// One version of a contract as the host speaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The exact version.
    pub version: Version,
    /// The functions by name.
    pub functions: BTreeMap<String, FunctionShape>,
}

/// WIT text that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContractsError {
    /// The text is not WIT or refers to what it does not contain.
    #[error("the wit cannot be read: {0}")]
    Wit(String),
    /// The package has no version.
    #[error("package `{0}` has no version: expected one such as `@1.0.0`")]
    Unversioned(String),
    /// A type has no JSON form.
    #[error("{interface}.{function}: {problem}")]
    Unsupported {
        /// The interface.
        interface: String,
        /// The function.
        function: String,
        /// The type.
        problem: UnsupportedType,
    },
}

impl Contracts {
    /// The contracts that this release ships: `jackfield:order`, `jackfield:cpe` and `jackfield:tenant`.
    pub fn builtin() -> Self {
        let mut contracts = Self { resolve: Resolve::default(), by_interface: BTreeMap::new() };
        contracts.push(STEP).expect("a test parses the compiled-in step types");
        contracts.add(ORDER).expect("a test parses the compiled-in contracts");
        contracts.add(CPE).expect("a test parses the compiled-in contracts");
        contracts.add(TENANT).expect("a test parses the compiled-in contracts");
        contracts
    }

    /// The same with every version of them that was published, for comparisons. A host speaks the newest one.
    pub fn with_published(mut self) -> Self {
        self.add(ORDER_1_0).expect("a test parses the compiled-in contracts");
        self
    }

    /// Adds the contracts of one WIT package, given as (name for messages, text). It may use `jackfield:step` and packages added before.
    pub fn add(&mut self, files: &[(&str, &str)]) -> Result<(), ContractsError> {
        let package = self.push(files)?;
        let interfaces: Vec<_> = self.resolve.packages[package].interfaces.iter().map(|(name, id)| (name.clone(), *id)).collect();
        let name = self.resolve.packages[package].name.clone();
        let version = name.version.clone().ok_or_else(|| ContractsError::Unversioned(format!("{}:{}", name.namespace, name.name)))?;
        for (interface, id) in interfaces.into_iter().filter(|(interface, _)| interface != TYPES) {
            let full = format!("{}:{}/{interface}", name.namespace, name.name);
            let functions = self.functions(&full, id)?;
            let versions = self.by_interface.entry(full).or_default();
            versions.retain(|contract| contract.version != version);
            versions.push(Contract { version: version.clone(), functions });
            versions.sort_by(|a, b| a.version.cmp(&b.version));
        }
        Ok(())
    }

    /// The newest version of an interface on a major track.
    pub fn newest(&self, interface: &str, major: u64) -> Option<&Contract> {
        self.by_interface.get(interface)?.iter().rev().find(|contract| contract.version.major == major)
    }

    /// That version of an interface.
    pub fn exact(&self, interface: &str, version: &Version) -> Option<&Contract> {
        self.by_interface.get(interface)?.iter().find(|contract| contract.version == *version)
    }

    /// Every version of an interface that is known, for messages.
    pub fn versions(&self, interface: &str) -> Vec<String> {
        self.by_interface.get(interface).into_iter().flatten().map(|contract| format!("{interface}@{}", contract.version)).collect()
    }

    /// Whether any version of the interface is known.
    pub fn knows(&self, interface: &str) -> bool {
        self.by_interface.contains_key(interface)
    }

    /// The interfaces with the newest version of each, for messages.
    pub fn names(&self) -> Vec<String> {
        let newest = |(name, versions): (&String, &Vec<Contract>)| versions.last().map(|contract| format!("{name}@{}", contract.version));
        self.by_interface.iter().filter_map(newest).collect()
    }

    fn push(&mut self, files: &[(&str, &str)]) -> Result<PackageId, ContractsError> {
        push_package(&mut self.resolve, files)
    }

    fn functions(&self, interface: &str, id: wit_parser::InterfaceId) -> Result<BTreeMap<String, FunctionShape>, ContractsError> {
        functions_of(&self.resolve, interface, id)
    }
}

/// Reads one package into a resolve.
pub(crate) fn push_package(resolve: &mut Resolve, files: &[(&str, &str)]) -> Result<PackageId, ContractsError> {
    let mut map = SourceMap::default();
    for (name, text) in files {
        map.push_str(name, *text);
    }
    let group: UnresolvedPackageGroup = map.parse().map_err(|(map, error)| ContractsError::Wit(error.render(&map)))?;
    resolve.push_group(group).map_err(|error| ContractsError::Wit(error.to_string()))
}

/// The shapes of all functions of an interface.
pub(crate) fn functions_of(
    resolve: &Resolve,
    interface: &str,
    id: wit_parser::InterfaceId,
) -> Result<BTreeMap<String, FunctionShape>, ContractsError> {
    let shape = |(name, function): (&String, &wit_parser::Function)| match shape_of_wit(resolve, function) {
        Ok(shape) => Ok((name.clone(), shape)),
        Err(problem) => Err(ContractsError::Unsupported { interface: interface.to_owned(), function: name.clone(), problem }),
    };
    resolve.interfaces[id].functions.iter().map(shape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_in_contracts_parse() {
        let contracts = Contracts::builtin();
        let cpe = ["configuration", "inventory", "profile"].map(|name| format!("jackfield:cpe/{name}@1.0.0"));
        let order = ["activation", "billing", "catalog", "inventory", "provisioning"].map(|name| format!("jackfield:order/{name}@1.1.0"));
        let tenant = ["certificate", "certificate-order", "dns", "integration", "mail", "seed", "storage"];
        let tenant = tenant.map(|name| format!("jackfield:tenant/{name}@1.0.0"));
        assert_eq!(contracts.names(), [&cpe[..], &order[..], &tenant[..]].concat());
        let inventory = contracts.newest("jackfield:order/inventory", 1).unwrap();
        assert_eq!(inventory.functions.keys().collect::<Vec<_>>(), ["apply", "observe", "resume", "undo"]);
        assert!(contracts.newest("jackfield:order/inventory", 2).is_none());
    }

    #[test]
    fn what_was_published_is_there_for_comparisons_only() {
        let contracts = Contracts::builtin().with_published();
        assert_eq!(contracts.newest("jackfield:order/billing", 1).unwrap().version, Version::new(1, 1, 0));
        assert!(contracts.exact("jackfield:order/billing", &Version::new(1, 0, 0)).is_some());
        assert_eq!(contracts.versions("jackfield:order/billing"), ["jackfield:order/billing@1.0.0", "jackfield:order/billing@1.1.0"]);
        assert!(contracts.exact("jackfield:order/billing", &Version::new(1, 2, 0)).is_none());
    }

    #[test]
    fn a_package_of_a_pack_may_use_the_shared_types() {
        let mut contracts = Contracts::builtin();
        let wit = "package acme:tv@2.3.0;\ninterface tuner {\n  use jackfield:step/types@1.0.0.{call};\n  apply: func(call: call) -> u8;\n}";
        contracts.add(&[("tv.wit", wit)]).unwrap();
        assert_eq!(contracts.newest("acme:tv/tuner", 2).unwrap().version, Version::new(2, 3, 0));
    }

    #[test]
    fn wit_with_a_resource_is_refused_with_the_function() {
        let wit = "package acme:tv@1.0.0;\ninterface tuner {\n  resource handle;\n  apply: func(call: handle);\n}";
        let error = Contracts::builtin().add(&[("tv.wit", wit)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "acme:tv/tuner.apply: `resource` cannot cross between host and plugin: use records, variants, lists and strings"
        );
    }
}
