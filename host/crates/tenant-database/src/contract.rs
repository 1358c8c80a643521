//! The contract `jackfield:tenant/database`, which the host answers itself: a database of its own for each tenant. Kebab-case names in its JSON form.

use pipeline::{Failure, Pin, Provider, Verbs};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::failure::misfit;

/// The contract with the version that this host speaks.
pub const CONTRACT: &str = "jackfield:tenant/database@1.0.0";

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DatabaseRequest {
    /// The tenant's id: 1 to 64 characters of `[a-z0-9_-]`. Schema and role, or the file, are named after it.
    pub tenant: String,
    /// The password of the role, sealed by the host. Asked for again with another, the role has that one.
    pub password: String,
}

/// What is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DatabaseReceipt {
    /// `postgresql` or `sqlite`.
    pub system: String,
    /// The tenant's id.
    pub tenant: String,
    /// The database, or the file's name within its folder.
    pub database: String,
    /// The schema.
    pub schema: String,
    /// The role; empty where there are none.
    pub role: String,
    /// The version of the last migration.
    pub migrations: u64,
    /// Where it is: host and port. Empty for a file.
    pub address: String,
}

/// What the step is bound to when a provider of this crate answers.
pub(crate) fn pin(provider: &str) -> Pin {
    Pin {
        provider: Provider::Native { name: provider.to_owned() },
        contract: CONTRACT.to_owned(),
        verbs: Verbs { observe: true, resume: false, undo: true },
        idempotent: true,
    }
}

/// A request or a receipt from its JSON form.
pub(crate) fn read<T: DeserializeOwned>(value: &Value, what: &str) -> Result<T, Failure> {
    Deserialize::deserialize(value).map_err(|error| misfit(format_args!("the {what} does not fit: {error}")))
}
