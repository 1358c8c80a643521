//! The manifest: what a plugin is, what it implements and what it may reach, written at compile time as JSON into the
//! custom section `jackfield.manifest` of the component.

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
    /// `no_answer`, `bad_answer` with HTTP, `store` with key-value) are added by themselves and do not count.
    pub failure_codes: &'static [&'static str],
}

/// A contract that a plugin implements.
#[derive(Debug, Clone, Copy)]
pub struct Contract {
    /// The name of the interface in `jackfield:order`, as in `export!`: `inventory`.
    pub name: &'static str,
    /// The verbs that work. `apply` is one of them.
    pub verbs: &'static [Verb],
    /// Whether a repeated `apply` with the same idempotency key has no second effect and answers with the same receipt.
    pub idempotent: bool,
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

/// What a plugin may reach.
#[derive(Debug, Clone, Copy)]
pub struct Capabilities {
    /// The logical names of HTTP endpoints: `element` is reached as `http://element/...`.
    pub http: &'static [&'static str],
    /// Whether it keeps something in the host's key-value store.
    pub keyvalue: bool,
    /// The settings it reads.
    pub config: &'static [&'static str],
}

impl Capabilities {
    /// Nothing at all.
    pub const NONE: Self = Self { http: &[], keyvalue: false, config: &[] };
}

impl Manifest {
    /// The manifest as JSON text, for tests.
    pub fn json(&self) -> String {
        let mut bytes = vec![0; json_len(self)];
        write(self, &mut bytes);
        String::from_utf8(bytes).expect("the writer copies whole strings")
    }

    /// Stops compilation where the manifest breaks a rule.
    #[doc(hidden)]
    pub const fn check(&self, exported: &[&str]) {
        assert!(one_of(self.name, 64, b"-"), "the manifest's name must be 1 to 64 characters of a-z, 0-9 and -");
        assert!(self.contracts.len() == exported.len(), "the manifest must list exactly the contracts that export! names");
        let mut at = 0;
        while at < exported.len() {
            assert!(same(self.contracts[at].name, exported[at]), "the manifest must list the contracts of export! in the same order");
            at += 1;
        }
        assert!(self.failure_codes.len() <= 16, "a manifest declares at most 16 failure codes");
        let mut at = 0;
        while at < self.failure_codes.len() {
            assert!(one_of(self.failure_codes[at], 48, b"_."), "a failure code must be 1 to 48 characters of a-z, 0-9, _ and .");
            at += 1;
        }
    }
}

const fn one_of(text: &str, most: usize, also: &[u8]) -> bool {
    let text = text.as_bytes();
    if text.is_empty() || text.len() > most {
        return false;
    }
    let mut at = 0;
    while at < text.len() {
        let mut fits = text[at].is_ascii_lowercase() || text[at].is_ascii_digit();
        let mut other = 0;
        while other < also.len() {
            fits |= text[at] == also[other];
            other += 1;
        }
        if !fits {
            return false;
        }
        at += 1;
    }
    true
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The length of the JSON text in bytes.
#[doc(hidden)]
pub const fn json_len(manifest: &Manifest) -> usize {
    write(manifest, &mut [])
}

/// The JSON text.
#[doc(hidden)]
pub const fn json<const N: usize>(manifest: &Manifest) -> [u8; N] {
    let mut out = [0; N];
    write(manifest, &mut out);
    out
}

/// Writes as much as fits and returns the whole length, so that one function measures and writes.
const fn write(manifest: &Manifest, out: &mut [u8]) -> usize {
    let mut at = put(out, 0, "{\"name\":");
    at = quoted(out, at, manifest.name);
    at = put(out, at, ",\"version\":");
    at = quoted(out, at, manifest.version);
    at = put(out, at, ",\"vendor\":");
    at = quoted(out, at, manifest.vendor);
    at = put(out, at, ",\"contracts\":[");
    let mut index = 0;
    while index < manifest.contracts.len() {
        at = put(out, at, if index == 0 { "" } else { "," });
        at = contract(out, at, &manifest.contracts[index]);
        index += 1;
    }
    let can = &manifest.capabilities;
    at = put(out, at, "],\"capabilities\":{\"http\":[");
    at = all_quoted(out, at, can.http, true);
    at = put(out, at, "],\"keyvalue\":");
    at = put(out, at, if can.keyvalue { "true" } else { "false" });
    at = put(out, at, ",\"config\":[");
    at = all_quoted(out, at, can.config, true);
    at = put(out, at, "]},\"failure_codes\":[");
    at = all_quoted(out, at, manifest.failure_codes, true);
    let mut first = manifest.failure_codes.is_empty();
    if !can.http.is_empty() {
        at = all_quoted(out, at, crate::http::CODES, first);
        first = false;
    }
    if can.keyvalue {
        at = all_quoted(out, at, &[crate::kv::CODE], first);
    }
    put(out, at, "]}")
}

const fn contract(out: &mut [u8], at: usize, contract: &Contract) -> usize {
    let mut at = put(out, at, "{\"contract\":\"jackfield:order/");
    at = put(out, at, contract.name);
    at = put(out, at, "\",\"verbs\":[");
    let mut index = 0;
    while index < contract.verbs.len() {
        at = put(out, at, if index == 0 { "\"" } else { ",\"" });
        at = put(
            out,
            at,
            match contract.verbs[index] {
                Verb::Apply => "apply\"",
                Verb::Resume => "resume\"",
                Verb::Observe => "observe\"",
                Verb::Undo => "undo\"",
            },
        );
        index += 1;
    }
    at = put(out, at, "],\"idempotent\":");
    put(out, at, if contract.idempotent { "true}" } else { "false}" })
}

const fn all_quoted(out: &mut [u8], at: usize, list: &[&str], first: bool) -> usize {
    let mut at = at;
    let mut index = 0;
    while index < list.len() {
        at = put(out, at, if index == 0 && first { "" } else { "," });
        at = quoted(out, at, list[index]);
        index += 1;
    }
    at
}

const fn quoted(out: &mut [u8], at: usize, text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        assert!(
            bytes[index] >= b' ' && bytes[index] != b'"' && bytes[index] != b'\\',
            "texts of a manifest hold no quotation mark, backslash or control character"
        );
        index += 1;
    }
    let at = put(out, at, "\"");
    let at = put(out, at, text);
    put(out, at, "\"")
}

const fn put(out: &mut [u8], at: usize, text: &str) -> usize {
    let text = text.as_bytes();
    let mut index = 0;
    while index < text.len() {
        if at + index < out.len() {
            out[at + index] = text[index];
        }
        index += 1;
    }
    at + text.len()
}
