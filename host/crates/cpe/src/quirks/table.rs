//! The records, and which of them are about a device.

use serde::{Deserialize, Serialize};

use super::{QuirkChanges, QuirkError, Quirks};
use crate::device::DeviceId;

/// What was found out about devices, as data that an operator can change.
const BUILT_IN: &str = include_str!("builtin.json");

/// What is different about some devices. A field that is not named fits every device; a text that ends with `*` fits what begins like it. Case does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuirkRecord {
    /// Why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The manufacturer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// The OUI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oui: Option<String>,
    /// The model: what its data model calls `ModelName`, or its product class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The firmware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// What is different.
    pub set: QuirkChanges,
}

/// The records, of which later ones change what earlier ones say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuirkTable {
    records: Vec<QuirkRecord>,
    built_in: usize,
}

/// The records that come with the product.
impl Default for QuirkTable {
    fn default() -> Self {
        let records: Vec<QuirkRecord> = serde_json::from_str(BUILT_IN).expect("a test reads the built-in records");
        Self { built_in: records.len(), records }
    }
}

impl QuirkTable {
    /// The records that come with the product, and then those of the operator.
    ///
    /// # Errors
    /// A record of the operator that could never apply, or that a device could not be spoken to with.
    pub fn new(operator: Vec<QuirkRecord>) -> Result<Self, QuirkError> {
        for (index, record) in operator.iter().enumerate() {
            record.check(&format!("quirk record {}", index + 1))?;
        }
        let mut table = Self::default();
        table.records.extend(operator);
        Ok(table)
    }

    /// These records, and over them some that were checked.
    pub(super) fn with(&self, later: impl Iterator<Item = QuirkRecord>) -> Self {
        Self { records: self.records.iter().cloned().chain(later).collect(), built_in: self.built_in }
    }

    /// The records that come with the product.
    #[must_use]
    pub fn built_in(&self) -> &[QuirkRecord] {
        &self.records[..self.built_in]
    }

    /// The records of the operator.
    #[must_use]
    pub fn operator(&self) -> &[QuirkRecord] {
        &self.records[self.built_in..]
    }

    /// How a device is spoken to.
    #[must_use]
    pub fn resolve(&self, device: &DeviceId, model: &str, firmware: &str) -> Quirks {
        let mut quirks = Quirks::default();
        self.records.iter().filter(|record| record.fits(device, model, firmware)).for_each(|record| record.set.apply(&mut quirks));
        quirks
    }
}

impl QuirkRecord {
    fn fits(&self, device: &DeviceId, model: &str, firmware: &str) -> bool {
        let one = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| like(wanted, found));
        let is_model = one(&self.model, model) || one(&self.model, &device.product_class);
        one(&self.manufacturer, &device.manufacturer) && one(&self.oui, &device.oui) && is_model && one(&self.firmware, firmware)
    }

    pub(super) fn check(&self, record: &str) -> Result<(), QuirkError> {
        let texts = [("manufacturer", &self.manufacturer), ("oui", &self.oui), ("model", &self.model), ("firmware", &self.firmware)];
        for (field, text) in texts {
            let Some(text) = text else { continue };
            let start = text.strip_suffix('*').unwrap_or(text);
            if text.is_empty() || start.contains('*') {
                return Err(QuirkError::new(record, field, text, "a text, or the start of one with `*` at its end"));
            }
            if field == "oui" && (start.len() > 6 || (start == text && start.len() < 6) || !start.bytes().all(|byte| byte.is_ascii_hexdigit())) {
                return Err(QuirkError::new(record, field, text, "six hexadecimal digits, or the first of them with `*` at their end"));
            }
        }
        self.set.check(record)
    }
}

fn like(wanted: &str, found: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => found.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start)),
        None => found.eq_ignore_ascii_case(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quirks::BooleanForm;

    fn device(manufacturer: &str, oui: &str, product_class: &str) -> DeviceId {
        DeviceId { manufacturer: manufacturer.into(), oui: oui.into(), product_class: product_class.into(), serial: "1".into() }
    }

    fn table(records: &str) -> Result<QuirkTable, String> {
        let records = serde_json::from_str(records).map_err(|error| error.to_string())?;
        QuirkTable::new(records).map_err(|error| error.to_string())
    }

    #[test]
    fn the_built_in_records_are_sound_and_known_devices_get_theirs() {
        let table = QuirkTable::default();
        for record in table.built_in() {
            record.check("built in").expect("it is sound");
            assert!(record.note.is_some(), "{record:?} says why");
        }
        assert!(!table.resolve(&device("ChinaNMS", "a00001", "OT2800"), "", "").prolog);
        assert_eq!(table.resolve(&device("TP-LINK Technologies", "14CC20", "TD-W9970"), "", "").boolean, BooleanForm::Digit);
        assert_eq!(table.resolve(&device("Acme", "A1B2C3", "Router"), "", ""), Quirks::default());
    }

    #[test]
    fn a_later_record_changes_what_an_earlier_one_says_field_by_field() {
        let table = table(
            r#"[
                { "manufacturer": "acme", "set": { "boolean": "true", "get_batch": 32, "cookie_path": "/acs" } },
                { "manufacturer": "ACME", "model": "R2*", "set": { "get_batch": 8 } },
                { "model": "R2", "firmware": "1.*", "set": { "prolog": false, "hidden": ["Device.X_ACME.Key.{i}.Secret"] } }
            ]"#,
        )
        .expect("it is sound");
        let seen = |oui: &str, class: &str, model: &str, firmware: &str| {
            let quirks = table.resolve(&device("Acme", oui, class), model, firmware);
            (quirks.boolean == BooleanForm::Word, quirks.get_batch.get(), quirks.prolog, quirks.is_hidden("Device.", "Device.X_ACME.Key.7.Secret"))
        };
        assert_eq!(seen("A1B2C3", "R1", "", "1.0"), (true, 32, true, false));
        assert_eq!(seen("A1B2C3", "R2", "", "2.0"), (true, 8, true, false));
        assert_eq!(seen("A1B2C3", "", "R2", "1.9"), (true, 8, false, true));
        assert_eq!(seen("A1B2C3", "Other", "R2", "1.9"), (true, 8, false, true));
    }

    #[test]
    fn a_record_that_is_wrong_is_refused_by_its_number_and_field() {
        let told = [
            r#"[{ "manufacturer": "" }]"#,
            r#"[{}, { "model": "a*b" }]"#,
            r#"[{ "oui": "A1B2" }]"#,
            r#"[{ "oui": "xyz*" }]"#,
            r#"[{ "set": { "cookie_path": "acs; Domain=evil" } }]"#,
            r#"[{ "set": { "parameter_root": "Device" } }]"#,
            r#"[{ "set": { "hidden": ["Device..Key"] } }]"#,
            r#"[{ "set": { "read_back_delay_ms": 3600001 } }]"#,
            r#"[{ "set": { "set_batch": 0 } }]"#,
            r#"[{ "set": { "boolean": "yes" } }]"#,
            r#"[{ "set": { "colour": "red" } }]"#,
            r#"[{ "vendor": "Acme" }]"#,
        ]
        .map(|records| format!("{records}: {}\n", table(records).expect_err(records)))
        .concat();
        expect_test::expect![[r#"
            [{ "manufacturer": "" }]: quirk record 1: `manufacturer` is ``; expected a text, or the start of one with `*` at its end
            [{}, { "model": "a*b" }]: quirk record 2: `model` is `a*b`; expected a text, or the start of one with `*` at its end
            [{ "oui": "A1B2" }]: quirk record 1: `oui` is `A1B2`; expected six hexadecimal digits, or the first of them with `*` at their end
            [{ "oui": "xyz*" }]: quirk record 1: `oui` is `xyz*`; expected six hexadecimal digits, or the first of them with `*` at their end
            [{ "set": { "cookie_path": "acs; Domain=evil" } }]: quirk record 1: `cookie_path` is `acs; Domain=evil`; expected a path of a URL, which begins with `/`
            [{ "set": { "parameter_root": "Device" } }]: quirk record 1: `parameter_root` is `Device`; expected a name that ends with `.`, such as `Device.`
            [{ "set": { "hidden": ["Device..Key"] } }]: quirk record 1: `hidden` is `Device..Key`; expected the full name of a parameter, in which `{i}` stands for any number
            [{ "set": { "read_back_delay_ms": 3600001 } }]: quirk record 1: `read_back_delay_ms` is `3600001`; expected at most 60000
            [{ "set": { "set_batch": 0 } }]: invalid value: integer `0`, expected a nonzero u32 at line 1 column 26
            [{ "set": { "boolean": "yes" } }]: unknown variant `yes`, expected `1` or `true` at line 1 column 28
            [{ "set": { "colour": "red" } }]: unknown field `colour`, expected one of `boolean`, `prolog`, `namespace`, `set_batch`, `get_batch`, `cookie_path`, `termination`, `read_back_delay_ms`, `parameter_root`, `omit_parameter_key`, `unordered_lists`, `hidden`, `read_first`, `needs_reboot_to_apply`, `datetime_milliseconds`, `download_success_without_transfer_complete_s`, `skip_add_object_probe` at line 1 column 20
            [{ "vendor": "Acme" }]: unknown field `vendor`, expected one of `note`, `manufacturer`, `oui`, `model`, `firmware`, `set` at line 1 column 11
        "#]].assert_eq(&told);
    }
}
