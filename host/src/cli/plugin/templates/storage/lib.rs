//! The `storage` contract over a REST interface at the logical endpoint `storage`.
//!
//! | request | meaning |
//! |---|---|
//! | `PUT /buckets/{name}` | makes a bucket; a repetition by its owner changes nothing, 409 if it is another's |
//! | `GET /buckets/{name}` | the bucket, or 404 |
//! | `DELETE /buckets/{name}` | removes it with everything in it; 404 if it is gone |
//!
//! A bucket is `{"owner", "region", "labels"}`. Make this the interface of your storage.

use std::collections::BTreeMap;

use jackfield_plugin_sdk::{
    Call, Capabilities, Contract, Endpoint, Failure, Manifest, Observed, Outcome, Storage, Verb,
    http::{self, Request},
    storage,
};
use serde::{Deserialize, Serialize};

const MANIFEST: Manifest = Manifest {
    name: "plugin-name",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "",
    contracts: &[Contract { name: "storage", verbs: &[Verb::Apply, Verb::Observe, Verb::Undo], idempotent: true }],
    capabilities: Capabilities { http: &[Endpoint::new("storage", "makes buckets, looks at them and removes them")], ..Capabilities::NONE },
    failure_codes: &[STORAGE_FAILED, FOREIGN_BUCKET],
    ..Manifest::EMPTY
};

/// The storage refused the bucket.
const STORAGE_FAILED: &str = "storage_failed";
/// The bucket to remove is another's.
const FOREIGN_BUCKET: &str = "foreign_bucket";

/// The plugin.
#[derive(Debug)]
pub struct Plugin;

#[derive(Debug, Serialize, Deserialize)]
struct Bucket {
    owner: String,
    region: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

impl Storage for Plugin {
    fn apply(_: &Call, request: storage::Request) -> Result<storage::Outcome, Failure> {
        let answer = Request::put(url(&request.bucket)).json(&wanted(&request)).send()?.require_success(STORAGE_FAILED)?;
        Ok(Outcome::Done(receipt(request.bucket, answer.json()?)))
    }

    fn observe(_: &Call, request: storage::Request) -> Result<storage::Observed, Failure> {
        let Some(found) = find(&request.bucket)? else { return Ok(Observed::Absent) };
        if found.owner != request.tenant.id {
            return Ok(Observed::Foreign(format!("the owner of the bucket is {:?}", found.owner)));
        }
        let as_wanted = found.labels == wanted(&request).labels;
        let receipt = receipt(request.bucket, found);
        Ok(if as_wanted { Observed::Ours(receipt) } else { Observed::Drifted(receipt) })
    }

    fn undo(_: &Call, receipt: storage::Receipt) -> Result<storage::Outcome, Failure> {
        let Some(found) = find(&receipt.bucket)? else { return Ok(Outcome::Undone) };
        // What became somebody else's meanwhile stays theirs.
        if found.owner != receipt.owner {
            return Err(Failure::rejected(
                FOREIGN_BUCKET,
                format!("the owner of {} is {:?}; expected {:?}", receipt.bucket, found.owner, receipt.owner),
            ));
        }
        let answer = Request::delete(url(&receipt.bucket)).send()?;
        if answer.status() != 404 {
            answer.require_success(STORAGE_FAILED)?;
        }
        Ok(Outcome::Undone)
    }
}

fn url(bucket: &str) -> String {
    format!("http://storage/buckets/{}", http::encode(bucket))
}

fn find(bucket: &str) -> Result<Option<Bucket>, Failure> {
    let answer = Request::get(url(bucket)).send()?;
    if answer.status() == 404 {
        return Ok(None);
    }
    Ok(Some(answer.require_success(STORAGE_FAILED)?.json()?))
}

fn wanted(request: &storage::Request) -> Bucket {
    let labels = request.labels.iter().map(|label| (label.name.clone(), label.value.clone())).collect();
    Bucket { owner: request.tenant.id.clone(), region: request.tenant.region.clone(), labels }
}

fn receipt(bucket: String, found: Bucket) -> storage::Receipt {
    storage::Receipt { bucket, region: found.region, provider: "plugin-name".into(), owner: found.owner }
}

jackfield_plugin_sdk::export!(Plugin: storage; MANIFEST);

#[cfg(test)]
mod tests {
    use jackfield_plugin_sdk::{
        Characteristic,
        tenant::Tenant,
        testing::{self, Http, Reply},
    };

    use super::*;

    const URL: &str = "http://storage/buckets/tenant-acme";
    const OURS: &str = r#"{"owner": "t-1", "region": "eu", "labels": {"cost-centre": "4711"}}"#;
    const THEIRS: &str = r#"{"owner": "t-2", "region": "eu"}"#;

    fn request() -> storage::Request {
        let tenant = Tenant { id: "t-1".into(), slug: "acme".into(), plan: "standard".into(), region: "eu".into() };
        storage::Request { tenant, bucket: "tenant-acme".into(), labels: vec![Characteristic::new("cost-centre", "4711")] }
    }

    fn ours() -> storage::Receipt {
        receipt("tenant-acme".into(), serde_json::from_str(OURS).unwrap())
    }

    #[test]
    fn a_bucket_is_made_for_its_owner() {
        Http::on("PUT", URL, Reply::json(201, OURS));
        assert_eq!(Plugin::apply(&testing::call("key"), request()), Ok(Outcome::Done(ours())));
        assert_eq!(Http::sent()[0].json(), serde_json::from_str::<serde_json::Value>(OURS).unwrap());
        Http::on("PUT", URL, Reply::status(409));
        testing::begin_call();
        assert!(matches!(Plugin::apply(&testing::call("key"), request()), Err(Failure::Rejected(_))));
    }

    #[test]
    fn observe_tells_whose_it_is() {
        let check = |reply: Reply, expected: storage::Observed| {
            Http::on("GET", URL, reply);
            assert_eq!(Plugin::observe(&testing::call("key"), request()), Ok(expected));
        };
        check(Reply::status(404), Observed::Absent);
        check(Reply::json(200, OURS), Observed::Ours(ours()));
        check(Reply::json(200, r#"{"owner": "t-1", "region": "eu"}"#), Observed::Drifted(ours()));
        check(Reply::json(200, THEIRS), Observed::Foreign("the owner of the bucket is \"t-2\"".into()));
    }

    #[test]
    fn undo_removes_what_is_ours_and_runs_twice() {
        for status in [204, 404] {
            Http::on("GET", URL, Reply::json(200, OURS));
            Http::on("DELETE", URL, Reply::status(status));
            assert_eq!(Plugin::undo(&testing::call("undo"), ours()), Ok(Outcome::Undone));
        }
        Http::on("GET", URL, Reply::status(404));
        assert_eq!(Plugin::undo(&testing::call("undo"), ours()), Ok(Outcome::Undone));
        Http::on("GET", URL, Reply::json(200, THEIRS));
        assert!(matches!(Plugin::undo(&testing::call("undo"), ours()), Err(Failure::Rejected(_))));
    }
}
