//! BIND: a second vendor's DNS, with signed updates.

use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    process::Stdio,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    dig::{self, Dig, Record},
    error::{Error, Tried as _, write},
    port,
    process::Process,
    program::Program,
    random,
};

const PACKAGE: &str = "bind9";

/// The name of the key that may change zones.
const KEY: &str = "tenants-key";

/// A BIND server whose zones are changed with signed updates (RFC 2136, TSIG with HMAC-SHA-256) and in no other way.
#[derive(Debug)]
pub struct Bind {
    process: Process,
    server: Program,
    nsupdate: Program,
    dig: Dig,
    dns: SocketAddr,
    identifier: String,
    secret: String,
}

impl Bind {
    /// Starts one with these zones, in which there is a name server and nothing else.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] without an installed server, dig or nsupdate, else what went wrong.
    pub fn start(zones: &[&str]) -> Result<Self, Error> {
        port::on_free(|[port]| Self::start_on(port, zones))
    }

    fn start_on(port: u16, zones: &[&str]) -> Result<Self, Error> {
        let process = Process::new("BIND")?;
        // Under a path of its own: a policy of the system may let the program at the old path read the system's own zones only.
        let server = Program::find("named", PACKAGE)?.copied_to(process.file("named"))?;
        let nsupdate = Program::find("nsupdate", dig::PACKAGE)?;
        let dns = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (identifier, secret) = (random::token(), BASE64_STANDARD.encode(random::bytes::<32>()));
        let mut bind = Self { process, server, nsupdate, dig: Dig::new(dns)?, dns, identifier, secret };
        bind.configure(zones)?;
        bind.restart()?;
        Ok(bind)
    }

    fn configure(&self, zones: &[&str]) -> Result<(), Error> {
        let (folder, port, identifier) = (self.process.folder().display(), self.dns.port(), &self.identifier);
        write(&self.process.file("key"), &format!("key \"{KEY}\" {{ algorithm hmac-sha256; secret \"{}\"; }};\n", self.secret))?;
        let mut text = format!(
            "include \"{folder}/key\";\ncontrols {{}};\noptions {{\n directory \"{folder}\";\n pid-file \"{folder}/named.pid\";\n \
             session-keyfile \"{folder}/session.key\";\n listen-on port {port} {{ 127.0.0.1; }};\n listen-on-v6 {{ none; }};\n \
             server-id \"{identifier}\";\n recursion no;\n dnssec-validation no;\n allow-transfer {{ 127.0.0.1; }};\n}};\n"
        );
        for (index, zone) in zones.iter().enumerate() {
            let (zone, file) = (zone.trim_end_matches('.'), format!("{index}.zone"));
            text += &format!("zone \"{zone}\" {{ type primary; file \"{file}\"; update-policy {{ grant {KEY} zonesub ANY; }}; }};\n");
            let records = format!("$TTL 60\n@ SOA ns1 hostmaster 1 10800 3600 604800 60\n@ NS ns1\nns1 A {}\n", self.dns.ip());
            write(&self.process.file(&file), &records)?;
        }
        write(&self.process.file("named.conf"), &text)
    }

    /// Starts it again, on the same port and with the same zones, after it was killed if it runs.
    ///
    /// # Errors
    ///
    /// As [`Bind::start`].
    pub fn restart(&mut self) -> Result<(), Error> {
        self.kill9();
        let mut command = self.server.command();
        command.args(["-g", "-n", "1", "-c"]).arg(self.process.file("named.conf"));
        let (dig, identifier) = (self.dig.clone(), self.identifier.clone());
        self.process.start(command, move || dig.is(&identifier))
    }

    /// Kills it. Nothing is lost that it acknowledged.
    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Where it answers DNS and takes updates, over UDP and TCP.
    pub fn dns(&self) -> SocketAddr {
        self.dns
    }

    /// The name of the key that may change zones; its algorithm is `hmac-sha256`.
    pub fn key_name(&self) -> &'static str {
        KEY
    }

    /// The key in Base64.
    pub fn key_secret(&self) -> &str {
        &self.secret
    }

    /// Sends a signed update with nsupdate, which is not ours: lines as `update add NAME TTL TYPE VALUE`, without `server` and `send`.
    ///
    /// # Errors
    ///
    /// What nsupdate says when the server refuses it, as `update failed: YXRRSET`.
    pub fn nsupdate(&self, lines: &str) -> Result<(), Error> {
        let mut command = self.nsupdate.command();
        command.arg("-v").arg("-k").arg(self.process.file("key")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().tried(|| "nsupdate cannot be run".to_owned())?;
        let text = format!("server {} {}\n{lines}\nsend\n", self.dns.ip(), self.dns.port());
        // What it did not read, it says in its own words.
        let _it_ended = child.stdin.take().map(|mut input| input.write_all(text.as_bytes()));
        let output = child.wait_with_output().tried(|| "nsupdate does not end".to_owned())?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::refused("nsupdate", String::from_utf8_lossy(&output.stderr).trim()))
    }

    /// The values at a name, in the order of the alphabet, as dig sees them.
    ///
    /// # Errors
    ///
    /// What dig says when the server does not answer.
    pub fn dig(&self, name: &str, kind: &str) -> Result<Vec<String>, Error> {
        self.dig.values(name, kind)
    }

    /// All records of a zone, sorted, as dig transfers them.
    ///
    /// # Errors
    ///
    /// What dig says when the zone is not transferred.
    pub fn records(&self, zone: &str) -> Result<Vec<Record>, Error> {
        self.dig.zone(zone)
    }

    /// What the server printed.
    pub fn log(&self) -> String {
        self.process.log()
    }
}
