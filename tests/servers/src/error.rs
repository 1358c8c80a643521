//! What can go wrong with a server.

use std::{io, path::PathBuf};

/// Why a server could not be started or asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not installed: a suite that finds this was not run.
    #[error("{what} is missing: install {package} with `{command}`")]
    Missing {
        /// What was looked for.
        what: String,
        /// The package that brings it.
        package: String,
        /// The line that installs it.
        command: String,
    },
    /// It was started, and did not become ready.
    #[error("{what} {why}; its log ends with:\n{log}")]
    Start {
        /// Which server.
        what: &'static str,
        /// What was seen.
        why: String,
        /// The end of its log.
        log: String,
    },
    /// A server or a tool of its own refused what it was asked.
    #[error("{what}: {why}")]
    Refused {
        /// What was asked.
        what: String,
        /// The answer.
        why: String,
    },
    /// A file or a program of this machine.
    #[error("{what}: {source}")]
    Machine {
        /// What was tried.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    /// Something that Debian has in a package.
    pub(crate) fn missing(what: &str, package: &str) -> Self {
        let command = format!("apt-get install --no-install-recommends {package}");
        Self::Missing { what: what.to_owned(), package: package.to_owned(), command }
    }

    pub(crate) fn refused(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), why: why.into() }
    }

    /// Whether a server ended because another program has its port.
    pub(crate) fn is_port_taken(&self) -> bool {
        matches!(self, Self::Start { log, .. } if log.to_lowercase().contains("in use"))
    }
}

/// For errors of the system: what was tried.
pub(crate) trait Tried<T> {
    fn tried(self, what: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T> Tried<T> for io::Result<T> {
    fn tried(self, what: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|source| Error::Machine { what: what(), source })
    }
}

/// Writes a file.
pub(crate) fn write(path: &PathBuf, content: &str) -> Result<(), Error> {
    std::fs::write(path, content).tried(|| format!("{} cannot be written", path.display()))
}
