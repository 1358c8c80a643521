//! Messages in the form of RFC 5322. What comes from outside is checked, so that it cannot become a header.

use std::time::{Duration, UNIX_EPOCH};

use lettre::{
    Address, Message,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use pipeline::{Failure, Timestamp};

use super::{
    effect::rejected,
    names::{is_name, shown},
};
use crate::contract::MailRequest;

/// The longest address (RFC 5321, section 4.5.3.1).
const LONGEST_ADDRESS: usize = 254;

/// The longest subject in bytes: it fits into a line of a message.
const LONGEST_SUBJECT: usize = 500;

/// The longest text in bytes.
const LONGEST_TEXT: usize = 256 << 10;

/// The longest id of a message in bytes.
const LONGEST_ID: usize = 200;

/// Reads who sends messages: `Name <address>` or an address.
pub(crate) fn sender(text: &str) -> Result<Mailbox, String> {
    let sender: Mailbox = text.parse().map_err(|error| format!("`{}` is no sender: {error}", shown(text)))?;
    let clean = sender.name.as_ref().is_none_or(|name| name.len() <= 200 && !name.chars().any(char::is_control));
    if clean { Ok(sender) } else { Err(format!("`{}` is no sender: its name cannot be one", shown(text))) }
}

/// An id of a message, without angle brackets.
pub(crate) fn check_message_id(id: &str) -> Result<(), Failure> {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+=".contains(&byte));
    let fits = id.len() <= LONGEST_ID && id.split_once('@').is_some_and(|(left, right)| part(left) && part(right));
    if fits { Ok(()) } else { Err(bad(format!("`{}` is no id of a message: expected `left@right` of [a-zA-Z0-9._+=-]", shown(id)))) }
}

/// The message of a request. The failure does not name the address.
pub(crate) fn message(from: &Mailbox, request: &MailRequest, now: Timestamp) -> Result<Message, Failure> {
    check_message_id(&request.message_id)?;
    let to = address(&request.to)?;
    let subject = &request.subject;
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT || subject.chars().any(char::is_control) {
        return Err(bad(format!("the subject has to have 1 to {LONGEST_SUBJECT} bytes, and no control characters")));
    }
    if request.text.len() > LONGEST_TEXT {
        return Err(bad(format!("the text has {} bytes, more than the {LONGEST_TEXT} allowed", request.text.len())));
    }
    let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(subject.as_str())
        .message_id(Some(format!("<{}>", request.message_id)))
        .date(UNIX_EPOCH + Duration::from_micros(now.0))
        .raw_header(automatic)
        .header(ContentType::TEXT_PLAIN)
        .body(request.text.clone())
        .map_err(|error| bad(format!("the message cannot be made: {error}")))
}

fn address(text: &str) -> Result<Address, Failure> {
    let unfit = || rejected("bad_address", "the address is none");
    if text.len() > LONGEST_ADDRESS || text.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        return Err(unfit());
    }
    let address: Address = text.parse().map_err(|_| unfit())?;
    // Domains beyond ASCII are for servers to refuse; one within it is a name.
    let domain = address.domain().to_ascii_lowercase();
    if domain.is_ascii() && !is_name(&domain, false) { Err(unfit()) } else { Ok(address) }
}

fn bad(message: String) -> Failure {
    rejected("bad_message", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(to: &str, subject: &str, id: &str) -> MailRequest {
        MailRequest { message_id: id.to_owned(), to: to.to_owned(), subject: subject.to_owned(), text: "Grüße\n.\nEnd".to_owned() }
    }

    #[test]
    fn a_message_has_the_id_it_was_given_and_the_date_of_the_clock() {
        let from = sender("Jackfield <host@example.test>").unwrap();
        let made = message(&from, &request("ann@example.test", "Willkommen bei Müller", "run-1.mail@example.test"), Timestamp(0)).unwrap();
        let text = String::from_utf8(made.formatted()).unwrap();
        let lines = [
            "Message-ID: <run-1.mail@example.test>",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000",
            "To: ann@example.test",
            "Auto-Submitted: auto-generated",
        ];
        for line in lines {
            assert!(text.contains(&format!("{line}\r\n")), "{line} in {text}");
        }
        assert!(text.is_ascii());
    }

    #[test]
    fn what_could_become_a_header_is_refused() {
        let from = sender("host@example.test").unwrap();
        let (to, id) = ("ann@example.test", "a@b");
        let long = "x".repeat(501);
        for subject in ["", "a\r\nBcc: eve@example.test", "a\nb", "a\u{b}", long.as_str()] {
            assert_eq!(message(&from, &request(to, subject, id), Timestamp(0)).unwrap_err().error_type, "bad_message", "{subject:?}");
        }
        for id in ["", "a", "a@", "a@b>\r\nX: y", "a b@c", "<a@b>", "a@b@c"] {
            assert_eq!(message(&from, &request(to, "s", id), Timestamp(0)).unwrap_err().error_type, "bad_message", "{id:?}");
        }
        for to in ["", "ann", "ann@example.test\r\nBcc: eve@example.test", "a@b, c@d", "Ann <ann@example.test>", "ann@exa mple.test", "ann@-x.test"] {
            let failure = message(&from, &request(to, "s", id), Timestamp(0)).unwrap_err();
            assert_eq!((failure.error_type.as_str(), failure.message.as_str()), ("bad_address", "the address is none"), "{to:?}");
        }
        assert!(sender("x\r\nBcc: y@z.test <a@b.test>").is_err());
        let huge = MailRequest { text: "x".repeat((256 << 10) + 1), ..request(to, "s", id) };
        assert_eq!(message(&from, &huge, Timestamp(0)).unwrap_err().error_type, "bad_message");
    }
}
