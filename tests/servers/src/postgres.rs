//! PostgreSQL: the databases of tenants.

use std::process::Command;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    account::Account,
    error::{Error, write},
    identity::Identity,
    port,
    process::Process,
    program::{Program, output},
    random,
};

const PACKAGE: &str = "postgresql";

/// The superuser.
const ADMIN: &str = "postgres";

/// A `PostgreSQL` server with a cluster of its own. It takes connections with and without TLS.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    server: Program,
    psql: Program,
    account: Account,
    identity: Identity,
    options: PostgresOptions,
    port: u16,
    password: String,
}

/// How a [`Postgres`] is started.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Whether it waits for the disk. What was committed survives [`Postgres::kill9`] without that too.
    pub fsync: bool,
    /// How many connections it takes.
    pub max_connections: u32,
    /// Other settings, as in `postgresql.conf`.
    pub settings: Vec<(String, String)>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { fsync: false, max_connections: 200, settings: Vec::new() }
    }
}

impl Postgres {
    /// Starts one that does not wait for the disk.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] without an installed server, else what went wrong.
    pub fn start() -> Result<Self, Error> {
        Self::start_with(&PostgresOptions::default())
    }

    /// Starts one.
    ///
    /// # Errors
    ///
    /// As [`Postgres::start`].
    pub fn start_with(options: &PostgresOptions) -> Result<Self, Error> {
        port::on_free(|[port]| Self::start_on(port, options.clone()))
    }

    fn start_on(port: u16, options: PostgresOptions) -> Result<Self, Error> {
        let server = Program::find("postgres", PACKAGE)?;
        // Not the one of the path, which is a script that asks for the system's clusters.
        let psql = server.beside("psql");
        let account = Account::without_rights(&["postgres", "nobody"])?;
        let process = Process::new("PostgreSQL")?;
        account.own(process.folder())?;
        let identity = Identity::new(&process)?;
        account.own_secret(&identity.key_file)?;
        let mut postgres = Self { process, server, psql, account, identity, options, port, password: random::token() };
        postgres.make_cluster()?;
        postgres.restart()?;
        Ok(postgres)
    }

    fn make_cluster(&self) -> Result<(), Error> {
        let password = self.process.file("password");
        write(&password, &self.password)?;
        let mut command = self.account.command(&self.server.beside("initdb"));
        command.arg("-D").arg(self.process.file("data")).args(["-U", ADMIN, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]);
        output(command.arg("--pwfile").arg(password).current_dir(self.process.folder()), "initdb").map(drop)
    }

    /// Starts it again, on the same port and with the same data, after it was killed if it runs.
    ///
    /// # Errors
    ///
    /// As [`Postgres::start`].
    pub fn restart(&mut self) -> Result<(), Error> {
        self.kill9();
        let data = self.process.file("data");
        let mut command = self.account.command(&self.server);
        let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
        let own = [
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("port", self.port.to_string()),
            ("unix_socket_directories", self.process.folder().to_string_lossy().into_owned()),
            ("ssl", "on".to_owned()),
            ("ssl_cert_file", self.identity.certificate_file.to_string_lossy().into_owned()),
            ("ssl_key_file", self.identity.key_file.to_string_lossy().into_owned()),
            ("fsync", switch(self.options.fsync)),
            ("full_page_writes", switch(self.options.fsync)),
            ("max_connections", self.options.max_connections.to_string()),
        ];
        let others = self.options.settings.iter().map(|(name, value)| (name.as_str(), value.clone()));
        command.arg("-D").arg(&data);
        for (name, value) in own.into_iter().chain(others) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let (psql, port, password) = (self.psql.clone(), self.port, self.password.clone());
        let data = data.to_string_lossy().into_owned();
        let ask = move || run(&psql, port, (ADMIN, &password, ADMIN), "show data_directory").is_ok_and(|answer| answer == data);
        self.process.start(command, ask)
    }

    /// Kills the server and all its processes. Nothing is lost that was committed.
    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// The port on `127.0.0.1`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The password of the superuser `postgres`.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Where a user reaches a database: `postgres://user:password@127.0.0.1:port/database`.
    pub fn dsn(&self, user: &str, password: &str, database: &str) -> String {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        format!("postgres://{}:{}@127.0.0.1:{}/{}", encode(user), encode(password), self.port, encode(database))
    }

    /// The same for the superuser and the database `postgres`.
    pub fn admin_dsn(&self) -> String {
        self.dsn(ADMIN, &self.password, ADMIN)
    }

    /// What psql, which is not ours, prints for this SQL as the superuser: a line for each row, `|` between columns.
    ///
    /// # Errors
    ///
    /// What psql says when a statement is refused.
    pub fn psql(&self, sql: &str) -> Result<String, Error> {
        self.psql_as(ADMIN, &self.password, ADMIN, sql)
    }

    /// The same as a user in a database.
    ///
    /// # Errors
    ///
    /// As [`Postgres::psql`].
    pub fn psql_as(&self, user: &str, password: &str, database: &str, sql: &str) -> Result<String, Error> {
        run(&self.psql, self.port, (user, password, database), sql)
    }

    /// The root that vouches for the server, in PEM; its certificate is for `localhost` and `127.0.0.1`.
    pub fn server_root(&self) -> &str {
        &self.identity.root
    }

    /// What the server printed.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

fn run(psql: &Program, port: u16, (user, password, database): (&str, &str, &str), sql: &str) -> Result<String, Error> {
    let mut command: Command = psql.command();
    command.env("PGPASSWORD", password).env("PGCONNECT_TIMEOUT", "10");
    command.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", &port.to_string(), "-U", user, "-d", database, "-c", sql]);
    output(&mut command, "psql")
}
