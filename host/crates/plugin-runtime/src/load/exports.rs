//! The gate for contracts: which version of each the component exports, and whether host and plugin can talk to each other.

use package::{DeclaredContract, Manifest, VerbName};
use pipeline::Verbs;
use semver::Version;
use wasmtime::{
    Engine,
    component::{
        Component,
        types::{ComponentInstance, ComponentItem},
    },
};

use crate::{
    call::Function,
    contracts::{Contract, Contracts},
    error::{ContractMismatch, LoadError},
    plugin::{Functions, PluginContract},
    shape::{Difference, Direction, FunctionShape, compare},
};

/// A contract of the manifest in one exported version, or not exported at all; and everything that was found out about it.
pub(super) struct Examined<'m> {
    pub(super) declared: &'m DeclaredContract,
    /// The exact name with which it is exported.
    pub(super) exported: Option<String>,
    /// The version it was compared with.
    pub(super) host: Option<Version>,
    /// Each function that the host would call, and whether it is exported.
    pub(super) verbs: Vec<(String, bool)>,
    /// The functions that can be called, or what is in the way.
    pub(super) functions: Result<Vec<(String, Function)>, LoadError>,
}

/// What can be called.
pub(super) struct Exports {
    pub(super) contracts: Vec<PluginContract>,
    pub(super) functions: Functions,
}

/// An exported interface with its version.
struct Exported {
    name: String,
    interface: String,
    version: Version,
    ty: ComponentInstance,
}

/// Finds for each contract of the manifest the highest version of each major track and compares it with the host's.
pub(super) fn check(engine: &Engine, component: &Component, manifest: &Manifest, known: &Contracts) -> Result<Exports, LoadError> {
    let mut found = Exports { contracts: Vec::new(), functions: Functions::new() };
    for Examined { declared, exported, functions, .. } in examine(engine, component, manifest, known, None) {
        let (functions, name) = (functions?, exported.unwrap_or_default());
        found.contracts.push(described(&name, declared));
        found.functions.push((name, functions));
    }
    Ok(found)
}

/// Looks at every contract of the manifest and stops at nothing. It is compared with that version of each contract, or with the newest on its track.
pub(super) fn examine<'m>(
    engine: &Engine,
    component: &Component,
    manifest: &'m Manifest,
    known: &Contracts,
    against: Option<&Version>,
) -> Vec<Examined<'m>> {
    let exported = enumerate(engine, component);
    let mut found = Vec::new();
    for declared in &manifest.contracts {
        let missing = |problem: LoadError| Examined { declared, exported: None, host: None, verbs: Vec::new(), functions: Err(problem) };
        if !known.knows(declared.interface()) {
            found.push(missing(LoadError::UnknownContract { contract: declared.contract.clone(), known: known.names().join(", ") }));
            continue;
        }
        match highest(&exported, declared) {
            Ok(exports) => found.extend(exports.into_iter().map(|export| one(engine, component, declared, export, known, against))),
            Err(problem) => found.push(missing(problem)),
        }
    }
    found
}

fn one<'m>(
    engine: &Engine,
    component: &Component,
    declared: &'m DeclaredContract,
    export: &Exported,
    known: &Contracts,
    against: Option<&Version>,
) -> Examined<'m> {
    let contract = match against {
        Some(version) => known.exact(&export.interface, version),
        None => known.newest(&export.interface, export.version.major),
    };
    let mut examined =
        Examined { declared, exported: Some(export.name.clone()), host: None, verbs: Vec::new(), functions: Err(unknown(export, known, against)) };
    if let Some(contract) = contract {
        let has = |name: &str| matches!(export.ty.get_export(engine, name).map(|item| item.ty), Some(ComponentItem::ComponentFunc(_)));
        examined.host = Some(contract.version.clone());
        examined.verbs = contract.functions.keys().map(|name| (name.clone(), has(name))).collect();
        examined.functions = functions(engine, component, export, contract);
    }
    examined
}

fn unknown(export: &Exported, known: &Contracts, against: Option<&Version>) -> LoadError {
    match against {
        Some(version) => {
            LoadError::UnknownContract { contract: format!("{}@{version}", export.interface), known: known.versions(&export.interface).join(", ") }
        }
        None => LoadError::UnknownContract { contract: export.name.clone(), known: known.names().join(", ") },
    }
}

fn enumerate(engine: &Engine, component: &Component) -> Vec<Exported> {
    let ty = component.component_type();
    let exported = ty.exports(engine).filter_map(|(name, item)| {
        let ComponentItem::ComponentInstance(ty) = item.ty else { return None };
        let (interface, version) = name.split_once('@')?;
        Some(Exported { name: name.to_owned(), interface: interface.to_owned(), version: Version::parse(version).ok()?, ty })
    });
    exported.collect()
}

/// The highest version of each major track that the declaration means.
fn highest<'e>(exported: &'e [Exported], declared: &DeclaredContract) -> Result<Vec<&'e Exported>, LoadError> {
    let mut best: Vec<&Exported> = Vec::new();
    let meant = |export: &&Exported| export.interface == declared.interface() && declared.major().is_none_or(|major| major == export.version.major);
    for export in exported.iter().filter(meant) {
        match best.iter_mut().find(|other| other.version.major == export.version.major) {
            Some(other) if other.version < export.version => *other = export,
            Some(_) => {}
            None => best.push(export),
        }
    }
    if best.is_empty() {
        let exports = exported.iter().map(|export| export.name.as_str()).collect::<Vec<_>>().join(", ");
        let exports = if exports.is_empty() { "none".to_owned() } else { exports };
        return Err(LoadError::NotExported { contract: declared.contract.clone(), exports });
    }
    Ok(best)
}

fn described(exact: &str, declared: &DeclaredContract) -> PluginContract {
    let has = |verb| declared.has(verb);
    let track = exact.split_once('.').map_or(exact, |(track, _)| track);
    PluginContract {
        track: track.parse().expect("an exported interface of a known contract is a track"),
        exact: exact.to_owned(),
        verbs: Verbs { observe: has(VerbName::Observe), resume: has(VerbName::Resume), undo: has(VerbName::Undo) },
        idempotent: declared.idempotent,
    }
}

fn functions(engine: &Engine, component: &Component, export: &Exported, contract: &Contract) -> Result<Vec<(String, Function)>, LoadError> {
    let mut differences = Vec::new();
    let mut functions = Vec::new();
    let instance = component.get_export_index(None, &export.name);
    for (name, host) in &contract.functions {
        let plugin = export.ty.get_export(engine, name);
        let Some(ComponentItem::ComponentFunc(ty)) = plugin.map(|item| item.ty) else {
            let problem = "the function is missing".to_owned();
            differences.push(Difference { path: name.clone(), problem, host: Some(host.to_string()), plugin: None });
            continue;
        };
        let plugin = match FunctionShape::of_component_func(&ty) {
            Ok(plugin) => plugin,
            Err(unsupported) => {
                let problem = unsupported.to_string();
                differences.push(Difference { path: name.clone(), problem, host: Some(host.to_string()), plugin: None });
                continue;
            }
        };
        let before = differences.len();
        differences.extend(compare_functions(name, host, &plugin));
        let index = component.get_export_index(instance.as_ref(), name);
        match (differences.len() == before, index.and_then(|index| Function::new(name, index, plugin.clone()))) {
            (false, _) => {}
            (true, Some(function)) => functions.push((name.clone(), function)),
            (true, None) => {
                let problem = "this is not a function of a step contract".to_owned();
                differences.push(Difference { path: name.clone(), problem, host: Some(host.to_string()), plugin: Some(plugin.to_string()) });
            }
        }
    }
    if differences.is_empty() {
        return Ok(functions);
    }
    Err(LoadError::Contract(Box::new(ContractMismatch { contract: export.name.clone(), host: contract.version.to_string(), differences })))
}

fn compare_functions(name: &str, host: &FunctionShape, plugin: &FunctionShape) -> Vec<Difference> {
    let whole = |problem: &str| Difference {
        path: name.to_owned(),
        problem: problem.to_owned(),
        host: Some(host.to_string()),
        plugin: Some(plugin.to_string()),
    };
    if host.params.len() != plugin.params.len() {
        return vec![whole("the number of parameters changed")];
    }
    let mut found = Vec::new();
    for (index, (host, plugin)) in host.params.iter().zip(&plugin.params).enumerate() {
        // A receipt goes back to the plugin that made it, so what `undo` is given is the plugin's own, extra fields included.
        let own = name == "undo" && index == 1;
        let direction = if own { Direction::ToHost } else { Direction::ToPlugin };
        found.extend(compare(&format!("{name}.{}", host.name), &host.shape, &plugin.shape, direction));
    }
    match (&host.result, &plugin.result) {
        (None, None) => {}
        (Some(host), Some(plugin)) => found.extend(compare(&format!("{name}.result"), host, plugin, Direction::ToHost)),
        (None, Some(_)) | (Some(_), None) => found.push(whole("the result changed")),
    }
    found
}
