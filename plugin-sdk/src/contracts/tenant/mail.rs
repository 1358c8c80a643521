//! `jackfield:tenant/mail`: sends a message to a person.

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The id of the message (RFC 5322, section 3.6.4), without angle brackets: the same however often it is sent.
    pub message_id: String,
    /// Who gets it. Personal data.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text, plain.
    pub text: String,
}

/// What came of it, and what `undo` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The id of the message.
    pub message_id: String,
    /// What the vendor, or the server, said when it took the message; possibly empty.
    pub answer: String,
}

crate::contracts::effectful! {
    /// Messages to people. `apply` sends one; nothing takes it back.
    Mail
}
