//! The rules themselves: one row for each package, and who may name the crates that define a boundary.

/// What a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Part of the product.
    Normal,
    /// Tests, examples and benchmarks.
    Dev,
    /// Build scripts.
    Build,
}

impl Kind {
    /// The kind that `cargo metadata` calls so.
    pub(crate) fn of(text: Option<&str>) -> Self {
        match text {
            None => Self::Normal,
            Some("dev") => Self::Dev,
            Some("build") => Self::Build,
            Some(other) => panic!("cargo metadata knows a kind of dependency that this test does not: {other}"),
        }
    }
}

/// What a package may see.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The package, or its folder with `/*` for all packages in it.
    of: &'static str,
    /// The packages of the workspace that it may depend on, for whatever purpose; `*` for all.
    pub(crate) sees: &'static [&'static str],
    /// Those that its tests may depend on beside these.
    pub(crate) tests_see: &'static [&'static str],
    /// What may not be linked into it at any depth; a trailing `*` stands for any rest.
    pub(crate) without: &'static [&'static str],
}

const WASM: &str = "wasmtime*";
const OTEL: &str = "opentelemetry*";
const SQL: &str = "*sqlite*";
/// The packages of the host, as a guest may not link them.
const HOST: [&str; 10] = ["pipeline", "engine", "package", "store-sqlite", "plugin-runtime", "telemetry", "orders", "cpe", "lab", "host"];

const RULES: &[Rule] = &[
    Rule {
        of: "pipeline",
        sees: &[],
        tests_see: &[],
        without: &["tokio*", "async-*", "futures*", WASM, "tracing*", OTEL, SQL, "jiff", "chrono", "time", "getrandom", "rand*", "hyper*", "axum*"],
    },
    Rule { of: "engine", sees: &["pipeline"], tests_see: &[], without: &[WASM, OTEL, SQL, "hyper*", "axum*"] },
    Rule { of: "store-sqlite", sees: &["pipeline", "engine"], tests_see: &[], without: &[WASM, OTEL, "hyper*", "axum*"] },
    // A file on a desk: no host runs there, nothing is compiled, and no clock is asked.
    Rule { of: "package", sees: &["pipeline"], tests_see: &[], without: &[WASM, OTEL, SQL, "tokio*", "hyper*", "axum*", "tracing*"] },
    Rule { of: "plugin-runtime", sees: &["pipeline", "engine", "package"], tests_see: &["lab"], without: &[OTEL, SQL, "axum*"] },
    Rule { of: "telemetry", sees: &["pipeline", "engine"], tests_see: &[], without: &[WASM, SQL] },
    Rule { of: "orders", sees: &["pipeline", "engine"], tests_see: &[], without: &[WASM, OTEL, SQL] },
    Rule { of: "cpe", sees: &["pipeline", "engine"], tests_see: &["lab"], without: &[WASM, OTEL, SQL] },
    // A vendor's back end knows nothing of ours.
    Rule { of: "lab", sees: &[], tests_see: &[], without: &[WASM, OTEL, SQL] },
    // Starts the servers of others, and is tested alone.
    Rule { of: "servers", sees: &[], tests_see: &[], without: &[WASM, OTEL, SQL, "tokio*", "hyper*", "axum*"] },
    Rule {
        of: "host",
        sees: &["pipeline", "engine", "package", "store-sqlite", "plugin-runtime", "telemetry", "orders", "cpe"],
        tests_see: &["lab"],
        without: &["lab"],
    },
    Rule {
        of: "bench",
        sees: &["pipeline", "engine", "package", "store-sqlite", "plugin-runtime", "telemetry", "orders", "cpe", "lab", "host"],
        tests_see: &[],
        without: &[],
    },
    Rule { of: "xtask", sees: &[], tests_see: &[], without: &["tokio", "clap", "syn"] },
    Rule { of: "end-to-end-tests", sees: &["*"], tests_see: &[], without: &[] },
    Rule { of: "jackfield-plugin-sdk", sees: &[], tests_see: &[], without: &HOST },
    Rule { of: "plugins/*", sees: &["jackfield-plugin-sdk"], tests_see: &[], without: &HOST },
    Rule { of: "tests/fixtures/*", sees: &["jackfield-plugin-sdk"], tests_see: &[], without: &HOST },
];

/// The rule of a package.
pub(crate) fn rule_of(name: &str, folder: &str) -> Option<&'static Rule> {
    let parent = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
    RULES.iter().find(|rule| rule.of == name || rule.of.strip_suffix("/*") == Some(parent))
}

/// Crates that define a boundary, and the packages that may name them in their manifests.
const NAMES: &[(&str, &[&str])] = &[
    ("wasmtime*", &["plugin-runtime", "bench"]),
    // The receiver that the tests run in another process decodes OTLP.
    ("opentelemetry-proto", &["telemetry", "bench", "end-to-end-tests"]),
    ("opentelemetry*", &["telemetry", "bench"]),
    // The tests compare what a receiver counted with what the store counts.
    ("rusqlite", &["store-sqlite", "bench", "end-to-end-tests"]),
];

/// Who may name a crate; `None` when anybody may.
pub(crate) fn who_may_name(dependency: &str) -> Option<&'static [&'static str]> {
    NAMES.iter().find(|(pattern, _)| fits(pattern, dependency)).map(|(_, packages)| *packages)
}

/// Crates that may not be in the lock file, and why.
pub(crate) const BANNED: &[(&str, &str)] = &[
    ("aws-lc-sys", "rustls uses ring everywhere, and two providers in one process clash; it also needs cmake"),
    ("cmake", "it needs a program that a fresh machine does not have (cmake)"),
    ("bindgen", "it needs a library that a fresh machine does not have (libclang)"),
    ("prost-build", "it needs a program that a fresh machine does not have (protoc)"),
    ("openssl-sys", "it needs a package that a fresh machine does not have (libssl-dev); TLS is rustls with ring"),
];

/// Whether a name fits a pattern, in which `*` at either end stands for any rest.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some(_)) => name.contains(pattern.trim_matches('*')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => name == pattern,
    }
}
