//! Suites that need more than Rust and a C compiler. Each is a test target behind a feature, so that `cargo test --workspace`
//! neither runs nor pretends to have run it: of the package `end-to-end-tests` and of the same name, except for the servers, which
//! are tested where they are. A suite exists as soon as its test file does.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::suite::Suite;
use crate::{
    command, plugins,
    preflight::{self, Need},
    servers::SERVERS,
    workspace,
};

/// The OTLP receiver, as pip knows it. Its releases are pre-releases, so the version is named.
const ROTEL: &str = "rotel==0.0.1a15";

/// What the servers of tests need from PyPI.
const PYTHON_SERVERS: [&str; 3] = ["moto[server,s3]>=5.2,<6", "boto3", "aiosmtpd>=1.4.6,<2"];

/// The suite of the servers.
const OF_SERVERS: &str = "servers";

/// The feature of the recorded sessions, which belong to the suite `third-party`.
const RECORDED: &str = "cpe/third-party";

/// The feature of the tests of databases against a real server, which belong to the suite of the servers.
const DATABASES: &str = "tenant-database/real";

/// The feature of the tests of plugins for tenants against real servers, which belong to that suite too.
const PLUGINS: &str = "end-to-end-tests/servers";

/// Python, and every server and tool.
const NEEDS_OF_SERVERS: [Need; SERVERS.len() + 1] = {
    let mut needs = [Need::PythonVenv; SERVERS.len() + 1];
    let (_python, servers) = needs.split_at_mut(1);
    servers.copy_from_slice(&SERVERS);
    needs
};

/// All that there may be.
const ALL: [fn() -> Suite; 6] = [
    || Suite {
        name: "javascript",
        about: "plugins written in JavaScript from the WIT alone",
        needs: &[Need::Node, Need::Npm],
        fixtures: false,
        after: Some("plugins"),
        check: javascript,
    },
    || Suite {
        name: "foreign-receiver",
        about: "telemetry arrives at a receiver that is not ours",
        needs: &[Need::PythonVenv],
        fixtures: false,
        after: Some("plugins"),
        check: foreign_receiver,
    },
    || Suite {
        name: "third-party",
        about: "comparison with third-party material",
        needs: &[],
        fixtures: true,
        after: Some("plugins"),
        check: third_party,
    },
    || Suite {
        name: "alerts",
        about: "the alert rules fire when they should, and only then",
        needs: &[Need::Promtool],
        fixtures: false,
        after: None,
        check: alerts,
    },
    || Suite {
        name: "cwmp-schema",
        about: "what devices are sent is valid by the schemas of their protocol",
        needs: &[Need::Xmllint],
        fixtures: true,
        after: None,
        check: cwmp_schema,
    },
    || Suite {
        name: OF_SERVERS,
        about: "servers that are not ours start, survive and stay apart",
        needs: &NEEDS_OF_SERVERS,
        fixtures: false,
        after: Some("plugins"),
        check: servers,
    },
];

/// Those whose test file exists.
pub(crate) fn suites(root: &Path) -> Result<Vec<Suite>> {
    let suites = ALL.iter().map(|make| make()).filter(|suite| root.join(test_file(suite.name)).is_file()).collect();
    if !workspace::javascript_fixtures(root)?.is_empty() && !root.join(test_file("javascript")).is_file() {
        bail!("a fixture is written in JavaScript, but there is no {}", test_file("javascript"));
    }
    Ok(suites)
}

/// The Cargo arguments that make Clippy look at them too.
pub(crate) fn feature_arguments() -> Result<Vec<String>> {
    let suites = suites(workspace::root())?;
    let features = suites.iter().map(|suite| feature(suite.name)).chain([RECORDED, DATABASES, PLUGINS].map(str::to_owned));
    Ok(features.map(|feature| format!("--features={feature}")).collect())
}

fn test_file(suite: &str) -> String {
    match suite {
        OF_SERVERS => "tests/servers/tests/real.rs".to_owned(),
        _ => format!("tests/tests/{}.rs", suite.replace('-', "_")),
    }
}

fn feature(suite: &str) -> String {
    match suite {
        // Whoever is tested against them has a target of the same name.
        OF_SERVERS => "servers/real,tenants/real".to_owned(),
        _ => format!("end-to-end-tests/{suite}"),
    }
}

/// Builds every JavaScript fixture in a copy of its folder: `npm run build` is to leave `plugin.wasm` beside its
/// package.json, and finds the contracts under `JACKFIELD_WIT`.
fn javascript() -> Result<()> {
    for fixture in workspace::javascript_fixtures(workspace::root())? {
        let name = fixture.file_name().context("a fixture's folder has a name")?.to_string_lossy().into_owned();
        let copy = workspace::target().join("javascript").join(&name);
        copy_files(&fixture, &copy)?;
        let wit = workspace::root().join("wit");
        for arguments in [&["ci", "--no-audit", "--no-fund"][..], &["run", "build"]] {
            command::run(command::program("npm", arguments).current_dir(&copy).env("JACKFIELD_WIT", &wit))?;
        }
        plugins::install(&copy.join("plugin.wasm"), &workspace::target().join("plugins").join(format!("{name}.wasm")))?;
    }
    run_tests("javascript", &[])
}

/// Installs Rotel, an OTLP receiver, into a Python environment of its own and names that to the tests.
fn foreign_receiver() -> Result<()> {
    run_tests("foreign-receiver", &[("JACKFIELD_PYTHON", &python(&[ROTEL])?)])
}

/// Installs what runs on Python beside the other servers, which are there already.
fn servers() -> Result<()> {
    python(&PYTHON_SERVERS)?;
    run_tests(OF_SERVERS, &[])?;
    // What runs against PostgreSQL stands beside the provider that it tests.
    command::run(&mut command::cargo(&["test", "--workspace", "--features", DATABASES, "--test", "postgres"]))?;
    // And what plugins do at servers stands beside what they do without.
    command::run(&mut command::cargo(&["test", "--workspace", "--features", PLUGINS, "--test", "tenant_plugins"]))
}

/// Makes the Python environment of this workspace and installs packages into it.
fn python(packages: &[&str]) -> Result<PathBuf> {
    let environment = workspace::target().join("python");
    command::run(command::program("python3", &["-m", "venv"]).arg(&environment))?;
    command::run(command::program(environment.join("bin/pip"), &["install", "--quiet"]).args(packages))?;
    Ok(environment.join("bin/python"))
}

fn third_party() -> Result<()> {
    run_tests("third-party", &[])?;
    // Recorded sessions of devices stand beside the server that they are sent to.
    command::run(&mut command::cargo(&["test", "--workspace", "--features", RECORDED, "--test", "recorded"]))
}

fn alerts() -> Result<()> {
    let promtool = preflight::promtool().context("promtool was there and is gone")?;
    run_tests("alerts", &[("JACKFIELD_PROMTOOL", &promtool)])
}

fn cwmp_schema() -> Result<()> {
    run_tests("cwmp-schema", &[])
}

/// Runs the test target of a suite, which reads these variables.
fn run_tests(suite: &str, variables: &[(&str, &Path)]) -> Result<()> {
    let file = test_file(suite);
    let target = Path::new(&file).file_stem().context("a test file has a name")?.to_string_lossy().into_owned();
    // Of the whole workspace, although only one package has the target: other features of dependencies would compile them again.
    let mut cargo = command::cargo(&["test", "--workspace", "--features", &feature(suite), "--test", &target]);
    command::run(cargo.envs(variables.iter().copied()))
}

/// Copies the files of a folder, without its folders (`node_modules` above all).
fn copy_files(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("{} cannot be created", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("{} cannot be read", from.display()))? {
        let path = entry?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_file()) {
            fs::copy(&path, to.join(name)).with_context(|| format!("{} cannot be copied", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_exists_when_its_test_file_does() {
        let root = workspace::target().join(format!("xtask-gated-{}", std::process::id()));
        fs::create_dir_all(root.join("tests/tests")).unwrap();
        assert!(suites(&root).unwrap().is_empty());
        fs::write(root.join("tests/tests/foreign_receiver.rs"), "").unwrap();
        assert_eq!(suites(&root).unwrap().iter().map(|suite| suite.name).collect::<Vec<_>>(), ["foreign-receiver"]);
        fs::create_dir_all(root.join("tests/fixtures/odd")).unwrap();
        fs::write(root.join("tests/fixtures/odd/package.json"), "{}").unwrap();
        assert!(suites(&root).unwrap_err().to_string().contains("tests/tests/javascript.rs"));
        fs::remove_dir_all(&root).unwrap();
    }
}
