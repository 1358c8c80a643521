//! Patterns of names: `*` stands for any rest, also an empty one; everything else stands for itself.

use std::fmt;

use serde::Deserialize;

/// A pattern of names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(String);

impl Pattern {
    /// The pattern that everything fits.
    pub(super) fn everything() -> Vec<Self> {
        vec![Self("*".to_owned())]
    }

    /// Whether a name fits.
    pub fn fits(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.:/@*".contains(&byte);
        if (1..=128).contains(&text.len()) && text.bytes().all(word) {
            return Ok(Self(text));
        }
        Err(format!("`{}` is no pattern: expected 1 to 128 characters of [a-z0-9-_.:/@*]", text.chars().take(64).collect::<String>()))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_rest() {
        let check = |pattern: &str, name: &str, fits: bool| {
            assert_eq!(Pattern::try_from(pattern.to_owned()).unwrap().fits(name), fits, "{pattern} {name}");
        };
        check("acme-pool", "acme-pool", true);
        check("acme-pool", "acme-pools", false);
        check("acme-pool", "acme-poo", false);
        check("acme-*", "acme-pool", true);
        check("acme-*", "acme-", true);
        check("acme-*", "acme", false);
        check("*", "", true);
        check("*-pool", "acme-pool", true);
        check("a*a", "a", false);
        check("a*a", "aa", true);
        check("a*b*c", "a-c-b-c", true);
        check("a*b*c", "a-c", false);
        check("jackfield:order/*", "jackfield:order/inventory", true);
        check("jackfield:order/*@1", "jackfield:order/inventory", false);
        assert!(Pattern::try_from("Acme".to_owned()).is_err() && Pattern::try_from(String::new()).is_err());
    }
}
