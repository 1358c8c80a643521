//! What the server says when it does not do something, as a failure of a call or an error of a guest.

use std::{error::Error as _, io};

use pipeline::Failure;

use crate::{
    failure::{DATABASE_REFUSED, NOT_AUTHORISED, rejected, unavailable},
    sql::SqlError,
};

/// What kind of trouble it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The connection is gone, or was never there.
    Lost,
    /// It took too long.
    TimedOut,
    /// The server cannot serve now.
    Unavailable,
    /// The role may not do it, or is not who it says.
    NotAuthorised,
    /// It is not done.
    Refused,
}

/// Trouble with the server. Its text has neither an address with credentials nor values of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn lost(message: impl Into<String>) -> Self {
        Self::new(Kind::Lost, message)
    }

    /// As a failure of a call that left nothing behind.
    pub(super) fn failure(&self) -> Failure {
        match self.kind {
            Kind::Lost | Kind::TimedOut | Kind::Unavailable => unavailable(format_args!("the database server: {}", self.message)),
            Kind::NotAuthorised => rejected(NOT_AUTHORISED, format_args!("the database server: {}", self.message)),
            Kind::Refused => rejected(DATABASE_REFUSED, format_args!("the database server: {}", self.message)),
        }
    }

    /// As an error of a guest, nothing of whose transaction was kept.
    pub(super) fn told(self) -> SqlError {
        match self.kind {
            Kind::Lost | Kind::Unavailable => SqlError::Unavailable(self.message),
            Kind::TimedOut => SqlError::Limit(self.message),
            Kind::NotAuthorised | Kind::Refused => SqlError::Refused(self.message),
        }
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(said) = error.as_db_error() {
            let code = said.code().code();
            return Self::new(kind_of(code), format!("{} (SQLSTATE {code})", said.message()));
        }
        let mut cause = error.source();
        while let Some(one) = cause {
            if one.is::<io::Error>() {
                return Self::lost(error.to_string());
            }
            cause = one.source();
        }
        Self::new(if error.is_closed() { Kind::Lost } else { Kind::Refused }, error.to_string())
    }
}

/// PostgreSQL, appendix A.
fn kind_of(code: &str) -> Kind {
    match (code, code.get(..2).unwrap_or_default()) {
        ("57014", _) => Kind::TimedOut,
        (_, "08") | ("57P01" | "57P02" | "57P04" | "57P05", _) | ("25P03" | "25P04", _) => Kind::Lost,
        ("42501", _) | (_, "28") => Kind::NotAuthorised,
        // A standby reads only; locks and conflicts pass.
        ("25006" | "55P03", _) | (_, "53" | "57" | "58" | "40" | "XX") => Kind::Unavailable,
        _ => Kind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_what_to_do_next() {
        let cases = [
            ("08006", Kind::Lost),
            ("57P01", Kind::Lost),
            ("57P03", Kind::Unavailable),
            ("53300", Kind::Unavailable),
            ("40P01", Kind::Unavailable),
            ("55P03", Kind::Unavailable),
            ("57014", Kind::TimedOut),
            ("42501", Kind::NotAuthorised),
            ("28P01", Kind::NotAuthorised),
            ("42601", Kind::Refused),
            ("22001", Kind::Refused),
            ("23505", Kind::Refused),
        ];
        for (code, kind) in cases {
            assert_eq!(kind_of(code), kind, "{code}");
        }
    }
}
