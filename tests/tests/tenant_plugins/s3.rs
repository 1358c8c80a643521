//! `storage-s3`: against a server that checks signatures and policies; the host signs.

use std::collections::BTreeMap;

use engine::port::{Answer, Observed, Signal, Verb};
use pipeline::FailureClass;
use plugin_runtime::{Auth, Grant, HttpRule, Secret};
use serde_json::{Value, json};
use servers::{AccessKey, Moto};

use crate::{Loaded, grant, tenant, writable};

const BUCKET: &str = "t-1-files";

/// A server whose user may do everything with buckets of tenants, and nothing else.
fn started() -> Moto {
    let statement = json!({ "Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::t-*", "arn:aws:s3:::t-*/*"] });
    Moto::start_with(json!({ "Version": "2012-10-17", "Statement": [statement] })).unwrap()
}

fn granted(server: &Moto, key: &AccessKey) -> Grant {
    let auth = Auth::Sigv4 {
        access_key: Secret::new(&key.id),
        secret_key: Secret::new(&key.secret),
        session_token: None,
        region: "us-east-1".to_owned(),
        service: "s3".to_owned(),
    };
    grant("storage", HttpRule { auth: Some(auth), ..writable(&server.endpoint()) }, &[("versioning", "true"), ("provider", "moto")])
}

fn request(bucket: &str) -> Value {
    json!({ "tenant": tenant(), "bucket": bucket, "labels": [{ "name": "cost-centre", "value": "4711 & <more>" }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_made_as_it_should_be_and_removed_with_all_versions() {
    let server = started();
    let storage = Loaded::new("storage-s3", &granted(&server, server.key())).await;
    assert_eq!(storage.answer(Verb::Observe, &request(BUCKET)).await, Answer::Observed(Observed::Absent));
    let receipt = storage.receipt(&request(BUCKET)).await;
    assert_eq!(receipt, json!({ "bucket": BUCKET, "region": "us-east-1", "provider": "moto", "owner": "t-1" }));
    let made = server.audit(LOOK).unwrap();
    let tags: BTreeMap<String, String> = serde_json::from_value(made["tags"].clone()).unwrap();
    assert_eq!(tags, [("cost-centre", "4711 & <more>"), ("owner", "t-1")].map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    assert_eq!((&made["versioning"], &made["encryption"], &made["abort_days"]), (&json!("Enabled"), &json!("AES256"), &json!(7)));
    assert_eq!(made["public"], json!([true, true, true, true]));
    assert_eq!(storage.receipt(&request(BUCKET)).await, receipt);
    assert_eq!(storage.answer(Verb::Observe, &request(BUCKET)).await, Answer::Observed(Observed::Ours(receipt.clone())));

    server.audit(FILL).unwrap();
    storage.undo(&receipt).await;
    assert!(server.buckets().unwrap().is_empty());
    storage.undo(&receipt).await;
    assert_eq!(storage.answer(Verb::Observe, &request(BUCKET)).await, Answer::Observed(Observed::Absent));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_takes_long_goes_on_where_it_was() {
    let server = started();
    let storage = Loaded::new("storage-s3", &granted(&server, server.key())).await;
    let receipt = storage.receipt(&request(BUCKET)).await;
    server.audit("for at in range(45): s3.create_multipart_upload(Bucket='t-1-files', Key=f'half/{at}')").unwrap();
    let mut answer = storage.answer(Verb::Undo { receipt: receipt.into() }, &Value::Null).await;
    let mut pended = 0;
    while let Answer::Pending(pending) = answer {
        pended += 1;
        assert!(pended < 10, "{pending:?}");
        answer = storage.answer(Verb::Resume { checkpoint: pending.checkpoint, signal: Signal::Timer }, &Value::Null).await;
    }
    assert_eq!(answer, Answer::Undone);
    assert!(pended > 0 && server.buckets().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_and_a_bucket_beyond_the_policy_are_refused() {
    let server = started();
    let stranger = AccessKey { id: server.key().id.clone(), secret: "wrong".to_owned() };
    let storage = Loaded::new("storage-s3", &granted(&server, &stranger)).await;
    let (class, code, message) = storage.failure(Verb::Apply, &request(BUCKET)).await;
    assert_eq!((class, code.as_str()), (FailureClass::Rejected, "not_authorised"), "{message}");
    let storage = Loaded::new("storage-s3", &granted(&server, server.key())).await;
    let (class, code, message) = storage.failure(Verb::Apply, &request("accounting")).await;
    assert_eq!((class, code.as_str()), (FailureClass::Rejected, "not_authorised"), "{message}");
    assert!(!message.contains(&server.key().secret), "{message}");
    assert!(server.buckets().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bucket_of_another_tenant_is_neither_taken_nor_removed() {
    let server = started();
    let storage = Loaded::new("storage-s3", &granted(&server, server.key())).await;
    let mut other = request(BUCKET);
    other["tenant"]["id"] = json!("t-2");
    let theirs = storage.receipt(&other).await;
    server.audit("s3.put_object(Bucket='t-1-files', Key='k', Body=b'kept')").unwrap();
    let (class, code, message) = storage.failure(Verb::Apply, &request(BUCKET)).await;
    assert_eq!((class, code.as_str()), (FailureClass::Rejected, "bucket_taken"), "{message}");
    assert!(matches!(storage.answer(Verb::Observe, &request(BUCKET)).await, Answer::Observed(Observed::Foreign(_))));
    let mut receipt = theirs.clone();
    receipt["owner"] = json!("t-1");
    let (class, code, message) = storage.failure(Verb::Undo { receipt: receipt.into() }, &Value::Null).await;
    assert_eq!((class, code.as_str()), (FailureClass::Rejected, "foreign_bucket"), "{message}");
    assert_eq!(server.audit("answer = s3.get_object(Bucket='t-1-files', Key='k')['Body'].read().decode()").unwrap(), "kept");
}

/// What boto3 sees of the bucket.
const LOOK: &str = "
b = dict(Bucket='t-1-files')
rules = s3.get_bucket_lifecycle_configuration(**b)['Rules']
block = s3.get_public_access_block(**b)['PublicAccessBlockConfiguration']
answer = {
    'tags': {tag['Key']: tag['Value'] for tag in s3.get_bucket_tagging(**b)['TagSet']},
    'versioning': s3.get_bucket_versioning(**b)['Status'],
    'encryption': s3.get_bucket_encryption(**b)['ServerSideEncryptionConfiguration']['Rules'][0]['ApplyServerSideEncryptionByDefault']['SSEAlgorithm'],
    'abort_days': [rule['AbortIncompleteMultipartUpload']['DaysAfterInitiation'] for rule in rules][0],
    'public': [block[key] for key in ('BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets')],
}
";

/// Objects with versions, a name that XML and URLs must escape, a delete marker and an upload that nobody finished.
const FILL: &str = "
b = dict(Bucket='t-1-files')
for at in range(3):
    s3.put_object(**b, Key='a & <b>/ü 100%', Body=f'version {at}'.encode())
s3.put_object(**b, Key='gone', Body=b'x')
s3.delete_object(**b, Key='gone')
s3.create_multipart_upload(**b, Key='half')
versions = s3.list_object_versions(**b)
assert (len(versions['Versions']), len(versions['DeleteMarkers'])) == (4, 1), versions
";
