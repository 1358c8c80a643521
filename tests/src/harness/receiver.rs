//! A receiver of OTLP as a child process, which can be told to refuse, be killed and be started again.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use super::process::{Process, binary};

/// What a receiver does with requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// It takes them.
    Accept,
    /// It answers 503, or `UNAVAILABLE`, and takes nothing.
    Refuse,
    /// It takes them, and the sender never learns of it.
    Withhold,
}

/// A receiver over HTTP and gRPC. It ends with this value.
#[derive(Debug)]
pub struct Receiver {
    // Before its directory: it may be writing.
    process: Process,
    directory: tempfile::TempDir,
    urls: Value,
}

impl Receiver {
    /// Starts a receiver on free ports.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let (process, urls) = spawn(directory.path(), &[]);
        Self { process, directory, urls }
    }

    /// Its address for `http` or `grpc`.
    pub fn url(&self, protocol: &str) -> &str {
        self.urls[protocol].as_str().unwrap_or_else(|| panic!("the receiver does not speak {protocol}"))
    }

    /// Says what it does with requests from now on.
    pub fn answer(&self, answers: Answers) {
        let name = match answers {
            Answers::Accept => "accept",
            Answers::Refuse => "refuse",
            Answers::Withhold => "withhold",
        };
        let url = format!("{}/_receiver/{name}", self.url("http"));
        ureq::post(&url).send_empty().unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// A new start on the same ports with the same files, after the last process has ended.
    pub fn restart(&mut self) {
        let port = |protocol| self.url(protocol).rsplit(':').next().expect("an address has a port").to_owned();
        let ports = [port("http"), port("grpc")];
        (self.process, self.urls) = spawn(self.directory.path(), &ports);
    }

    /// The requests of a signal (`traces`, `metrics`, `logs`), in the order in which they came: protobuf, as it was sent.
    pub fn requests(&self, signal: &str) -> Vec<Vec<u8>> {
        let bytes = fs::read(self.directory.path().join(format!("{signal}.otlp"))).expect("the receiver's files can be read");
        let (mut requests, mut rest) = (Vec::new(), bytes.as_slice());
        // The last request may be half written.
        while let Some((length, after)) = rest.split_first_chunk::<4>()
            && let Some((request, next)) = after.split_at_checked(u32::from_be_bytes(*length) as usize)
        {
            requests.push(request.to_owned());
            rest = next;
        }
        requests
    }
}

fn spawn(directory: &Path, ports: &[String]) -> (Process, Value) {
    let mut command = Command::new(binary("examples/otlp-receiver"));
    command.arg(directory).args(ports).stderr(Stdio::inherit());
    Process::start(&mut command, |line| serde_json::from_str::<Value>(line).ok())
}
