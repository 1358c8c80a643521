//! What the problems of an authority mean for an attempt (RFC 8555, section 6.7).

use instant_acme::{Error, Problem};
use pipeline::{Failure, FailureClass};

use super::{
    super::effect::{held, rejected, unavailable},
    transport::asked_pause,
};

/// So much of a problem's text is told.
const LONGEST_DETAIL: usize = 400;

/// Why a conversation with an authority ended.
pub(super) enum Stop {
    /// As the library says it.
    Acme(Error),
    /// As the attempt is to say it.
    Failed(Failure),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Acme(error)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Stop {
    /// As the attempt is to say it.
    pub(super) fn failure(self) -> Failure {
        match self {
            Self::Acme(Error::Api(problem)) => refused(&problem),
            Self::Acme(error) => unavailable("ca_unavailable", format!("the certificate authority cannot be asked: {}", chain(&error))),
            Self::Failed(failure) => failure,
        }
    }

    /// The same, where something may have been issued.
    pub(super) fn doubtful(self) -> Failure {
        let failure = self.failure();
        match failure.class {
            FailureClass::Unavailable => Failure { class: FailureClass::Unknown, ..failure },
            FailureClass::Rejected => Failure { class: FailureClass::Held, ..failure },
            FailureClass::Unknown | FailureClass::Held => failure,
        }
    }
}

/// The kind of a problem: the last word of its URN.
pub(super) fn kind(problem: &Problem) -> &str {
    problem.r#type.as_deref().and_then(|kind| kind.strip_prefix("urn:ietf:params:acme:error:")).unwrap_or_default()
}

pub(super) fn is_bad_nonce(error: &Error) -> bool {
    matches!(error, Error::Api(problem) if kind(problem) == "badNonce")
}

/// Whether the authority does not know the account.
pub(super) fn is_account_lost(error: &Error) -> bool {
    matches!(error, Error::Api(problem) if kind(problem) == "accountDoesNotExist")
}

/// Whether the authority does not know an order, or not as this account's.
pub(super) fn is_lost(error: &Error) -> bool {
    let unknown = |problem: &Problem| problem.status == Some(404) || ["accountDoesNotExist", "unauthorized"].contains(&kind(problem));
    matches!(error, Error::Api(problem) if unknown(problem))
}

/// Whether a problem is about now, and not about what was asked.
pub(super) fn is_passing(problem: &Problem) -> bool {
    ["badNonce", "rateLimited", "serverInternal", "orderNotReady"].contains(&kind(problem)) || problem.status.is_some_and(|status| status >= 500)
}

/// What a problem says, in one line.
pub(super) fn detail(problem: &Problem) -> String {
    problem.to_string().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(LONGEST_DETAIL).collect()
}

fn refused(problem: &Problem) -> Failure {
    let message = format!("the certificate authority says: {}", detail(problem));
    let mut failure = match kind(problem) {
        "rateLimited" => unavailable("rate_limited", message),
        _ if is_passing(problem) => unavailable("ca_unavailable", message),
        "accountDoesNotExist" | "userActionRequired" | "externalAccountRequired" | "invalidContact" | "unsupportedContact" => {
            held("ca_account", message)
        }
        "badCSR" | "badPublicKey" | "badSignatureAlgorithm" => rejected("bad_signing_request", message),
        "rejectedIdentifier" | "unsupportedIdentifier" | "caa" => rejected("names_refused", message),
        _ => rejected("ca_refused", message),
    };
    if failure.class == FailureClass::Unavailable {
        failure.retry_after_ms = asked_pause().and_then(|pause| u64::try_from(pause.as_millis()).ok());
    }
    failure
}

/// An error with what caused it.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text.chars().take(LONGEST_DETAIL).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn problem(kind: &str, status: u16) -> Error {
        let problem: Problem =
            serde_json::from_value(json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": "a\nb", "status": status})).unwrap();
        Error::Api(problem)
    }

    #[test]
    fn each_problem_has_its_class() {
        let table = [
            ("rateLimited", 429, "Unavailable rate_limited", "Unknown rate_limited"),
            ("serverInternal", 500, "Unavailable ca_unavailable", "Unknown ca_unavailable"),
            ("somethingNew", 503, "Unavailable ca_unavailable", "Unknown ca_unavailable"),
            ("badNonce", 400, "Unavailable ca_unavailable", "Unknown ca_unavailable"),
            ("badCSR", 400, "Rejected bad_signing_request", "Held bad_signing_request"),
            ("rejectedIdentifier", 400, "Rejected names_refused", "Held names_refused"),
            ("externalAccountRequired", 400, "Held ca_account", "Held ca_account"),
            ("somethingNew", 400, "Rejected ca_refused", "Held ca_refused"),
        ];
        for (kind, status, sure, doubtful) in table {
            let said = |failure: Failure| format!("{:?} {}", failure.class, failure.error_type);
            assert_eq!(said(Stop::Acme(problem(kind, status)).failure()), sure, "{kind}");
            assert_eq!(said(Stop::Acme(problem(kind, status)).doubtful()), doubtful, "{kind}");
        }
        assert!(!Stop::Acme(problem("badCSR", 400)).failure().message.contains('\n'));
    }

    #[tokio::test]
    async fn a_pause_that_was_asked_for_is_kept() {
        let failure = super::super::transport::watched(async {
            super::super::transport::note(Some(Duration::from_secs(9)));
            Stop::Acme(problem("rateLimited", 429)).failure()
        });
        assert_eq!(failure.await.retry_after_ms, Some(9_000));
    }
}
