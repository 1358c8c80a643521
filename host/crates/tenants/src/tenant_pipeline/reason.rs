//! From a failure to the bounded reason under which a sign-up is held or failed.

use pipeline::Failure;

/// The reasons under which a run about a tenant can be held.
pub const REASONS: [&str; 14] = [
    "record_failed",
    "database_failed",
    "storage_failed",
    "dns_failed",
    "certificate_failed",
    "seed_failed",
    "integration_failed",
    "account_failed",
    "activation_failed",
    "mail_failed",
    "foreign",
    "plugin_error",
    "timeout",
    "undo_failed",
];

/// A failure that the provider did not cause, or one that only a person can settle: what was to be made is there already and is somebody else's.
fn of_the_host(failure: &Failure) -> Option<&'static str> {
    match failure.error_type.as_str() {
        "timeout" | "plugin.timeout" => Some("timeout"),
        "foreign" | "foreign_record" => Some("foreign"),
        other if other.starts_with("plugin.") || other.starts_with("host.") => Some("plugin_error"),
        _ => None,
    }
}

macro_rules! reasons {
    ($($function:ident: $reason:literal;)+) => {
        $(pub(crate) fn $function(failure: &Failure) -> &'static str {
            of_the_host(failure).unwrap_or($reason)
        })+
    };
}

reasons! {
    record: "record_failed";
    database: "database_failed";
    storage: "storage_failed";
    dns: "dns_failed";
    certificate: "certificate_failed";
    seed: "seed_failed";
    integration: "integration_failed";
    account: "account_failed";
    activation: "activation_failed";
}

/// Whatever the cause: the tenant is there and its administrator does not know, and the alert on this reason must see it.
pub(crate) fn mail(_: &Failure) -> &'static str {
    "mail_failed"
}

#[cfg(test)]
mod tests {
    use pipeline::FailureClass;

    use super::*;

    #[test]
    fn every_reason_is_in_the_list() {
        let all = [record, database, storage, dns, certificate, seed, integration, account, activation, mail];
        for error in ["full", "timeout", "plugin.trap", "host.internal", "foreign_record"] {
            let failure = Failure::new(FailureClass::Rejected, error, "");
            assert!(all.iter().all(|reason| REASONS.contains(&reason(&failure))), "{error}");
        }
        assert_eq!(dns(&Failure::new(FailureClass::Rejected, "foreign_record", "")), "foreign");
    }
}
