//! The plugin against a scripted vendor.

use jackfield_plugin_sdk::{
    Failure, Mail as _, Observed, Outcome,
    mail::{Receipt, Request},
    testing::{self, Config, Http, Reply},
};
use serde_json::{Value, json};

use crate::{HttpMail, MANIFEST, hide};

const URL: &str = "http://mail/messages";

fn request() -> Request {
    Request {
        message_id: "run-1.welcome@jackfield.example".into(),
        to: "ann@acme.example".into(),
        subject: "Welcome".into(),
        text: "Hello Ann,\n\"Acme\" is ready.".into(),
    }
}

fn receipt(answer: &str) -> Receipt {
    Receipt { message_id: "run-1.welcome@jackfield.example".into(), answer: answer.into() }
}

fn apply(reply: Reply) -> Result<Outcome<Receipt>, Failure> {
    testing::reset();
    Config::set("from", "Jackfield <no-reply@jackfield.example>");
    Http::on("POST", URL, reply);
    HttpMail::apply(&testing::call("key"), request())
}

#[test]
fn a_message_is_handed_over_under_its_own_id() {
    assert_eq!(apply(Reply::json(202, r#"{"id": "m-7"}"#)), Ok(Outcome::Done(receipt("m-7"))));
    let sent = &Http::sent()[0];
    assert_eq!(sent.header("idempotency-key"), Some("run-1.welcome@jackfield.example"));
    let expected = json!({ "from": "Jackfield <no-reply@jackfield.example>", "to": "ann@acme.example", "subject": "Welcome",
        "text": "Hello Ann,\n\"Acme\" is ready.", "message_id": "run-1.welcome@jackfield.example" });
    assert_eq!(sent.json(), expected);
}

#[test]
fn a_message_that_was_taken_is_done_whatever_the_vendor_says() {
    let long = format!("{{\"id\": \"{}\"}}", "x".repeat(300));
    for (body, answer) in
        [("", ""), ("queued", ""), ("<html></html>", ""), ("[]", ""), (r#"{"id": 7}"#, ""), (long.as_str(), ""), (r#"{"message_id": "m"}"#, "m")]
    {
        assert_eq!(apply(Reply::json(200, body)), Ok(Outcome::Done(receipt(answer))), "{body}");
    }
}

#[test]
fn failures_tell_the_truth_and_no_address() {
    let check = |reply: Reply, kind: &str| {
        let failure = apply(reply).unwrap_err().to_string();
        assert!(failure.starts_with(kind), "expected {kind}, got {failure}");
        assert!(!failure.contains("ann") && !failure.contains("acme.example"), "{failure}");
    };
    check(Reply::json(422, r#"{"error": "no such mailbox: <ann@acme.example>"}"#), "rejected (mail_refused)");
    check(Reply::json(400, r#"{"to":"ann\u0040acme.example"}"#), "rejected (mail_refused)");
    check(Reply::json(401, "to=ann%40acme.example&x"), "rejected (mail_refused)");
    check(Reply::status(302), "rejected (mail_refused)");
    check(Reply::status(503), "unavailable (mail_refused)");
    check(Reply::json(500, "<html>ann@acme.example</html>"), "unknown outcome (mail_refused)");
    check(Reply::no_answer(), "unknown outcome (no_answer)");
    check(Reply::refused(), "unavailable (unreachable)");
    check(Reply::json(200, &"ann@acme.example ".repeat(100_000)), "unknown outcome (bad_answer)");
    let Err(Failure::Unavailable(it)) = apply(Reply::status(429).header("retry-after", "60")) else { panic!("not unavailable") };
    assert_eq!(it.retry_after_ms, Some(60_000));
    assert_eq!(hide("to <a@b.c>, \"d@e\" and f"), "to <***>, \"***\" and f");
}

#[test]
fn what_cannot_be_sent_is_rejected_before_it_is() {
    let code = |request: Request| HttpMail::apply(&testing::call("key"), request).unwrap_err().reason().code.clone();
    testing::reset();
    assert_eq!(code(request()), "bad_config");
    Config::set("from", "no-reply@jackfield.example");
    for bad in [
        Request { to: String::new(), ..request() },
        Request { to: "ann@acme.example\r\nBcc: eve@evil.example".into(), ..request() },
        Request { subject: "Hello\nBcc: eve@evil.example".into(), ..request() },
        Request { message_id: "a\0b".into(), ..request() },
    ] {
        assert_eq!(code(bad), "bad_request");
    }
    Config::set("path", "v1/send");
    assert_eq!(code(request()), "bad_config");
    Config::set("path", "/v1/send");
    Http::on("POST", "http://mail/v1/send", Reply::status(202));
    assert_eq!(HttpMail::apply(&testing::call("key"), request()), Ok(Outcome::Done(receipt(""))));
    assert_eq!(Http::sent().len(), 1);
}

#[test]
fn nothing_is_promised_that_cannot_be_kept() {
    assert_eq!(HttpMail::observe(&testing::call("key"), request()), Ok(Observed::Unsupported));
    assert!(matches!(HttpMail::undo(&testing::call("key"), receipt("")), Err(Failure::Rejected(_))));
    let manifest: Value = serde_json::from_str(&MANIFEST.json()).unwrap();
    assert_eq!(manifest["contracts"][0], json!({ "contract": "jackfield:tenant/mail", "verbs": ["apply"], "idempotent": false }));
}
