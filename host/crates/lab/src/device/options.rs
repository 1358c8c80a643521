//! What a virtual device is made of, and what is wrong with it.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::model::Model;
use crate::wire::Tls;

/// What is encoded in user names.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_');

/// How a device is made.
#[derive(Debug, Clone)]
pub struct DeviceOptions {
    /// Its data model.
    pub model: Model,
    /// The organisation of its maker: six hexadecimal digits.
    pub oui: String,
    /// Its product class.
    pub product_class: String,
    /// Its serial number.
    pub serial: String,
    /// Where the auto-configuration server is: `http://HOST:PORT/PATH` or `https://HOST:PORT/PATH`.
    pub acs_url: String,
    /// The password that it left the factory with. [`DeviceOptions::username`] is its user name.
    pub password: String,
    /// The version of its firmware, if it is not the model's.
    pub firmware: Option<String>,
    /// How it proves who it is.
    pub login: Login,
    /// What it knows of TLS; without it no server is reached over `https`.
    pub tls: Option<Tls>,
    /// The namespace that it speaks.
    pub namespace: String,
    /// How long it waits for an answer.
    pub patience: Duration,
    /// How long it waits before it repeats a session that failed; doubled at each repetition.
    pub retry: Duration,
    /// How long a reboot takes.
    pub reboot: Duration,
    /// What is wrong with it.
    pub faults: Faults,
}

/// How a device proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Login {
    /// Digest as the server likes it best.
    #[default]
    Digest,
    /// Digest with MD5 only, as most devices.
    DigestMd5,
    /// Digest with SHA-256 only.
    DigestSha256,
    /// Basic, before anybody asks.
    Basic,
    /// Not at all.
    Nothing,
}

impl Default for DeviceOptions {
    fn default() -> Self {
        Self::of(Model::default(), "0000000001")
    }
}

impl DeviceOptions {
    /// A device of this model, with the maker's identity and nothing wrong.
    pub fn of(model: Model, serial: impl Into<String>) -> Self {
        Self {
            model,
            oui: model.oui().to_owned(),
            product_class: model.product_class().to_owned(),
            serial: serial.into(),
            acs_url: "http://127.0.0.1:7547/".to_owned(),
            password: "factory".to_owned(),
            firmware: None,
            login: Login::default(),
            tls: None,
            namespace: "urn:dslforum-org:cwmp-1-2".to_owned(),
            patience: Duration::from_secs(30),
            retry: Duration::from_secs(5),
            reboot: Duration::from_millis(200),
            faults: Faults::default(),
        }
    }

    /// The user name that it left the factory with: OUI, product class and serial number joined by `-`, other characters than letters, digits, `.` and `_`
    /// percent-encoded.
    pub fn username(&self) -> String {
        let [oui, class, serial] = [&self.oui, &self.product_class, &self.serial].map(|part| utf8_percent_encode(part, ENCODED));
        format!("{oui}-{class}-{serial}")
    }

    /// The full name of a parameter.
    pub(super) fn parameter(&self, name: &str) -> String {
        format!("{}{name}", self.model.root())
    }

    pub(super) fn mac(&self) -> String {
        let number = self.serial.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let [_, a, b, c] = number.to_be_bytes();
        let oui = self.oui.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned()).collect::<Vec<_>>().join(":");
        format!("{oui}:{a:02X}:{b:02X}:{c:02X}")
    }
}

/// What is wrong with a device. Nothing, unless it is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Faults {
    /// It says that it applied parameters and did not.
    pub lie: Option<Lie>,
    /// It lacks parameters.
    pub missing: Option<Missing>,
    /// It says that values apply later (status 1).
    pub status1: Option<Later>,
    /// It takes so many milliseconds for each answer.
    pub slow_ms: u64,
    /// It never returns a cookie.
    pub no_cookies: bool,
    /// It opens a connection for each request.
    pub new_connections: bool,
    /// It loses its power after so many answers to authenticated requests of a session; once.
    pub reboot_after: Option<u32>,
    /// It has a wrong password.
    pub wrong_password: bool,
    /// It says that it has this serial number.
    pub claims_serial: Option<String>,
    /// It answers values in another form than it was given them: `1` for `true`, addresses in the other case, time zones as offsets.
    pub other_forms: bool,
    /// It refuses the parameters whose names contain this text, with this code.
    pub refuses: Option<(u32, String)>,
    /// It is gone when this request comes.
    pub vanishes: Option<Vanish>,
    /// It sends no `cwmp:ID`.
    pub no_id: bool,
    /// Its XML is as odd as it may be: byte order mark, unusual prefixes, CDATA, wrong counts.
    pub odd_xml: bool,
    /// What should read empty reads as it is.
    pub shows_hidden: bool,
    /// It counts one byte less than it sends.
    pub short_length: bool,
    /// It never says that a transfer is over.
    pub no_transfer_complete: bool,
    /// Transfers do not work.
    pub transfer_fault: Option<u32>,
    /// It closes the connection after it asked who wakes it.
    pub closes_after_challenge: bool,
    /// It applies values so many milliseconds after it said that it did.
    pub applies_after_ms: u64,
    /// It takes `1` and `0` only, not `true` and `false`.
    pub digits_only: bool,
    /// It takes no fractions of seconds.
    pub whole_seconds: bool,
    /// It refuses requests about more parameters than this (9004).
    pub at_most: Option<usize>,
    /// It refuses values that come with a parameter key (9003).
    pub no_parameter_key: bool,
    /// It answers lists in the reverse order.
    pub reverses_lists: bool,
    /// It cannot read documents that begin with an XML declaration.
    pub no_prolog: bool,
    /// It knows the end of a session by an empty 200 only.
    pub no_204: bool,
}

/// What a liar does not do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lie {
    /// It applies nothing.
    Everything,
    /// It applies everything but the parameters whose names contain this text.
    About(String),
}

/// Parameters that a device lacks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// What their names contain.
    pub names: Vec<String>,
    /// Whether it takes values for them all the same and leaves them out when it is asked, instead of answering 9005.
    #[serde(default)]
    pub silent: bool,
}

/// When a value with status 1 is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Later {
    /// At the next reboot.
    Reboot,
    /// At the end of the session.
    End,
    /// At once, whatever it says.
    Now,
}

/// How a device vanishes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vanish {
    /// The request that it does not answer, such as `SetParameterValues`.
    pub rpc: String,
    /// Whether it does what it was asked before it is gone.
    #[serde(default)]
    pub done: bool,
}

impl Missing {
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|part| name.contains(part.as_str()))
    }
}
