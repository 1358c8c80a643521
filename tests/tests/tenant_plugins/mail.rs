//! `mail-http`: what a vendor's answers mean, and that no address leaves the request.

use std::sync::Mutex;

use engine::port::Verb;
use pipeline::FailureClass;
use serde_json::json;

use crate::{
    Loaded, grant,
    stub::{Reply, Stub},
    with_header,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_taken_put_off_refused_or_nobody_knows() {
    let later = Reply::Says(429, vec![("retry-after", "7".to_owned())], String::new());
    let refused = Reply::json(400, &json!({ "error": "ada@acme.example is no mailbox" }));
    let taken = Reply::json(202, &json!({ "id": "m-77" }));
    let replies = Mutex::new([later, refused, Reply::Cut, taken].into_iter());
    let vendor = Stub::start(move |_| replies.lock().unwrap().next().unwrap());
    let rule = with_header(&vendor.url, "authorization", "Bearer key-of-the-vendor");
    let mail = Loaded::new("mail-http", &grant("mail", rule, &[("from", "Jackfield <hello@example.test>"), ("path", "/v3/send")])).await;
    let request = json!({ "message-id": "t-1.welcome@example.test", "to": "ada@acme.example", "subject": "Welcome", "text": "Hello\n\"Ada\"" });

    let report = mail.report(Verb::Apply, &request).await;
    let failure = report.answer.unwrap_err();
    assert_eq!((failure.class, failure.retry_after_ms), (FailureClass::Unavailable, Some(7_000)), "{failure:?}");
    let (class, code, message) = mail.failure(Verb::Apply, &request).await;
    assert_eq!((class, code.as_str()), (FailureClass::Rejected, "mail_refused"));
    assert!(message.contains("***") && !message.contains("ada@"), "{message}");
    let report = mail.report(Verb::Apply, &request).await;
    let failure = report.answer.unwrap_err();
    assert_eq!((failure.class, failure.error_type.as_str(), report.sent), (FailureClass::Unknown, "no_answer", true));
    let receipt = mail.receipt(&request).await;
    assert_eq!(receipt, json!({ "message-id": "t-1.welcome@example.test", "answer": "m-77" }));

    let heard = vendor.heard();
    assert_eq!(heard.len(), 4, "the host repeats nothing by itself");
    for heard in heard {
        let body = json!({ "from": "Jackfield <hello@example.test>", "to": "ada@acme.example", "subject": "Welcome",
            "text": "Hello\n\"Ada\"", "message_id": "t-1.welcome@example.test" });
        assert_eq!((heard.method.as_str(), heard.path.as_str(), heard.json()), ("POST", "/v3/send", body));
        assert_eq!(heard.header("idempotency-key"), "t-1.welcome@example.test");
        assert_eq!(heard.header("authorization"), "Bearer key-of-the-vendor");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_forge_a_header_is_not_sent() {
    let vendor = Stub::start(|_| Reply::status(202));
    let mail = Loaded::new("mail-http", &grant("mail", crate::writable(&vendor.url), &[("from", "hello@example.test")])).await;
    let request = json!({ "message-id": "m@example.test", "to": "a@b.example\r\nBcc: all@b.example", "subject": "Hi", "text": "" });
    let (class, code, message) = mail.failure(Verb::Apply, &request).await;
    assert_eq!((class, code.as_str()), (FailureClass::Rejected, "bad_request"), "{message}");
    assert!(vendor.heard().is_empty());
}
