//! The readable verdict: everything that speaks for and against a component, without a grant and without stopping at the first problem.

mod text;

use package::{Ask, Manifest, Package, PackageError, VerbName, Version};
use pipeline::Digest;
use serde::Serialize;

use super::{
    exports::{self, Examined},
    imports,
};
use crate::{
    error::LoadError,
    runtime::{Runtime, Shared},
    shape::Difference,
};

/// Everything that can be said about a component before it is granted anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether a host that grants what is asked takes it: there is no problem below.
    pub good: bool,
    /// The version of the contracts that it was compared with, if it is not this host's.
    pub against: Option<String>,
    /// What the plugin says about itself.
    pub manifest: Manifest,
    /// The sha256 of the file.
    pub digest: Digest,
    /// The size in bytes.
    pub size: usize,
    /// Each contract of the manifest, in each version that counts.
    pub contracts: Vec<ContractVerdict>,
    /// Everything it imports.
    pub imports: Vec<ImportVerdict>,
    /// What it asks for, each with the line of configuration that grants it.
    pub asks: Vec<Ask>,
    /// What else is in the way.
    pub problems: Vec<String>,
}

/// One contract of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContractVerdict {
    /// As the manifest names it.
    pub contract: String,
    /// The exact version that is exported, the highest of its track; `None`: it is not exported, or not known here.
    pub exported: Option<String>,
    /// The version it was compared with; `None`: there is none to compare with.
    pub host: Option<String>,
    /// The functions of the host's version.
    pub verbs: Vec<VerbVerdict>,
    /// Whether a repeated `apply` is safe, by the manifest.
    pub idempotent: bool,
    /// Why it cannot be compared or called, where it is not for one of the differences.
    pub problem: Option<String>,
    /// Where the types do not go together.
    pub differences: Vec<Difference>,
}

/// One function of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerbVerdict {
    /// Its name.
    pub verb: String,
    /// Whether the component exports it. A contract needs all of its functions.
    pub exported: bool,
    /// Whether it works, by the manifest.
    pub works: bool,
}

/// One import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportVerdict {
    /// Its name.
    pub import: String,
    /// Why it is refused, if it is.
    pub problem: Option<String>,
}

impl Runtime {
    /// Judges a component: as a host with that version of the contracts would, or as this one.
    ///
    /// # Errors
    ///
    /// Only where there is nothing to judge: the file cannot be read as a plugin, or does not compile.
    pub async fn verdict(&self, bytes: Vec<u8>, against: Option<&Version>) -> Result<Verdict, LoadError> {
        let against = against.cloned();
        self.compiling(move |shared| judge(shared, &bytes, against.as_ref())).await
    }
}

fn judge(shared: &Shared, bytes: &[u8], against: Option<&Version>) -> Result<Verdict, LoadError> {
    let Package { manifest, digest, size, .. } = Package::read(bytes, shared.options.max_component_bytes)?;
    let component = super::component(shared, bytes, &digest)?;
    let known = against.map(|_| shared.contracts.clone().with_published());
    let examined = exports::examine(&shared.engine, &component, &manifest, known.as_ref().unwrap_or(&shared.contracts), against);
    let contracts: Vec<ContractVerdict> = examined.into_iter().map(contract).collect();
    let imports: Vec<ImportVerdict> = imports::examine(&shared.engine, &component, &manifest, &shared.offered)
        .into_iter()
        .map(|(import, judged)| imported(import, judged))
        .collect();
    let mut problems = Vec::new();
    problems.extend(manifest.check_schemas().err().map(|error| PackageError::from(error).to_string()));
    let allowed = imports.iter().all(|import| import.problem.is_none());
    // An import that is refused is not linked either, and has been named.
    if let Some(error) = shared.linker.instantiate_pre(&component).err().filter(|_| allowed) {
        problems.push(LoadError::Link(format!("{error:#}")).to_string());
    }
    let good = allowed && problems.is_empty() && contracts.iter().all(ContractVerdict::is_good);
    let against = against.map(Version::to_string);
    Ok(Verdict { good, against, asks: manifest.asks(), manifest, digest, size, contracts, imports, problems })
}

impl ContractVerdict {
    /// Whether it can be called.
    pub fn is_good(&self) -> bool {
        self.problem.is_none() && self.differences.is_empty()
    }
}

fn contract(examined: Examined<'_>) -> ContractVerdict {
    let Examined { declared, exported, host, verbs, functions } = examined;
    let works = |name: &str| {
        [VerbName::Apply, VerbName::Resume, VerbName::Observe, VerbName::Undo].iter().any(|verb| verb.function() == name && declared.has(*verb))
    };
    let (problem, differences) = match functions {
        Ok(_) => (None, Vec::new()),
        Err(LoadError::Contract(mismatch)) => (None, mismatch.differences),
        Err(problem) => (Some(problem.to_string()), Vec::new()),
    };
    ContractVerdict {
        contract: declared.contract.clone(),
        exported,
        host: host.map(|version| version.to_string()),
        verbs: verbs.into_iter().map(|(verb, exported)| VerbVerdict { works: works(&verb), verb, exported }).collect(),
        idempotent: declared.idempotent,
        problem,
        differences,
    }
}

fn imported(import: String, judged: Result<(), LoadError>) -> ImportVerdict {
    // The name of the import stands beside it.
    let problem = judged.err().map(|error| if let LoadError::Import { why, .. } = error { why } else { error.to_string() });
    ImportVerdict { import, problem }
}
