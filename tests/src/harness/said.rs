//! What a command said, and what a host says to bytes that no sound client would send.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Host, process::binary};

/// How a command ended.
#[derive(Debug)]
pub struct Said {
    command: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

/// Runs `jackfield` in a directory, to its end; one that does not end, such as a host that serves although it should not, is killed.
pub fn jackfield(directory: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(binary("jackfield"));
    command.args(arguments).current_dir(directory).env("JACKFIELD_LOG", "error").env_remove("OTEL_EXPORTER_OTLP_ENDPOINT");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs");
    let patience = Instant::now() + Duration::from_secs(120);
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() > patience {
            let _already_dead = child.kill();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Said::of(arguments, child.wait_with_output().expect("its output can be read"))
}

impl Host {
    /// Runs the command line of the host.
    pub fn type_in(&self, arguments: &[&str]) -> Said {
        jackfield(self.directory(), arguments)
    }

    /// Sends bytes on a connection of their own, and returns everything that comes back until the host closes it.
    pub fn send(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // The host may answer and close before it has read everything.
        let _cut = stream.write_all(bytes);
        answer(stream)
    }

    /// A connection to the host.
    pub fn connect(&self) -> TcpStream {
        let address = self.url.strip_prefix("http://").expect("the host speaks http");
        let stream = TcpStream::connect(address).expect("the host listens");
        stream.set_read_timeout(Some(Duration::from_secs(120))).expect("a time limit can be set");
        stream
    }

    /// The administrator's token.
    pub fn token(&self) -> String {
        std::fs::read_to_string(self.directory().join("jackfield-data/admin-token")).expect("the token is there")
    }
}

/// Everything that comes until the other side closes the connection.
pub fn answer(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is reset has said what it said.
    let _reset = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Said {
    fn of(arguments: &[&str], output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { command: arguments.join(" "), code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Expects success, and every part of the text on standard output, which is returned.
    #[track_caller]
    pub fn good(&self, parts: &[&str]) -> &str {
        assert_eq!(self.code, Some(0), "{self}");
        let missing: Vec<_> = parts.iter().filter(|part| !self.out.contains(**part)).collect();
        assert!(missing.is_empty(), "missing: {missing:?}\n{self}");
        &self.out
    }

    /// Expects success and JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(self.good(&[])).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }

    /// Expects a failure with that code, and every part of the text on standard error.
    #[track_caller]
    pub fn bad(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self}");
        let missing: Vec<_> = parts.iter().filter(|part| !self.err.contains(**part)).collect();
        assert!(missing.is_empty(), "missing: {missing:?}\n{self}");
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "jackfield {} ended with {:?}\n{}\n{}", self.command, self.code, self.out, self.err)
    }
}
