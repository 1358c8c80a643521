//! Every plugin that ships for tenants: the built component through the real runtime, against real servers where there are such, else against a
//! vendor that the test is.
#![allow(clippy::unwrap_used, reason = "tests")]

mod cloudflare;
mod conformance;
mod mail;
#[cfg(feature = "servers")]
mod powerdns;
#[cfg(feature = "servers")]
mod rfc2136;
#[cfg(feature = "servers")]
mod s3;
mod seed;
mod stub;
mod webhook;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use end_to_end_tests::runtime::{Bench, call_of};
use engine::port::{Answer, Call, CallReport, HostInterface, Runner, Verb};
use pipeline::{Direction, FailureClass, IdempotencyKey};
use plugin_runtime::{Grant, HttpRule, Plugin, Secret};
use serde_json::{Value, json};
use tokio::net::TcpSocket;

/// A plugin that was loaded with a grant.
struct Loaded {
    bench: Bench,
    plugin: Plugin,
}

impl Loaded {
    async fn new(name: &str, grant: &Grant) -> Self {
        Self::with(name, grant, Vec::new()).await
    }

    /// The same in a host that offers plugins these interfaces.
    async fn with(name: &str, grant: &Grant, interfaces: Vec<Arc<dyn HostInterface>>) -> Self {
        let bench = Bench::with(Bench::options(), interfaces);
        let plugin = bench.load_built(name, grant).await;
        Self { bench, plugin }
    }

    /// A call of the plugin's one contract, with the key that the engine gives this direction.
    fn call(&self, verb: Verb, request: &Value) -> Call {
        let direction = if matches!(verb, Verb::Undo { .. }) { Direction::Undo } else { Direction::Do };
        let mut call = call_of(&self.plugin, &self.plugin.contracts()[0].track.to_string(), verb, request.clone());
        call.attempt.direction = direction;
        call.key = IdempotencyKey::derive(&call.tenant, &call.run, &call.attempt.item, direction);
        call
    }

    async fn report(&self, verb: Verb, request: &Value) -> CallReport {
        self.bench.runner.call(self.call(verb, request)).await
    }

    async fn answer(&self, verb: Verb, request: &Value) -> Answer {
        self.report(verb, request).await.answer.unwrap()
    }

    /// The receipt of an `apply` that must succeed.
    async fn receipt(&self, request: &Value) -> Value {
        let answer = self.answer(Verb::Apply, request).await;
        let Answer::Done(receipt) = answer else { panic!("expected a receipt, got {answer:?}") };
        receipt
    }

    /// Undoes, which must succeed at once.
    async fn undo(&self, receipt: &Value) {
        assert_eq!(self.answer(Verb::Undo { receipt: receipt.clone().into() }, &Value::Null).await, Answer::Undone);
    }

    /// Class, `error.type` and message of a call that must fail.
    async fn failure(&self, verb: Verb, request: &Value) -> (FailureClass, String, String) {
        let failure = self.report(verb, request).await.answer.unwrap_err();
        (failure.class, failure.error_type, failure.message)
    }
}

/// A grant of one endpoint under a logical name, with settings.
fn grant(name: &str, rule: HttpRule, config: &[(&str, &str)]) -> Grant {
    let config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Grant { http: [(name.to_owned(), rule)].into(), config, ..Grant::default() }
}

/// A rule for an endpoint that may be written to.
fn writable(url: &str) -> HttpRule {
    HttpRule { methods: ["GET", "POST", "PUT", "PATCH", "DELETE"].map(str::to_owned).to_vec(), ..HttpRule::to(url) }
}

/// The same with a header of the operator's.
fn with_header(url: &str, name: &str, value: &str) -> HttpRule {
    HttpRule { headers: [(name.to_owned(), Secret::new(value))].into(), ..writable(url) }
}

/// An address at which nobody listens, as long as the first of these is kept.
fn nobody() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// A tenant as most requests have it.
fn tenant() -> Value {
    json!({ "id": "t-1", "slug": "acme", "plan": "pro", "region": "eu" })
}
