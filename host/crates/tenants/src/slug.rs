//! Slugs: the names of tenants in addresses. One label of the DNS, in the few characters that nobody confuses.

mod lookalike;
mod reserved;

use std::fmt;

use self::lookalike::lookalike;
pub use self::reserved::RESERVED;

/// The fewest characters of a slug.
const MIN: usize = 3;
/// The most characters of a slug: a label has 63, and names of buckets and roles are made of it.
const MAX: usize = 40;

/// A slug that a tenant may have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slug(String);

/// Why a slug is none. Says what is wrong, where, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSlug {
    /// Too short or too long.
    #[error("the slug has {0} characters: expected 3 to 40")]
    Length(usize),
    /// A letter of another script, or any other character beyond ASCII.
    #[error("the slug has {found:?} (U+{code:04X}) at character {position}{hint}: expected only a-z, 0-9 and `-`; names in other scripts are not taken", code = u32::from(*found), hint = hint(*lookalike))]
    NotAscii {
        /// The character.
        found: char,
        /// Where, from 1.
        position: usize,
        /// What it looks like.
        lookalike: Option<char>,
    },
    /// A capital letter.
    #[error("the slug has the capital letter {found:?} at character {position}: expected only a-z, 0-9 and `-`")]
    Capital {
        /// The character.
        found: char,
        /// Where, from 1.
        position: usize,
    },
    /// Another character that is not allowed.
    #[error("the slug has {found:?} at character {position}: expected only a-z, 0-9 and `-`")]
    Character {
        /// The character.
        found: char,
        /// Where, from 1.
        position: usize,
    },
    /// A dash at an end.
    #[error("the slug has `-` at its {0}: expected a letter or a digit")]
    Edge(&'static str),
    /// Two dashes in a row, as in `xn--`.
    #[error("the slug has `--` at character {0}: expected single dashes, because `xn--` and its like mark names in other scripts")]
    DoubleDash(usize),
    /// A name that no tenant gets.
    #[error("the slug `{0}` is reserved: expected another one")]
    Reserved(String),
}

fn hint(lookalike: Option<char>) -> String {
    lookalike.map_or_else(String::new, |ascii| format!(", which looks like `{ascii}` and is not"))
}

impl Slug {
    /// Takes a slug that is none of the reserved ones, which `reserved` adds to.
    pub fn parse(given: &str, reserved: &[String]) -> Result<Self, InvalidSlug> {
        let slug = Self::label(given)?;
        if RESERVED.contains(&given) || reserved.iter().any(|word| word == given) { Err(InvalidSlug::Reserved(slug.0)) } else { Ok(slug) }
    }

    /// Takes a slug, also a reserved one.
    pub fn label(given: &str) -> Result<Self, InvalidSlug> {
        // Before the length: whoever writes in another script is helped by nothing else.
        if let Some(error) = given.chars().zip(1..).take(MAX + 1).find_map(|(found, position)| wrong(found, position)) {
            return Err(error);
        }
        let length = given.chars().count();
        if !(MIN..=MAX).contains(&length) {
            return Err(InvalidSlug::Length(length));
        }
        if given.starts_with('-') {
            return Err(InvalidSlug::Edge("beginning"));
        }
        if given.ends_with('-') {
            return Err(InvalidSlug::Edge("end"));
        }
        given.find("--").map_or_else(|| Ok(Self(given.to_owned())), |at| Err(InvalidSlug::DoubleDash(at + 1)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domain of a tenant of this slug.
    pub fn domain(&self, zone: &str) -> String {
        format!("{}.{zone}", self.0)
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is wrong with a character.
fn wrong(found: char, position: usize) -> Option<InvalidSlug> {
    match found {
        'a'..='z' | '0'..='9' | '-' => None,
        'A'..='Z' => Some(InvalidSlug::Capital { found, position }),
        _ if found.is_ascii() => Some(InvalidSlug::Character { found, position }),
        _ => Some(InvalidSlug::NotAscii { found, position, lookalike: lookalike(found) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_labels_that_nobody_confuses() {
        for good in ["acme", "a-b", "123", "a1-b2-c3", &"a".repeat(40)] {
            assert_eq!(Slug::parse(good, &[]).unwrap().as_str(), good);
        }
        let bad = [
            ("", "the slug has 0 characters: expected 3 to 40"),
            ("ab", "the slug has 2 characters: expected 3 to 40"),
            (&*"a".repeat(64), "the slug has 64 characters: expected 3 to 40"),
            ("a.b", "the slug has '.' at character 2: expected only a-z, 0-9 and `-`"),
            ("a'; drop table", "the slug has '\\'' at character 2: expected only a-z, 0-9 and `-`"),
            ("a\nb", "the slug has '\\n' at character 2: expected only a-z, 0-9 and `-`"),
            ("aBc", "the slug has the capital letter 'B' at character 2: expected only a-z, 0-9 and `-`"),
            ("-abc", "the slug has `-` at its beginning: expected a letter or a digit"),
            ("abc-", "the slug has `-` at its end: expected a letter or a digit"),
            ("xn--bcher-kva", "the slug has `--` at character 3: expected single dashes, because `xn--` and its like mark names in other scripts"),
            ("www", "the slug `www` is reserved: expected another one"),
            ("ours", "the slug `ours` is reserved: expected another one"),
            (
                "p\u{430}ypal",
                "the slug has 'а' (U+0430) at character 2, which looks like `a` and is not: expected only a-z, 0-9 and `-`; names in other scripts are not taken",
            ),
            ("bücher", "the slug has 'ü' (U+00FC) at character 2: expected only a-z, 0-9 and `-`; names in other scripts are not taken"),
        ];
        for (given, error) in bad {
            assert_eq!(Slug::parse(given, &["ours".to_owned()]).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn the_reserved_words_are_slugs_or_too_short_to_be_one_and_stand_in_order() {
        let odd: Vec<_> = RESERVED.iter().filter(|word| Slug::label(word).is_err_and(|error| !matches!(error, InvalidSlug::Length(2)))).collect();
        assert!(odd.is_empty(), "{odd:?}");
    }
}
