//! The `mail` contract over a REST interface at the logical endpoint `mail`: `POST /messages` with `{"from", "to", "subject", "text",
//! "message_id"}`, which answers `{"id"}`. Make this the interface of your mail vendor.
//!
//! Where no answer tells whether the message was taken, the outcome is unknown: nobody wants it twice. Say `idempotent` in the manifest only if
//! your vendor heeds the idempotency key.

use jackfield_plugin_sdk::{Call, Capabilities, Contract, Endpoint, Failure, Mail, Manifest, Outcome, Setting, Verb, config, http::Request, mail};
use serde::Deserialize;

const MANIFEST: Manifest = Manifest {
    name: "plugin-name",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "",
    contracts: &[Contract { name: "mail", verbs: &[Verb::Apply], idempotent: false }],
    capabilities: Capabilities {
        http: &[Endpoint::new("mail", "hands messages to the mail vendor")],
        config: &[Setting::new("from", "the address that sends").schema(r#"{"type": "string", "minLength": 3}"#).required()],
        ..Capabilities::NONE
    },
    failure_codes: &[MAIL_REFUSED, BAD_CONFIG],
    ..Manifest::EMPTY
};

/// The vendor refused the message.
const MAIL_REFUSED: &str = "mail_refused";
/// The setting `from` is missing.
const BAD_CONFIG: &str = "bad_config";

/// The plugin.
#[derive(Debug)]
pub struct Plugin;

#[derive(Debug, Default, Deserialize)]
struct Taken {
    #[serde(default)]
    id: String,
}

impl Mail for Plugin {
    fn apply(_: &Call, request: mail::Request) -> Result<mail::Outcome, Failure> {
        let from = config::get("from").ok_or_else(|| Failure::rejected(BAD_CONFIG, "the setting from is missing"))?;
        let mail::Request { message_id, to, subject, text } = request;
        let body = serde_json::json!({ "from": from, "to": to, "subject": subject, "text": text, "message_id": message_id });
        let answer = Request::post("http://mail/messages").header("idempotency-key", &message_id).json(&body).send()?;
        let status = answer.status();
        let answer = answer.require_success(MAIL_REFUSED).map_err(|failure| without_words(failure, status))?;
        // It was taken, whatever else the vendor says.
        let taken: Taken = answer.json().unwrap_or_default();
        Ok(Outcome::Done(mail::Receipt { message_id, answer: taken.id }))
    }
}

/// A failure without what the vendor said: it may repeat the address, which has no place there.
fn without_words(failure: Failure, status: u16) -> Failure {
    let message = format!("the vendor answered {status}");
    match failure {
        Failure::Rejected(reason) => Failure::rejected(reason.code, message),
        Failure::UnknownOutcome(reason) => Failure::unknown_outcome(reason.code, message),
        Failure::Unavailable(mut it) => {
            it.reason.message = message;
            Failure::Unavailable(it)
        }
    }
}

jackfield_plugin_sdk::export!(Plugin: mail; MANIFEST);

#[cfg(test)]
mod tests {
    use jackfield_plugin_sdk::testing::{self, Config, Http, Reply};

    use super::*;

    const URL: &str = "http://mail/messages";

    fn send(reply: Reply) -> Result<mail::Outcome, Failure> {
        testing::reset();
        Config::set("from", "no-reply@app.example");
        Http::on("POST", URL, reply);
        let [message_id, to, subject, text] = ["m1@app.example", "ann@acme.example", "Welcome", "Acme is ready."].map(str::to_owned);
        Plugin::apply(&testing::call("key"), mail::Request { message_id, to, subject, text })
    }

    #[test]
    fn a_message_is_handed_over_under_its_own_id() {
        let taken = |answer: &str| Ok(Outcome::Done(mail::Receipt { message_id: "m1@app.example".into(), answer: answer.into() }));
        assert_eq!(send(Reply::json(202, r#"{"id": "7"}"#)), taken("7"));
        assert_eq!(Http::sent()[0].header("idempotency-key"), Some("m1@app.example"));
        assert_eq!(Http::sent()[0].json()["to"], "ann@acme.example");
        assert_eq!(send(Reply::json(200, "<html></html>")), taken(""));
    }

    #[test]
    fn failures_tell_the_truth_and_no_address() {
        for (reply, kind) in [
            (Reply::json(422, "no such mailbox: ann@acme.example"), "rejected (mail_refused): the vendor answered 422"),
            (Reply::status(503), "unavailable (mail_refused)"),
            (Reply::status(500), "unknown outcome (mail_refused)"),
            (Reply::no_answer(), "unknown outcome (no_answer)"),
        ] {
            let failure = send(reply).unwrap_err().to_string();
            assert!(failure.starts_with(kind) && !failure.contains("ann@"), "expected {kind}, got {failure}");
        }
    }
}
