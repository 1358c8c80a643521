//! Which quirks are refused, and which a plugin may suggest.

use std::num::NonZeroU32;

use super::{QuirkChanges, Quirks};

/// A quirk that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{record}: `{field}` is `{found}`; expected {expected}")]
pub struct QuirkError {
    /// Which record, as in `quirk record 3`, or `suggested quirk`.
    pub record: String,
    /// Which of its fields.
    pub field: String,
    /// What it says.
    pub found: String,
    /// What it may say.
    pub expected: &'static str,
}

/// How much of what was found is repeated.
const SHOWN: usize = 80;

/// The longest delay before values are read back: devices that need longer say so by their status.
const LONGEST_DELAY_MS: u32 = 60_000;

/// The most entries of a list, and parameters of one request.
const MOST: usize = 4_096;

/// What a plugin may suggest: how values are written, read and compared, but not what counts as done, nor how the session runs.
const SAFE: [&str; 8] = [
    "boolean",
    "set_batch",
    "get_batch",
    "read_back_delay_ms",
    "unordered_lists",
    "needs_reboot_to_apply",
    "datetime_milliseconds",
    "skip_add_object_probe",
];

impl QuirkError {
    pub(super) fn new(record: &str, field: &str, found: &str, expected: &'static str) -> Self {
        Self { record: record.to_owned(), field: field.to_owned(), found: found.chars().take(SHOWN).collect(), expected }
    }
}

impl QuirkChanges {
    /// Whether a device can be spoken to with these.
    pub(super) fn check(&self, record: &str) -> Result<(), QuirkError> {
        let refuse = |field: &str, found: &str, expected| Err(QuirkError::new(record, field, found, expected));
        if let Some(path) = self.cookie_path.as_deref().filter(|path| !is_path(path)) {
            return refuse("cookie_path", path, "a path of a URL, which begins with `/`");
        }
        if let Some(Some(root)) = self.parameter_root.as_ref().filter(|root| root.as_deref().is_some_and(|root| !is_root(root))) {
            return refuse("parameter_root", root, "a name that ends with `.`, such as `Device.`");
        }
        for (field, names) in [("hidden", &self.hidden), ("read_first", &self.read_first)] {
            let names = names.as_deref().unwrap_or_default();
            if names.len() > MOST {
                return refuse(field, &names.len().to_string(), "at most 4,096 names");
            }
            if let Some(name) = names.iter().find(|name| !is_name(name)) {
                return refuse(field, name, "the full name of a parameter, in which `{i}` stands for any number");
            }
        }
        if let Some(delay) = self.read_back_delay_ms.filter(|&delay| delay > LONGEST_DELAY_MS) {
            return refuse("read_back_delay_ms", &delay.to_string(), "at most 60000");
        }
        for (field, batch) in [("set_batch", self.set_batch), ("get_batch", self.get_batch)] {
            if let Some(batch) = batch.map(NonZeroU32::get).filter(|&batch| batch as usize > MOST) {
                return refuse(field, &batch.to_string(), "at most 4096");
            }
        }
        Ok(())
    }
}

impl Quirks {
    /// These with what a plugin suggests: names of fields and their values as texts.
    ///
    /// # Errors
    /// A field that a plugin has no say in, or a value that it cannot have.
    pub fn suggest(&self, suggested: &[(String, String)]) -> Result<Self, QuirkError> {
        const RECORD: &str = "suggested quirk";
        let mut quirks = self.clone();
        for (field, text) in suggested {
            if !SAFE.contains(&field.as_str()) {
                return Err(QuirkError::new(RECORD, field, text, ONE_OF_THE_SAFE));
            }
            let values = [Some(serde_json::Value::from(text.as_str())), serde_json::from_str(text).ok()];
            let read = |value| serde_json::from_value::<QuirkChanges>(serde_json::json!({ field: value })).ok();
            let Some(changes) = values.into_iter().flatten().find_map(read) else {
                return Err(QuirkError::new(RECORD, field, text, "a value of this field"));
            };
            changes.check(RECORD)?;
            changes.apply(&mut quirks);
        }
        Ok(quirks)
    }
}

/// [`SAFE`] in words.
const ONE_OF_THE_SAFE: &str = "a field that a plugin may suggest: `boolean`, `set_batch`, `get_batch`, `read_back_delay_ms`, `unordered_lists`, `needs_reboot_to_apply`, `datetime_milliseconds`, `skip_add_object_probe`";

/// It goes into a header, where `;` and control characters would mean something else.
fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.len() <= 256 && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';' && byte != b',')
}

fn is_root(root: &str) -> bool {
    root.strip_suffix('.').is_some_and(|name| !name.contains('.') && is_name(name))
}

fn is_name(name: &str) -> bool {
    name.len() <= 256
        && name.split('.').all(|part| !part.is_empty() && !part.contains(|character: char| character.is_whitespace() || character.is_control()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_suggests_what_is_safe_and_nothing_else() {
        let suggest = |field: &str, value: &str| Quirks::default().suggest(&[(field.to_owned(), value.to_owned())]);
        for (field, value) in [
            ("boolean", "true"),
            ("boolean", "1"),
            ("set_batch", "16"),
            ("get_batch", "16"),
            ("read_back_delay_ms", "1500"),
            ("unordered_lists", "true"),
            ("needs_reboot_to_apply", "true"),
            ("datetime_milliseconds", "true"),
            ("skip_add_object_probe", "true"),
        ] {
            let quirks = suggest(field, value).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(quirks == Quirks::default(), (field, value) == ("boolean", "1"), "{field} = {value}");
        }
        for (field, value, expected) in [
            ("omit_parameter_key", "true", "suggested quirk: `omit_parameter_key` is `true`; expected a field that a plugin may suggest"),
            ("hidden", "[\"Device.X\"]", "suggested quirk: `hidden` is `[\"Device.X\"]`; expected a field that a plugin may suggest"),
            ("download_success_without_transfer_complete_s", "1", "suggested quirk: `download_success"),
            ("set_batch", "0", "suggested quirk: `set_batch` is `0`; expected a value of this field"),
            ("boolean", "yes", "suggested quirk: `boolean` is `yes`; expected a value of this field"),
            ("read_back_delay_ms", "60001", "suggested quirk: `read_back_delay_ms` is `60001`; expected at most 60000"),
        ] {
            let error = suggest(field, value).expect_err(field).to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(SAFE.iter().all(|field| ONE_OF_THE_SAFE.contains(&format!("`{field}`"))));
    }
}
