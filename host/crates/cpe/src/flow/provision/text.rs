//! Texts of failed spans, and the bounded reasons of failures.

use pipeline::Failure;
use serde_json::Value;

/// The longest description of a failed span, in bytes.
const MAX_DESCRIPTION: usize = 256;

/// The failure's own words, cut on a character boundary.
pub(super) fn own(_: &Value, failure: &Failure) -> String {
    let mut end = failure.message.len().min(MAX_DESCRIPTION);
    while !failure.message.is_char_boundary(end) {
        end -= 1;
    }
    failure.message[..end].to_owned()
}

pub(super) fn authenticate(request: &Value, failure: &Failure) -> String {
    if failure.error_type == "unknown_device" { "Device not in inventory".to_owned() } else { own(request, failure) }
}

pub(super) fn fetch_profile(request: &Value, failure: &Failure) -> String {
    if failure.error_type == "no_profile" { "No service profile found".to_owned() } else { own(request, failure) }
}

pub(super) fn verify(request: &Value, failure: &Failure) -> String {
    if failure.error_type == "verification_failed" { "Config verification failed".to_owned() } else { own(request, failure) }
}

/// A failure that neither the device nor a back end decided on: time ran out, or something did not run as it should.
fn of_the_host(failure: &Failure) -> Option<&'static str> {
    match failure.error_type.as_str() {
        "timeout" | "plugin.timeout" => Some("timeout"),
        other if other.starts_with("plugin.") || other.starts_with("host.") => Some("error"),
        _ => None,
    }
}

pub(crate) fn lookup_reason(failure: &Failure) -> &'static str {
    match failure.error_type.as_str() {
        "unknown_device" => "unknown_device",
        "no_profile" => "no_profile",
        _ => of_the_host(failure).unwrap_or("error"),
    }
}

pub(crate) fn push_reason(failure: &Failure) -> &'static str {
    of_the_host(failure).unwrap_or("config_push_failed")
}

pub(crate) fn verify_reason(failure: &Failure) -> &'static str {
    of_the_host(failure).unwrap_or("verification_failed")
}
