//! Pebble: a certificate authority that speaks ACME.

use std::{collections::BTreeMap, net::SocketAddr, path::Path};

use serde_json::{Value, json};

use crate::{
    error::{Error, write},
    http::Http,
    identity::Identity,
    port,
    process::Process,
    program::Program,
};

const PACKAGE: &str = "pebble";

/// A certificate authority that forgets everything when it is killed: accounts, orders, certificates and its own keys.
#[derive(Debug)]
pub struct Pebble {
    process: Process,
    server: Program,
    options: PebbleOptions,
    http: Http,
    identity: Identity,
    acme: u16,
    management: u16,
}

/// How a [`Pebble`] is started.
#[derive(Debug, Clone)]
pub struct PebbleOptions {
    /// The name server that it asks for challenges; without one, the system's.
    pub dns: Option<SocketAddr>,
    /// How many of a hundred requests it answers with `badNonce`.
    pub nonce_reject: u8,
    /// For at most how many seconds it sleeps before it looks at a challenge.
    pub validation_sleep: u32,
    /// Whether it holds every challenge for met, without a look.
    pub always_valid: bool,
    /// For how many seconds its certificates are valid.
    pub validity: u64,
    /// The account elsewhere that accounts must be bound to: its id, and its key in base64 as in an address.
    pub binding: Option<(String, String)>,
}

impl Default for PebbleOptions {
    fn default() -> Self {
        Self { dns: None, nonce_reject: 0, validation_sleep: 0, always_valid: false, validity: 90 * 86_400, binding: None }
    }
}

impl Pebble {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] without an installed server, else what went wrong.
    pub fn start(options: &PebbleOptions) -> Result<Self, Error> {
        port::on_free(|[acme, management]| Self::start_on(acme, management, options.clone()))
    }

    fn start_on(acme: u16, management: u16, options: PebbleOptions) -> Result<Self, Error> {
        let server = Program::find("pebble", PACKAGE)?;
        let process = Process::new("Pebble")?;
        let identity = Identity::new(&process)?;
        let mut pebble = Self { process, server, options, http: Http::trusting(&identity.root)?, identity, acme, management };
        pebble.configure()?;
        pebble.restart()?;
        Ok(pebble)
    }

    fn configure(&self) -> Result<(), Error> {
        let configuration = json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{}", self.acme),
            "managementListenAddress": format!("127.0.0.1:{}", self.management),
            "certificate": self.identity.certificate_file,
            "privateKey": self.identity.key_file,
            // Where it would look for the other kinds of challenges.
            "httpPort": 5002,
            "tlsPort": 5001,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": self.options.binding.is_some(),
            "externalAccountMACKeys": self.options.binding.iter().cloned().collect::<BTreeMap<_, _>>(),
            "certificateValidityPeriod": self.options.validity,
        }});
        write(&self.process.file("pebble.json"), &configuration.to_string())
    }

    /// Starts it again, on the same ports, after it was killed if it runs. It knows nothing of what was before.
    ///
    /// # Errors
    ///
    /// As [`Pebble::start`].
    pub fn restart(&mut self) -> Result<(), Error> {
        self.kill9();
        let mut command = self.server.command();
        command.arg("-config").arg(self.process.file("pebble.json")).arg("-strict");
        if let Some(dns) = self.options.dns {
            command.args(["-dnsserver", &dns.to_string()]);
        }
        command.env("PEBBLE_AUTHZREUSE", "0").env("PEBBLE_WFE_NONCEREJECT", self.options.nonce_reject.to_string());
        match self.options.validation_sleep {
            0 => command.env("PEBBLE_VA_NOSLEEP", "1"),
            seconds => command.env("PEBBLE_VA_SLEEPTIME", seconds.to_string()),
        };
        if self.options.always_valid {
            command.env("PEBBLE_VA_ALWAYS_VALID", "1");
        }
        // Nobody else has a certificate under this root.
        let (http, urls) = (self.http.clone(), [self.directory_url(), self.management_url("/roots/0")]);
        self.process.start(command, move || urls.iter().all(|url| http.send("GET", url, &[], "").is_ok()))
    }

    /// Kills it: the authority lost every order.
    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Where ACME begins: `https://127.0.0.1:port/dir`.
    pub fn directory_url(&self) -> String {
        format!("https://127.0.0.1:{}/dir", self.acme)
    }

    /// The root that vouches for the server itself, in PEM. It is not the one that certificates are issued under.
    pub fn server_root(&self) -> &str {
        &self.identity.root
    }

    /// The same as a file.
    pub fn server_root_file(&self) -> &Path {
        &self.identity.root_file
    }

    /// The root under which certificates are issued, in PEM. Another one after each start.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub fn issuing_root(&self) -> Result<String, Error> {
        self.manage("/roots/0")
    }

    /// What became of a certificate, by its serial number in hexadecimal digits: `Valid` or `Revoked`, or `None` when it issued no such.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub fn status(&self, serial: &str) -> Result<Option<String>, Error> {
        match self.manage(&format!("/cert-status-by-serial/{serial}")) {
            Ok(text) => {
                let answer: Value = serde_json::from_str(&text).map_err(|error| Error::refused("the status of a certificate", error.to_string()))?;
                Ok(answer["Status"].as_str().map(str::to_owned))
            }
            Err(Error::Refused { why, .. }) if why.starts_with("404") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the server printed.
    pub fn log(&self) -> String {
        self.process.log()
    }

    fn manage(&self, path: &str) -> Result<String, Error> {
        self.http.send("GET", &self.management_url(path), &[], "")
    }

    fn management_url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.management)
    }
}
