//! `[tenants]`: tenants of a service, whom the host makes databases, addresses and certificates for. There are none without this table.
//!
//! ```toml
//! [tenants]
//! zone = "app.example.com"
//! target = ["192.0.2.1"]
//!
//! [tenants.plans.basic]
//! regions = ["eu"]
//!
//! [tenants.database]
//! postgres = "env:TENANTS_DATABASE"
//! migrations = "migrations"
//!
//! [tenants.acme]
//! directory = "https://acme-v02.api.letsencrypt.org/directory"
//!
//! [tenants.smtp]
//! host = "mail.example.com"
//! from = "Example <hello@example.com>"
//! login = { name = "hello", password = "env:SMTP_PASSWORD" }
//! ```

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

/// The keys that are the host's and not the pipeline's.
const OWN: [&str; 5] = ["folder", "from", "database", "acme", "smtp"];

/// Tenants of a service.
#[derive(Debug, Clone)]
pub(crate) struct Tenants {
    /// The pipeline.
    pub(crate) options: tenants::Options,
    /// Who makes what tenants have.
    pub(crate) providers: Providers,
}

/// The providers inside the host.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Providers {
    /// Where the embedded providers keep files. Default: `tenants` beside the store.
    pub(crate) folder: Option<PathBuf>,
    /// Who sends messages that are kept as files. Default: `noreply@` and the zone.
    pub(crate) from: Option<String>,
    /// The databases of tenants.
    pub(crate) database: Database,
    /// A certificate authority that speaks ACME, as [`tenants::providers::AcmeOptions`] has it; `roots` is a file, and `binding = { id, key }` an account
    /// elsewhere, whose key is a reference to base64url. Default none: the host has an authority of its own, for development.
    pub(crate) acme: Option<Map<String, Value>>,
    /// A mail server, as [`tenants::providers::SmtpOptions`] has it; `roots` is a file, and `login = { name, password }` has a reference to the password.
    /// Default none: messages are kept as files.
    pub(crate) smtp: Option<Map<String, Value>>,
}

/// The databases of tenants.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Database {
    /// Where PostgreSQL is, and who the host is there: a reference (`env:NAME` or `file:PATH`) to `postgres://user:password@host/database`. Default none:
    /// each tenant has a file of SQLite.
    pub(crate) postgres: Option<String>,
    /// The authorities of the server's certificate in PEM. Default: those that browsers know.
    pub(crate) roots: Option<PathBuf>,
    /// The folder of the migrations that every database goes through: files `NNNN_name.sql`. Default none.
    pub(crate) migrations: Option<PathBuf>,
}

impl<'de> Deserialize<'de> for Tenants {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut options: Map<String, Value> = Map::deserialize(deserializer)?;
        let own: Map<String, Value> = OWN.iter().filter_map(|key| options.remove(*key).map(|value| ((*key).to_owned(), value))).collect();
        let providers = Providers::deserialize(Value::Object(own)).map_err(D::Error::custom)?;
        let options = tenants::Options::deserialize(Value::Object(options)).map_err(D::Error::custom)?;
        Ok(Self { options, providers })
    }
}

impl Tenants {
    /// Makes paths absolute.
    pub(super) fn anchor(&mut self, directory: &Path) {
        let Providers { folder, database, .. } = &mut self.providers;
        for path in [folder, &mut database.roots, &mut database.migrations].into_iter().flatten() {
            *path = directory.join(&*path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_pipeline_and_of_the_providers_stand_in_one_table() {
        let text = "zone = \"app.example.com\"\ntarget = [\"192.0.2.1\"]\n[plans.basic]\nregions = [\"eu\"]\n[database]\nmigrations = \"m\"\n[smtp]\nhost = \"mail\"";
        let mut found: Tenants = toml::from_str(text).unwrap();
        found.anchor(Path::new("/etc/jackfield"));
        assert_eq!(found.options.zone, "app.example.com");
        assert_eq!(found.providers.database.migrations, Some(PathBuf::from("/etc/jackfield/m")));
        assert_eq!(found.providers.smtp.unwrap()["host"], "mail");
        for (wrong, expected) in [("zones = 1", "unknown field `zones`"), ("[database]\nsqlite = true", "unknown field `sqlite`")] {
            let error = toml::from_str::<Tenants>(wrong).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
