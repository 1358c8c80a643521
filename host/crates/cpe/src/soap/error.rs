//! What is wrong with a message that came, and with one that was to be sent.

/// A message of a device that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {at}; expected {expected}")]
pub struct SoapError {
    /// What is wrong.
    pub problem: SoapProblem,
    /// Where: bytes from the start of the body, after it was decoded to UTF-8.
    pub at: u64,
    /// What would have been right.
    pub expected: &'static str,
}

/// What is wrong with a message of a device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SoapProblem {
    /// Larger than a limit.
    #[error("too much: {what} is over the limit of {limit}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// In a character set that is not known.
    #[error("unknown character set `{0}`")]
    Charset(String),
    /// Not XML.
    #[error("malformed XML: {0}")]
    Xml(String),
    /// A document type, which is where entities are declared.
    #[error("a document type declaration")]
    DocType,
    /// Ended before its message did.
    #[error("the body ends within its message")]
    Truncated,
    /// A second envelope, or a second message in one.
    #[error("a second message")]
    SecondMessage,
    /// XML, but no envelope with a message.
    #[error("`{0}`, which is no CWMP message")]
    NotCwmp(String),
    /// A field of the message that cannot be understood.
    #[error("`{found}` as {field}")]
    Field {
        /// The element.
        field: &'static str,
        /// The start of its text.
        found: String,
    },
}

/// A message that must not be sent, because it would not be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct WriteError {
    /// The element, or the name of the parameter whose value it is. Never a value.
    pub field: String,
    /// What is wrong with it.
    pub problem: WriteProblem,
}

/// What is wrong with a field of a message that was to be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteProblem {
    /// A character that XML 1.0 has no way to write.
    #[error("has the character U+{0:04X}, which XML cannot carry")]
    Character(u32),
    /// Longer than the standard allows.
    #[error("has {length} characters; at most {limit} are allowed")]
    TooLong {
        /// Characters found.
        length: usize,
        /// Characters allowed.
        limit: usize,
    },
    /// Not of the form that the standard demands.
    #[error("is not {0}")]
    Form(&'static str),
    /// A list that may not be empty, or not be this long.
    #[error("has {found} entries; expected {expected}")]
    Entries {
        /// How many there are.
        found: usize,
        /// How many there may be.
        expected: &'static str,
    },
    /// A message that the version of the device does not have.
    #[error("does not exist in {0}")]
    Version(super::Namespace),
}
