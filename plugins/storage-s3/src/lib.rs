//! The `storage` contract over S3, at the logical endpoint `storage`: a bucket for each tenant, by path (`http://storage/{bucket}`).
//!
//! The host signs: the plugin sends requests without a signature and never holds a key. What an operator grants:
//!
//! ```toml
//! [plugins.storage-s3.grant.http.storage]
//! url = "https://s3.eu-central-1.amazonaws.com"
//! methods = ["GET", "PUT", "POST", "DELETE"]
//! auth = { sigv4 = { access_key = "env:S3_ID", secret_key = "env:S3_KEY", region = "eu-central-1", service = "s3" } }
//! ```
//!
//! A bucket is the tenant's if its tag `owner` is the tenant's id. `apply` makes the bucket, writes the owner on it first, then the labels as tags,
//! blocks public access, sets encryption (SSE-S3) and ends uploads that nobody finishes after some days; versions are kept if the setting says so.
//! What is there already is left as it is, so a repetition changes nothing.
//!
//! | what is there | `observe` | `apply` | `undo` |
//! |---|---|---|---|
//! | no bucket | absent | makes it | is undone |
//! | one with this owner | ours; drifted if a tag or setting is missing | adds what is missing | removes it with all it holds |
//! | one without any tag, and empty: half made | drifted | goes on with it | removes it |
//! | one without owner, with something in it or other tags | foreign | `bucket_taken` | `foreign_bucket` |
//! | one of another owner, in this account or another | foreign | `bucket_taken` | `foreign_bucket` |
//!
//! `undo` removes versions, delete markers and unfinished uploads by pages, some thousand objects in a call, and answers `pending` while there are
//! more. If a call of `apply` fails for good after it made the bucket, it removes it again.
//!
//! Vendors differ. What they answer with `NotImplemented` is left out if `optional_features` names it. Where `tags` is named and not to be had
//! (Garage), the object `.jackfield-owner` says whose the bucket is, and labels are not kept.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod bucket;
mod feature;
mod owner;
mod problem;
mod removal;
mod s3;
mod settings;
#[cfg(test)]
mod tests;
mod xml;

use jackfield_plugin_sdk::{Call, Capabilities, Contract, Endpoint, Failure, Manifest, Setting, Signal, Storage, Verb, storage};

use settings::Settings;

const MANIFEST: Manifest = Manifest {
    name: "storage-s3",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract { name: "storage", verbs: &[Verb::Apply, Verb::Resume, Verb::Observe, Verb::Undo], idempotent: true }],
    capabilities: Capabilities {
        http: &[Endpoint::new("storage", "makes buckets for tenants, looks at them and removes them with what is in them (S3)")],
        config: &[
            Setting::new("region", "the region of the endpoint, as in the grant; us-east-1 unless set")
                .schema(r#"{"type": "string", "minLength": 1}"#),
            Setting::new("tenant_regions", "the regions of tenants that this endpoint serves; all unless set")
                .schema(r#"{"type": "array", "items": {"type": "string"}, "minItems": 1}"#),
            Setting::new("provider", "the vendor's name for receipts; s3 unless set").schema(r#"{"type": "string", "minLength": 1}"#),
            Setting::new("account", "the account at AWS that owns the buckets: a bucket of another is not touched")
                .schema(r#"{"type": "string", "pattern": "^[0-9]{12}$"}"#),
            Setting::new("single_account", "true if the vendor calls our own bucket BucketAlreadyExists, as one without accounts does")
                .schema(r#"{"type": "boolean"}"#),
            Setting::new("versioning", "true keeps earlier versions of objects").schema(r#"{"type": "boolean"}"#),
            Setting::new("abort_uploads_days", "days after which an unfinished upload is ended; 7 unless set")
                .schema(r#"{"type": "integer", "minimum": 1, "maximum": 365}"#),
            Setting::new("optional_features", "what the vendor need not implement")
                .schema(r#"{"type": "array", "items": {"enum": ["tags", "public-access-block", "encryption", "lifecycle", "versioning"]}}"#),
            Setting::new("removal_give_up_ms", "milliseconds after which the removal of a bucket has failed; 86400000 unless set")
                .schema(r#"{"type": "integer", "minimum": 1}"#),
        ],
        ..Capabilities::NONE
    },
    failure_codes: &[
        BUCKET_TAKEN,
        FOREIGN_BUCKET,
        NOT_AUTHORISED,
        NOT_SUPPORTED,
        BAD_REGION,
        BAD_REQUEST,
        BAD_CONFIG,
        BAD_CHECKPOINT,
        NOT_EMPTY,
        QUOTA,
        FAILED,
    ],
    ..Manifest::EMPTY
};

/// Failure code: a bucket of this name is somebody else's.
const BUCKET_TAKEN: &str = "bucket_taken";
/// Failure code: the bucket to remove is not the tenant's.
const FOREIGN_BUCKET: &str = "foreign_bucket";
/// Failure code: the key or its rights do not suffice.
const NOT_AUTHORISED: &str = "not_authorised";
/// Failure code: the vendor does not implement something that is not optional.
const NOT_SUPPORTED: &str = "not_supported";
/// Failure code: the endpoint serves another region.
const BAD_REGION: &str = "bad_region";
/// Failure code: the name of the bucket or a label cannot be used.
const BAD_REQUEST: &str = "bad_request";
/// Failure code: a setting is not as described.
const BAD_CONFIG: &str = "bad_config";
/// Failure code: a checkpoint that this plugin did not write.
const BAD_CHECKPOINT: &str = "bad_checkpoint";
/// Failure code: the time is up and the bucket still holds something.
const NOT_EMPTY: &str = "not_empty";
/// Failure code: the account may have no more buckets.
const QUOTA: &str = "quota";
/// Failure code: anything else that the vendor refused or could not do.
const FAILED: &str = "storage_failed";

/// The plugin.
#[derive(Debug)]
pub struct S3;

impl Storage for S3 {
    fn apply(_: &Call, request: storage::Request) -> Result<storage::Outcome, Failure> {
        bucket::make(&request, &Settings::read()?)
    }

    fn resume(_: &Call, checkpoint: String, signal: Signal) -> Result<storage::Outcome, Failure> {
        let receipt = removal::read(&checkpoint)?;
        removal::remove(&receipt, &Settings::read()?, matches!(signal, Signal::Cancel))
    }

    fn observe(_: &Call, request: storage::Request) -> Result<storage::Observed, Failure> {
        bucket::look(&request, &Settings::read()?)
    }

    fn undo(_: &Call, receipt: storage::Receipt) -> Result<storage::Outcome, Failure> {
        removal::remove(&receipt, &Settings::read()?, false)
    }
}

jackfield_plugin_sdk::export!(S3: storage; MANIFEST);
