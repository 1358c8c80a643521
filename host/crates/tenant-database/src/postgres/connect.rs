//! Connections to the server.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustls::{ClientConfig, RootCertStore};
use tokio::{net::TcpStream, task::JoinSet, time::timeout};
use tokio_postgres::{
    Client, Config,
    config::{Host, SslMode},
    tls::MakeTlsConnect,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{PostgresOptions, fault::Fault, metered::Metered, names::Names};

/// Why an address cannot be used. Says nothing of what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is none.
    #[error("the address of the database server is not of the form `postgres://user:password@host:port/database`")]
    Unreadable,
    /// It names no host, several, or a socket.
    #[error("the address of the database server must name one host")]
    Host,
    /// It says no user or database.
    #[error("the address of the database server must name a user and a database")]
    User,
    /// No certificate of those given can be used.
    #[error("a certificate of the roots cannot be used")]
    Roots,
}

/// Where the server is.
pub(super) struct Server {
    config: Config,
    host: String,
    port: u16,
    database: String,
    tls: MakeRustlsConnect,
    options: PostgresOptions,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("host", &self.host).field("port", &self.port).field("database", &self.database).finish_non_exhaustive()
    }
}

/// A connection. It ends when this is dropped, and what was not committed is rolled back.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    exceeded: Arc<AtomicBool>,
    _driver: JoinSet<()>,
}

impl Session {
    /// Whether it ended because the server sent more than may be read.
    pub(super) fn was_exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }
}

impl Server {
    pub(super) fn new(options: &PostgresOptions) -> Result<Self, AddressError> {
        let mut config: Config = options.address.parse().map_err(|_| AddressError::Unreadable)?;
        let [Host::Tcp(host)] = config.get_hosts() else { return Err(AddressError::Host) };
        let host = host.clone();
        if !config.get_hostaddrs().is_empty() {
            return Err(AddressError::Host);
        }
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let (Some(_), Some(database)) = (config.get_user(), config.get_dbname()) else { return Err(AddressError::User) };
        let database = database.to_owned();
        // To prefer TLS is to do without it when somebody in between says so.
        if config.get_ssl_mode() == SslMode::Prefer {
            config.ssl_mode(SslMode::Require);
        }
        config.application_name("jackfield");
        Ok(Self { config, host, port, database, tls: MakeRustlsConnect::new(tls(options)?), options: options.clone() })
    }

    pub(super) fn database(&self) -> &str {
        &self.database
    }

    /// Host and port.
    pub(super) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Connects as the host's own role. Nothing but the catalogue is found without its schema.
    pub(super) async fn connect(&self) -> Result<Session, Fault> {
        let mut config = self.config.clone();
        let own = config.get_options().unwrap_or_default().to_owned();
        let timeout = self.options.statement_timeout.as_millis();
        config.options(format!(
            "{own} -c search_path=pg_catalog -c statement_timeout={timeout} -c lock_timeout={timeout} -c idle_in_transaction_session_timeout={}",
            timeout * 2
        ));
        self.open(&config, usize::MAX).await
    }

    /// Connects as a tenant's role, to read at most so many bytes.
    pub(super) async fn connect_as(&self, names: &Names, password: &str, most: usize) -> Result<Session, Fault> {
        let mut config = self.config.clone();
        config.user(&names.name).password(password).options("");
        self.open(&config, most).await
    }

    async fn open(&self, config: &Config, most: usize) -> Result<Session, Fault> {
        let connect = async {
            let stream =
                TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|error| Fault::lost(format!("{}: {error}", self.address())))?;
            stream.set_nodelay(true).map_err(|error| Fault::lost(error.to_string()))?;
            let mut tls = self.tls.clone();
            let tls = <MakeRustlsConnect as MakeTlsConnect<Metered>>::make_tls_connect(&mut tls, &self.host);
            let tls = tls.map_err(|error| Fault::lost(error.to_string()))?;
            let exceeded = Arc::new(AtomicBool::new(false));
            let (client, connection) = config.connect_raw(Metered::new(stream, most, Arc::clone(&exceeded)), tls).await.map_err(Fault::from)?;
            let mut driver = JoinSet::new();
            driver.spawn(async move {
                // Whoever waits for an answer hears of it too.
                if let Err(error) = connection.await {
                    tracing::debug!(reason = %Fault::from(error).message, "a connection to the database ended");
                }
            });
            Ok(Session { client, exceeded, _driver: driver })
        };
        let too_long = |_| Fault::lost(format!("{} did not answer in {:?}", self.address(), self.options.connect_timeout));
        timeout(self.options.connect_timeout, connect).await.map_err(too_long)?
    }
}

fn tls(options: &PostgresOptions) -> Result<ClientConfig, AddressError> {
    let mut roots = RootCertStore::empty();
    for root in &options.roots {
        roots.add(root.clone()).map_err(|_| AddressError::Roots)?;
    }
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(|_| AddressError::Roots)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
