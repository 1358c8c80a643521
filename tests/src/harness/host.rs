//! A serving host in a directory of its own.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::process::{Process, binary, plugin, target_directory};

/// What a host is started with.
#[derive(Debug, Default)]
pub struct Setup {
    plugins: Vec<(String, Value)>,
    extra: String,
}

impl Setup {
    /// Adds a plugin by its name with a grant in JSON form.
    #[must_use]
    pub fn plugin(mut self, name: &str, grant: Value) -> Self {
        self.plugins.push((name.to_owned(), grant));
        self
    }

    /// Adds lines to the configuration.
    #[must_use]
    pub fn config(mut self, lines: &str) -> Self {
        self.extra.push_str(lines);
        self.extra.push('\n');
        self
    }

    /// Writes the configuration and starts the host.
    pub fn start(self) -> Host {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let config = directory.path().join("jackfield.toml");
        std::fs::write(&config, self.text()).expect("the configuration can be written");
        let (process, url) = spawn(&config);
        Host { directory, process, url }
    }

    fn text(&self) -> String {
        // Compiled once for all tests: the cache knows code by its content.
        let cache = target_directory().join("tmp/compiled");
        let mut text = format!("{}\n[http]\nlisten = \"127.0.0.1:0\"\n[runtime]\ncache_dir = {cache:?}\n", self.extra);
        for (name, grant) in &self.plugins {
            let path = plugin(name);
            let _infallible = write!(text, "[plugins.{name}]\npath = {path:?}\ngrant = {}\n", inline(grant));
        }
        text
    }
}

/// A JSON value as an inline TOML value.
fn inline(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name:?} = {}", inline(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Null => "{}".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

fn spawn(config: &Path) -> (Process, String) {
    let mut command = Command::new(binary("jackfield"));
    command.args(["serve", "--config"]).arg(config);
    Process::start(&mut command, |line| line.strip_prefix("jackfield serves on ").map(str::to_owned))
}

/// A serving host. It is killed when it is dropped.
#[derive(Debug)]
pub struct Host {
    directory: tempfile::TempDir,
    process: Process,
    /// Where it serves.
    pub url: String,
}

/// An answer of the host.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body in JSON form, `null` when it is none.
    pub body: Value,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";

impl Host {
    /// The host's directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.directory().join("jackfield-data/jackfield.db")
    }

    /// SIGKILL and a new start on the same store.
    pub fn kill_and_restart(&mut self) {
        self.process.kill();
        self.restart();
    }

    /// SIGTERM and the exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        self.process.terminate()
    }

    /// A new start on the same store, after the last process has ended.
    pub fn restart(&mut self) {
        (self.process, self.url) = spawn(&self.directory().join("jackfield.toml"));
    }

    /// Runs the command line of the host.
    pub fn cli(&self, arguments: &[&str]) -> Output {
        Command::new(binary("jackfield")).args(arguments).current_dir(self.directory()).output().expect("the command runs")
    }

    /// A request with the administrator's token.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let token = std::fs::read_to_string(self.directory().join("jackfield-data/admin-token")).expect("the token is there");
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        request = request.header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(60))).build().new_agent();
        let mut response = agent.run(request.body(body.to_owned()).expect("a sound request")).expect("the host answers");
        let headers = response.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned())).collect();
        let text = response.body_mut().read_to_string().unwrap_or_default();
        Answer { status: response.status().as_u16(), headers, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
    }

    /// Submits an order and returns its id.
    pub fn submit(&self, order: &Value) -> String {
        let answer = self.request("POST", ORDERS, &[("content-type", "application/json")], &order.to_string());
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["id"].as_str().expect("an order has an id").to_owned()
    }

    /// An order as users see it.
    pub fn order(&self, id: &str) -> Value {
        self.request("GET", &format!("{ORDERS}/{id}"), &[], "").body
    }

    /// A run with its journal.
    pub fn run(&self, id: &str) -> Value {
        self.request("GET", &format!("/api/v1/runs/{id}"), &[], "").body
    }

    /// Waits until an order is in one of the states; the patience is for a stuck host, not a measure of speed.
    pub fn wait(&self, id: &str, states: &[&str]) -> Value {
        let patience = Instant::now() + Duration::from_secs(120);
        loop {
            let order = self.order(id);
            if states.iter().any(|state| order["state"] == *state) {
                return order;
            }
            assert!(Instant::now() < patience, "order {id} is not {states:?} but {order:#}\n{:#}", self.run(id));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
