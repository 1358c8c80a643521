//! Why the runtime could not be started and why a plugin was refused.

use std::{fmt, path::PathBuf};

use package::PackageError;

use crate::shape::Difference;

/// Why the runtime could not be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeError {
    /// The engine refused its settings.
    #[error("the wasm engine cannot be set up: {0}")]
    Engine(String),
    /// The directory of compiled code cannot be used.
    #[error("compile cache `{directory}`: {problem}: expected a directory of this user that can be made private (mode 0700)", directory = .directory.display())]
    Cache {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        problem: String,
    },
    /// Threads could not be started.
    #[error("the threads for plugins cannot be started: {0}")]
    Threads(String),
    /// A host interface cannot be offered.
    #[error("host interface `{interface}`: {problem}")]
    HostInterface {
        /// Its name.
        interface: String,
        /// What is wrong with its WIT.
        problem: String,
    },
}

/// Why a plugin was refused. Nothing was installed and what was there before keeps serving.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read as a plugin.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A contract of the manifest is not known to this host.
    #[error("contract `{contract}` is not known to this host, expected one of: {known}")]
    UnknownContract {
        /// The contract.
        contract: String,
        /// What is known.
        known: String,
    },
    /// A contract of the manifest is not exported.
    #[error("the manifest lists `{contract}` but the component does not export it; its exports are: {exports}")]
    NotExported {
        /// The contract.
        contract: String,
        /// The exports.
        exports: String,
    },
    /// A contract cannot be called as it is.
    #[error("{0}")]
    Contract(Box<ContractMismatch>),
    /// An import that nothing provides.
    #[error("the component imports `{import}`, which {why}")]
    Import {
        /// The import.
        import: String,
        /// Why it is not there and what to do.
        why: String,
    },
    /// The imports do not fit what the host links.
    #[error("the component does not fit this host: {0}")]
    Link(String),
    /// A capability that the operator did not grant.
    #[error("the plugin asks for {capability}, which is not granted; to grant it, add to the configuration:\n{line}")]
    NotGranted {
        /// The capability.
        capability: String,
        /// What to add.
        line: String,
    },
    /// A grant that cannot work.
    #[error("grant of `{plugin}`: {problem}")]
    Grant {
        /// The plugin.
        plugin: String,
        /// What is wrong.
        problem: String,
    },
    /// It does not compile.
    #[error("the component does not compile: {0}")]
    Compile(String),
    /// Compiling it takes more than it may.
    #[error("the component cannot be compiled within bounds: {0}")]
    CompileBounds(String),
    /// It compiles, but no instance of it can be made.
    #[error("the component cannot be instantiated: {message} ({error_type})", message = .0.message, error_type = .0.error_type)]
    Instantiate(Box<pipeline::Failure>),
    /// The runtime is shutting down.
    #[error("the runtime is shutting down")]
    Stopped,
}

/// All differences between a contract as a plugin exports it and as the host speaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractMismatch {
    /// The plugin's contract with its exact version.
    pub contract: String,
    /// The version the host speaks.
    pub host: String,
    /// What is different.
    pub differences: Vec<Difference>,
}

impl fmt::Display for ContractMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` does not go together with version {} of this host:", self.contract, self.host)?;
        for difference in &self.differences {
            write!(f, "\n{difference}")?;
        }
        Ok(())
    }
}
