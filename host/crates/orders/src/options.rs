//! What an operator may decide about orders.

use std::{num::NonZeroU32, time::Duration};

use pipeline::{AfterFailure, RetryPolicy};
use serde::Deserialize;

/// The settings of the pack, one table of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How an order goes on after a failure before activation, once everything it took is released. Default: `fallout`, because a person can often repair
    /// what an end would lose.
    pub on_failure: Policy,
    /// The values of TMF622 `category` that count as order types of their own in telemetry. Any other category is ignored there, so that clients cannot
    /// create metric series. Default: none.
    pub categories: Vec<String>,
    /// How many resources of one order are taken at a time. Default: 4.
    pub parallel_allocations: NonZeroU32,
    /// How many resources of one order are configured at a time. Default: 1, because a catalogue lists services in the order of their provisioning.
    pub parallel_provisions: NonZeroU32,
    /// The step `decompose`.
    pub decompose: StepOptions,
    /// The step `allocate_inventory`.
    pub allocate_inventory: StepOptions,
    /// The step `provision`.
    pub provision: StepOptions,
    /// The step `activate`. Its time limit is that of one call; how long an activation may take in all is the provider's to say.
    pub activate: StepOptions,
    /// The step `billing_setup`.
    pub billing_setup: StepOptions,
}

/// How an order goes on after a failure before activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// It is held for a person.
    #[default]
    Fallout,
    /// It ends as failed.
    Fail,
}

/// The limits of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepOptions {
    /// The wall clock of one call in milliseconds, waiting for back ends included. Default: 30,000.
    pub timeout_ms: u64,
    /// After so many failed attempts an item has failed. Default: 5.
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
            on_failure: Policy::Fallout,
            categories: Vec::new(),
            parallel_allocations: const { NonZeroU32::new(4).expect("4 is not zero") },
            parallel_provisions: NonZeroU32::MIN,
            decompose: StepOptions::default(),
            allocate_inventory: StepOptions::default(),
            provision: StepOptions::default(),
            activate: StepOptions::default(),
            billing_setup: StepOptions::default(),
        }
    }
}

impl Default for StepOptions {
    fn default() -> Self {
        Self {
            timeout_ms: 30_000,
            max_attempts: const { NonZeroU32::new(5).expect("5 is not zero") },
            retry_initial_ms: 500,
            retry_max_ms: 60_000,
            retry_deadline_s: 3_600,
        }
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
        let options: Options = serde_json::from_str(r#"{"on_failure": "fail", "activate": {"timeout_ms": 100}}"#).unwrap();
        assert_eq!(options.on_failure, Policy::Fail);
        assert_eq!((options.activate.timeout_ms, options.activate.max_attempts.get()), (100, 5));
        assert_eq!(serde_json::from_str::<Options>("{}").unwrap(), Options::default());
        assert!(serde_json::from_str::<Options>(r#"{"on_fail": "fail"}"#).unwrap_err().to_string().contains("unknown field `on_fail`"));
        assert!(serde_json::from_str::<Options>(r#"{"activate": {"max_attempts": 0}}"#).is_err());
    }
}
