//! A file of SQLite for each tenant: what a host without a database server has.
//!
//! A new file is a copy of a template that has gone through all migrations; it appears under its name when it is complete and on the disk, or never.

mod bookkeeping;
mod files;
mod look;
mod make;
mod migrate;
mod runner;
mod transact;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::Duration,
};

use async_trait::async_trait;
use pipeline::{Failure, TenantName};
use tokio::{sync::Semaphore, task::spawn_blocking};

pub use self::runner::SqliteRunner;
use crate::{
    account::Account,
    contract::DatabaseReceipt,
    failure::unavailable,
    migrations::{Migrated, Migrations},
    names::TenantId,
    sql::{Answer, SqlError, TenantSql, Work, sealed::Sealed},
};

/// How many files are worked on at once.
const AT_ONCE: usize = 16;

/// How the files are kept.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The folder of the files; it is made if it is not there.
    pub folder: PathBuf,
    /// What every file goes through.
    pub migrations: Migrations,
    /// How long a guest's transaction may take.
    pub statement_timeout: Duration,
    /// How large a file may become, in bytes.
    pub max_bytes: u64,
}

impl SqliteOptions {
    /// Files in this folder, with 10 seconds for a transaction and a gibibyte for a file.
    pub fn new(folder: impl Into<PathBuf>, migrations: Migrations) -> Self {
        Self { folder: folder.into(), migrations, statement_timeout: Duration::from_secs(10), max_bytes: 1 << 30 }
    }
}

/// The files.
#[derive(Debug, Clone)]
pub struct SqliteDatabases {
    inner: Arc<Inner>,
    at_once: Arc<Semaphore>,
}

#[derive(Debug)]
struct Inner {
    options: SqliteOptions,
    /// A file that has gone through all migrations, once it was needed.
    template: Mutex<Option<Arc<[u8]>>>,
    /// Tells the names of files that are being written.
    written: AtomicU64,
}

impl SqliteDatabases {
    /// The files of a folder. What a process that was killed left half written there is removed.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made or read.
    pub fn open(options: SqliteOptions) -> std::io::Result<Self> {
        files::prepare(&options.folder)?;
        let inner = Inner { options, template: Mutex::default(), written: AtomicU64::default() };
        Ok(Self { inner: Arc::new(inner), at_once: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Brings the databases of tenants to the last migration. One that cannot be does not stop the others.
    pub async fn migrate(&self, tenants: impl IntoIterator<Item = String>) -> Vec<Migrated> {
        let mut all = Vec::new();
        for tenant in tenants {
            let outcome = match TenantId::parse(&tenant) {
                Ok(id) => self.blocking(move |inner| inner.migrate(&id)).await,
                Err(failure) => Err(failure),
            };
            all.push(Migrated { tenant, outcome });
        }
        all
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Inner) -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
        self.on_thread(work).await.map_err(unavailable)?
    }

    /// Work that began is finished, even when nobody waits for it any more.
    async fn on_thread<T: Send + 'static>(&self, work: impl FnOnce(&Inner) -> T + Send + 'static) -> Result<T, String> {
        let permit = Arc::clone(&self.at_once).acquire_owned().await.map_err(|error| error.to_string())?;
        let inner = Arc::clone(&self.inner);
        let done = spawn_blocking(move || {
            let done = work(&inner);
            drop(permit);
            done
        });
        done.await.map_err(|error| error.to_string())
    }
}

impl Sealed for SqliteDatabases {}

#[async_trait]
impl TenantSql for SqliteDatabases {
    async fn transaction(&self, _owner: &TenantName, account: &Account, work: Work) -> Result<Vec<Answer>, SqlError> {
        let id = TenantId::parse(&account.tenant).map_err(|failure| SqlError::Refused(failure.message))?;
        self.on_thread(move |inner| inner.transact(&id, &work)).await.map_err(SqlError::Unavailable)?
    }
}

impl Inner {
    fn path(&self, tenant: &TenantId) -> PathBuf {
        self.options.folder.join(file_name(tenant))
    }

    fn receipt(&self, tenant: &TenantId, migrations: u64) -> DatabaseReceipt {
        DatabaseReceipt {
            system: "sqlite".to_owned(),
            tenant: tenant.as_str().to_owned(),
            database: file_name(tenant),
            schema: "main".to_owned(),
            role: String::new(),
            migrations,
            address: String::new(),
        }
    }
}

fn file_name(tenant: &TenantId) -> String {
    format!("{tenant}.db")
}

/// What SQLite says about a tenant's file, without its path.
fn broken(tenant: &TenantId, error: &rusqlite::Error) -> Failure {
    unavailable(format_args!("the database of tenant {tenant}: {error}"))
}

fn disk(tenant: &TenantId, error: &std::io::Error) -> Failure {
    unavailable(format_args!("the file of tenant {tenant}: {error}"))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
