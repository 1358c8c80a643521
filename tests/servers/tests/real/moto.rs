//! Moto.

use serde_json::json;
use servers::{AccessKey, Moto};

#[test]
fn signatures_and_policies_are_checked_and_nothing_survives() {
    let statement = json!({"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::t-*", "arn:aws:s3:::t-*/*"]});
    let mut moto = Moto::start_with(json!({"Version": "2012-10-17", "Statement": [statement]})).unwrap();
    let make = "s3.create_bucket(Bucket='t-1'); s3.put_object(Bucket='t-1', Key='k', Body=b'abc')";
    moto.audit_as(moto.key(), make).unwrap();
    let answer = moto.audit("answer = s3.get_object(Bucket='t-1', Key='k')['Body'].read().decode()").unwrap();
    assert_eq!(answer, "abc");
    for (key, code, error) in [
        (moto.key().clone(), "s3.create_bucket(Bucket='other')", "AccessDenied"),
        (AccessKey { secret: "wrong".to_owned(), ..moto.key().clone() }, "s3.create_bucket(Bucket='t-2')", "SignatureDoesNotMatch"),
        (moto.key().clone(), "s3.delete_bucket(Bucket='t-1')", "BucketNotEmpty"),
    ] {
        let found = moto.audit_as(&key, code).unwrap_err().to_string();
        assert!(found.contains(error), "{code}: {found}");
    }
    assert_eq!(moto.buckets().unwrap(), ["t-1"]);

    let key = moto.key().clone();
    moto.kill9();
    assert!(moto.buckets().is_err());
    moto.restart().unwrap();
    assert!(moto.buckets().unwrap().is_empty() && *moto.key() != key);
}

#[test]
fn two_are_two() {
    let (one, other) = (Moto::start().unwrap(), Moto::start().unwrap());
    one.audit_as(one.key(), "s3.create_bucket(Bucket='t-1')").unwrap();
    assert!(other.buckets().unwrap().is_empty());
    assert!(other.audit_as(one.key(), "s3.create_bucket(Bucket='t-1')").unwrap_err().to_string().contains("InvalidAccessKeyId"));
    assert_ne!(one.endpoint(), other.endpoint());
}
