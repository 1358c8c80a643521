//! Plugins as files over the real binary: keys, signatures, trust, and the verdict before anything is installed.
//!
//! | what | where it is tested |
//! |---|---|
//! | whom an operator trusts, at `plugin verify` and at the start of a host | `trust` |
//! | a file that somebody has changed | `tamper` |
//! | keygen, sign, inspect, verify, pack as a vendor types them | `vendor` |
//! | `plugin check` and what it compares with | `verdict` |
//! | a build that is taken back while runs are pinned to it | `pinned` |
//! | every rule of manifests, signatures and trust lists | `host/crates/package` |
#![allow(clippy::unwrap_used, reason = "tests")]

mod pinned;
mod tamper;
mod trust;
mod vendor;
mod verdict;

use std::{
    fs,
    path::{Path, PathBuf},
};

use end_to_end_tests::{
    harness::{Said, jackfield},
    runtime::{Core, component, inventory_manifest, order_files},
};
use package::{PrivateKey, PublicKey, sign};
use serde_json::Value;

/// A key of these tests.
fn key(number: u8) -> PrivateKey {
    PrivateKey::from_seed([number; 32])
}

fn public(number: u8) -> PublicKey {
    key(number).public()
}

/// The plugin `acme-pool` with changes to its manifest, not signed.
fn plugin(changes: &[(&str, Value)]) -> Vec<u8> {
    let mut manifest = inventory_manifest();
    for (field, value) in changes {
        manifest[*field] = value.clone();
    }
    component(&order_files(), &[], "", Core::Dummy, &manifest)
}

/// The plugin `acme-pool`, signed by a key.
fn signed_by(number: u8) -> Vec<u8> {
    sign(&plugin(&[]), &key(number)).unwrap()
}

/// A publisher `acme` with a key, in a configuration.
fn publisher(number: u8, more: &str) -> String {
    format!("[trust.publishers.acme]\nkey = \"{}\"\nplugins = [\"acme-*\"]\n{more}\n", public(number))
}

/// A directory to work in.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A place with a configuration that trusts as it is told, and uses `plugin.wasm` as `acme-pool`.
    fn trusting(trust: &str) -> Self {
        let place = Self::new();
        let rest = "[http]\nlisten = \"127.0.0.1:0\"\n[runtime]\nmax_calls = 1\n[plugins.acme-pool]\npath = \"plugin.wasm\"\n";
        place.write("jackfield.toml", format!("{trust}\n{rest}"));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Said {
        jackfield(self.0.path(), arguments)
    }

    fn verify(&self) -> Said {
        self.run(&["plugin", "verify", "plugin.wasm", "--config", "jackfield.toml"])
    }

    /// The file is refused by `plugin verify` and by a host that is told to use it, for the same reason.
    #[track_caller]
    fn refuses(&self, file: impl AsRef<[u8]>, parts: &[&str]) {
        self.write("plugin.wasm", file);
        self.verify().bad(1, parts);
        self.run(&["serve"]).bad(1, &[&["plugins.acme-pool: "], parts].concat());
    }
}

/// The repository.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
