//! A sign-up as it is asked for, and what must hold for it to be taken.

use std::collections::BTreeMap;

use email_address::{EmailAddress, Options as EmailOptions};
use serde::{Deserialize, Serialize};

use super::SignUpError;
use crate::{
    contract::Characteristic,
    input::{Admin, IntegrationInput},
    options::{Options, PlanOptions},
    slug::Slug,
};

/// The longest name of a tenant or a person, in characters.
const MAX_NAME: usize = 100;
/// The longest address that a mail server takes (RFC 5321, section 4.5.3.1.3).
const MAX_EMAIL: usize = 254;
const MAX_LABELS: usize = 16;
const MAX_LABEL: usize = 40;
const MAX_LABEL_VALUE: usize = 200;

/// A sign-up, as a client sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignUp {
    /// What the tenant calls itself.
    pub name: String,
    /// What it buys.
    pub plan: String,
    /// Where its data may be.
    pub region: String,
    /// Its name in addresses.
    pub slug: String,
    /// Whom to write to.
    pub admin: Admin,
    /// What is written on everything that can be labelled.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// What was found to hold.
#[derive(Debug)]
pub(super) struct Checked<'a> {
    pub(super) slug: Slug,
    pub(super) plan: &'a PlanOptions,
}

impl SignUp {
    /// What tells two sign-ups apart, as 64 hexadecimal digits. Nothing of a person can be read from it by somebody who does not know it already.
    pub fn digest(&self) -> String {
        let form = serde_json::to_vec(self).unwrap_or_default();
        blake3::hash(&form).to_hex().to_string()
    }

    /// Checks everything that can be said without knowing the other tenants.
    pub(super) fn check<'a>(&self, options: &'a Options) -> Result<Checked<'a>, SignUpError> {
        let slug = Slug::parse(&self.slug, &options.reserved_slugs)
            .map_err(|error| SignUpError::invalid("slug", error.to_string(), "3 to 40 of a-z, 0-9 and single `-`, not reserved"))?;
        line("name", &self.name)?;
        line("admin.name", &self.admin.name)?;
        email(&self.admin.email)?;
        labels(&self.labels)?;
        let plans = || options.plans.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let unknown = || SignUpError::invalid("plan", format!("there is no plan {}", shown(&self.plan)), format!("one of {}", plans()));
        let plan = options.plans.get(&self.plan).ok_or_else(unknown)?;
        if !plan.regions.contains(&self.region) {
            let what = format!("the plan {} is not sold in the region {}", self.plan, shown(&self.region));
            return Err(SignUpError::invalid("region", what, format!("one of {}", plan.regions.join(", "))));
        }
        Ok(Checked { slug, plan })
    }
}

/// What the plan says about the data that a database begins with.
pub(super) fn settings(plan: &PlanOptions) -> Vec<Characteristic> {
    characteristics(&plan.settings)
}

/// The systems that the plan has told of a tenant.
pub(super) fn integrations(plan: &PlanOptions) -> Vec<IntegrationInput> {
    plan.integrations.iter().map(|(name, settings)| IntegrationInput { name: name.clone(), settings: characteristics(settings) }).collect()
}

pub(super) fn characteristics(pairs: &BTreeMap<String, String>) -> Vec<Characteristic> {
    pairs.iter().map(|(name, value)| Characteristic { name: name.clone(), value: value.clone() }).collect()
}

/// A text that stands in one line of a message: nothing in it ends the line or turns the reading direction.
fn line(place: &'static str, text: &str) -> Result<(), SignUpError> {
    let expected = "1 to 100 characters in one line, without blanks at its ends";
    let length = text.chars().count();
    if !(1..=MAX_NAME).contains(&length) {
        return Err(SignUpError::invalid(place, format!("the text has {length} characters"), expected));
    }
    let turns = |c: char| matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}');
    if let Some(found) = text.chars().find(|c| c.is_control() || turns(*c)) {
        return Err(SignUpError::invalid(place, format!("the text has the character U+{:04X}", u32::from(found)), expected));
    }
    if text.trim() == text { Ok(()) } else { Err(SignUpError::invalid(place, "the text has a blank at an end", expected)) }
}

/// An address that servers take as it is: no comment, no quoted part, no literal for its domain. What was sent is not repeated: it is about a person.
fn email(address: &str) -> Result<(), SignUpError> {
    let expected = "an address of mail such as ann@example.net, at most 254 characters";
    let refused = |what: &str| Err(SignUpError::invalid("admin.email", what.to_owned(), expected));
    if address.len() > MAX_EMAIL {
        return refused("the address is too long");
    }
    if !address.bytes().all(|byte| byte.is_ascii_graphic()) || address.contains(['"', '<', '>', '(', ')', ',', ';', '\\']) {
        return refused("the address has characters that no such address has");
    }
    let options = EmailOptions::default().with_required_tld().without_domain_literal().without_display_text();
    if EmailAddress::parse_with_options(address, options).is_err() { refused("this is no address") } else { Ok(()) }
}

fn labels(labels: &BTreeMap<String, String>) -> Result<(), SignUpError> {
    let refused = |what: String| {
        Err(SignUpError::invalid(
            "labels",
            what,
            "at most 16 labels: names of 1 to 40 of a-z, 0-9, `-` and `_`, values of at most 200 characters in one line",
        ))
    };
    if labels.len() > MAX_LABELS {
        return refused(format!("there are {} labels", labels.len()));
    }
    for (name, value) in labels {
        let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        if !(1..=MAX_LABEL).contains(&name.len()) || !name.bytes().all(word) {
            return refused(format!("there is a label named {}", shown(name)));
        }
        if value.chars().count() > MAX_LABEL_VALUE || value.chars().any(char::is_control) {
            return refused(format!("the value of the label {name} cannot be used"));
        }
    }
    Ok(())
}

/// Enough of what a client sent to recognise it, whatever is in it.
pub(crate) fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(64).collect::<String>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn options() -> Options {
        serde_json::from_value(json!({"plans": {"basic": {"regions": ["eu"], "certificate": false}}, "reserved_slugs": ["ours"]})).unwrap()
    }

    fn refusal(change: serde_json::Value) -> String {
        let mut body = json!({"name": "Acme", "plan": "basic", "region": "eu", "slug": "acme", "admin": {"email": "ann@example.net", "name": "Ann"}});
        for (field, value) in change.as_object().unwrap() {
            *body.pointer_mut(&format!("/{}", field.replace('.', "/"))).unwrap() = value.clone();
        }
        let sign_up: SignUp = serde_json::from_value(body).unwrap();
        sign_up.check(&options()).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        assert_eq!(refusal(json!({})), "");
        assert_eq!(refusal(json!({"name": "Robert'); DROP TABLE tenants;--"})), "", "a name is data wherever it goes");
        for (change, expected) in [
            (json!({"slug": "a.b"}), "slug: the slug has '.'"),
            (json!({"slug": "ours"}), "slug: the slug `ours` is reserved"),
            (json!({"name": ""}), "name: the text has 0 characters"),
            (json!({"name": "a".repeat(101)}), "name: the text has 101 characters"),
            (json!({"name": "Acme\r\nBcc: x@example.net"}), "name: the text has the character U+000D"),
            (json!({"name": "Acme\u{202e}"}), "name: the text has the character U+202E"),
            (json!({"admin.name": " Ann"}), "admin.name: the text has a blank at an end"),
            (json!({"admin.email": "ann"}), "admin.email: this is no address"),
            (json!({"admin.email": "ann@localhost"}), "admin.email: this is no address"),
            (json!({"admin.email": "ann@[192.0.2.1]"}), "admin.email: this is no address"),
            (json!({"admin.email": "Ann <ann@example.net>"}), "admin.email: the address has characters"),
            (json!({"admin.email": "ann@example.net\r\nRCPT TO:<x@example.net>"}), "admin.email: the address has characters"),
            (json!({"plan": "gold"}), "plan: there is no plan \"gold\": expected one of basic"),
            (json!({"region": "us"}), "region: the plan basic is not sold in the region \"us\": expected one of eu"),
        ] {
            let found = refusal(change.clone());
            assert!(found.starts_with(expected), "{change}: {found}");
        }
    }
}
