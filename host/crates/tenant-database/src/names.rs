//! Names within databases, made of a tenant's id.

use pipeline::Failure;

use crate::failure::{DATABASE_REFUSED, rejected};

/// The longest id.
const LONGEST: usize = 64;

/// A tenant's id that was checked: 1 to 64 characters of `[a-z0-9_-]`. Safe as a part of a file name and of an identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TenantId(String);

impl TenantId {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let fits = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || matches!(character, '_' | '-');
        if text.is_empty() || text.len() > LONGEST || !text.chars().all(fits) {
            let message = format_args!("a tenant's id has 1 to {LONGEST} characters of `[a-z0-9_-]`, found {} bytes that do not fit", text.len());
            return Err(rejected(DATABASE_REFUSED, message));
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for TenantId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::TenantId;

    #[test]
    fn an_id_that_could_mean_more_than_a_name_is_refused() {
        for good in ["t-1", "a", "a_b-c9", &"x".repeat(64)] {
            assert_eq!(TenantId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "A", "a b", "a.b", "../a", "a/b", "a\"; DROP SCHEMA x; --", "a'", "ä", "a\0", &"x".repeat(65)] {
            TenantId::parse(bad).unwrap_err();
        }
    }
}
