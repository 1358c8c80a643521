//! A schema and a role on PostgreSQL for each tenant.
//!
//! The host's own role makes both in one transaction. The schema is the host's and the tenant's role may make things in it, so that nothing a tenant
//! does can change whose it is. Where a tenant's code could run (its triggers, its functions) the host is connected as the tenant's role and as nothing
//! more: no `RESET ROLE` leads anywhere.
//!
//! A tenant's role sees in the catalogue that other schemas and roles exist, and nothing of what is in them.

mod column;
mod connect;
mod fault;
mod look;
mod make;
mod metered;
mod migrate;
mod names;
mod parameter;
mod pool;
mod runner;
mod settle;
mod transact;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use engine::port::{Secrets, SecretsError};
use pipeline::{Failure, TenantName};
use rustls_pki_types::CertificateDer;
use tokio::sync::Semaphore;

pub use self::{connect::AddressError, runner::PostgresRunner};
use self::{connect::Server, names::Names, pool::Pool};
use crate::{
    account::Account,
    failure::{misfit, unavailable},
    migrations::{Migrated, Migrations},
    names::TenantId,
    sql::{Answer, SqlError, TenantSql, Work, sealed::Sealed},
};

/// How the server is reached and used.
#[derive(Clone)]
pub struct PostgresOptions {
    /// Where it is and who the host is there: `postgres://user:password@host/database`. Without `sslmode=disable` it is reached with TLS only. A secret.
    pub address: String,
    /// Who signs its certificate; without any, the roots that browsers know.
    pub roots: Vec<CertificateDer<'static>>,
    /// What every schema goes through.
    pub migrations: Migrations,
    /// How many connections the host has for its own work.
    pub connections: usize,
    /// How many connections guests' transactions have together.
    pub guest_connections: usize,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a statement may take, of a tenant or the host.
    pub statement_timeout: Duration,
    /// How long a migration may take.
    pub migration_timeout: Duration,
}

impl PostgresOptions {
    /// A server at this address, with the usual limits.
    pub fn new(address: impl Into<String>, migrations: Migrations) -> Self {
        Self {
            address: address.into(),
            roots: Vec::new(),
            migrations,
            connections: 8,
            guest_connections: 16,
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            migration_timeout: Duration::from_secs(60),
        }
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions").field("statement_timeout", &self.statement_timeout).finish_non_exhaustive()
    }
}

/// The databases of a server.
#[derive(Debug, Clone)]
pub struct PostgresDatabases {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    server: Server,
    pool: Pool,
    options: PostgresOptions,
    secrets: Arc<dyn Secrets>,
    guests: Semaphore,
}

impl PostgresDatabases {
    /// The databases at an address, which is not asked before it is needed. `secrets` opens the tenants' passwords.
    ///
    /// # Errors
    ///
    /// When the address cannot be read.
    pub fn new(options: PostgresOptions, secrets: Arc<dyn Secrets>) -> Result<Self, AddressError> {
        let server = Server::new(&options)?;
        let pool = Pool::new(options.connections);
        let guests = Semaphore::new(options.guest_connections.max(1));
        Ok(Self { inner: Arc::new(Inner { server, pool, options, secrets, guests }) })
    }

    /// Brings the schemas of tenants to the last migration. One that cannot be does not stop the others.
    pub async fn migrate(&self, owner: &TenantName, accounts: &[Account]) -> Vec<Migrated> {
        let mut all = Vec::with_capacity(accounts.len());
        for account in accounts {
            let outcome = self.inner.migrate_account(owner, account).await;
            all.push(Migrated { tenant: account.tenant.clone(), outcome });
        }
        all
    }
}

impl Inner {
    async fn migrate_account(&self, owner: &TenantName, account: &Account) -> Result<u64, Failure> {
        let names = Names::of(&TenantId::parse(&account.tenant)?)?;
        let password = self.open(owner, &account.password)?;
        self.migrate(&names, &password).await
    }

    /// Only what the host sealed itself is a password.
    fn open(&self, owner: &TenantName, handle: &str) -> Result<zeroize::Zeroizing<String>, Failure> {
        self.secrets.open(owner, None, handle).map_err(|error| match error {
            SecretsError::Unavailable(_) => unavailable(format_args!("the password of the role: {error}")),
            SecretsError::NoKey | SecretsError::TooLong { .. } | SecretsError::Unknown => misfit(format_args!("the password of the role: {error}")),
        })
    }
}

impl Sealed for PostgresDatabases {}

#[async_trait]
impl TenantSql for PostgresDatabases {
    async fn transaction(&self, owner: &TenantName, account: &Account, work: Work) -> Result<Vec<Answer>, SqlError> {
        let refused = |failure: Failure| SqlError::Refused(failure.message);
        let names = TenantId::parse(&account.tenant).and_then(|id| Names::of(&id)).map_err(refused)?;
        let password = self.inner.open(owner, &account.password).map_err(refused)?;
        self.inner.transact(&names, &password, &work).await
    }
}
