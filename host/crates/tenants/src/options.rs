//! What an operator may decide about tenants.

mod check;

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use pipeline::{AfterFailure, RetryPolicy};
use serde::Deserialize;

pub use self::check::InvalidOptions;

/// The settings of the pack, one table of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The zone in which tenants get their domains, in lower case and without the last dot, such as `app.example.com`. No default.
    pub zone: String,
    /// Where the domains of tenants lead: IPv4 and IPv6 addresses, or one host name. No default.
    pub target: Vec<String>,
    /// How long others may remember the records of tenants, in seconds. Default: 300.
    pub ttl_s: u32,
    /// Slugs that no tenant gets, beside those that the host reserves. Default: none.
    pub reserved_slugs: Vec<String>,
    /// What tenants can buy, by name. No default: without a plan nobody can sign up.
    pub plans: BTreeMap<String, PlanOptions>,
    /// Who may sign up, and how often.
    pub sign_up: SignUpOptions,
    /// How a sign-up goes on after a failure before activation, once everything that was made for it is taken back. Default: `fail`, because whoever waits for it
    /// can sign up again.
    pub on_failure: Policy,
    /// The limits of the steps.
    pub steps: StepsOptions,
}

/// What tenants of a plan get.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlanOptions {
    /// Where data of its tenants may be. No default.
    pub regions: Vec<String>,
    /// Whether its tenants have a certificate for their domain. Default: true.
    pub certificate: bool,
    /// Whether its tenants are ready before they have one; it is fetched afterwards. Default: false.
    pub ready_without_tls: bool,
    /// The data that databases of its tenants begin with. Default: none.
    pub template: Option<String>,
    /// What the data says: values by name. Default: none.
    pub settings: BTreeMap<String, String>,
    /// The systems that are told of its tenants, each with what to tell them beside: values by name. Default: none.
    pub integrations: BTreeMap<String, BTreeMap<String, String>>,
    /// How many tenants it may have. Default: no limit.
    pub quota: Option<u64>,
}

/// Who may sign up, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignUpOptions {
    /// Whether anybody may sign up, without a token. Default: false.
    pub open: bool,
    /// How many sign-ups there may be in a minute in all. Default: 600.
    pub per_minute: NonZeroU32,
    /// How many of them from one address, where anybody may sign up. Default: 10.
    pub per_minute_and_address: NonZeroU32,
}

/// How a sign-up goes on after a failure before activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// It is held for a person.
    Fallout,
    /// It ends as failed.
    #[default]
    Fail,
}

/// The limits of each step.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepsOptions {
    /// The step `create_record`.
    pub create_record: StepOptions,
    /// The step `database`.
    pub database: StepOptions,
    /// The step `storage`.
    pub storage: StepOptions,
    /// The step `dns`. Default: 5 attempts, because a zone is shared by all tenants.
    pub dns: StepOptions,
    /// The step `certificate_order`.
    pub certificate_order: StepOptions,
    /// The step `challenge`. Default: 5 attempts.
    pub challenge: StepOptions,
    /// The step `certificate`. Its time limit is that of one call; how long an authority may take in all is its provider's to say.
    pub certificate: StepOptions,
    /// The step `seed_data`.
    pub seed_data: StepOptions,
    /// The step `integrations`, for each of them.
    pub integrations: StepOptions,
    /// How many integrations of one tenant are told at a time. Default: 4.
    pub parallel_integrations: NonZeroU32,
    /// The step `admin_user`.
    pub admin_user: StepOptions,
    /// The step `activate`.
    pub activate: StepOptions,
    /// The step `welcome_email`.
    pub welcome_email: StepOptions,
}

/// The limits of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepOptions {
    /// The wall clock of one call in milliseconds, waiting for back ends included. Default: 30,000.
    pub timeout_ms: u64,
    /// After so many failed attempts an item has failed. Default: 3, `dns` and `challenge` 5.
    pub max_attempts: NonZeroU32,
    /// The longest first pause between two attempts in milliseconds; it doubles with every failure. Default: 500.
    pub retry_initial_ms: u64,
    /// The longest pause in milliseconds, also of one that a back end asks for. Default: 60,000.
    pub retry_max_ms: u64,
    /// No attempt starts later than this many seconds after the item was scheduled. Default: 3,600.
    pub retry_deadline_s: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            zone: String::new(),
            target: Vec::new(),
            ttl_s: 300,
            reserved_slugs: Vec::new(),
            plans: BTreeMap::new(),
            sign_up: SignUpOptions::default(),
            on_failure: Policy::default(),
            steps: StepsOptions::default(),
        }
    }
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            regions: Vec::new(),
            certificate: true,
            ready_without_tls: false,
            template: None,
            settings: BTreeMap::new(),
            integrations: BTreeMap::new(),
            quota: None,
        }
    }
}

impl Default for SignUpOptions {
    fn default() -> Self {
        Self { open: false, per_minute: const { not_zero(600) }, per_minute_and_address: const { not_zero(10) } }
    }
}

impl Default for StepsOptions {
    fn default() -> Self {
        let step = StepOptions::default();
        let zone = StepOptions { max_attempts: const { not_zero(5) }, ..step };
        Self {
            create_record: step,
            database: step,
            storage: step,
            dns: zone,
            certificate_order: step,
            challenge: zone,
            certificate: step,
            seed_data: step,
            integrations: step,
            parallel_integrations: const { not_zero(4) },
            admin_user: step,
            activate: step,
            welcome_email: step,
        }
    }
}

impl Default for StepOptions {
    fn default() -> Self {
        Self { timeout_ms: 30_000, max_attempts: const { not_zero(3) }, retry_initial_ms: 500, retry_max_ms: 60_000, retry_deadline_s: 3_600 }
    }
}

const fn not_zero(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("the number is not zero")
}

impl Options {
    /// Refuses what the types cannot: says which key, what it is, and what was expected.
    pub fn check(&self) -> Result<(), InvalidOptions> {
        check::check(self)
    }
}

impl StepOptions {
    pub(crate) fn timeout(self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    pub(crate) fn retry(self) -> RetryPolicy {
        RetryPolicy {
            max_attempts: self.max_attempts,
            initial: Duration::from_millis(self.retry_initial_ms),
            max: Duration::from_millis(self.retry_max_ms),
            deadline: Duration::from_secs(self.retry_deadline_s),
        }
    }
}

impl From<Policy> for AfterFailure {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Fallout => Self::Fallout,
            Policy::Fail => Self::Fail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_its_default_and_unknown_keys_are_refused() {
        let options: Options = serde_json::from_str(r#"{"on_failure": "fallout", "steps": {"dns": {"timeout_ms": 100}}}"#).unwrap();
        assert_eq!(options.on_failure, Policy::Fallout);
        assert_eq!((options.steps.dns.timeout_ms, options.steps.dns.max_attempts.get(), options.steps.storage.max_attempts.get()), (100, 3, 3));
        assert_eq!(serde_json::from_str::<Options>("{}").unwrap(), Options::default());
        assert_eq!(Options::default().steps.challenge.max_attempts.get(), 5);
        assert!(serde_json::from_str::<Options>(r#"{"zones": "x"}"#).unwrap_err().to_string().contains("unknown field `zones`"));
        assert!(serde_json::from_str::<Options>(r#"{"plans": {"pro": {"region": "eu"}}}"#).is_err());
    }
}
