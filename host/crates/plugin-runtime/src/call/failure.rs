//! Why a call has no answer, and what that means: the host classifies what it caused itself.

use std::{borrow::Cow, time::Duration};

use engine::port::HostInterfaceError;
use pipeline::{Failure, FailureClass};
use wasmtime::{Trap, WasmBacktrace};

use super::{Account, MAX_MESSAGE, failure};
use package::Manifest;

use crate::{
    bulkhead::Busy,
    guard::{LeftAlone, retry_after_ms},
    shape::CodecError,
};

/// The most bytes of a plugin's own message.
const MAX_REASON: usize = 1024;
/// What telemetry calls a code that is not declared.
const OTHER: &str = "_OTHER";
/// What wasmtime says, and only says, when more crosses than `set_hostcall_fuel` allows. A test notices if an update changes it.
const FUEL_TEXT: &str = "fuel allocated for hostcalls has been exhausted";

/// A limit that ended the guest from inside.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LimitReached {
    #[error("it used {} ms of CPU time, the limit (cpu_ms)", budget.as_millis())]
    Cpu { budget: Duration },
    #[error("the time of the call is over")]
    Time,
    #[error("it wanted {wanted} bytes of memory, the limit is {limit} (memory_bytes)")]
    Memory { wanted: usize, limit: usize },
}

/// How a call ended without an answer.
#[derive(Debug)]
pub(super) enum Ended {
    /// The plugin does not have what the pin names.
    NoFunction { contract: String, function: &'static str },
    /// No call is made now.
    Refused(Failure),
    /// There was no room.
    Busy(Busy),
    /// The request cannot be said in the plugin's version of the contract.
    Request(CodecError),
    /// The plugin's answer breaks the contract.
    Answer(String),
    /// The plugin's answer is larger than the contract allows.
    TooLong(String),
    /// The guest was ended.
    Caused(Caused),
    /// The wall clock ran out while the guest waited.
    TimedOut { after: Duration },
    /// The plugin reported a failure.
    Reported(Reported),
}

/// A guest that was ended.
#[derive(Debug)]
pub(super) struct Caused {
    error: wasmtime::Error,
    instantiating: bool,
    /// What the guest wrote to standard error.
    pub(super) stderr: String,
}

/// A failure as the plugin sees it.
#[derive(Debug)]
pub(super) struct Reported {
    pub(super) class: FailureClass,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) retry_after_ms: Option<u64>,
}

impl Caused {
    pub(super) fn instantiating(error: wasmtime::Error) -> Self {
        Self { error, instantiating: true, stderr: String::new() }
    }

    pub(super) fn calling(error: wasmtime::Error) -> Self {
        Self { error, instantiating: false, stderr: String::new() }
    }

    /// The value of `error.type` and one sentence.
    fn cause(&self) -> (&'static str, String) {
        if let Some(limit) = self.error.downcast_ref::<LimitReached>() {
            let error_type = match limit {
                LimitReached::Cpu { .. } => "plugin.cpu_limit",
                LimitReached::Time => "plugin.timeout",
                LimitReached::Memory { .. } => "plugin.out_of_memory",
            };
            return (error_type, limit.to_string());
        }
        if let Some(error) = self.error.downcast_ref::<HostInterfaceError>() {
            return ("plugin.trap", error.to_string());
        }
        let root = self.error.root_cause().to_string();
        if root.contains(FUEL_TEXT) {
            return ("plugin.output_limit", "it passed more to the host at once than output_bytes allows".to_owned());
        }
        if self.instantiating && self.error.downcast_ref::<Trap>().is_none() {
            return ("plugin.instantiate", root);
        }
        ("plugin.trap", root)
    }

    /// Cause, standard error and backtrace in one text. The backtrace is cut first: it is the longest and the end of it says least.
    fn text(&self, cause: &str) -> String {
        let mut text = cause.to_owned();
        if !self.stderr.is_empty() {
            text.push_str("\nstderr: ");
            text.push_str(self.stderr.trim_end());
        }
        if let Some(backtrace) = self.error.downcast_ref::<WasmBacktrace>() {
            text.push('\n');
            text.push_str(backtrace.to_string().trim_end());
        }
        text
    }
}

impl Ended {
    /// The failure that enters the journal. What failed before anything was sent is a plain retry; afterwards the outcome is unknown.
    pub(super) fn classify(self, manifest: &Manifest, sent: bool, denied: Option<&str>) -> Failure {
        let doubt = if sent { FailureClass::Unknown } else { FailureClass::Unavailable };
        match self {
            Self::NoFunction { contract, function } => {
                failure(FailureClass::Held, "plugin.contract", format!("`{}` has no {contract}.{function}", manifest.name))
            }
            Self::Refused(failure) => failure,
            Self::Busy(busy) => failure(FailureClass::Unavailable, "plugin.busy", busy.to_string()),
            Self::Request(error) => {
                failure(FailureClass::Rejected, "plugin.contract", format!("the request does not fit `{}`: {error}", manifest.name))
            }
            Self::Answer(problem) => failure(doubt, "plugin.contract", format!("the answer of `{}` breaks the contract: {problem}", manifest.name)),
            Self::TooLong(problem) => failure(doubt, "plugin.output_limit", format!("the answer of `{}`: {problem}", manifest.name)),
            Self::TimedOut { after } => {
                failure(doubt, "plugin.timeout", format!("`{}` did not answer within {} ms", manifest.name, after.as_millis()))
            }
            Self::Caused(caused) => {
                let (error_type, cause) = caused.cause();
                failure(doubt, error_type, format!("`{}` was stopped: {}", manifest.name, caused.text(&cause)))
            }
            Self::Reported(reported) => reported.classify(manifest, sent, denied),
        }
    }
}

impl Ended {
    /// The endpoint for whose sake the plugin says that it cannot work now. That is no trouble of the plugin's.
    pub(super) fn because_of(&self, account: &Account) -> Option<LeftAlone> {
        let unavailable = matches!(self, Self::Reported(reported) if reported.class == FailureClass::Unavailable);
        if unavailable && account.denied().is_none() { account.left_alone() } else { None }
    }
}

/// A failure because of an endpoint that is left alone: it says so, and when trying again makes sense.
pub(super) fn left_alone(mut failure: Failure, manifest: &Manifest, LeftAlone { endpoint, after }: &LeftAlone) -> Failure {
    let said = failure.message;
    let text = format!("{endpoint} failed too often: its breaker is open, no request was sent there; `{}` said: {said}", manifest.name);
    failure.message = bounded(text, MAX_MESSAGE);
    failure.retry_after_ms = failure.retry_after_ms.max(Some(retry_after_ms(*after)));
    failure
}

impl Reported {
    /// A plugin that could not work because the host refused it something will be refused again: that is no reason to retry.
    fn classify(self, manifest: &Manifest, sent: bool, denied: Option<&str>) -> Failure {
        let caused_by_host = match self.class {
            FailureClass::Unavailable => true,
            FailureClass::Unknown => !sent,
            FailureClass::Rejected | FailureClass::Held => false,
        };
        let message = bounded(self.message, MAX_REASON);
        if let (Some(denied), true) = (denied, caused_by_host) {
            return failure(FailureClass::Rejected, "plugin.denied", format!("{denied}; `{}` said: {message}", manifest.name));
        }
        let code = if manifest.declares(&self.code) { self.code } else { OTHER.to_owned() };
        Failure { class: self.class, error_type: code, message, retry_after_ms: self.retry_after_ms }
    }
}

/// Cuts a text on a character boundary.
pub(crate) fn bounded(mut text: String, most: usize) -> String {
    let most = most.min(MAX_MESSAGE);
    if text.len() > most {
        let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// The same for text that may not be UTF-8.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let json = r#"{"name":"worker","version":"1.0.0","failure_codes":["no_paper"],
            "contracts":[{"contract":"acme:test/work","verbs":["apply"],"idempotent":false}]}"#;
        Manifest::parse(json.as_bytes()).unwrap()
    }

    fn check(ended: Ended, sent: bool, denied: Option<&str>, class: FailureClass, error_type: &str) {
        let failure = ended.classify(&manifest(), sent, denied);
        assert_eq!((failure.class, failure.error_type.as_str()), (class, error_type), "{failure:?}");
    }

    #[test]
    fn what_was_sent_decides_between_a_retry_and_doubt() {
        let timed_out = || Ended::TimedOut { after: Duration::from_secs(1) };
        check(timed_out(), false, None, FailureClass::Unavailable, "plugin.timeout");
        check(timed_out(), true, None, FailureClass::Unknown, "plugin.timeout");
        let caused = |error: wasmtime::Error| Ended::Caused(Caused::calling(error));
        check(caused(LimitReached::Time.into()), false, None, FailureClass::Unavailable, "plugin.timeout");
        check(caused(Trap::UnreachableCodeReached.into()), true, None, FailureClass::Unknown, "plugin.trap");
        let instantiating = Ended::Caused(Caused::instantiating(wasmtime::Error::msg("no slot")));
        check(instantiating, false, None, FailureClass::Unavailable, "plugin.instantiate");
    }

    #[test]
    fn what_the_host_denied_is_not_retried() {
        let reported =
            |class| Ended::Reported(Reported { class, code: "no_paper".to_owned(), message: "cannot print".to_owned(), retry_after_ms: None });
        let denied = Some("PUT http://printer/ was denied: the method is not allowed");
        check(reported(FailureClass::Unavailable), false, denied, FailureClass::Rejected, "plugin.denied");
        check(reported(FailureClass::Unavailable), true, denied, FailureClass::Rejected, "plugin.denied");
        check(reported(FailureClass::Unknown), false, denied, FailureClass::Rejected, "plugin.denied");
        check(reported(FailureClass::Unknown), true, denied, FailureClass::Unknown, "no_paper");
        check(reported(FailureClass::Rejected), false, denied, FailureClass::Rejected, "no_paper");
        check(reported(FailureClass::Unavailable), false, None, FailureClass::Unavailable, "no_paper");
    }

    #[test]
    fn standard_error_travels_with_the_trap_and_everything_is_bounded() {
        let mut caused = Caused::calling(Trap::UnreachableCodeReached.into());
        caused.stderr = "thread 'main' panicked at src/lib.rs:7:5:\nno paper\n".to_owned();
        let failure = Ended::Caused(caused).classify(&manifest(), false, None);
        let expected = "`worker` was stopped: wasm trap: wasm `unreachable` instruction executed\n\
                        stderr: thread 'main' panicked at src/lib.rs:7:5:\nno paper";
        assert_eq!(failure.message, expected);
        let mut caused = Caused::calling(Trap::UnreachableCodeReached.into());
        caused.stderr = "ä".repeat(20_000);
        assert!(Ended::Caused(caused).classify(&manifest(), false, None).message.len() <= MAX_MESSAGE);
    }
}
