//! Whether the settings of the server can be.

use super::{AuthMode, Options};
use crate::setting::{BadSetting, MAX_MS, within};

/// More of anything is a mistake.
const MANY: usize = 1_000_000;

/// Devices understand it between quotes.
pub(in crate::acs) fn is_realm(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\')
}

impl Options {
    /// Whether the server can be run with these settings.
    ///
    /// # Errors
    /// The first setting that cannot be.
    pub fn check(&self) -> Result<(), BadSetting> {
        let bad = |name, found: &str, expected: &str| BadSetting { name, found: found.to_owned(), expected: expected.to_owned() };
        if !is_realm(&self.realm) {
            return Err(bad("realm", &format!("`{}`", self.realm), "letters, digits, spaces and signs without `\"` and `\\`"));
        }
        if self.algorithms.is_empty() && self.auth != AuthMode::None {
            return Err(bad("algorithms", "empty", "\"md5\", \"sha-256\" or both, unless auth is \"none\""));
        }
        within("nonce_s", self.nonce_s, 1..=MAX_MS)?;
        within("nonces", self.nonces, 1..=100 * MANY)?;
        within("wrong_secrets", self.wrong_secrets, 1..=1_000_000)?;
        within("wrong_secret_s", self.wrong_secret_s, 1..=86_400)?;
        for (name, bytes) in [("body_bytes", self.body_bytes), ("inflated_bytes", self.inflated_bytes)] {
            within(name, bytes, 4_096..=1 << 30)?;
        }
        for (name, places) in
            [("large_bodies", self.large_bodies), ("connections", self.connections), ("sessions", self.sessions), ("informs", self.informs)]
        {
            within(name, places, 1..=MANY)?;
        }
        for (name, ms) in [("head_ms", self.head_ms), ("body_ms", self.body_ms), ("inform_ms", self.inform_ms), ("session_ms", self.session_ms)] {
            within(name, ms, 1..=MAX_MS)?;
        }
        within("session_max_ms", self.session_max_ms, self.session_ms..=MAX_MS)?;
        within("session_total_ms", self.session_total_ms, self.session_max_ms..=30 * MAX_MS)?;
        within("session_exchanges", self.session_exchanges, 16..=u32::MAX)?;
        within("hold_ms", self.hold_ms, 0..=MAX_MS)?;
        within("retry_after_s", self.retry_after_s, 1..=86_400)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_named() {
        let standard = Options::default;
        assert_eq!(standard().check(), Ok(()));
        assert_eq!(Options { auth: AuthMode::None, algorithms: Vec::new(), ..standard() }.check(), Ok(()));
        for (options, expected) in [
            (Options { realm: "a\"b".into(), ..standard() }, "realm is `a\"b`: expected letters"),
            (Options { algorithms: Vec::new(), ..standard() }, "algorithms is empty: expected \"md5\""),
            (Options { nonces: 0, ..standard() }, "nonces is 0: expected a number from 1"),
            (Options { body_bytes: 0, ..standard() }, "body_bytes is 0: expected a number from 4096"),
            (Options { informs: 0, ..standard() }, "informs is 0: expected a number from 1"),
            (Options { head_ms: 0, ..standard() }, "head_ms is 0: expected a number from 1"),
            (Options { session_max_ms: 29_999, ..standard() }, "session_max_ms is 29999: expected a number from 30000"),
            (Options { session_total_ms: 1_000, ..standard() }, "session_total_ms is 1000: expected a number from 300000"),
            (Options { session_exchanges: 1, ..standard() }, "session_exchanges is 1: expected a number from 16"),
            (Options { wrong_secrets: 0, ..standard() }, "wrong_secrets is 0: expected a number from 1"),
            (Options { retry_after_s: 0, ..standard() }, "retry_after_s is 0: expected a number from 1"),
        ] {
            let error = options.check().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
