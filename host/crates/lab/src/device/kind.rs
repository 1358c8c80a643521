//! The types of parameters: what a device takes as a value, and in which other form it may say the same value.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A type with its bounds, as a model states it: `string(8:63)`, `string|A|B`, `unsignedInt(1:4094)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text of so many characters, at least and at most.
    Text(usize, usize),
    /// One of these, separated by `|`.
    Choice(&'static str),
    /// A whole number of this name and within these bounds.
    Number(&'static str, i64, i64),
    Boolean,
    DateTime,
    Base64,
    HexBinary,
}

impl Kind {
    /// Reads what a model states.
    pub(super) fn parse(text: &'static str) -> Option<Self> {
        if let Some(choices) = text.strip_prefix("string|") {
            return Some(Self::Choice(choices));
        }
        let (name, bounds) = text.split_once('(').map_or((text, None), |(name, rest)| (name, rest.strip_suffix(')')));
        let (low, high) = match bounds.map(|bounds| bounds.split_once(':').unwrap_or(("0", bounds))) {
            Some((low, high)) => (Some(low.parse().ok()?), Some(high.parse().ok()?)),
            None => (None, None),
        };
        let number = |name, least: i64, most: i64| Some(Self::Number(name, low.unwrap_or(least), high.unwrap_or(most)));
        match name {
            "string" => Some(Self::Text(usize::try_from(low.unwrap_or(0)).ok()?, usize::try_from(high.unwrap_or(65_536)).ok()?)),
            "int" => number("int", i32::MIN.into(), i32::MAX.into()),
            "unsignedInt" => number("unsignedInt", 0, u32::MAX.into()),
            "long" => number("long", i64::MIN, i64::MAX),
            "unsignedLong" => number("unsignedLong", 0, i64::MAX),
            "boolean" => Some(Self::Boolean),
            "dateTime" => Some(Self::DateTime),
            "base64" => Some(Self::Base64),
            "hexBinary" => Some(Self::HexBinary),
            _ => None,
        }
    }

    /// The name of the XML Schema type.
    pub(super) fn xsd(self) -> &'static str {
        match self {
            Self::Text(..) | Self::Choice(_) => "string",
            Self::Number(name, ..) => name,
            Self::Boolean => "boolean",
            Self::DateTime => "dateTime",
            Self::Base64 => "base64",
            Self::HexBinary => "hexBinary",
        }
    }

    /// Whether a device takes this value.
    pub(super) fn takes(self, value: &str) -> bool {
        match self {
            // What holds a secret may be emptied.
            Self::Text(least, most) => value.is_empty() || (least..=most).contains(&value.chars().count()),
            Self::Choice(choices) => choices.split('|').any(|choice| choice == value),
            Self::Number(_, least, most) => value.parse().is_ok_and(|number: i64| (least..=most).contains(&number)),
            Self::Boolean => matches!(value, "0" | "1" | "true" | "false"),
            Self::DateTime => {
                value == "0001-01-01T00:00:00Z" || value.parse::<jiff::Timestamp>().is_ok() || value.parse::<jiff::civil::DateTime>().is_ok()
            }
            Self::Base64 => STANDARD.decode(value).is_ok(),
            Self::HexBinary => value.len().is_multiple_of(2) && value.bytes().all(|byte| byte.is_ascii_hexdigit()),
        }
    }

    /// The same list in the reverse order, if it is one.
    pub(super) fn reversed(self, value: &str) -> String {
        match self {
            Self::Text(..) => value.rsplit(',').collect::<Vec<_>>().join(","),
            Self::Choice(_) | Self::Number(..) | Self::Boolean | Self::DateTime | Self::Base64 | Self::HexBinary => value.to_owned(),
        }
    }

    /// The same value in another form, where there is one.
    pub(super) fn other_form(self, value: &str) -> String {
        match self {
            Self::Boolean => match value {
                "true" => "1",
                "1" => "true",
                "false" => "0",
                _ => "false",
            }
            .to_owned(),
            Self::Text(..) if is_mac(value) => swap_case(value),
            Self::HexBinary => swap_case(value),
            Self::DateTime => value.strip_suffix('Z').map_or_else(|| value.to_owned(), |local| format!("{local}+00:00")),
            Self::Text(..) | Self::Choice(_) | Self::Number(..) | Self::Base64 => value.to_owned(),
        }
    }
}

fn is_mac(value: &str) -> bool {
    value.len() == 17 && value.split([':', '-']).filter(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit())).count() == 6
}

fn swap_case(value: &str) -> String {
    if value.bytes().any(|byte| byte.is_ascii_lowercase()) { value.to_ascii_uppercase() } else { value.to_ascii_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn a_type_takes_what_fits_it() {
        let cases: [(&'static str, &[&str], &[&str]); 8] = [
            ("string(8:63)", &["", "12345678"], &["1234567"]),
            ("string|Auto|20MHz", &["Auto"], &["auto", ""]),
            ("unsignedInt(1:4094)", &["1", "4094"], &["0", "4095", "-1", "x", ""]),
            ("int", &["-2147483648"], &["2147483648"]),
            ("boolean", &["0", "1", "true", "false"], &["True", ""]),
            ("dateTime", &["0001-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00"], &["yesterday"]),
            ("base64", &["", "YQ=="], &["Y"]),
            ("hexBinary", &["", "0aFF"], &["0", "0g"]),
        ];
        for (kind, good, bad) in cases {
            let kind = Kind::parse(kind).unwrap();
            assert!(good.iter().all(|value| kind.takes(value)) && !bad.iter().any(|value| kind.takes(value)), "{kind:?}");
        }
        assert_eq!(Kind::parse("json"), None);
    }

    #[test]
    fn a_value_has_other_forms() {
        let cases = [
            ("boolean", "true", "1"),
            ("boolean", "0", "false"),
            ("string(17)", "0a:11:ce:00:00:01", "0A:11:CE:00:00:01"),
            ("string(17)", "0A:11:CE:00:00:01", "0a:11:ce:00:00:01"),
            ("string", "Home", "Home"),
            ("dateTime", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00"),
            ("hexBinary", "AB", "ab"),
        ];
        for (kind, value, other) in cases {
            assert_eq!(Kind::parse(kind).unwrap().other_form(value), other);
        }
    }
}
