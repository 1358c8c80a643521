//! What a plugin may say about its call. What exceeds a limit is dropped and counted, never an error: telemetry must not stop a plugin.

use pipeline::{AttributeValue, Attributes};

/// The longest key of an attribute that a plugin may set, in bytes.
const MAX_KEY_BYTES: usize = 64;
/// The longest name of an event, in bytes.
const MAX_EVENT_NAME_BYTES: usize = 64;
/// The most attributes of the call, as the WIT contract promises.
const MAX_ATTRIBUTES: usize = 64;
/// The most events of the call.
const MAX_EVENTS: usize = 64;
/// The most log records of the call.
const MAX_LOGS: usize = 256;
/// The most attributes of one event or log record.
const MAX_ITEM_ATTRIBUTES: usize = 32;
/// The longest text, in bytes.
pub(crate) const MAX_TEXT_BYTES: usize = 1024;
/// The most elements of a list.
const MAX_ELEMENTS: usize = 64;
/// The most bytes of everything that one call says.
const MAX_TOTAL_BYTES: usize = 64 * 1024;

/// Names that only the host may use.
const RESERVED: &[&str] = &["otel.", "telemetry.", "service.", "host.", "process.", "plugin.", "pipeline.", "error.", "exception.", "link."];

/// Whether a plugin may set an attribute of that name: `[a-z][a-z0-9_.]*`, at most 64 bytes, under no name of the host.
pub(crate) fn is_guest_key(key: &str) -> bool {
    is_word(key, MAX_KEY_BYTES) && !RESERVED.iter().any(|prefix| key.starts_with(prefix))
}

fn is_word(text: &str, limit: usize) -> bool {
    let shape = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.';
    text.len() <= limit && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(shape)
}

/// What one call has said so far.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    attributes: usize,
    events: usize,
    logs: usize,
    bytes: usize,
}

/// Something was refused: which signal, why, how many items.
pub(crate) type Dropped = (&'static str, &'static str, u64);

impl Budget {
    /// The attributes of the call's span that are within the limits. A key that is set again replaces its value and counts again.
    pub(crate) fn attributes(&mut self, given: Attributes, dropped: &mut Vec<Dropped>) -> Attributes {
        let room = MAX_ATTRIBUTES.saturating_sub(self.attributes);
        let kept = self.within(given, room, "attributes", dropped);
        self.attributes += kept.len();
        kept
    }

    /// The name and the attributes of an event.
    pub(crate) fn event(&mut self, name: &str, given: Attributes, dropped: &mut Vec<Dropped>) -> Option<(String, Attributes)> {
        if self.events >= MAX_EVENTS {
            dropped.push(("events", "limit", 1));
            return None;
        }
        if !is_word(name, MAX_EVENT_NAME_BYTES) || name == "exception" || RESERVED.iter().any(|prefix| name.starts_with(prefix)) {
            dropped.push(("events", "name", 1));
            return None;
        }
        if !self.spend(name.len()) {
            dropped.push(("events", "size", 1));
            return None;
        }
        self.events += 1;
        Some((name.to_owned(), self.within(given, MAX_ITEM_ATTRIBUTES, "attributes", dropped)))
    }

    /// The text and the attributes of a log record.
    pub(crate) fn log(&mut self, message: &str, given: Attributes, dropped: &mut Vec<Dropped>) -> Option<(String, Attributes)> {
        if self.logs >= MAX_LOGS {
            dropped.push(("logs", "limit", 1));
            return None;
        }
        let (message, cut) = printable(message);
        if !self.spend(message.len()) {
            dropped.push(("logs", "size", 1));
            return None;
        }
        if cut {
            dropped.push(("logs", "cut", 1));
        }
        self.logs += 1;
        Some((message, self.within(given, MAX_ITEM_ATTRIBUTES, "attributes", dropped)))
    }

    fn within(&mut self, given: Attributes, room: usize, signal: &'static str, dropped: &mut Vec<Dropped>) -> Attributes {
        let mut kept = Attributes::new();
        for (key, value) in given {
            let refused = if !is_guest_key(&key) {
                Some("key")
            } else if kept.len() >= room {
                Some("limit")
            } else {
                let (value, cut) = bounded(value);
                let size = key.len() + size(&value);
                if self.spend(size) {
                    kept.push((key, value));
                    cut.then_some("cut")
                } else {
                    Some("size")
                }
            };
            dropped.extend(refused.map(|reason| (signal, reason, 1)));
        }
        kept
    }

    fn spend(&mut self, bytes: usize) -> bool {
        let fits = self.bytes + bytes <= MAX_TOTAL_BYTES;
        self.bytes += if fits { bytes } else { 0 };
        fits
    }
}

/// The value within the limits, and whether something of it was cut.
fn bounded(value: AttributeValue) -> (AttributeValue, bool) {
    match value {
        AttributeValue::Text(text) => {
            let (text, cut) = printable(&text);
            (AttributeValue::Text(text), cut)
        }
        AttributeValue::Texts(texts) => {
            let too_many = texts.len() > MAX_ELEMENTS;
            let (texts, cuts): (Vec<_>, Vec<_>) = texts.iter().take(MAX_ELEMENTS).map(|text| printable(text)).unzip();
            (AttributeValue::Texts(texts), too_many || cuts.contains(&true))
        }
        plain @ (AttributeValue::Flag(_) | AttributeValue::Int(_) | AttributeValue::Float(_)) => (plain, false),
    }
}

/// The text without control characters, which could forge lines of a log, and whether it was cut.
fn printable(text: &str) -> (String, bool) {
    let kept = crate::policy::cut(text, MAX_TEXT_BYTES);
    (kept.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(), kept.len() < text.len())
}

fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::Flag(_) | AttributeValue::Int(_) | AttributeValue::Float(_) => 8,
        AttributeValue::Text(text) => text.len(),
        AttributeValue::Texts(texts) => texts.iter().map(String::len).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: Attributes, kept: &[&str], counted: &[Dropped]) {
        let mut dropped = Vec::new();
        let left = Budget::default().attributes(given, &mut dropped);
        assert_eq!(left.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), kept);
        dropped.dedup();
        assert_eq!(dropped, counted);
    }

    #[test]
    fn names_of_the_host_and_malformed_names_are_refused() {
        let keys = ["acme.port", "plugin.name", "error.type", "Acme", "1a", "", "a-b", "bss.decomposition.service_count"];
        let given = keys.map(|key| (key.to_owned(), AttributeValue::Int(1))).to_vec();
        check(given, &["acme.port", "bss.decomposition.service_count"], &[("attributes", "key", 1)]);
    }

    #[test]
    fn a_huge_value_is_cut_and_a_flood_is_dropped() {
        check(vec![("a".to_owned(), AttributeValue::Text("x".repeat(1 << 20)))], &["a"], &[("attributes", "cut", 1)]);
        let mut dropped = Vec::new();
        let mut budget = Budget::default();
        let logs = (0..100_000).filter(|_| budget.log("line\nforged", Attributes::new(), &mut dropped).is_some()).count();
        assert_eq!((logs, dropped.len()), (MAX_LOGS, 100_000 - MAX_LOGS));
        assert_eq!(Budget::default().log("a\nb", Attributes::new(), &mut dropped).unwrap().0, "a b");
    }

    #[test]
    fn everything_one_call_says_is_bounded_in_bytes() {
        let mut dropped = Vec::new();
        let mut budget = Budget::default();
        let big = || vec![("a".to_owned(), AttributeValue::Texts(vec!["x".repeat(1024); 30]))];
        assert_eq!(budget.attributes(big(), &mut dropped).len() + budget.attributes(big(), &mut dropped).len(), 2);
        assert!(budget.attributes(big(), &mut dropped).is_empty());
        assert_eq!(dropped, [("attributes", "size", 1)]);
    }
}
