//! What went wrong at the vendor, by what it says about the bucket.

use std::time::Duration;

use jackfield_plugin_sdk::{
    Failure,
    http::{self, BAD_ANSWER, ErrorKind, Response},
};

use crate::{BAD_REGION, BAD_REQUEST, BUCKET_TAKEN, FAILED, NOT_AUTHORISED, NOT_SUPPORTED, QUOTA, xml};

/// Characters of the vendor's own words in a message.
const QUOTED: usize = 300;

/// Why a request did not do what it should.
#[derive(Debug)]
pub(crate) struct Problem {
    class: Class,
    code: String,
    /// The vendor's code, such as `NoSuchBucket`; empty if it said none.
    vendor: String,
    status: u16,
    message: String,
    wait: Option<Duration>,
}

/// What is true after a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// It will be so the next time; this request changed nothing.
    Permanent,
    /// It may be better later; this request changed nothing.
    Later,
    /// Nobody knows whether this request changed something.
    Doubtful,
}

impl Problem {
    /// An answer that is no success. `request` says what was asked.
    pub(crate) fn of(request: &str, answer: &Response, safe: bool) -> Self {
        let error = xml::read(answer.body()).ok().filter(|root| root.name == "Error");
        let (vendor, words) = error.as_ref().map_or(("", ""), |error| (error.text_of("Code"), error.text_of("Message")));
        let status = answer.status();
        let (class, code) = classify(status, vendor, safe);
        let quoted: String = format!("{vendor} {words}").trim().chars().take(QUOTED).collect();
        let message = format!("{request} answered {status} {quoted}").trim_end().to_owned();
        Self { class, code: code.into(), vendor: vendor.into(), status, message, wait: answer.retry_after() }
    }

    /// No answer that could be used.
    pub(crate) fn silent(error: http::Error, safe: bool) -> Self {
        let class = match error.kind() {
            ErrorKind::Invalid => Class::Permanent,
            ErrorKind::Denied | ErrorKind::Unreachable => Class::Later,
            ErrorKind::NoAnswer | ErrorKind::BadAnswer if safe => Class::Later,
            ErrorKind::NoAnswer | ErrorKind::BadAnswer => Class::Doubtful,
        };
        let failure = Failure::from(error);
        let reason = failure.reason();
        Self { class, code: reason.code.clone(), vendor: String::new(), status: 0, message: reason.message.clone(), wait: None }
    }

    /// A success whose body is not what it should be.
    pub(crate) fn garbled(request: &str, why: &str, safe: bool) -> Self {
        let class = if safe { Class::Later } else { Class::Doubtful };
        Self {
            class,
            code: BAD_ANSWER.into(),
            vendor: String::new(),
            status: 200,
            message: format!("{request}: the answer cannot be used: {why}"),
            wait: None,
        }
    }

    /// What a success says of a part that was not done.
    pub(crate) fn within(vendor: &str, message: String) -> Self {
        let (class, code) = classify(400, vendor, false);
        let class = if vendor == "InternalError" { Class::Later } else { class };
        Self { class, code: code.into(), vendor: vendor.into(), status: 200, message, wait: None }
    }

    /// Whether the vendor gave one of these codes.
    pub(crate) fn says(&self, codes: &[&str]) -> bool {
        codes.contains(&self.vendor.as_str())
    }

    /// Whether the vendor does not have what was asked for. A bucket that is not there is something else.
    pub(crate) fn is_missing(&self) -> bool {
        self.status == 404 && self.vendor != "NoSuchBucket"
    }

    /// Whether the vendor does not implement it.
    pub(crate) fn is_unsupported(&self) -> bool {
        self.code == NOT_SUPPORTED
    }

    /// Whether it will be so the next time.
    pub(crate) fn is_permanent(&self) -> bool {
        self.class == Class::Permanent
    }

    /// The failure that is true if something of this effect is there, or nothing is.
    pub(crate) fn failure(self, something_is_there: bool) -> Failure {
        let Self { class, code, message, wait, .. } = self;
        match class {
            Class::Doubtful => Failure::unknown_outcome(code, message),
            Class::Permanent | Class::Later if something_is_there => Failure::unknown_outcome(code, message),
            Class::Permanent => Failure::rejected(code, message),
            Class::Later => match wait {
                Some(wait) => Failure::unavailable(code, message).retry_after(wait),
                None => Failure::unavailable(code, message),
            },
        }
    }
}

fn classify(status: u16, vendor: &str, safe: bool) -> (Class, &'static str) {
    match vendor {
        "SlowDown"
        | "ServiceUnavailable"
        | "RequestLimitExceeded"
        | "Throttling"
        | "ThrottlingException"
        | "BandwidthLimitExceeded"
        | "OperationAborted"
        | "RequestTimeout" => (Class::Later, FAILED),
        "NotImplemented" => (Class::Permanent, NOT_SUPPORTED),
        "BucketAlreadyExists" => (Class::Permanent, BUCKET_TAKEN),
        "TooManyBuckets" => (Class::Permanent, QUOTA),
        "IllegalLocationConstraintException"
        | "InvalidLocationConstraint"
        | "InvalidRegion"
        | "AuthorizationHeaderMalformed"
        | "PermanentRedirect" => (Class::Permanent, BAD_REGION),
        "InvalidBucketName" | "InvalidTag" => (Class::Permanent, BAD_REQUEST),
        "AccessDenied" | "SignatureDoesNotMatch" | "InvalidAccessKeyId" | "ExpiredToken" | "InvalidToken" => (Class::Permanent, NOT_AUTHORISED),
        _ => match status {
            408 | 425 | 429 | 503 => (Class::Later, FAILED),
            501 => (Class::Permanent, NOT_SUPPORTED),
            500.. if safe => (Class::Later, FAILED),
            500.. => (Class::Doubtful, FAILED),
            401 | 403 => (Class::Permanent, NOT_AUTHORISED),
            300..400 => (Class::Permanent, BAD_REGION),
            ..300 | 400..500 => (Class::Permanent, FAILED),
        },
    }
}
