//! The walls between the crates: who may see whom, and what nobody may bring in. The rules are data; what is checked
//! comes from `cargo metadata` (what a manifest names), `cargo tree` (what is linked) and `Cargo.lock` (all there is).
#![allow(clippy::unwrap_used, reason = "tests")]

mod wall_rules;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use wall_rules::{BANNED, Kind, Rule, fits, rule_of, who_may_name};

/// A package of the workspace as Cargo sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Member {
    /// Its folder, relative to the root.
    folder: String,
    /// What its manifest names, and for what.
    names: BTreeSet<(String, Kind)>,
    /// What is linked into it, itself excepted: normal and build dependencies of any depth.
    linked: BTreeSet<String>,
}

type Workspace = BTreeMap<String, Member>;

#[test]
fn no_crate_sees_what_it_may_not_know() {
    let found = violations(&workspace());
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn nothing_brings_in_a_crate_that_a_fresh_machine_cannot_build() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let packages: Vec<&str> = locked(&lock).collect();
    assert!(packages.contains(&"serde_json"), "Cargo.lock was not understood");
    let found = banned(&packages);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_broken_wall_is_reported_once() {
    let whole = workspace();
    assert_eq!(violations(&whole), [""; 0]);
    for (member, edge, message) in BROKEN {
        let mut broken = whole.clone();
        let member = broken.get_mut(*member).unwrap_or_else(|| panic!("there is no package {member}"));
        match *edge {
            Edge::Names(name, kind) => assert!(member.names.insert((name.to_owned(), kind)), "{name} is named already"),
            Edge::Links(name) => assert!(member.linked.insert(name.to_owned()), "{name} is linked already"),
        }
        assert_eq!(violations(&broken), [*message]);
    }
}

#[test]
fn a_package_without_a_rule_is_reported() {
    let newcomer = Member { folder: "host/crates/newcomer".to_owned(), ..Member::default() };
    let workspace = Workspace::from([("newcomer".to_owned(), newcomer)]);
    assert_eq!(violations(&workspace), ["newcomer (host/crates/newcomer) has no rule: add one to tests/tests/wall_rules/mod.rs"]);
}

#[test]
fn a_banned_crate_is_reported_by_name_and_reason() {
    assert_eq!(
        banned(&["serde", "cmake"]),
        ["cmake is in Cargo.lock: it needs a program that a fresh machine does not have (cmake); see `cargo tree --invert cmake`"]
    );
    assert!(banned(&["wit-bindgen", "wasm-bindgen"]).is_empty());
}

/// A wall to break on purpose.
enum Edge {
    Names(&'static str, Kind),
    Links(&'static str),
}

const BROKEN: &[(&str, Edge, &str)] = &[
    ("pipeline", Edge::Names("engine", Kind::Normal), "pipeline may not depend on engine: of the workspace it may see nothing"),
    ("pipeline", Edge::Links("tokio"), "pipeline links tokio, of which it may not know: see `cargo tree -p pipeline -i tokio`"),
    ("engine", Edge::Links("rusqlite"), "engine links rusqlite, of which it may not know: see `cargo tree -p engine -i rusqlite`"),
    ("engine", Edge::Names("store-sqlite", Kind::Dev), "engine may not depend on store-sqlite: of the workspace it may see pipeline"),
    ("orders", Edge::Names("telemetry", Kind::Normal), "orders may not depend on telemetry: of the workspace it may see pipeline, engine"),
    ("orders", Edge::Links("wasmtime-wasi"), "orders links wasmtime-wasi, of which it may not know: see `cargo tree -p orders -i wasmtime-wasi`"),
    ("host", Edge::Names("wasmtime", Kind::Normal), "host names wasmtime, which only plugin-runtime, bench may name"),
    ("store-sqlite", Edge::Names("opentelemetry", Kind::Dev), "store-sqlite names opentelemetry, which only telemetry, bench may name"),
    ("host", Edge::Links("lab"), "host links lab, of which it may not know: see `cargo tree -p host -i lab`"),
    ("xtask", Edge::Names("pipeline", Kind::Build), "xtask may not depend on pipeline: of the workspace it may see nothing"),
    (
        "jackfield-plugin-sdk",
        Edge::Links("engine"),
        "jackfield-plugin-sdk links engine, of which it may not know: see `cargo tree -p jackfield-plugin-sdk -i engine`",
    ),
];

/// Every way in which the workspace breaks the rules, each in one line.
fn violations(workspace: &Workspace) -> Vec<String> {
    workspace
        .iter()
        .flat_map(|(name, member)| match rule_of(name, &member.folder) {
            Some(rule) => violations_of(name, member, rule, workspace),
            None => vec![format!("{name} ({}) has no rule: add one to tests/tests/wall_rules/mod.rs", member.folder)],
        })
        .collect()
}

fn violations_of(name: &str, member: &Member, rule: &Rule, workspace: &Workspace) -> Vec<String> {
    let mut found = Vec::new();
    for (dependency, kind) in &member.names {
        let listed = rule.sees.contains(&dependency.as_str()) || (*kind == Kind::Dev && rule.tests_see.contains(&dependency.as_str()));
        if workspace.contains_key(dependency) && !listed && !rule.sees.contains(&"*") {
            let sees = if rule.sees.is_empty() { "nothing".to_owned() } else { rule.sees.join(", ") };
            found.push(format!("{name} may not depend on {dependency}: of the workspace it may see {sees}"));
        }
        if let Some(allowed) = who_may_name(dependency).filter(|allowed| !allowed.contains(&name)) {
            found.push(format!("{name} names {dependency}, which only {} may name", allowed.join(", ")));
        }
    }
    for dependency in &member.linked {
        if rule.without.iter().any(|pattern| fits(pattern, dependency)) {
            found.push(format!("{name} links {dependency}, of which it may not know: see `cargo tree -p {name} -i {dependency}`"));
        }
    }
    found
}

fn banned(packages: &[&str]) -> Vec<String> {
    let found = BANNED.iter().filter(|(name, _)| packages.contains(name));
    found.map(|(name, why)| format!("{name} is in Cargo.lock: {why}; see `cargo tree --invert {name}`")).collect()
}

/// The names of all packages in a `Cargo.lock`, whatever platform or feature they are for.
fn locked(lock: &str) -> impl Iterator<Item = &str> {
    lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
}

/// This workspace.
fn workspace() -> Workspace {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"])).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let name = package["name"].as_str().unwrap();
            let manifest = Path::new(package["manifest_path"].as_str().unwrap());
            let folder = manifest.parent().unwrap().strip_prefix(root().canonicalize().unwrap()).unwrap().display().to_string();
            let names = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .map(|dependency| (dependency["name"].as_str().unwrap().to_owned(), Kind::of(dependency["kind"].as_str())));
            (name.to_owned(), Member { folder, names: names.collect(), linked: linked(name) })
        })
        .collect()
}

/// What is linked into a package, by the features that it alone asks for.
fn linked(package: &str) -> BTreeSet<String> {
    let tree = cargo(&["tree", "--package", package, "--edges", "normal,build", "--prefix", "none", "--format", "{p}", "--no-dedupe"]);
    tree.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty() && *name != package).map(str::to_owned).collect()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "cargo {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
