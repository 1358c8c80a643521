//! The manifest: what a plugin is, what it implements, what it may reach and why, and what it may emit. It is written at compile time as JSON into the custom
//! section `jackfield.manifest` of the component.

mod capability;
mod check;
mod telemetry;
mod write;

pub use capability::{Capabilities, Endpoint, Secret, Setting};
pub use telemetry::{Metric, MetricKind, Telemetry};
#[doc(hidden)]
pub use write::{json, json_len};

/// The custom section that holds the manifest as JSON text in UTF-8.
pub const SECTION: &str = "jackfield.manifest";

/// What a plugin says about itself.
#[derive(Debug, Clone, Copy)]
pub struct Manifest {
    /// The name: 1 to 64 characters of `[a-z0-9-]`.
    pub name: &'static str,
    /// The semantic version; `env!("CARGO_PKG_VERSION")` fits.
    pub version: &'static str,
    /// Who makes it.
    pub vendor: &'static str,
    /// The contracts it implements.
    pub contracts: &'static [Contract],
    /// What it may reach. The operator must grant each.
    pub capabilities: Capabilities,
    /// The codes of its failures: at most 16, each 1 to 48 characters of `[a-z0-9_.]`. Those of the SDK (`unreachable`,
    /// `no_answer`, `bad_answer` with HTTP, `store` with key-value, `secret` with secrets) are added by themselves and do not count.
    pub failure_codes: &'static [&'static str],
    /// The telemetry it may emit. What is not declared is dropped.
    pub telemetry: Telemetry,
}

/// A contract that a plugin implements.
#[derive(Debug, Clone, Copy)]
pub struct Contract {
    /// The name as in `export!`: `inventory` for `jackfield:order/inventory`, `configuration` for `jackfield:cpe/configuration`,
    /// `certificate_order` for `jackfield:tenant/certificate-order`.
    pub name: &'static str,
    /// The verbs that work. `apply` is one of them.
    pub verbs: &'static [Verb],
    /// Whether a repeated `apply` with the same idempotency key has no second effect and answers with the same receipt.
    pub idempotent: bool,
}

impl Contract {
    /// A contract whose only verb is `apply` and which changes nothing outside, so that it may be repeated.
    pub const fn pure(name: &'static str) -> Self {
        Self { name, verbs: &[Verb::Apply], idempotent: true }
    }
}

/// What `export!` calls otherwise than by the interface of `jackfield:order` of the same name: the package and the interface.
const ELSEWHERE: [(&str, &str, &str); 10] = [
    ("device_inventory", "jackfield:cpe/", "inventory"),
    ("profile", "jackfield:cpe/", "profile"),
    ("configuration", "jackfield:cpe/", "configuration"),
    ("storage", "jackfield:tenant/", "storage"),
    ("dns", "jackfield:tenant/", "dns"),
    ("certificate_order", "jackfield:tenant/", "certificate-order"),
    ("certificate", "jackfield:tenant/", "certificate"),
    ("seed", "jackfield:tenant/", "seed"),
    ("integration", "jackfield:tenant/", "integration"),
    ("mail", "jackfield:tenant/", "mail"),
];

/// The package and the interface that `export!` means by a name.
const fn interface(name: &str) -> (&'static str, &str) {
    let mut at = 0;
    while at < ELSEWHERE.len() {
        if check::same(ELSEWHERE[at].0, name) {
            return (ELSEWHERE[at].1, ELSEWHERE[at].2);
        }
        at += 1;
    }
    ("jackfield:order/", name)
}

/// A function of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Makes the effect.
    Apply,
    /// Goes on after `pending`.
    Resume,
    /// Looks.
    Observe,
    /// Takes the effect away.
    Undo,
}

impl Verb {
    const fn function(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Resume => "resume",
            Self::Observe => "observe",
            Self::Undo => "undo",
        }
    }
}

impl Manifest {
    /// Nothing yet, for what a manifest leaves out: `..Manifest::EMPTY`. A name and the contracts it must have.
    pub const EMPTY: Self =
        Self { name: "", version: "", vendor: "", contracts: &[], capabilities: Capabilities::NONE, failure_codes: &[], telemetry: Telemetry::NONE };

    /// The manifest as JSON text, for tests.
    pub fn json(&self) -> String {
        let mut bytes = vec![0; json_len(self)];
        write::write(self, &mut bytes);
        String::from_utf8(bytes).expect("the writer copies whole characters")
    }
}
