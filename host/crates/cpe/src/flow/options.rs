//! What an operator may decide about provisioning.

use std::{num::NonZeroU32, time::Duration};

use pipeline::{AfterFailure, RetryPolicy};
use serde::Deserialize;

/// The settings of the pipelines, one table of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How a provisioning goes on when its device is unknown or has no profile, or nobody can say. Default: `fail`, because the device's next contact tries again
    /// and a person changes nothing on the run.
    pub on_lookup_failure: Policy,
    /// How a provisioning goes on when no configuration can be built, or the device refuses it. Default: `fallout`.
    pub on_push_failure: Policy,
    /// How a provisioning goes on when the device did not apply what it was given. Default: `fallout`.
    pub on_verify_failure: Policy,
    /// The models that get metric series of their own; any other is `_other` there, because devices say what they are. Default: none.
    pub models: Vec<String>,
    /// How long a step waits for its device in seconds. Default: 604,800, a week.
    pub patience_s: u64,
    /// How long a download, an upload or another command waits for its device or its end in seconds. Default: 2,592,000, thirty days.
    pub command_patience_s: u64,
    /// How long a large answer of `get` can be read, in seconds. The journal keeps its number of values and its digest. Default: 86,400, a day.
    pub answers_s: u64,
    /// How often a run that waits for its device looks without being woken, in seconds. Default: 21,600, six hours.
    pub poll_s: u64,
    /// Whether secrets are sent to devices that share their credential with others or have none. Default: false.
    pub allow_unproven: bool,
    /// Whether the host gives each device a user name and a password for connection requests. Default: true.
    pub connection_requests: bool,
    /// Whether a device is restarted that took the values for later (status 1) and did not apply them until its next session. Default: true.
    pub reboot_on_later: bool,
    /// After so many seconds a device whose provisioning failed is tried again when it contacts the host. Default: 3,600.
    pub unknown_retry_s: u64,
    /// After so many seconds a provisioned device that contacts the host is compared with its profile. Default: 0, never.
    pub drift_s: u64,
    /// How many devices are remembered without asking the store. Default: 262,144, some 100 MiB.
    pub known_devices: usize,
    /// The step `authenticate`.
    pub authenticate: StepOptions,
    /// The step `fetch_profile`.
    pub fetch_profile: StepOptions,
    /// The step `build_config`.
    pub build_config: StepOptions,
    /// The steps `read_device` and `push_config`, and commands. Time that a device is waited for does not count as an attempt.
    pub push_config: StepOptions,
    /// The step `verify`. Every attempt after the first sends the values again that differ. Default: 3 attempts.
    pub verify: StepOptions,
}

/// How a provisioning goes on after a failure.
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
    /// The wall clock of one call in milliseconds. Default: 20,000, because devices wait 30 s for an answer. A call that speaks with a device takes as long as
    /// its session lets the device take.
    pub timeout_ms: u64,
    /// After so many failed attempts the step has failed. Default: 5, `verify` 3.
    pub max_attempts: NonZeroU32,
    /// The longest first pause between two attempts in milliseconds; it doubles with every failure. Default: 500.
    pub retry_initial_ms: u64,
    /// The longest pause in milliseconds, also of one that a back end asks for. Default: 60,000.
    pub retry_max_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        let step = StepOptions::default();
        Self {
            on_lookup_failure: Policy::Fail,
            on_push_failure: Policy::Fallout,
            on_verify_failure: Policy::Fallout,
            models: Vec::new(),
            patience_s: 604_800,
            command_patience_s: 2_592_000,
            answers_s: 86_400,
            poll_s: 21_600,
            allow_unproven: false,
            connection_requests: true,
            reboot_on_later: true,
            unknown_retry_s: 3_600,
            drift_s: 0,
            known_devices: 262_144,
            authenticate: step,
            fetch_profile: step,
            build_config: step,
            push_config: step,
            verify: StepOptions { max_attempts: const { NonZeroU32::new(3).expect("3 is not zero") }, ..step },
        }
    }
}

impl Default for StepOptions {
    fn default() -> Self {
        Self { timeout_ms: 20_000, max_attempts: const { NonZeroU32::new(5).expect("5 is not zero") }, retry_initial_ms: 500, retry_max_ms: 60_000 }
    }
}

impl Options {
    /// Looks at what the types do not say, before anything is begun with it.
    ///
    /// # Errors
    ///
    /// The key, what it is, and what was expected.
    pub fn check(&self) -> Result<(), String> {
        for (key, seconds, least) in [
            ("patience_s", self.patience_s, 1),
            ("command_patience_s", self.command_patience_s, 1),
            ("answers_s", self.answers_s, 1),
            ("poll_s", self.poll_s, 1),
            ("unknown_retry_s", self.unknown_retry_s, 0),
            ("drift_s", self.drift_s, 0),
        ] {
            within(key, seconds, least, MAX_SECONDS)?;
        }
        within("known_devices", self.known_devices as u64, 1, MAX_KNOWN)?;
        if let Some(model) = self.models.iter().find(|model| model.is_empty() || model.len() > MAX_MODEL) {
            let shown: String = model.chars().take(MAX_MODEL).collect();
            return Err(format!("models has `{shown}`: expected names of 1 to {MAX_MODEL} bytes"));
        }
        let Self { authenticate, fetch_profile, build_config, push_config, verify, .. } = self;
        let steps = [authenticate, fetch_profile, build_config, push_config, verify];
        let names = ["authenticate", "fetch_profile", "build_config", "push_config", "verify"];
        names.into_iter().zip(steps).try_for_each(|(name, step)| step.check(name))
    }

    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.patience_s)
    }

    pub(super) fn command_patience(&self) -> Duration {
        Duration::from_secs(self.command_patience_s)
    }

    pub(super) fn poll(&self) -> Duration {
        Duration::from_secs(self.poll_s)
    }
}

/// The longest time in seconds: ten years. More of them would overflow what is computed with them.
const MAX_SECONDS: u64 = 315_360_000;

/// The most devices in memory, some 40 GiB.
const MAX_KNOWN: u64 = 100_000_000;

/// The longest name of a model, in bytes.
const MAX_MODEL: usize = 256;

/// A number outside of its range would be found out much later, by devices that are not provisioned.
fn within(key: &str, given: u64, least: u64, most: u64) -> Result<(), String> {
    if (least..=most).contains(&given) { Ok(()) } else { Err(format!("{key} is {given}: expected a number from {least} to {most}")) }
}

impl StepOptions {
    fn check(&self, step: &str) -> Result<(), String> {
        within(&format!("{step}.timeout_ms"), self.timeout_ms, 1, 86_400_000)?;
        within(&format!("{step}.max_attempts"), self.max_attempts.get().into(), 1, 1_000)?;
        within(&format!("{step}.retry_max_ms"), self.retry_max_ms, 1, 86_400_000)?;
        within(&format!("{step}.retry_initial_ms"), self.retry_initial_ms, 1, self.retry_max_ms)
    }

    pub(super) fn timeout(self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// The policy of a step that waits for nobody longer than a back end takes.
    pub(super) fn retry(self) -> RetryPolicy {
        self.retry_within(Duration::from_secs(3_600))
    }

    /// The policy of a step whose first attempt may wait for a device so long.
    pub(super) fn retry_within(self, patience: Duration) -> RetryPolicy {
        RetryPolicy {
            max_attempts: self.max_attempts,
            initial: Duration::from_millis(self.retry_initial_ms),
            max: Duration::from_millis(self.retry_max_ms),
            deadline: patience.saturating_mul(self.max_attempts.get()),
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
        let options: Options = serde_json::from_str(r#"{"on_push_failure": "fail", "verify": {"max_attempts": 2}}"#).unwrap();
        assert_eq!((options.on_push_failure, options.verify.max_attempts.get(), options.patience_s), (Policy::Fail, 2, 604_800));
        assert_eq!(serde_json::from_str::<Options>("{}").unwrap(), Options::default());
        assert_eq!(options.check(), Ok(()));
        for (given, expected) in [
            (r#"{"patience_s": 0}"#, "patience_s is 0: expected a number from 1 to "),
            (r#"{"poll_s": 0}"#, "poll_s is 0: expected"),
            (r#"{"drift_s": 18446744073709551615}"#, "drift_s is 18446744073709551615: expected a number from 0 to "),
            (r#"{"known_devices": 0}"#, "known_devices is 0: expected"),
            (r#"{"models": [""]}"#, "models has ``: expected names of 1 to 256 bytes"),
            (r#"{"verify": {"timeout_ms": 0}}"#, "verify.timeout_ms is 0: expected"),
            (r#"{"push_config": {"retry_initial_ms": 9, "retry_max_ms": 5}}"#, "push_config.retry_initial_ms is 9: expected a number from 1 to 5"),
        ] {
            let error = serde_json::from_str::<Options>(given).unwrap().check().unwrap_err();
            assert!(error.starts_with(expected), "{given}: {error}");
        }
        assert!(serde_json::from_str::<Options>(r#"{"patience": 1}"#).unwrap_err().to_string().contains("unknown field `patience`"));
    }
}
