//! The database of the tenant that a call is about (`jackfield:tenant/sql`), for plugins that implement [`Seed`](crate::Seed).
//!
//! The host chooses database, role and schema: a plugin has no address and no password, and reaches no other tenant.

use crate::Failure;

/// The failure code of this module; plugins that implement `seed` declare it.
pub const CODE: &str = "database";

/// A value of a parameter or a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A truth value.
    Boolean(bool),
    /// A number without fraction.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Text; also what has no type of its own here, such as a date.
    Text(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// SQL with the parameters `$1`, `$2`, ...
    pub sql: String,
    /// Their values.
    pub parameters: Vec<Value>,
}

impl Statement {
    /// A statement with its parameters.
    pub fn new(sql: impl Into<String>, parameters: impl Into<Vec<Value>>) -> Self {
        Self { sql: sql.into(), parameters: parameters.into() }
    }
}

/// What a statement answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
    /// How many rows were changed.
    pub changed: u64,
}

/// Why a transaction was not made. Nothing of it was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The database refused a statement.
    #[error("the database refused: {0}")]
    Refused(String),
    /// A limit was exceeded.
    #[error("{0}")]
    Limit(String),
    /// The database cannot serve now.
    #[error("the database cannot serve: {0}")]
    Unavailable(String),
    /// The tenant has no database.
    #[error("the tenant has no database")]
    Absent,
    /// Nobody knows whether it was made. The same transaction may be asked for again.
    #[error("it is not known whether the transaction was made: {0}")]
    UnknownOutcome(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::UnknownOutcome(_) => Self::unknown_outcome(CODE, message),
            Error::Unavailable(_) => Self::unavailable(CODE, message),
            Error::Refused(_) | Error::Limit(_) | Error::Absent => Self::rejected(CODE, message),
        }
    }
}

/// Makes the statements in one transaction. `name` identifies it within the effect (1 to 64 characters of `[a-z0-9_.-]`): asked for again, in this
/// attempt or a later one, it is not made again, and answers with no rows what it changed the first time.
///
/// # Errors
/// See [`Error`].
pub fn transaction(name: &str, statements: &[Statement]) -> Result<Vec<Answer>, Error> {
    host::transaction(name, statements)
}

#[cfg(target_family = "wasm")]
use crate::bindings::sql::jackfield::tenant::sql as host;

#[cfg(not(target_family = "wasm"))]
use crate::testing::sql as host;
