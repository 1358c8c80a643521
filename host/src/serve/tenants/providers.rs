//! The providers of tenants inside the host, made as the configuration says.

use std::{collections::HashMap, path::Path, sync::Arc};

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use engine::port::{Call, CallReport, HostInterface, Runner};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use tenant_database::{
    Migrations, PostgresDatabases, PostgresOptions, PostgresRunner, Sql, SqliteDatabases, SqliteOptions, SqliteRunner, TenantOf, TenantSql,
};
use tenants::providers::{
    ACME_PROVIDER, Acme, AcmeBinding, AcmeCertificates, AcmeOrders, AcmeParts, DIRECTORY_PROVIDER, Directory, LOCAL_CA_PROVIDER,
    LOCAL_STORAGE_PROVIDER, LOCAL_ZONE_PROVIDER, LocalCa, LocalCertificateOrder, LocalCertificates, LocalStorage, LocalZone, MAILDIR_PROVIDER,
    Maildir, SMTP_PROVIDER, Smtp, SmtpLogin,
};

use super::Outside;
use zeroize::Zeroizing;

use crate::config::{self, Config, Tenants};

/// The providers.
#[derive(Debug)]
pub(super) struct Providers {
    pub(super) directory: Directory,
    pub(super) zone: LocalZone,
    storage: LocalStorage,
    authority: LocalCa,
    acme: Option<Acme>,
    mail: Maildir,
    smtp: Option<Smtp>,
    files: SqliteDatabases,
    postgres: Option<PostgresDatabases>,
}

/// Two contracts of one provider.
#[derive(Debug)]
struct Certificates {
    orders: Arc<dyn Runner>,
    certificates: Arc<dyn Runner>,
}

#[async_trait]
impl Runner for Certificates {
    async fn call(&self, call: Call) -> CallReport {
        let orders = call.pin.contract.starts_with("jackfield:tenant/certificate-order@");
        if orders { self.orders.call(call).await } else { self.certificates.call(call).await }
    }
}

/// Who this host is to a server.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    name: String,
    password: String,
}

/// An account elsewhere.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Binding {
    id: String,
    key: String,
}

impl Providers {
    /// The providers of a configuration. Servers are not asked before they are needed.
    pub(super) fn open(config: &Config, settings: &Tenants, directory: &Path, outside: &Outside) -> anyhow::Result<Self> {
        let Outside { store, secrets, clock, service, key: _ } = outside;
        let folder = settings.providers.folder.clone().unwrap_or_else(|| config.data_directory().join("tenants"));
        let from = settings.providers.from.clone().unwrap_or_else(|| format!("noreply@{}", settings.options.zone));
        let zone = LocalZone::new(store.clone(), clock.clone());
        let database = &settings.providers.database;
        let migrations = database.migrations.as_deref().map(Migrations::read).transpose().context("database.migrations")?.unwrap_or_default();
        let files = SqliteDatabases::open(SqliteOptions::new(folder.join("databases"), migrations.clone()));
        let postgres = database.postgres.as_deref().map(|reference| {
            let address = config::secret_text("tenants.database.postgres", reference, directory)?;
            let mut options = PostgresOptions::new(address, migrations.clone());
            if let Some(roots) = &database.roots {
                let named = || format!("database.roots: {}", roots.display());
                let pem = std::fs::read(roots).with_context(named)?;
                options.roots = CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().with_context(named)?;
            }
            PostgresDatabases::new(options, secrets.clone()).context("database.postgres")
        });
        let parts = AcmeParts { documents: store.clone(), secrets: secrets.clone(), owner: service.clone(), clock: clock.clone() };
        let acme = settings.providers.acme.as_ref().map(|acme| {
            let (acme, binding) = apart::<Binding>(acme, "binding", directory).context("acme")?;
            let binding = binding.map(|Binding { id, key }| {
                let text = config::secret_text("tenants.acme.binding.key", &key, directory)?;
                let key = URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('=')).context("tenants.acme.binding.key")?;
                anyhow::Ok(AcmeBinding { id, key: Zeroizing::new(key) })
            });
            Acme::new(read(acme, "acme")?, binding.transpose()?, parts).map_err(|error| anyhow!("acme: {error}"))
        });
        let smtp = settings.providers.smtp.as_ref().map(|smtp| {
            let (smtp, login) = apart::<Login>(smtp, "login", directory).context("smtp")?;
            let login = login.map(|Login { name, password }| {
                let password = config::secret_text("tenants.smtp.login.password", &password, directory)?;
                anyhow::Ok(SmtpLogin { name, password: password.into() })
            });
            Smtp::new(&read(smtp, "smtp")?, login.transpose()?, store.clone(), clock.clone()).map_err(|error| anyhow!("smtp: {error}"))
        });
        Ok(Self {
            directory: Directory::new(store.clone(), clock.clone()),
            storage: LocalStorage::new(folder.join("storage")),
            authority: LocalCa::open(&folder.join("authority"), zone.clone(), store.clone(), clock.clone())?,
            zone,
            acme: acme.transpose()?,
            mail: Maildir::new(folder.join("mail"), &from, clock.clone()).map_err(|error| anyhow!("from: {error}"))?,
            smtp: smtp.transpose()?,
            files: files.with_context(|| format!("folder: {}", folder.display()))?,
            postgres: postgres.transpose()?,
        })
    }

    /// Who answers, by name.
    pub(super) fn runners(&self) -> HashMap<String, Arc<dyn Runner>> {
        let Self { directory, zone, storage, authority, acme, mail, smtp, files, postgres } = self;
        let mut runners: Vec<(String, Arc<dyn Runner>)> = vec![
            (DIRECTORY_PROVIDER.to_owned(), Arc::new(directory.clone())),
            (LOCAL_ZONE_PROVIDER.to_owned(), Arc::new(zone.clone())),
            (LOCAL_STORAGE_PROVIDER.to_owned(), Arc::new(storage.clone())),
            (LOCAL_CA_PROVIDER.to_owned(), both(LocalCertificateOrder(authority.clone()), LocalCertificates(authority.clone()))),
            (MAILDIR_PROVIDER.to_owned(), Arc::new(mail.clone())),
            (SqliteRunner::pin().provider.name().to_owned(), Arc::new(SqliteRunner(files.clone()))),
        ];
        runners.extend(acme.clone().map(|acme| (ACME_PROVIDER.to_owned(), both(AcmeOrders(acme.clone()), AcmeCertificates(acme)))));
        runners.extend(smtp.clone().map(|smtp| (SMTP_PROVIDER.to_owned(), Arc::new(smtp) as Arc<dyn Runner>)));
        let postgres = postgres.clone().map(|postgres| Arc::new(PostgresRunner(postgres)) as Arc<dyn Runner>);
        runners.extend(postgres.map(|postgres| (PostgresRunner::pin().provider.name().to_owned(), postgres)));
        runners.into_iter().collect()
    }

    /// The interface through which plugins fill databases: over PostgreSQL where there is one.
    pub(super) fn sql(&self, tenants: Arc<dyn TenantOf>) -> Arc<dyn HostInterface> {
        let databases: Arc<dyn TenantSql> = match &self.postgres {
            Some(postgres) => Arc::new(postgres.clone()),
            None => Arc::new(self.files.clone()),
        };
        Arc::new(Sql::new(databases, tenants))
    }
}

fn both(orders: impl Runner + 'static, certificates: impl Runner + 'static) -> Arc<dyn Runner> {
    Arc::new(Certificates { orders: Arc::new(orders), certificates: Arc::new(certificates) })
}

/// Settings with the file of `roots` read, and apart from them what has a secret.
fn apart<T: DeserializeOwned>(settings: &Map<String, Value>, secret: &str, directory: &Path) -> anyhow::Result<(Map<String, Value>, Option<T>)> {
    let mut settings = settings.clone();
    let apart = settings.remove(secret).map(serde_json::from_value).transpose().with_context(|| secret.to_owned())?;
    if let Some(Value::String(file)) = settings.get_mut("roots") {
        let path = directory.join(&*file);
        *file = std::fs::read_to_string(&path).with_context(|| format!("roots: {}", path.display()))?;
    }
    Ok((settings, apart))
}

fn read<T: DeserializeOwned>(settings: Map<String, Value>, key: &str) -> anyhow::Result<T> {
    serde_json::from_value(Value::Object(settings)).map_err(|error| anyhow!("{key}: {}", config::with_nearest(&error.to_string())))
}
