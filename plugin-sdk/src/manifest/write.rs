//! The manifest as JSON text, at compile time.

use super::{Capabilities, Contract, Manifest, Metric, MetricKind, Setting, Telemetry};

/// The length of the JSON text in bytes.
pub const fn json_len(manifest: &Manifest) -> usize {
    write(manifest, &mut [])
}

/// The JSON text.
pub const fn json<const N: usize>(manifest: &Manifest) -> [u8; N] {
    let mut out = [0; N];
    write(manifest, &mut out);
    out
}

/// Writes as much as fits and returns the whole length, so that one function measures and writes.
pub(super) const fn write(manifest: &Manifest, out: &mut [u8]) -> usize {
    let mut text = Text { out, len: 0 };
    text.manifest(manifest);
    text.len
}

struct Text<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl Text<'_> {
    const fn manifest(&mut self, manifest: &Manifest) {
        let Manifest { name, version, vendor, contracts, capabilities, failure_codes, telemetry } = manifest;
        self.put("{\"name\":");
        self.quoted(name);
        self.put(",\"version\":");
        self.quoted(version);
        self.put(",\"vendor\":");
        self.quoted(vendor);
        self.put(",\"contracts\":[");
        let mut at = 0;
        while at < contracts.len() {
            self.between(at);
            self.contract(&contracts[at]);
            at += 1;
        }
        self.put("],\"capabilities\":");
        self.capabilities(capabilities);
        self.put(",\"failure_codes\":[");
        self.list(failure_codes, 0);
        let mut before = failure_codes.len();
        if !capabilities.http.is_empty() {
            self.list(crate::http::CODES, before);
            before += crate::http::CODES.len();
        }
        if capabilities.keyvalue.is_some() {
            self.list(&[crate::kv::CODE], before);
            before += 1;
        }
        if !capabilities.secrets.is_empty() {
            self.list(&[crate::secrets::CODE], before);
        }
        self.put("],\"telemetry\":");
        self.telemetry(telemetry);
        self.put("}");
    }

    const fn contract(&mut self, contract: &Contract) {
        let Contract { name, verbs, idempotent } = contract;
        self.put("{\"contract\":\"");
        let (package, interface) = super::interface(name);
        self.put(package);
        self.put(interface);
        self.put("\",\"verbs\":[");
        let mut at = 0;
        while at < verbs.len() {
            self.between(at);
            self.quoted(verbs[at].function());
            at += 1;
        }
        self.put("],\"idempotent\":");
        self.flag(*idempotent);
        self.put("}");
    }

    const fn capabilities(&mut self, capabilities: &Capabilities) {
        let Capabilities { http, tcp, keyvalue, secrets, config } = capabilities;
        self.put("{\"http\":[");
        let mut at = 0;
        while at < http.len() {
            self.between(at);
            self.named(http[at].name, http[at].why);
            self.put("}");
            at += 1;
        }
        self.put("],\"tcp\":");
        self.wanted(*tcp);
        self.put(",\"keyvalue\":");
        self.wanted(*keyvalue);
        self.put(",\"secrets\":[");
        let mut at = 0;
        while at < secrets.len() {
            self.between(at);
            self.named(secrets[at].name, secrets[at].why);
            self.put("}");
            at += 1;
        }
        self.put("],\"config\":[");
        let mut at = 0;
        while at < config.len() {
            self.between(at);
            self.setting(&config[at]);
            at += 1;
        }
        self.put("]}");
    }

    const fn setting(&mut self, setting: &Setting) {
        let Setting { name, why, schema, required } = setting;
        self.named(name, why);
        if !schema.is_empty() {
            self.put(",\"schema\":");
            self.put(schema);
        }
        self.put(",\"required\":");
        self.flag(*required);
        self.put("}");
    }

    const fn telemetry(&mut self, telemetry: &Telemetry) {
        let Telemetry { attributes, events, spans, metrics } = telemetry;
        self.put("{\"attributes\":[");
        self.list(attributes, 0);
        self.put("],\"events\":[");
        self.list(events, 0);
        self.put("],\"spans\":[");
        self.list(spans, 0);
        self.put("],\"metrics\":[");
        let mut at = 0;
        while at < metrics.len() {
            self.between(at);
            self.metric(&metrics[at]);
            at += 1;
        }
        self.put("]}");
    }

    const fn metric(&mut self, metric: &Metric) {
        let Metric { name, kind, unit, description, labels } = metric;
        self.put("{\"name\":");
        self.quoted(name);
        self.put(match kind {
            MetricKind::Counter => ",\"kind\":\"counter\",\"unit\":",
            MetricKind::Histogram => ",\"kind\":\"histogram\",\"unit\":",
        });
        self.quoted(unit);
        self.put(",\"description\":");
        self.quoted(description);
        self.put(",\"labels\":{");
        let mut at = 0;
        while at < labels.len() {
            self.between(at);
            self.quoted(labels[at].0);
            self.put(":[");
            self.list(labels[at].1, 0);
            self.put("]");
            at += 1;
        }
        self.put("}}");
    }

    /// The beginning of an object with a name and a reason.
    const fn named(&mut self, name: &str, why: &str) {
        self.put("{\"name\":");
        self.quoted(name);
        self.put(",\"why\":");
        self.quoted(why);
    }

    /// A capability without a name.
    const fn wanted(&mut self, why: Option<&str>) {
        match why {
            None => self.put("false"),
            Some(why) => {
                self.put("{\"why\":");
                self.quoted(why);
                self.put("}");
            }
        }
    }

    /// The elements of a list, after so many that are there.
    const fn list(&mut self, texts: &[&str], before: usize) {
        let mut at = 0;
        while at < texts.len() {
            self.between(before + at);
            self.quoted(texts[at]);
            at += 1;
        }
    }

    const fn between(&mut self, before: usize) {
        if before > 0 {
            self.put(",");
        }
    }

    const fn flag(&mut self, flag: bool) {
        self.put(if flag { "true" } else { "false" });
    }

    const fn quoted(&mut self, text: &str) {
        self.put("\"");
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            assert!(bytes[at] >= b' ', "texts of a manifest hold no control character");
            if bytes[at] == b'"' || bytes[at] == b'\\' {
                self.byte(b'\\');
            }
            self.byte(bytes[at]);
            at += 1;
        }
        self.put("\"");
    }

    const fn put(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            self.byte(bytes[at]);
            at += 1;
        }
    }

    const fn byte(&mut self, byte: u8) {
        if self.len < self.out.len() {
            self.out[self.len] = byte;
        }
        self.len += 1;
    }
}
