//! What is done to every value before it leaves the host: cut, hashed or dropped, and never set twice.

use pipeline::{AttributeValue, Attributes};

use crate::registry;

/// The longest string of an attribute, in bytes, unless configured otherwise: the SDK itself has no limit.
pub const MAX_VALUE_BYTES: usize = 1024;
/// The longest description of a failed span, in bytes.
pub const MAX_DESCRIPTION_BYTES: usize = 256;
/// The longest name of a span, in bytes.
pub const MAX_NAME_BYTES: usize = 128;
/// The most attributes of a span, event or link: the default of the OpenTelemetry specification.
pub const MAX_ATTRIBUTES: usize = 128;

/// What is done to every value before it leaves the host.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What happens to values that identify a person or a customer.
    pub pii: Pii,
    /// How a failure is told beside the span's status.
    pub exceptions: Exceptions,
    /// The longest string, in bytes.
    pub max_value_bytes: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self { pii: Pii::Emit, exceptions: Exceptions::SpanEvents, max_value_bytes: MAX_VALUE_BYTES }
    }
}

/// What happens to values that the registry flags as personal. Metrics never carry them.
#[derive(Clone, PartialEq, Eq)]
pub enum Pii {
    /// They are exported.
    Emit,
    /// 16 hexadecimal digits of blake3 under this key are exported instead, so that equal values stay equal.
    Hash([u8; 32]),
    /// They are left out.
    Drop,
}

impl std::fmt::Debug for Pii {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Emit => "Emit",
            Self::Hash(_) => "Hash",
            Self::Drop => "Drop",
        })
    }
}

/// How a failure is told beside the span's status: OpenTelemetry moves exceptions from span events to log records, and
/// `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN` says how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exceptions {
    /// As an event of the span.
    SpanEvents,
    /// As a log record under the span.
    Logs,
    /// As both.
    Both,
}

impl Exceptions {
    /// Whether spans carry events.
    pub fn on_spans(self) -> bool {
        match self {
            Self::SpanEvents | Self::Both => true,
            Self::Logs => false,
        }
    }

    /// Whether log records are written.
    pub fn in_logs(self) -> bool {
        match self {
            Self::Logs | Self::Both => true,
            Self::SpanEvents => false,
        }
    }
}

impl Policy {
    /// The attributes as they may be exported: a key set twice has its last value, in its first place.
    pub fn attributes(&self, attributes: impl IntoIterator<Item = (String, AttributeValue)>) -> Attributes {
        let mut kept: Attributes = Vec::new();
        for (key, value) in attributes {
            let Some(value) = self.value(&key, value) else { continue };
            match kept.iter().position(|(known, _)| *known == key) {
                Some(place) => kept[place].1 = value,
                None if kept.len() < MAX_ATTRIBUTES => kept.push((key, value)),
                None => {}
            }
        }
        kept
    }

    fn value(&self, key: &str, value: AttributeValue) -> Option<AttributeValue> {
        let personal = registry::attribute(key).is_some_and(|row| row.pii);
        let text = |text: String| match &self.pii {
            Pii::Hash(secret) if personal => blake3::keyed_hash(secret, text.as_bytes()).to_hex()[..16].to_owned(),
            Pii::Emit | Pii::Hash(_) | Pii::Drop => cut_owned(text, self.max_value_bytes),
        };
        if personal && self.pii == Pii::Drop {
            return None;
        }
        match value {
            AttributeValue::Float(number) if !number.is_finite() => None,
            AttributeValue::Text(value) => Some(AttributeValue::Text(text(value))),
            AttributeValue::Texts(values) => Some(AttributeValue::Texts(values.into_iter().take(MAX_ATTRIBUTES).map(text).collect())),
            kept @ (AttributeValue::Flag(_) | AttributeValue::Int(_) | AttributeValue::Float(_)) => Some(kept),
        }
    }
}

/// The beginning of a text that fits in `limit` bytes and ends between two characters.
pub fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

fn cut_owned(mut text: String, limit: usize) -> String {
    text.truncate(text.floor_char_boundary(limit));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("abc", 8), "abc");
        assert_eq!(cut("äöü", 3), "ä");
        assert_eq!(cut("äöü", 4), "äö");
        let huge = Policy::default().attributes([("k".to_owned(), AttributeValue::Text("x".repeat(1 << 20)))]);
        assert_eq!(huge, [("k".to_owned(), AttributeValue::Text("x".repeat(1024)))]);
    }

    #[test]
    fn a_key_is_set_once_and_keeps_its_last_value() {
        let given = [("a", 1), ("b", 2), ("a", 3)].map(|(key, value): (&str, i64)| (key.to_owned(), AttributeValue::Int(value)));
        let kept = Policy::default().attributes(given);
        assert_eq!(kept, [("a".to_owned(), AttributeValue::Int(3)), ("b".to_owned(), AttributeValue::Int(2))]);
    }

    #[test]
    fn personal_values_are_emitted_hashed_or_dropped() {
        let given = || [("bss.customer_id".to_owned(), "C-42".into()), ("bss.channel".to_owned(), "web".into())];
        let under = |pii| Policy { pii, ..Policy::default() }.attributes(given());
        assert_eq!(under(Pii::Emit), given());
        assert_eq!(under(Pii::Drop), given()[1..]);
        let hashed = under(Pii::Hash([7; 32]));
        assert!(matches!(&hashed[0].1, AttributeValue::Text(text) if text.len() == 16 && text != "C-42"));
        assert_eq!(hashed, under(Pii::Hash([7; 32])));
        assert_ne!(hashed, under(Pii::Hash([8; 32])));
    }
}
