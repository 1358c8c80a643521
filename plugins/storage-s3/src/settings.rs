//! The settings of the plugin, with their defaults.

use jackfield_plugin_sdk::{Failure, config};
use serde::{Deserialize, de::DeserializeOwned};

use crate::BAD_CONFIG;

/// The region whose name no request may give.
const UNNAMED: &str = "us-east-1";

/// The settings.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The vendor's region.
    pub(crate) region: String,
    /// The regions of tenants that are served; all if there is no list.
    pub(crate) tenant_regions: Option<Vec<String>>,
    /// The vendor's name for receipts.
    pub(crate) provider: String,
    /// The account that must own the buckets.
    pub(crate) account: Option<String>,
    /// Whether nobody else has buckets there.
    pub(crate) single_account: bool,
    /// Whether earlier versions are kept.
    pub(crate) versioning: bool,
    /// Days. A week: nobody continues an upload after a holiday, and the parts cost money.
    pub(crate) abort_uploads_days: u16,
    /// What the vendor need not implement.
    pub(crate) optional: Vec<Optional>,
    /// Milliseconds. A day: a bucket with millions of objects takes hours.
    pub(crate) removal_give_up_ms: u64,
}

/// What a vendor may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Optional {
    Tags,
    PublicAccessBlock,
    Encryption,
    Lifecycle,
    Versioning,
}

impl Settings {
    /// Reads them.
    pub(crate) fn read() -> Result<Self, Failure> {
        let days = json("abort_uploads_days")?.unwrap_or(7);
        if !(1..=365).contains(&days) {
            return Err(Failure::rejected(BAD_CONFIG, format!("the setting abort_uploads_days is {days}; expected 1 to 365")));
        }
        Ok(Self {
            region: config::get("region").unwrap_or_else(|| UNNAMED.into()),
            tenant_regions: json("tenant_regions")?,
            provider: config::get("provider").unwrap_or_else(|| "s3".into()),
            account: config::get("account"),
            single_account: json("single_account")?.unwrap_or(false),
            versioning: json("versioning")?.unwrap_or(false),
            abort_uploads_days: days,
            optional: json("optional_features")?.unwrap_or_default(),
            removal_give_up_ms: json("removal_give_up_ms")?.unwrap_or(86_400_000),
        })
    }

    /// The region as a request that makes a bucket must name it.
    pub(crate) fn location(&self) -> Option<&str> {
        (self.region != UNNAMED).then_some(self.region.as_str())
    }

    /// Whether the vendor need not implement it.
    pub(crate) fn is_optional(&self, feature: Optional) -> bool {
        self.optional.contains(&feature)
    }
}

fn json<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Failure> {
    if config::get(key).is_none() {
        return Ok(None);
    }
    config::json(key, BAD_CONFIG).map(Some)
}
