//! The lab's back ends as a child process.

use std::process::Command;

use serde_json::{Value, json};

use super::process::{Process, binary};

/// Running back ends. They end with this value.
#[derive(Debug)]
pub struct Lab {
    _process: Process,
    urls: Value,
}

impl Lab {
    /// Starts all back ends on free ports.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts all back ends on free ports with these arguments.
    pub fn start_with(arguments: &[&str]) -> Self {
        let (process, urls) = Process::start(Command::new(binary("lab")).args(arguments), |line| serde_json::from_str::<Value>(line).ok());
        Self { _process: process, urls }
    }

    /// The address of a back end.
    pub fn url(&self, name: &str) -> &str {
        self.urls[name].as_str().unwrap_or_else(|| panic!("the lab has no back end `{name}`: {}", self.urls))
    }

    /// Turns a switch of a back end, such as `fail`.
    pub fn switch(&self, name: &str, switch: &str, body: Value) {
        let url = format!("{}/_lab/{switch}", self.url(name));
        let answer = ureq::post(&url).content_type("application/json").send(body.to_string());
        answer.unwrap_or_else(|error| panic!("{url} {body}: {error}"));
    }

    /// What a back end did.
    pub fn ledger(&self, name: &str) -> Value {
        self.memory(name, "ledger")
    }

    /// What a back end was asked.
    pub fn requests(&self, name: &str) -> Value {
        self.memory(name, "requests")
    }

    /// How many effects of a kind a back end has had: `created`, `replaced`, `deleted`.
    pub fn effects(&self, name: &str, action: &str) -> usize {
        count(&self.ledger(name), "action", action)
    }

    /// How many requests with a method a back end was sent.
    pub fn asked(&self, name: &str, method: &str) -> usize {
        count(&self.requests(name), "method", method)
    }

    fn memory(&self, name: &str, what: &str) -> Value {
        let text = ureq::get(format!("{}/_lab/{what}", self.url(name))).call().and_then(|mut answer| answer.body_mut().read_to_string());
        serde_json::from_str(&text.expect("the lab answers")).unwrap_or(json!(null))
    }
}

fn count(list: &Value, key: &str, value: &str) -> usize {
    list.as_array().expect("the lab has a list").iter().filter(|entry| entry[key] == value).count()
}
