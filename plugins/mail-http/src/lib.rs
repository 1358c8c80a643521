//! The `mail` contract over the HTTP interface of a mail vendor, at the logical endpoint `mail`.
//!
//! `POST /messages` (or what the setting `path` says) with the header `idempotency-key`, which is the message's id, and JSON:
//! `{ "from", "to", "subject", "text", "message_id" }`. `from` is a setting. The host adds the vendor's key by the rule of the endpoint.
//!
//! | answer | outcome |
//! |---|---|
//! | 2xx | done; the receipt has `id` or `message_id` of the JSON, if there is one |
//! | 408, 425, 429, 503 | unavailable, with `Retry-After` |
//! | other 4xx, 3xx | rejected (`mail_refused`) |
//! | other 5xx, none | unknown outcome: it may have been sent |
//!
//! Not every vendor heeds the idempotency key, so the manifest does not promise it: after an unknown outcome a person decides. There is nothing to
//! observe and no way back. Addresses do not stand in failures, whatever the vendor repeats of them.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

#[cfg(test)]
mod tests;

use jackfield_plugin_sdk::{
    Call, Capabilities, Contract, Endpoint, Failure, Mail, Manifest, Outcome, Reason, Setting, Verb, config,
    http::{Request, Response},
    mail,
};
use serde::Serialize;
use serde_json::Value;

const MANIFEST: Manifest = Manifest {
    name: "mail-http",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract { name: "mail", verbs: &[Verb::Apply], idempotent: false }],
    capabilities: Capabilities {
        http: &[Endpoint::new("mail", "hands messages to the mail vendor")],
        config: &[
            Setting::new("from", "who sends: an address, or a name with an address in angle brackets")
                .schema(r#"{"type": "string", "minLength": 3}"#)
                .required(),
            Setting::new("path", "the path that takes messages; /messages unless set").schema(r#"{"type": "string", "pattern": "^/"}"#),
        ],
        ..Capabilities::NONE
    },
    failure_codes: &[REFUSED, BAD_CONFIG, BAD_REQUEST],
    ..Manifest::EMPTY
};

/// Failure code: the vendor refused or could not take the message.
const REFUSED: &str = "mail_refused";
/// Failure code: a setting is missing or not as described.
const BAD_CONFIG: &str = "bad_config";
/// Failure code: a line of the message has control characters.
const BAD_REQUEST: &str = "bad_request";

/// Bytes of the vendor's answer that are kept.
const ANSWER: usize = 256;

/// The plugin.
#[derive(Debug)]
pub struct HttpMail;

#[derive(Serialize)]
struct Message<'a> {
    from: &'a str,
    to: &'a str,
    subject: &'a str,
    text: &'a str,
    message_id: &'a str,
}

impl Mail for HttpMail {
    fn apply(_: &Call, request: mail::Request) -> Result<mail::Outcome, Failure> {
        let from = config::get("from").ok_or_else(|| Failure::rejected(BAD_CONFIG, "the setting from is missing"))?;
        let path = config::get("path").unwrap_or_else(|| "/messages".into());
        if !path.starts_with('/') {
            return Err(Failure::rejected(BAD_CONFIG, format!("the setting path is {path:?}; expected one that begins with /")));
        }
        for (name, line) in [("to", &request.to), ("subject", &request.subject), ("message-id", &request.message_id)] {
            // A vendor may write it into a header as it is.
            if line.is_empty() || line.chars().any(char::is_control) {
                return Err(Failure::rejected(BAD_REQUEST, format!("{name} is empty or has control characters; expected one line")));
            }
        }
        let mail::Request { message_id, to, subject, text } = &request;
        let message = Message { from: &from, to, subject, text, message_id };
        let send = || -> Result<Response, Failure> {
            let answer = Request::post(format!("http://mail{path}")).header("idempotency-key", message_id).json(&message).send()?;
            answer.require_success(REFUSED)
        };
        let answer = send().map_err(without_addresses)?;
        Ok(Outcome::Done(mail::Receipt { answer: id_in(&answer).unwrap_or_default(), message_id: request.message_id }))
    }
}

/// What the vendor calls the message.
fn id_in(answer: &Response) -> Option<String> {
    let body: Value = serde_json::from_slice(answer.body()).ok()?;
    let id = body.get("id").or_else(|| body.get("message_id"))?.as_str()?;
    (id.len() <= ANSWER).then(|| id.to_owned())
}

/// Takes out of a failure whatever could be an address.
fn without_addresses(failure: Failure) -> Failure {
    let hidden = |reason: Reason| Reason { message: hide(&reason.message), ..reason };
    match failure {
        Failure::Rejected(reason) => Failure::Rejected(hidden(reason)),
        Failure::UnknownOutcome(reason) => Failure::UnknownOutcome(hidden(reason)),
        Failure::Unavailable(mut it) => {
            it.reason = hidden(it.reason);
            Failure::Unavailable(it)
        }
    }
}

/// Every word with an at sign, also one that is written in another way.
fn hide(text: &str) -> String {
    let ends = |character: char| character.is_whitespace() || "\"'<>()[]{},;=".contains(character);
    let is_address = |word: &str| word.contains('@') || ["%40", "\\u0040", "&#64;", "&#x40;"].iter().any(|at| word.to_ascii_lowercase().contains(at));
    let words = text.split_inclusive(ends).map(|piece| {
        let word = piece.strip_suffix(ends).unwrap_or(piece);
        if is_address(word) { format!("***{}", &piece[word.len()..]) } else { piece.to_owned() }
    });
    words.collect()
}

jackfield_plugin_sdk::export!(HttpMail: mail; MANIFEST);
