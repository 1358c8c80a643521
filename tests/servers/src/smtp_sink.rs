//! A mail server that keeps what it gets, and fails on request.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::PathBuf,
    process::Command,
    time::Duration,
};

use serde_json::Value;

use crate::{
    error::{Error, Tried as _, write},
    identity::Identity,
    port,
    process::Process,
    python, random,
};

const SCRIPT: &str = include_str!("smtp_sink.py");

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// A mail server. The first letters of a recipient say how it fails:
///
/// | recipient | answer |
/// |---|---|
/// | `greylist@...` | 451 to RCPT, always |
/// | `greylist2@...` | 451 to RCPT twice, then 250 |
/// | `bounce...@...` | 550 to RCPT |
/// | `lost...@...` | the message is kept, and the connection closed without an answer |
#[derive(Debug)]
pub struct SmtpSink {
    process: Process,
    python: PathBuf,
    options: SmtpOptions,
    identity: Identity,
    address: SocketAddr,
    identifier: String,
}

/// What an [`SmtpSink`] asks of its clients. By default nothing.
#[derive(Debug, Clone, Default)]
pub struct SmtpOptions {
    /// Whether they must say STARTTLS first.
    pub tls: bool,
    /// The name and password that they must log in with. Without TLS they are taken too.
    pub login: Option<(String, String)>,
}

/// A message, or a recipient that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What it answered; 0 when it closed the connection instead.
    pub answer: u16,
    /// Who sent it, as in `MAIL FROM`.
    pub from: String,
    /// Who was to get it, as in `RCPT TO`.
    pub to: Vec<String>,
    /// The header `Message-ID`, `Subject` and so on: names in lower case, values decoded. Empty for a refused recipient.
    pub headers: Vec<(String, String)>,
    /// The text of the message. Empty for a refused recipient.
    pub text: String,
}

impl Received {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn read(line: &str) -> Result<Self, Error> {
        let value: Value = serde_json::from_str(line).map_err(|error| Error::refused("a line of the mail server", format!("{error}: {line}")))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let header = |pair: &Value| (text(&pair[0]), text(&pair[1]));
        Ok(Self {
            answer: value["answer"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or_default(),
            from: text(&value["from"]),
            to: value["to"].as_array().into_iter().flatten().map(text).collect(),
            headers: value["headers"].as_array().into_iter().flatten().map(header).collect(),
            text: text(&value["text"]),
        })
    }
}

impl SmtpSink {
    /// Starts one that asks nothing of its clients.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] without what is installed from PyPI, else what went wrong.
    pub fn start() -> Result<Self, Error> {
        Self::start_with(&SmtpOptions::default())
    }

    /// Starts one.
    ///
    /// # Errors
    ///
    /// As [`SmtpSink::start`].
    pub fn start_with(options: &SmtpOptions) -> Result<Self, Error> {
        let python = python::with("aiosmtpd")?;
        port::on_free(|[port]| {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let process = Process::new("the mail server")?;
            let (identity, options) = (Identity::new(&process)?, options.clone());
            let mut sink = Self { process, python: python.clone(), options, identity, address, identifier: random::token() };
            write(&sink.process.file("sink.py"), SCRIPT)?;
            sink.restart()?;
            Ok(sink)
        })
    }

    /// Starts it again, on the same port and with what it received, after it was killed if it runs.
    ///
    /// # Errors
    ///
    /// As [`SmtpSink::start`].
    pub fn restart(&mut self) -> Result<(), Error> {
        self.kill9();
        let mut command = Command::new(&self.python);
        command.arg(self.process.file("sink.py")).args([&self.address.port().to_string(), &self.identifier]).arg(self.file());
        if self.options.tls {
            command.env("SINK_CERTIFICATE", &self.identity.certificate_file).env("SINK_KEY", &self.identity.key_file);
        }
        if let Some((name, password)) = &self.options.login {
            command.env("SINK_NAME", name).env("SINK_PASSWORD", password);
        }
        let (address, identifier) = (self.address, self.identifier.clone());
        self.process.start(command, move || greeting(address).is_ok_and(|line| line.contains(&identifier)))
    }

    /// Kills it. It has forgotten then how often it refused a recipient.
    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The root that vouches for it after STARTTLS, in PEM; its certificate is for `localhost` and `127.0.0.1`.
    pub fn server_root(&self) -> &str {
        &self.identity.root
    }

    /// Everything that it got so far, in that order, refused recipients too.
    ///
    /// # Errors
    ///
    /// When its file cannot be read.
    pub fn received(&self) -> Result<Vec<Received>, Error> {
        let path = self.file();
        if !path.exists() {
            return Ok(Vec::new());
        }
        let text = fs::read_to_string(&path).tried(|| format!("{} cannot be read", path.display()))?;
        // A line is written whole, but may be seen before its end.
        text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(Received::read).collect()
    }

    /// What the server printed.
    pub fn log(&self) -> String {
        self.process.log()
    }

    fn file(&self) -> PathBuf {
        self.process.file("received.jsonl")
    }
}

/// The first line of a server.
fn greeting(address: SocketAddr) -> std::io::Result<String> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line)
}
