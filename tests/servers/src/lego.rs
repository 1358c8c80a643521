//! Lego: an ACME client that is not ours, to compare with.

use std::fs;

use crate::{
    Pebble, PowerDns,
    error::{Error, Tried as _},
    program::{Program, output},
};

const PACKAGE: &str = "lego";

/// An ACME client with an account of its own, which answers challenges through the API of a [`PowerDns`].
#[derive(Debug)]
pub struct Lego {
    program: Program,
    folder: tempfile::TempDir,
}

impl Lego {
    /// One that has no account yet.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when it is not installed.
    pub fn new() -> Result<Self, Error> {
        let program = Program::find("lego", PACKAGE)?;
        let folder = tempfile::tempdir().tried(|| "a temporary folder cannot be made".to_owned())?;
        Ok(Self { program, folder })
    }

    /// Orders a certificate for a name and returns the chain in PEM.
    ///
    /// # Errors
    ///
    /// What it says when it got none.
    pub fn issue(&self, pebble: &Pebble, dns: &PowerDns, name: &str) -> Result<String, Error> {
        self.run(pebble, dns, name, "run")?;
        let path = self.folder.path().join(format!("certificates/{name}.crt"));
        fs::read_to_string(&path).tried(|| format!("{} cannot be read", path.display()))
    }

    /// Revokes the certificate that it has for a name.
    ///
    /// # Errors
    ///
    /// What it says when that was refused.
    pub fn revoke(&self, pebble: &Pebble, dns: &PowerDns, name: &str) -> Result<(), Error> {
        self.run(pebble, dns, name, "revoke")
    }

    fn run(&self, pebble: &Pebble, dns: &PowerDns, name: &str, verb: &str) -> Result<(), Error> {
        let mut command = self.program.command();
        command.env("LEGO_CA_CERTIFICATES", pebble.server_root_file()).env("PDNS_API_URL", dns.api_url());
        command.env("PDNS_API_KEY", dns.api_key()).env("PDNS_TTL", "60").env("PDNS_POLLING_INTERVAL", "1");
        command.arg("--path").arg(self.folder.path()).args(["--server", &pebble.directory_url(), "--email", "ops@example.test", "--accept-tos"]);
        // Asks the server itself whether its records are there: the names of name servers in test zones lead nowhere.
        command.args(["--dns", "pdns", "--dns.resolvers", &dns.dns().to_string(), "--dns.disable-cp", "--domains", name, verb]);
        output(&mut command, "lego").map(drop)
    }
}
