//! From a failure to the bounded reason under which an order is held.

use pipeline::Failure;

/// A failure that the provider did not cause: its time ran out, or it did not run as it should.
fn of_the_host(failure: &Failure) -> Option<&'static str> {
    match failure.error_type.as_str() {
        "timeout" | "plugin.timeout" => Some("timeout"),
        other if other.starts_with("plugin.") || other.starts_with("host.") => Some("plugin_error"),
        _ => None,
    }
}

pub(super) fn decomposition(failure: &Failure) -> &'static str {
    of_the_host(failure).unwrap_or("decomposition_failed")
}

/// `no_inventory` means that nothing was free; an inventory that cannot answer is another matter.
pub(super) fn inventory(failure: &Failure) -> &'static str {
    if failure.error_type == "no_inventory" { "no_inventory" } else { of_the_host(failure).unwrap_or("plugin_error") }
}

pub(super) fn provisioning(failure: &Failure) -> &'static str {
    of_the_host(failure).unwrap_or("provisioning_failed")
}

/// Whatever the cause: the question for a person is whether the service runs.
pub(super) fn activation(_: &Failure) -> &'static str {
    "activation_failed"
}

/// Whatever the cause: the customer has a service that is not billed, and the alert on this reason must see it.
pub(super) fn billing(_: &Failure) -> &'static str {
    "billing_failed"
}
