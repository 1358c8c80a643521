//! An answer.

use std::time::Duration;

use super::{BAD_ANSWER, Error, ErrorKind};
use crate::Failure;

/// Characters of an error body that a failure message quotes.
const QUOTED: usize = 300;

/// What a transport brings back.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// An answer with any status.
#[derive(Debug, Clone)]
pub struct Response {
    request: String,
    safe: bool,
    effects_before: bool,
    raw: Raw,
}

impl Response {
    pub(super) fn new(request: String, safe: bool, effects_before: bool, raw: Raw) -> Self {
        Self { request, safe, effects_before, raw }
    }

    /// The status: 200.
    pub fn status(&self) -> u16 {
        self.raw.status
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.raw.status)
    }

    /// The first header with that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.raw.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.raw.body
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.raw.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When the body is not JSON of that form.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.raw.body).map_err(|error| {
            let why = format!("{}: the answer is not the expected JSON: {error}", self.request);
            Error::new(ErrorKind::BadAnswer, !self.safe, why)
        })
    }

    /// The seconds form of `Retry-After`.
    pub fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
    }

    /// Goes on with a 2xx answer and makes any other the failure that is true:
    ///
    /// * 408, 425, 429, 503 are `unavailable`, with `Retry-After`;
    /// * other 5xx are `unavailable` after a request that changes nothing, otherwise `unknown-outcome`;
    /// * the rest is `rejected` with `code`;
    /// * but all are `unknown-outcome` if an *earlier* request of this call may have changed something. Undo that
    ///   yourself, or keep each call to one change.
    ///
    /// # Errors
    /// As listed.
    pub fn require_success(self, code: &str) -> Result<Self, Failure> {
        if self.is_success() {
            return Ok(self);
        }
        let status = self.raw.status;
        let message = self.message();
        if self.effects_before {
            return Err(Failure::unknown_outcome(code, message));
        }
        Err(match status {
            408 | 425 | 429 | 503 => self.later(code, message),
            500.. if self.safe => self.later(code, message),
            500.. => Failure::unknown_outcome(code, message),
            ..200 => Failure::unavailable(BAD_ANSWER, message),
            200..500 => Failure::rejected(code, message),
        })
    }

    /// Method, URL, status and the beginning of the body, for messages.
    pub fn message(&self) -> String {
        let body: String = self.text().chars().take(QUOTED).collect();
        format!("{} answered {}: {}", self.request, self.raw.status, body.trim())
    }

    fn later(&self, code: &str, message: String) -> Failure {
        let failure = Failure::unavailable(code, message);
        match self.retry_after() {
            Some(wait) => failure.retry_after(wait),
            None => failure,
        }
    }
}
