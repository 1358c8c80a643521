//! What guests say and hear, in the JSON form of the interface's types.

use serde::{Deserialize, Serialize};

/// A value of a parameter or a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Value {
    /// No value.
    Null,
    /// A truth value.
    Boolean(bool),
    /// A number without fraction.
    Integer(i64),
    /// A finite number.
    Real(f64),
    /// Text.
    Text(String),
}

impl Value {
    /// How much it counts against limits of bytes.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Null | Self::Boolean(_) => 1,
            Self::Integer(_) | Self::Real(_) => 8,
            Self::Text(text) => text.len() + 8,
        }
    }

    /// A number, or its text where JSON has no such number.
    pub(crate) fn real(number: f64) -> Self {
        if number.is_finite() { Self::Real(number) } else { Self::Text(number.to_string()) }
    }

    /// Bytes, as PostgreSQL writes them.
    pub(crate) fn bytes(bytes: &[u8]) -> Self {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(2 + 2 * bytes.len());
        text.push_str("\\x");
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        Self::Text(text)
    }
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Statement {
    /// SQL with the parameters `$1`, `$2`, ...
    pub(crate) sql: String,
    /// Their values.
    pub(crate) parameters: Vec<Value>,
}

impl Statement {
    pub(crate) fn size(&self) -> usize {
        self.sql.len() + self.parameters.iter().map(Value::size).sum::<usize>()
    }
}

/// What a statement answered.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Answer {
    /// The names of the columns.
    pub(crate) columns: Vec<String>,
    /// The rows.
    pub(crate) rows: Vec<Vec<Value>>,
    /// How many rows were changed.
    pub(crate) changed: u64,
}

impl Answer {
    /// What is told of a statement that was made before.
    pub(crate) fn changed(changed: u64) -> Self {
        Self { changed, ..Self::default() }
    }
}

/// Why a transaction was not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SqlError {
    /// The database refused a statement.
    Refused(String),
    /// A limit was exceeded.
    Limit(String),
    /// The database cannot serve now.
    Unavailable(String),
    /// The tenant has no database.
    Absent,
    /// Nobody knows whether it was made.
    UnknownOutcome(String),
}

impl SqlError {
    /// Says which statement it was, counted from 1.
    pub(crate) fn of_statement(self, at: usize) -> Self {
        let say = |why: String| format!("statement {}: {why}", at + 1);
        match self {
            Self::Refused(why) => Self::Refused(say(why)),
            Self::Limit(why) => Self::Limit(say(why)),
            Self::Unavailable(_) | Self::Absent | Self::UnknownOutcome(_) => self,
        }
    }
}

/// What is noted of a transaction: how many rows each statement changed.
pub(crate) fn note(answers: &[Answer]) -> String {
    serde_json::json!(answers.iter().map(|answer| answer.changed).collect::<Vec<_>>()).to_string()
}

/// The answers of a transaction that was noted.
pub(crate) fn noted(note: &str) -> Result<Vec<Answer>, SqlError> {
    let changed: Vec<u64> =
        serde_json::from_str(note).map_err(|error| SqlError::Refused(format!("the note of the transaction is damaged: {error}")))?;
    Ok(changed.into_iter().map(Answer::changed).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_and_errors_have_the_form_of_the_interface() {
        let values = json!(["null", { "boolean": true }, { "integer": -9_007_199_254_740_993_i64 }, { "real": 0.5 }, { "text": "ü" }]);
        let read: Vec<Value> = serde_json::from_value(values.clone()).unwrap();
        assert_eq!(read[2], Value::Integer(-9_007_199_254_740_993));
        assert_eq!(json!(read), values);
        assert_eq!(json!(Value::real(f64::INFINITY)), json!({ "text": "inf" }));
        assert_eq!(json!(Value::bytes(&[0, 255])), json!({ "text": "\\x00ff" }));
        assert_eq!(json!([SqlError::Absent, SqlError::UnknownOutcome("x".to_owned())]), json!(["absent", { "unknown-outcome": "x" }]));
        assert_eq!(noted(&note(&[Answer::changed(3), Answer::default()])).unwrap(), [Answer::changed(3), Answer::default()]);
    }
}
