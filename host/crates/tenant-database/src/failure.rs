//! The codes of failures. Messages name the tenant and what was refused, never an address with credentials or a password.

use std::fmt::Display;

use pipeline::{Failure, FailureClass};

/// The database cannot serve now.
pub const DATABASE_UNAVAILABLE: &str = "database_unavailable";
/// The database refused.
pub const DATABASE_REFUSED: &str = "database_refused";
/// What would be made is there and is somebody else's.
pub const DATABASE_FOREIGN: &str = "database_foreign";
/// A migration was refused.
pub const MIGRATION_FAILED: &str = "migration_failed";
/// A migration that was made reads otherwise now.
pub const MIGRATION_CHANGED: &str = "migration_changed";
/// The host's own role may not do it.
pub const NOT_AUTHORISED: &str = "not_authorised";

pub(crate) fn unavailable(message: impl Display) -> Failure {
    Failure::new(FailureClass::Unavailable, DATABASE_UNAVAILABLE, message.to_string())
}

pub(crate) fn unknown(message: impl Display) -> Failure {
    Failure::new(FailureClass::Unknown, DATABASE_UNAVAILABLE, message.to_string())
}

pub(crate) fn rejected(code: &str, message: impl Display) -> Failure {
    Failure::new(FailureClass::Rejected, code, message.to_string())
}

/// What a person must look at before anything is removed.
pub(crate) fn held(code: &str, message: impl Display) -> Failure {
    Failure::new(FailureClass::Held, code, message.to_string())
}

/// The call itself is wrong.
pub(crate) fn misfit(message: impl Display) -> Failure {
    held("host.internal", message)
}

/// Whose it is, when it is not the tenant's.
pub(crate) fn foreign(tenant: &str, whose: &str) -> Failure {
    rejected(DATABASE_FOREIGN, format_args!("the database of tenant {tenant} cannot be made: {whose}"))
}
