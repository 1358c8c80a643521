//! PowerDNS: the DNS of a vendor with an HTTP API.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::json;

use crate::{
    dig::{Dig, Record},
    error::{Error, write},
    http::Http,
    port,
    process::Process,
    program::{Program, file, output},
    random,
};

const PACKAGE: &str = "pdns-server";

/// Where [`PowerDns`] keeps its zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Takes many writers at a time; knows no comments on records.
    Lmdb,
    /// Knows comments on records; answers 500 to some of many writers at a time.
    Sqlite,
}

/// A PowerDNS server with its HTTP API. It keeps no answer in memory, so what was changed is seen at once.
#[derive(Debug)]
pub struct PowerDns {
    process: Process,
    server: Program,
    dig: Dig,
    http: Http,
    dns: SocketAddr,
    api: u16,
    key: String,
}

impl PowerDns {
    /// Starts one without zones.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] without an installed server, back end or dig, else what went wrong.
    pub fn start(backend: Backend) -> Result<Self, Error> {
        port::on_free(|[dns, api]| Self::start_on(backend, dns, api))
    }

    fn start_on(backend: Backend, dns: u16, api: u16) -> Result<Self, Error> {
        let server = Program::find("pdns_server", PACKAGE)?;
        let process = Process::new("PowerDNS")?;
        let dns = SocketAddr::from((Ipv4Addr::LOCALHOST, dns));
        let mut power_dns = Self { process, server, dig: Dig::new(dns)?, http: Http::plain(), dns, api, key: random::token() };
        power_dns.configure(backend)?;
        power_dns.restart()?;
        Ok(power_dns)
    }

    fn configure(&self, backend: Backend) -> Result<(), Error> {
        let folder = self.process.folder().display();
        let (package, library, store) = match backend {
            Backend::Lmdb => ("pdns-backend-lmdb", "liblmdbbackend.so", format!("launch=lmdb\nlmdb-filename={folder}/zones.lmdb\nlmdb-shards=1")),
            Backend::Sqlite => {
                // Without waiting for the disk.
                let store = format!("launch=gsqlite3\ngsqlite3-database={folder}/zones.sqlite3\ngsqlite3-pragma-synchronous=0");
                ("pdns-backend-sqlite3", "libgsqlite3backend.so", store)
            }
        };
        let library = file(&format!("usr/lib/*-linux-gnu/pdns/{library}"), package)?;
        if backend == Backend::Sqlite {
            let schema = file("usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql", package)?;
            let read = format!(".read {}", schema.display());
            output(Program::find("sqlite3", "sqlite3")?.command().arg(self.process.file("zones.sqlite3")).arg(read), "sqlite3")?;
        }
        let modules = library.parent().unwrap_or(&library).display();
        let (dns, api, key) = (self.dns.port(), self.api, &self.key);
        let text = format!(
            "{store}\nmodule-dir={modules}\nserver-id={key}\nlocal-address=127.0.0.1\nlocal-port={dns}\nsocket-dir={folder}\n{FIXED}\
             api=yes\napi-key={key}\nwebserver=yes\nwebserver-address=127.0.0.1\nwebserver-port={api}\nwebserver-allow-from=127.0.0.1\n"
        );
        write(&self.process.file("pdns.conf"), &text)
    }

    /// Starts it again, on the same ports and with the same zones, after it was killed if it runs.
    ///
    /// # Errors
    ///
    /// As [`PowerDns::start`].
    pub fn restart(&mut self) -> Result<(), Error> {
        self.kill9();
        let mut command = self.server.command();
        command.arg(format!("--config-dir={}", self.process.folder().display()));
        let (dig, http, key, url) = (self.dig.clone(), self.http.clone(), self.key.clone(), self.server_url());
        let ask = move || dig.is(&key) && http.send("GET", &url, &[("x-api-key", &key)], "").is_ok();
        self.process.start(command, ask)
    }

    /// Kills it. Nothing is lost that it acknowledged.
    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Where it answers DNS, over UDP and TCP.
    pub fn dns(&self) -> SocketAddr {
        self.dns
    }

    /// The base of its HTTP API: `http://127.0.0.1:port`. What it serves is below `/api/v1/servers/localhost`.
    pub fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.api)
    }

    /// What the header `X-API-Key` must be.
    pub fn api_key(&self) -> &str {
        &self.key
    }

    /// Makes a zone with a name server and nothing else. The name may end with a dot or not.
    ///
    /// # Errors
    ///
    /// What the server answered, when it did not make it.
    pub fn create_zone(&self, zone: &str) -> Result<(), Error> {
        let name = format!("{}.", zone.trim_end_matches('.'));
        let server = format!("ns1.{name}");
        let body = json!({"name": name, "kind": "Native", "nameservers": [server], "soa_edit_api": "INCREASE"});
        self.api("POST", "/zones", &body.to_string()).map(drop)
    }

    /// A request to its API, below `/api/v1/servers/localhost`.
    ///
    /// # Errors
    ///
    /// What the server answered, when it is not success.
    pub fn api(&self, method: &str, path: &str, body: &str) -> Result<String, Error> {
        self.http.send(method, &format!("{}{path}", self.server_url()), &[("x-api-key", &self.key), ("content-type", "application/json")], body)
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

    fn server_url(&self) -> String {
        format!("{}/api/v1/servers/localhost", self.api_url())
    }
}

/// What does not depend on the instance.
const FIXED: &str = "daemon=no
guardian=no
disable-syslog=yes
loglevel=5
dnsupdate=yes
allow-dnsupdate-from=127.0.0.1
allow-axfr-ips=127.0.0.1
cache-ttl=0
negquery-cache-ttl=0
query-cache-ttl=0
zone-cache-refresh-interval=0
default-soa-content=ns1.@ hostmaster.@ 0 10800 3600 604800 60
";
