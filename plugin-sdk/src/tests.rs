//! The promises of the SDK that a vendor relies on.

use crate::{
    Capabilities, Contract, Endpoint, Failure, Manifest, Metric, Secret, Setting, Telemetry, Verb,
    http::Request,
    kv,
    testing::{self, Http, KeyValue, Reply},
};

const URL: &str = "http://element/x";

#[test]
fn a_manifest_is_the_documented_json() {
    const MANIFEST: Manifest = Manifest {
        name: "a-plugin",
        version: "1.2.3",
        vendor: "Müller & Co",
        contracts: &[
            Contract::pure("catalog"),
            Contract { name: "activation", verbs: &[Verb::Apply, Verb::Resume, Verb::Observe, Verb::Undo], idempotent: false },
        ],
        capabilities: Capabilities {
            http: &[Endpoint::new("element", "configures \"ports\""), Endpoint::new("catalog", "reads it")],
            tcp: None,
            keyvalue: Some("keeps ports"),
            secrets: &[Secret::new("pin", "signs requests")],
            config: &[Setting::new("pools", "which there are").schema(r#"{"type": "object"}"#).required(), Setting::new("plan", "the plan")],
        },
        failure_codes: &["a.b", "c_d"],
        telemetry: Telemetry {
            attributes: &["acme.*"],
            metrics: &[Metric::counter("acme.ports", "1", "Ports").labels(&[("size", &["small", "large"])]), Metric::histogram("acme.ms", "ms", "")],
            ..Telemetry::NONE
        },
    };
    MANIFEST.check(&["catalog", "activation"]);
    let expected = serde_json::json!({
        "name": "a-plugin", "version": "1.2.3", "vendor": "Müller & Co",
        "contracts": [
            { "contract": "jackfield:order/catalog", "verbs": ["apply"], "idempotent": true },
            { "contract": "jackfield:order/activation", "verbs": ["apply", "resume", "observe", "undo"], "idempotent": false },
        ],
        "capabilities": {
            "http": [{ "name": "element", "why": "configures \"ports\"" }, { "name": "catalog", "why": "reads it" }],
            "tcp": false,
            "keyvalue": { "why": "keeps ports" },
            "secrets": [{ "name": "pin", "why": "signs requests" }],
            "config": [
                { "name": "pools", "why": "which there are", "schema": { "type": "object" }, "required": true },
                { "name": "plan", "why": "the plan", "required": false },
            ],
        },
        "failure_codes": ["a.b", "c_d", "unreachable", "no_answer", "bad_answer", "store", "secret"],
        "telemetry": {
            "attributes": ["acme.*"], "events": [], "spans": [],
            "metrics": [
                { "name": "acme.ports", "kind": "counter", "unit": "1", "description": "Ports", "labels": { "size": ["small", "large"] } },
                { "name": "acme.ms", "kind": "histogram", "unit": "ms", "description": "", "labels": {} },
            ],
        },
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&MANIFEST.json()).unwrap(), expected);
}

#[test]
fn a_manifest_without_anything_is_json_too() {
    let capabilities = Capabilities { keyvalue: Some("x"), ..Capabilities::NONE };
    let manifest = Manifest { name: "x", version: "0.0.0", capabilities, ..Manifest::EMPTY };
    let value: serde_json::Value = serde_json::from_str(&manifest.json()).unwrap();
    assert_eq!(value["failure_codes"], serde_json::json!(["store"]));
    assert_eq!(value["contracts"], serde_json::json!([]));
}

/// Sends requests until one has no usable answer, as `?` does in a plugin.
fn first_failure(requests: Vec<Request>, replies: Vec<Reply>) -> Failure {
    testing::reset();
    for (request, reply) in requests.iter().zip(replies) {
        Http::on(request.method.as_str(), URL, reply);
    }
    let run = || -> Result<(), Failure> {
        for request in requests {
            request.send()?.require_success("refused")?;
        }
        Ok(())
    };
    run().unwrap_err()
}

#[test]
fn a_failed_request_becomes_the_failure_that_is_true() {
    let check = |request: Request, reply: Reply, kind: &str| {
        let failure = first_failure(vec![request], vec![reply]).to_string();
        assert!(failure.starts_with(kind), "expected {kind}, got {failure}");
    };
    let get = || Request::get(URL);
    let put = || Request::put(URL);
    check(put(), Reply::refused(), "unavailable (unreachable)");
    check(put(), Reply::no_answer(), "unknown outcome (no_answer)");
    check(put(), Reply::denied(), "unavailable (unreachable)");
    check(put(), Reply::status(500), "unknown outcome (refused)");
    check(put(), Reply::status(503), "unavailable (refused)");
    check(put(), Reply::status(429), "unavailable (refused)");
    check(put(), Reply::status(409), "rejected (refused)");
    check(put().limit(1), Reply::json(200, "too long"), "unknown outcome (bad_answer)");
    check(get(), Reply::refused(), "unavailable (unreachable)");
    check(get(), Reply::no_answer(), "unavailable (no_answer)");
    check(get(), Reply::status(500), "unavailable (refused)");
    check(get(), Reply::status(404), "rejected (refused)");
    check(get().limit(1), Reply::json(200, "too long"), "unavailable (bad_answer)");
}

#[test]
fn after_a_change_no_failure_promises_that_nothing_was_left_behind() {
    for reply in [Reply::refused(), Reply::no_answer(), Reply::denied(), Reply::status(503), Reply::status(404)] {
        let failure = first_failure(vec![Request::put(URL), Request::get(URL)], vec![Reply::status(201), reply]);
        assert!(matches!(failure, Failure::UnknownOutcome(_)), "{failure}");
    }
    KeyValue::fail(Some(kv::Error::Unavailable("busy".into())));
    let failure: Failure = kv::get("key").unwrap_err().into();
    assert!(matches!(failure, Failure::UnknownOutcome(_)), "{failure}");
    testing::begin_call();
    let failure: Failure = kv::get("key").unwrap_err().into();
    assert!(matches!(failure, Failure::Unavailable(_)), "{failure}");
}

#[test]
fn a_refused_connection_is_no_change() {
    let failure = first_failure(vec![Request::put(URL)], vec![Reply::refused()]);
    assert!(matches!(failure, Failure::Unavailable(_)));
    Http::on("GET", URL, Reply::status(404));
    let failure = Request::get(URL).send().unwrap().require_success("refused").unwrap_err();
    assert!(matches!(failure, Failure::Rejected(_)), "{failure}");
}

#[test]
fn retry_after_is_kept() {
    let failure = first_failure(vec![Request::put(URL)], vec![Reply::status(429).header("Retry-After", "7")]);
    let Failure::Unavailable(it) = failure else { panic!("{failure}") };
    assert_eq!(it.retry_after_ms, Some(7000));
}

#[test]
fn json_sets_the_media_type_unless_one_is_given() {
    Http::on("PUT", URL, Reply::status(204));
    Http::on("PUT", URL, Reply::status(204));
    Request::put(URL).json("a").send().unwrap();
    Request::put(URL).header("Content-Type", "application/yang-data+json").json("a").send().unwrap();
    let types: Vec<_> = Http::sent().iter().map(|it| it.header("content-type").unwrap().to_owned()).collect();
    assert_eq!(types, ["application/json", "application/yang-data+json"]);
}

#[test]
fn a_json_answer_of_another_form_is_an_error_that_says_where() {
    Http::on("GET", URL, Reply::json(200, "{\"a\": }"));
    let error = Request::get(URL).send().unwrap().json::<serde_json::Value>().unwrap_err();
    assert_eq!(error.to_string(), "GET http://element/x: the answer is not the expected JSON: expected value at line 1 column 7");
}

#[test]
#[should_panic(expected = "unexpected request GET http://element/x; scripted are [\"PUT http://element/x\"]")]
fn a_request_that_nobody_expects_fails_the_test() {
    Http::on("PUT", URL, Reply::status(204));
    Request::get(URL).send().unwrap();
}

#[test]
fn swap_writes_only_over_the_expected_version() {
    let first = kv::swap("key", None, "a").unwrap();
    assert_eq!(kv::swap("key", None, "b"), Err(kv::Error::Conflict(Some(first))));
    let second = kv::swap("key", Some(first), "b").unwrap();
    assert_ne!(first, second);
    assert_eq!(kv::get("key").unwrap().unwrap().value, "b");
    assert_eq!(kv::swap("absent", Some(1), "a"), Err(kv::Error::Conflict(None)));
}

#[test]
fn list_goes_on_after_a_key() {
    for key in ["a/1", "a/2", "a/3", "b/1"] {
        kv::set(key, "").unwrap();
    }
    assert_eq!(kv::list("a/", None, 2).unwrap(), ["a/1", "a/2"]);
    assert_eq!(kv::list("a/", Some("a/2"), 2).unwrap(), ["a/3"]);
}

#[test]
fn a_path_segment_is_percent_encoded() {
    assert_eq!(crate::http::encode("olt-1/port 7,ä"), "olt-1%2Fport%207%2C%C3%A4");
    assert_eq!(crate::http::encode("a.b_c~1"), "a.b_c~1");
}

#[test]
fn spans_end_when_they_are_dropped_and_are_told_in_order_with_measurements() {
    use crate::{metrics, spans::Span, testing::Record};
    testing::reset();
    let outer = Span::start("acme.outer", []);
    let inner = Span::start("acme.inner", [("acme.port", 7.into())]);
    inner.fail("no_port", "none is free");
    drop(inner);
    metrics::add("acme.ports", 1.0, [("speed", "10g")]);
    drop(outer);
    let said: Vec<String> = testing::Telemetry::records().iter().map(|record| format!("{record:?}")).collect();
    let port = crate::telemetry::Attribute { key: "acme.port".into(), value: 7.into() };
    let speed = metrics::Label { key: "speed".into(), value: "10g".into() };
    let expected = [
        Record::SpanStart(0, "acme.outer".into(), vec![]),
        Record::SpanStart(1, "acme.inner".into(), vec![port]),
        Record::SpanFail(1, "no_port".into(), "none is free".into()),
        Record::SpanEnd(1),
        Record::Add("acme.ports".into(), 1.0, vec![speed]),
        Record::SpanEnd(0),
    ];
    assert_eq!(said, expected.map(|record| format!("{record:?}")));
}
