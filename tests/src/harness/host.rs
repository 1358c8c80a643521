//! A serving host in a directory of its own.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fmt::Write as _,
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal};
use serde_json::Value;

use super::process::{Process, binary, plugin, target_directory};

/// The file that a host's standard error goes to.
const LOG: &str = "host.log";

/// What a host is started with.
#[derive(Debug, Default)]
pub struct Setup {
    plugins: Vec<(String, Value)>,
    instead: BTreeMap<String, PathBuf>,
    extra: String,
    environment: Vec<(String, String)>,
    http: String,
    runtime: String,
    trust: Option<String>,
    within: Vec<String>,
}

impl Setup {
    /// Adds a plugin by its name with a grant in JSON form.
    #[must_use]
    pub fn plugin(mut self, name: &str, grant: Value) -> Self {
        self.plugins.push((name.to_owned(), grant));
        self
    }

    /// Takes another file for a plugin than the one that was built.
    #[must_use]
    pub fn instead(mut self, name: &str, file: &Path) -> Self {
        self.instead.insert(name.to_owned(), file.to_owned());
        self
    }

    /// Adds lines to the configuration.
    #[must_use]
    pub fn config(mut self, lines: &str) -> Self {
        self.extra.push_str(lines);
        self.extra.push('\n');
        self
    }

    /// Has other lines than some that were added before.
    #[must_use]
    pub fn config_instead(mut self, lines: &str, other: &str) -> Self {
        assert!(self.extra.contains(lines), "there are no lines `{lines}`");
        self.extra = self.extra.replace(lines, other);
        self
    }

    /// Sets a variable of the host's environment.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds lines to the table `http` of the configuration.
    #[must_use]
    pub fn http(mut self, lines: &str) -> Self {
        self.http.push_str(lines);
        self.http.push('\n');
        self
    }

    /// Sets the table `trust` of the configuration. Without it, unsigned plugins are taken.
    #[must_use]
    pub fn trust(mut self, lines: &str) -> Self {
        self.trust = Some(format!("{lines}\n"));
        self
    }

    /// Adds lines to the table `runtime` of the configuration.
    #[must_use]
    pub fn runtime(mut self, lines: &str) -> Self {
        self.runtime.push_str(lines);
        self.runtime.push('\n');
        self
    }

    /// Starts the host by a command that is given the host's own command line.
    #[must_use]
    pub fn within(mut self, command: &[&str]) -> Self {
        self.within = command.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Writes the configuration and starts the host.
    pub fn start(self) -> Host {
        let directory = tempfile::tempdir().expect("a directory can be made");
        self.start_in(directory)
    }

    /// The same in a directory that exists.
    pub fn start_in(self, directory: tempfile::TempDir) -> Host {
        let config = directory.path().join("jackfield.toml");
        std::fs::write(&config, self.text()).expect("the configuration can be written");
        let (process, url) = spawn(&config, &self);
        Host { directory, process, setup: self, url }
    }

    fn text(&self) -> String {
        // Compiled once for all tests: the cache knows code by its content.
        let cache = target_directory().join("tmp/compiled");
        let trust = self.trust.as_deref().unwrap_or("allow_unsigned = true\n");
        let mut text = format!(
            "{}\n[trust]\n{trust}[http]\nlisten = \"127.0.0.1:0\"\n{}[runtime]\ncache_dir = {cache:?}\n{}",
            self.extra, self.http, self.runtime
        );
        for (name, grant) in &self.plugins {
            let path = self.instead.get(name).cloned().unwrap_or_else(|| plugin(name));
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

fn spawn(config: &Path, setup: &Setup) -> (Process, String) {
    let path = config.with_file_name(LOG);
    let log = File::options().create(true).append(true).open(&path).expect("the log can be written");
    let jackfield = binary("jackfield");
    let mut words = setup.within.iter().map(AsRef::as_ref).chain([jackfield.as_os_str(), OsStr::new("serve"), OsStr::new("--config")]);
    let mut command = Command::new(words.next().expect("there is a command"));
    command.args(words).arg(config).envs(setup.environment.iter().map(|(name, value)| (name, value))).stderr(log);
    let started = Process::try_start(&mut command, |line| line.strip_prefix("jackfield serves on ").map(str::to_owned));
    started.unwrap_or_else(|| panic!("the host does not serve:\n{}", std::fs::read_to_string(path).unwrap_or_default()))
}

/// A serving host. It is killed when it is dropped.
#[derive(Debug)]
pub struct Host {
    directory: tempfile::TempDir,
    process: Process,
    setup: Setup,
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

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGKILL and a new start on the same store.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.restart();
    }

    /// The id of its process.
    pub fn pid(&self) -> Pid {
        self.process.pid()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Whether its process has not ended.
    pub fn is_alive(&mut self) -> bool {
        self.process.is_alive()
    }

    /// Waits until it ends by itself; the exit code.
    pub fn exit(&mut self) -> Option<i32> {
        self.process.exit()
    }

    /// What it has said on standard error, since its first start.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.directory().join(LOG)).unwrap_or_default()).into_owned()
    }

    /// SIGTERM and the exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        self.process.terminate()
    }

    /// A new start on the same store, after the last process has ended.
    pub fn restart(&mut self) {
        (self.process, self.url) = spawn(&self.directory().join("jackfield.toml"), &self.setup);
    }

    /// The same by a command that is given the host's own command line.
    pub fn restart_within(&mut self, command: &[&str]) {
        self.setup.within = command.iter().map(|&word| word.to_owned()).collect();
        self.restart();
    }

    /// Runs the command line of the host.
    pub fn cli(&self, arguments: &[&str]) -> Output {
        Command::new(binary("jackfield")).args(arguments).current_dir(self.directory()).output().expect("the command runs")
    }

    /// What it answers in text form to a request that needs no token.
    pub fn text(&self, path: &str) -> String {
        let answer = ureq::get(format!("{}{path}", self.url)).call().and_then(|mut answer| answer.body_mut().read_to_string());
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// A request with the administrator's token.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let token = std::fs::read_to_string(self.directory().join("jackfield-data/admin-token")).expect("the token is there");
        self.request_with(&token, method, path, headers, body)
    }

    /// A request with a token.
    pub fn request_with(&self, token: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
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
        self.submit_with(order, &[])
    }

    /// Submits an order with these headers and returns its id.
    pub fn submit_with(&self, order: &Value, headers: &[(&str, &str)]) -> String {
        let answer = self.request("POST", ORDERS, &[&[("content-type", "application/json")], headers].concat(), &order.to_string());
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

impl Drop for Host {
    /// Where a test failed, the end of the host's log says why.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("the host's last lines:\n{}", lines[lines.len().saturating_sub(60)..].join("\n"));
        }
    }
}
