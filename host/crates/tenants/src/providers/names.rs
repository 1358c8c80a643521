//! Names that are checked before anything is made of them.

use pipeline::Failure;

use super::effect::rejected;

/// How many names a certificate has at most.
const MOST_NAMES: usize = 100;

/// An id of a tenant: 1 to 64 characters of `[a-z0-9_-]`.
pub(crate) fn check_id(id: &str) -> Result<(), Failure> {
    let fits = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte));
    if fits { Ok(()) } else { Err(rejected("bad_id", format!("`{}` is no id: expected 1 to 64 characters of [a-z0-9_-]", shown(id)))) }
}

/// A label of DNS as people register them: letters, digits and hyphens inside.
pub(crate) fn is_label(label: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&label.len()) && label.bytes().all(inside) && !label.starts_with('-') && !label.ends_with('-')
}

/// A name in lower case without the last dot; with underscores where services are named, and a star in front where `star`.
pub(crate) fn is_name(name: &str, star: bool) -> bool {
    let rest = if star { name.strip_prefix("*.").unwrap_or(name) } else { name };
    name.len() <= 253 && rest.split('.').all(|label| is_label(label.strip_prefix('_').unwrap_or(label)))
}

/// The names of a certificate: at least one, each once, also with a star in front.
pub(crate) fn check_names(names: &[String]) -> Result<(), Failure> {
    if !(1..=MOST_NAMES).contains(&names.len()) {
        return Err(rejected("bad_names", format!("a certificate is for 1 to {MOST_NAMES} names: there are {}", names.len())));
    }
    match names.iter().enumerate().find(|(n, name)| !is_name(name, true) || names[..*n].contains(name)) {
        Some((_, name)) => Err(rejected("bad_names", format!("`{}` is no name, or is there twice", shown(name)))),
        None => Ok(()),
    }
}

/// The beginning of a text from outside, for a message.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_and_ids_are_plain() {
        let long = "a".repeat(64);
        for (name, fits) in [("app.example.test", true), ("*.app.test", true), ("_acme-challenge.app.test", true), ("", false), ("a..b", false)] {
            assert_eq!(is_name(name, true), fits, "{name}");
        }
        for name in ["App.test", "a b.test", "-a.test", "a-.test", "*.a.test", "a.test.", "a/../b", "é.test", long.as_str()] {
            assert!(!is_name(name, false), "{name}");
        }
        for (id, fits) in [("t-1", true), ("", false), ("T", false), ("../x", false), (long.as_str(), true), ("a.b", false)] {
            assert_eq!(check_id(id).is_ok(), fits, "{id}");
        }
    }
}
