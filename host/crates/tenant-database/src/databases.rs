//! Databases of tenants of whichever kind the operator chose.

use std::sync::Arc;

use async_trait::async_trait;
use engine::port::Runner;
use pipeline::{Pin, TenantName};

use crate::{
    account::Account,
    migrations::Migrated,
    postgres::{PostgresDatabases, PostgresRunner},
    sql::{Answer, SqlError, TenantSql, Work, sealed::Sealed},
    sqlite::{SqliteDatabases, SqliteRunner},
};

/// Databases of one kind.
#[derive(Debug, Clone)]
pub enum Databases {
    /// A file for each tenant.
    Sqlite(SqliteDatabases),
    /// A schema and a role for each.
    Postgres(PostgresDatabases),
}

impl Databases {
    /// What answers `jackfield:tenant/database`.
    pub fn runner(&self) -> Arc<dyn Runner> {
        match self {
            Self::Sqlite(files) => Arc::new(SqliteRunner(files.clone())),
            Self::Postgres(server) => Arc::new(PostgresRunner(server.clone())),
        }
    }

    /// What the step is bound to.
    pub fn pin(&self) -> Pin {
        match self {
            Self::Sqlite(_) => SqliteRunner::pin(),
            Self::Postgres(_) => PostgresRunner::pin(),
        }
    }

    /// Brings the databases of tenants to the last migration. One that cannot be does not stop the others.
    pub async fn migrate(&self, owner: &TenantName, accounts: &[Account]) -> Vec<Migrated> {
        match self {
            Self::Sqlite(files) => files.migrate(accounts.iter().map(|account| account.tenant.clone())).await,
            Self::Postgres(server) => server.migrate(owner, accounts).await,
        }
    }
}

impl Sealed for Databases {}

#[async_trait]
impl TenantSql for Databases {
    async fn transaction(&self, owner: &TenantName, account: &Account, work: Work) -> Result<Vec<Answer>, SqlError> {
        match self {
            Self::Sqlite(files) => files.transaction(owner, account, work).await,
            Self::Postgres(server) => server.transaction(owner, account, work).await,
        }
    }
}
