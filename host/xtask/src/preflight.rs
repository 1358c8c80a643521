//! What must be there before anything is compiled: checked in seconds, and what is missing is said in one line.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::{command, debian, servers::Server, workspace};

/// The target of plugins.
const GUEST_TARGET: &str = "wasm32-wasip2";

/// Something that Debian packages provide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A C compiler and linker, for SQLite and for every binary.
    CCompiler,
    /// Git, which Cargo may need and tests use.
    Git,
    /// Python with its `venv` module.
    PythonVenv,
    /// Node.js, version 18 or later.
    Node,
    /// The package manager of Node.js.
    Npm,
    /// Prometheus' checker of alert rules.
    Promtool,
    /// The validator of libxml2.
    Xmllint,
    /// A server that tests start, or a tool that asks it.
    Server(Server),
}

impl Need {
    /// What every command needs.
    const BASE: [Self; 2] = [Self::CCompiler, Self::Git];

    /// What it is called in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CCompiler => "a C compiler (cc)",
            Self::Git => "git",
            Self::PythonVenv => "python3 with venv",
            Self::Node => "Node.js 18 or later",
            Self::Npm => "npm",
            Self::Promtool => "promtool",
            Self::Xmllint => "xmllint",
            Self::Server(server) => server.name,
        }
    }

    /// The Debian package that provides it.
    pub(crate) fn package(self) -> &'static str {
        match self {
            Self::CCompiler => "build-essential",
            Self::Git => "git",
            Self::PythonVenv => "python3-venv",
            Self::Node => "nodejs",
            Self::Npm => "npm",
            Self::Promtool => "prometheus",
            Self::Xmllint => "libxml2-utils",
            Self::Server(server) => server.package,
        }
    }

    /// Whether its package is unpacked under `target` instead of being installed: it brings a server, which an installation would start.
    pub(crate) fn is_unpacked(self) -> bool {
        matches!(self, Self::Promtool | Self::Server(_))
    }

    /// Whether it is there.
    pub(crate) fn is_met(self) -> bool {
        match self {
            Self::CCompiler => command::answer("cc", &["--version"]).is_some(),
            Self::Git => command::answer("git", &["--version"]).is_some(),
            // Debian splits `ensurepip` off: `import venv` alone succeeds where no environment can be made.
            Self::PythonVenv => command::answer("python3", &["-c", "import venv, ensurepip"]).is_some(),
            Self::Node => command::answer("node", &["--version"]).is_some_and(|version| node_major(&version) >= Some(18)),
            Self::Npm => command::answer("npm", &["--version"]).is_some(),
            Self::Promtool => promtool().is_some(),
            Self::Xmllint => command::answer("xmllint", &["--version"]).is_some(),
            Self::Server(server) => server.is_there(),
        }
    }
}

/// Prometheus' checker of alert rules: the installed one, or the one that was unpacked.
pub(crate) fn promtool() -> Option<PathBuf> {
    let unpacked = workspace::target().join("debian/usr/bin/promtool");
    [PathBuf::from("promtool"), unpacked].into_iter().find(|path| command::answer(&path.to_string_lossy(), &["--version"]).is_some())
}

/// What a command costs when nothing is built yet.
#[derive(Debug)]
pub(crate) struct Cost {
    /// Minutes on two quiet cores.
    minutes: u32,
    /// Gigabytes under `target`.
    gigabytes: u32,
    /// What tells that most of it was built before, relative to the target directory.
    built: &'static str,
}

/// The demo: the host, the lab and the plugins.
pub(crate) const DEMO: Cost = Cost { minutes: 6, gigabytes: 3, built: "debug/jackfield" };

/// The tests: the same, with the tests of every crate and Clippy's own pass.
pub(crate) const TEST: Cost = Cost { minutes: 20, gigabytes: 10, built: "debug/jackfield" };

/// The plugins alone: small, but optimised, and with the macros that read WIT.
pub(crate) const PLUGINS: Cost = Cost { minutes: 4, gigabytes: 1, built: "plugins" };

/// The benchmarks, which are built in release.
pub(crate) const BENCH: Cost = Cost { minutes: 15, gigabytes: 14, built: "release/bench" };

/// Fails when something is missing that every command needs, and adds the target of plugins where it is missing.
pub(crate) fn base() -> Result<()> {
    let missing: Vec<Need> = Need::BASE.into_iter().filter(|need| !need.is_met()).collect();
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|need| need.name()).collect();
        bail!("missing: {}. Install with:\n  {}", names.join(", "), debian::line(&missing));
    }
    add_guest_target()
}

/// Says what is about to be spent.
pub(crate) fn announce(cost: &Cost) {
    if workspace::target().join(cost.built).exists() {
        eprintln!("built before: only what changed is compiled");
    } else {
        eprintln!("compiling from nothing: about {} minutes on two quiet cores and {} GB under target/", cost.minutes, cost.gigabytes);
    }
}

/// The toolchain file asks for the target, but automatic installation may be off, or the toolchain may be a distribution's.
fn add_guest_target() -> Result<()> {
    let Some(libraries) = command::answer("rustc", &["--print", "target-libdir", "--target", GUEST_TARGET]) else {
        bail!("`rustc` does not know the target {GUEST_TARGET}: install Rust 1.95 or later with rustup, see https://rustup.rs")
    };
    if Path::new(&libraries).is_dir() {
        return Ok(());
    }
    if command::answer("rustup", &["--version"]).is_none() {
        bail!("the target {GUEST_TARGET} is missing and there is no rustup that could add it: install it as https://rustup.rs says");
    }
    eprintln!("the target {GUEST_TARGET} is missing: adding it");
    command::run(&mut command::program("rustup", &["target", "add", GUEST_TARGET]))
}

/// The major version in `v20.1.0`.
fn node_major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_node_is_read() {
        for (text, major) in [("v18.0.0", Some(18)), ("v20.20.2", Some(20)), ("20", None), ("", None)] {
            assert_eq!(node_major(text), major, "{text}");
        }
    }
}
