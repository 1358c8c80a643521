//! What is done to every value before it leaves the host: cut, hashed or dropped, and never set twice.

use pipeline::{AttributeValue, Attributes};

use crate::{
    options::Names,
    registry::{self, AttributeRow, Form},
};

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
    /// Whether names of the semantic conventions are added.
    pub names: Names,
    /// How a failure is told beside the span's status.
    pub exceptions: Exceptions,
    /// The longest string, in bytes.
    pub max_value_bytes: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self { pii: Pii::Emit, names: Names::Seed, exceptions: Exceptions::SpanEvents, max_value_bytes: MAX_VALUE_BYTES }
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
    /// The attributes as they may be exported: a key set twice has its last value, in its first place. Names that the profile adds come last, and
    /// only where nobody set them.
    pub fn attributes(&self, attributes: impl IntoIterator<Item = (String, AttributeValue)>) -> Attributes {
        let (mut kept, mut added) = (Attributes::new(), Attributes::new());
        for (key, value) in attributes {
            let row = registry::attribute(&key);
            if self.names == Names::SeedAndSemconv {
                added.extend(row.and_then(|row| self.counterpart(row, &value)));
            }
            if let Some(value) = self.value(row, value) {
                set(&mut kept, key, value);
            }
        }
        for (key, value) in added {
            if !kept.iter().any(|(known, _)| *known == key) {
                set(&mut kept, key, value);
            }
        }
        kept
    }

    /// The attribute of the semantic conventions that says the same as one of the customer's.
    fn counterpart(&self, row: &AttributeRow, value: &AttributeValue) -> Option<(String, AttributeValue)> {
        let counterpart = row.semconv?;
        let value = match (counterpart.form, value) {
            (Form::Same, value) => value.clone(),
            (Form::List, AttributeValue::Text(text)) => {
                AttributeValue::Texts(text.split(',').map(str::trim).filter(|element| !element.is_empty()).map(str::to_owned).collect())
            }
            // Anything else is not of the type that the registry says, and has no elements.
            (Form::List, _) => return None,
        };
        Some((counterpart.key.to_owned(), self.value(registry::attribute(counterpart.key), value)?))
    }

    fn value(&self, row: Option<&AttributeRow>, value: AttributeValue) -> Option<AttributeValue> {
        let personal = row.is_some_and(|row| row.pii);
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

/// Sets a key, once.
fn set(kept: &mut Attributes, key: String, value: AttributeValue) {
    match kept.iter().position(|(known, _)| *known == key) {
        Some(place) => kept[place].1 = value,
        None if kept.len() < MAX_ATTRIBUTES => kept.push((key, value)),
        None => {}
    }
}

/// The description of a failed span: the first line of the message, or the type of the failure where nothing is said. Other lines are a backtrace, which the
/// exception of the attempt has.
pub(crate) fn description<'a>(message: &'a str, error_type: &'a str) -> &'a str {
    let line = message.lines().next().unwrap_or_default();
    cut(if line.is_empty() { error_type } else { line }, MAX_DESCRIPTION_BYTES)
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
    fn a_description_is_one_line_and_never_empty() {
        assert_eq!(description("unreachable executed\nbacktrace", "plugin.trap"), "unreachable executed");
        assert_eq!(description("", "plugin.trap"), "plugin.trap");
        assert_eq!(description(&"x".repeat(300), "plugin.trap").len(), MAX_DESCRIPTION_BYTES);
    }

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

    fn named(pii: Pii, given: &[(&str, &str)]) -> Vec<String> {
        let policy = Policy { pii, names: Names::SeedAndSemconv, ..Policy::default() };
        let attributes = policy.attributes(given.iter().map(|(key, value)| ((*key).to_owned(), AttributeValue::from(*value))));
        attributes.into_iter().map(|(key, value)| format!("{key}={}", serde_json::to_string(&value).unwrap())).collect()
    }

    #[test]
    fn names_of_the_semantic_conventions_are_added_on_request_and_replace_nothing() {
        let given = [("bss.order_id", "ORD-1"), ("bss.decomposition.services", "access, voip"), ("bss.channel", "web"), ("db.system", "postgresql")];
        let seed = Policy::default().attributes(given.map(|(key, value)| (key.to_owned(), value.into())));
        assert_eq!(seed, given.map(|(key, value)| (key.to_owned(), AttributeValue::from(value))));
        let expected = [
            r#"bss.order_id="ORD-1""#,
            r#"bss.decomposition.services="access, voip""#,
            r#"bss.channel="web""#,
            r#"db.system="postgresql""#,
            r#"bss.order.id="ORD-1""#,
            r#"bss.decomposition.service_names=["access","voip"]"#,
            r#"db.system.name="postgresql""#,
        ];
        assert_eq!(named(Pii::Emit, &given), expected);
        // What somebody set under the other name stays.
        let both = named(Pii::Emit, &[("db.system", "postgresql"), ("db.system.name", "mysql")]);
        assert_eq!(both, [r#"db.system="postgresql""#, r#"db.system.name="mysql""#]);
    }

    #[test]
    fn what_is_added_is_as_personal_as_what_it_is_added_to() {
        let given = [("cpe.serial_number", "SN-42"), ("cpe.model", "HG8245")];
        assert_eq!(named(Pii::Drop, &given), [r#"cpe.model="HG8245""#, r#"device.model.name="HG8245""#]);
        let hashed = named(Pii::Hash([7; 32]), &given);
        assert_eq!(hashed[0].strip_prefix("cpe.serial_number"), hashed[2].strip_prefix("device.id"));
        assert!(!hashed.concat().contains("SN-42"));
    }
}
