//! Rules that stop compilation. The host checks these and more; here are the ones that are broken by a slip of the pen.

use super::{Capabilities, Manifest, Setting, Telemetry};

impl Manifest {
    /// Stops compilation where the manifest breaks a rule.
    #[doc(hidden)]
    pub const fn check(&self, exported: &[&str]) {
        assert!(made_of(self.name, 64, b"-"), "the manifest's name must be 1 to 64 characters of a-z, 0-9 and -");
        assert!(self.contracts.len() == exported.len(), "the manifest must list exactly the contracts that export! names");
        let mut at = 0;
        while at < exported.len() {
            assert!(same(self.contracts[at].name, exported[at]), "the manifest must list the contracts of export! in the same order");
            at += 1;
        }
        assert!(self.failure_codes.len() <= 16, "a manifest declares at most 16 failure codes");
        let mut at = 0;
        while at < self.failure_codes.len() {
            assert!(made_of(self.failure_codes[at], 48, b"_."), "a failure code must be 1 to 48 characters of a-z, 0-9, _ and .");
            at += 1;
        }
        self.capabilities.check();
        self.telemetry.check();
    }
}

impl Capabilities {
    const fn check(&self) {
        let Self { http, tcp, keyvalue, secrets, config } = self;
        let mut at = 0;
        while at < http.len() {
            assert!(made_of(http[at].name, 63, b"-"), "the name of an endpoint must be 1 to 63 characters of a-z, 0-9 and -");
            reason(http[at].why);
            at += 1;
        }
        let mut at = 0;
        while at < secrets.len() {
            assert!(made_of(secrets[at].name, 63, b"-"), "the name of a secret must be 1 to 63 characters of a-z, 0-9 and -");
            reason(secrets[at].why);
            at += 1;
        }
        let mut at = 0;
        while at < config.len() {
            config[at].check();
            at += 1;
        }
        if let Some(why) = tcp {
            reason(why);
        }
        if let Some(why) = keyvalue {
            reason(why);
        }
    }
}

impl Setting {
    const fn check(&self) {
        let Self { name, why, schema, required: _ } = self;
        assert!(!name.is_empty() && name.len() <= 128, "the name of a setting must be 1 to 128 characters");
        reason(why);
        let schema = schema.as_bytes();
        let braced = schema.is_empty() || (schema[0] == b'{' && schema[schema.len() - 1] == b'}');
        assert!(braced, "the schema of a setting must be a JSON object, without space around it");
    }
}

impl Telemetry {
    const fn check(&self) {
        let Self { attributes, events, spans, metrics } = self;
        let mut at = 0;
        while at < attributes.len() {
            assert!(made_of(attributes[at], 66, b"_.*"), "an attribute must be 1 to 64 characters of a-z, 0-9, _ and ., or such with .* at its end");
            at += 1;
        }
        let mut at = 0;
        while at < events.len() {
            assert!(made_of(events[at], 64, b"_."), "the name of an event must be 1 to 64 characters of a-z, 0-9, _ and .");
            at += 1;
        }
        let mut at = 0;
        while at < spans.len() {
            assert!(made_of(spans[at], 64, b"_."), "the name of a span must be 1 to 64 characters of a-z, 0-9, _ and .");
            at += 1;
        }
        let mut at = 0;
        while at < metrics.len() {
            assert!(made_of(metrics[at].name, 64, b"_."), "the name of a metric must be 1 to 64 characters of a-z, 0-9, _ and .");
            at += 1;
        }
    }
}

const fn reason(why: &str) {
    assert!(!why.is_empty() && why.len() <= 256, "a reason must be a sentence of 1 to 256 bytes that tells an operator what the capability is for");
}

const fn made_of(text: &str, most: usize, also: &[u8]) -> bool {
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

pub(super) const fn same(a: &str, b: &str) -> bool {
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
