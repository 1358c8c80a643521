//! What a device is known by.

use std::{fmt, str::FromStr};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// What a device says of itself in every `Inform`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeviceId {
    /// Who made it, for people.
    pub manufacturer: String,
    /// The organisation of the manufacturer, six hexadecimal digits.
    pub oui: String,
    /// The class of products within which the serial number is unique. Often empty.
    pub product_class: String,
    /// The serial number.
    pub serial: String,
}

impl DeviceId {
    /// What the device is known by here.
    #[must_use]
    pub fn key(&self) -> DeviceKey {
        DeviceKey::new(&self.oui, &self.product_class, &self.serial)
    }
}

/// Identifies a device: its OUI in capitals, product class and serial number, joined by `-`.
/// Whatever is not a letter, a digit, `.` or `_` is percent-encoded, so that no two devices have one key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceKey(String);

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_');

impl DeviceKey {
    /// The key of a device of which these three are known.
    #[must_use]
    pub fn new(oui: &str, product_class: &str, serial: &str) -> Self {
        let oui = oui.to_uppercase();
        let [oui, class, serial] = [oui.as_str(), product_class, serial].map(|part| utf8_percent_encode(part, ENCODED));
        Self(format!("{oui}-{class}-{serial}"))
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The device of a text as people give it: its key, or its parts as they are on its label, joined by `-`: `0a11ce-NR-2200-R1`. Hyphens belong to the product
    /// class then. Where the host itself wrote the text, it is parsed.
    ///
    /// # Errors
    ///
    /// It is neither.
    pub fn read(text: &str) -> Result<Self, DeviceKeyError> {
        text.parse().or_else(|error| {
            let parts = text.split_once('-').and_then(|(oui, rest)| Some((oui, rest.rsplit_once('-')?)));
            let is_oui = |oui: &str| oui.len() == 6 && oui.bytes().all(|byte| byte.is_ascii_hexdigit());
            let found = parts.filter(|(oui, (_, serial))| is_oui(oui) && !serial.is_empty() && !text.contains('%'));
            found.map(|(oui, (class, serial))| Self::new(oui, class, serial)).ok_or(error)
        })
    }

    /// OUI, product class and serial number as they were before they were encoded.
    #[must_use]
    pub fn parts(&self) -> (String, String, String) {
        let mut parts = self.0.splitn(3, '-').map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned());
        let mut next = || parts.next().unwrap_or_default();
        (next(), next(), next())
    }
}

impl fmt::Display for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<DeviceKey> for String {
    fn from(key: DeviceKey) -> Self {
        key.0
    }
}

impl TryFrom<String> for DeviceKey {
    type Error = DeviceKeyError;

    fn try_from(text: String) -> Result<Self, DeviceKeyError> {
        text.parse()
    }
}

impl FromStr for DeviceKey {
    type Err = DeviceKeyError;

    /// Accepts the canonical text only, so that a key has one spelling.
    fn from_str(text: &str) -> Result<Self, DeviceKeyError> {
        let refused = || DeviceKeyError(text.chars().take(LONGEST_SHOWN).collect());
        if text.bytes().filter(|&byte| byte == b'-').count() != 2 {
            return Err(refused());
        }
        let read = Self(text.to_owned());
        let (oui, class, serial) = read.parts();
        if Self::new(&oui, &class, &serial) == read { Ok(read) } else { Err(refused()) }
    }
}

/// How much of a text that is no key is repeated in the error.
const LONGEST_SHOWN: usize = 200;

/// A text that is not the key of a device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no device; expected its OUI in capitals, product class and serial number joined by `-`, other characters than letters, digits, `.` and `_` percent-encoded, as in `00D09E-BM632w-8KA8WA1151100043`"
)]
pub struct DeviceKeyError(String);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_tells_every_device_from_every_other(a in [".{0,8}", ".{0,8}", ".{0,8}"], b in [".{0,8}", ".{0,8}", ".{0,8}"]) {
            let [left, right] = [&a, &b].map(|[oui, class, serial]| DeviceKey::new(oui, class, serial));
            let same = a[0].to_uppercase() == b[0].to_uppercase() && a[1..] == b[1..];
            prop_assert_eq!(left == right, same, "{} and {}", left, right);
            prop_assert_eq!(left.as_str().parse::<DeviceKey>(), Ok(left.clone()));
        }
    }

    #[test]
    fn a_device_is_named_as_the_host_does_or_as_people_do() {
        for text in ["0A11CE-NR%2D2200-R1", "0A11CE-NR-2200-R1", "0a11ce-NR-2200-R1"] {
            assert_eq!(DeviceKey::read(text).unwrap().as_str(), "0A11CE-NR%2D2200-R1", "{text}");
        }
        assert_eq!(DeviceKey::read("0a11ce--R1").unwrap().as_str(), "0A11CE--R1");
        for text in ["", "a router", "0A11CE-R1", "router-NR-R1", "0A11CE-NR-%41-R1", "0A11CE-NR-2200-"] {
            assert!(DeviceKey::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_has_one_spelling() {
        for (oui, class, serial, text) in [
            ("00d09e", "BM632w", "8KA8WA1151100043", "00D09E-BM632w-8KA8WA1151100043"),
            ("FFFFFF", "", "a-b", "FFFFFF--a%2Db"),
            ("FFFFFF", "a b", "ü/", "FFFFFF-a%20b-%C3%BC%2F"),
        ] {
            assert_eq!(DeviceKey::new(oui, class, serial).as_str(), text);
        }
        for text in ["", "a", "00D09E-x", "00d09e-x-y", "00D09E-x-y-z", "00D09E-%61-y", "00D09E-x-%2d", "00D09E-x-y/../z"] {
            let error = text.parse::<DeviceKey>().expect_err(text).to_string();
            assert!(error.starts_with(&format!("`{text}` is no device")), "{error}");
        }
    }
}
