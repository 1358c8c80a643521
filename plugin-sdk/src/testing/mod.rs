//! The host of a native test: replaceable, in memory, one per thread (so one per `#[test]`). Not part of a component.
//!
//! ```
//! use jackfield_plugin_sdk::{http::Request, testing::{self, Reply}};
//!
//! testing::Config::set("greeting", "hello");
//! testing::Http::on("GET", "http://element/ports/7", Reply::json(200, r#"{"free":true}"#));
//!
//! assert_eq!(jackfield_plugin_sdk::config::get("greeting").as_deref(), Some("hello"));
//! assert_eq!(Request::get("http://element/ports/7").send().unwrap().status(), 200);
//! assert_eq!(testing::calls(), ["config get greeting", "http GET http://element/ports/7"]);
//! ```

pub(crate) mod config;
mod device;
pub mod dns_conformance;
pub(crate) mod http;
pub(crate) mod keyvalue;
pub(crate) mod metrics;
pub(crate) mod secrets;
pub(crate) mod spans;
pub(crate) mod sql;
pub(crate) mod telemetry;

use std::cell::RefCell;

pub use config::Config;
pub use device::{device, listing};
pub use http::{Http, Reply, Sent};
pub use keyvalue::KeyValue;
pub use secrets::Secrets;
pub use sql::Sql;
pub use telemetry::{Record, Telemetry};

use crate::{Call, Failure, Reason};

thread_local! {
    static CALLS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Every use of the host on this thread so far, in order, as `{interface} {function} {subject}`.
pub fn calls() -> Vec<String> {
    CALLS.with_borrow(Clone::clone)
}

/// Forgets everything: settings, stored keys, secrets, scripted answers, records.
pub fn reset() {
    CALLS.with_borrow_mut(Vec::clear);
    config::reset();
    http::reset();
    keyvalue::reset();
    secrets::reset();
    spans::reset();
    sql::reset();
    telemetry::reset();
    begin_call();
}

/// What the host does before each call: from here on, this call has changed nothing outside. Needed only where a test
/// makes several calls and looks at the failures that `?` makes.
pub fn begin_call() {
    crate::http::reset();
}

/// A call with that idempotency key, first attempt of the first round.
pub fn call(idempotency_key: &str) -> Call {
    Call {
        run: "run-1".into(),
        pipeline: "order".into(),
        step: "step".into(),
        item: String::new(),
        attempt: 1,
        round: 0,
        idempotency_key: idempotency_key.into(),
        deadline_ms: 30_000,
        callback: None,
    }
}

/// Why something was rejected.
///
/// # Panics
/// Where it was not rejected, with what came instead.
#[track_caller]
pub fn rejected<T: std::fmt::Debug>(result: Result<T, Failure>) -> Reason {
    match result {
        Err(Failure::Rejected(reason)) => reason,
        other => panic!("not rejected: {other:?}"),
    }
}

fn note(call: String) {
    CALLS.with_borrow_mut(|calls| calls.push(call));
}
