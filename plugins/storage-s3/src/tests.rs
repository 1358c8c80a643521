//! The plugin against a scripted vendor.

mod making;
mod observing;
mod removing;

use jackfield_plugin_sdk::{
    Characteristic, Failure, Observed, Outcome, Signal, Storage as _,
    storage::{Receipt, Request},
    tenant::Tenant,
    testing::{self, Config, Http, Reply},
};

use crate::{MANIFEST, S3, s3, xml};

/// What a bucket that is as it should be answers to each question.
const SET_UP: [(&str, &str); 3] = [
    (
        "?publicAccessBlock",
        "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>\
         <BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>",
    ),
    (
        "?encryption",
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
         </ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
    ),
    ("?lifecycle", "<LifecycleConfiguration><Rule><ID>jackfield-abort-uploads</ID><Status>Enabled</Status></Rule></LifecycleConfiguration>"),
];
const LIST_ONE: &str = "?versions&encoding-type=url&max-keys=1";
const LIST: &str = "?versions&encoding-type=url&max-keys=1000";
const UPLOADS: &str = "?uploads&max-uploads=20";

fn request() -> Request {
    let tenant = Tenant { id: "t-1".into(), slug: "acme".into(), plan: "pro".into(), region: "eu".into() };
    Request { tenant, bucket: "tenant-acme".into(), labels: vec![Characteristic::new("cost", "a&b")] }
}

fn receipt() -> Receipt {
    Receipt { bucket: "tenant-acme".into(), region: "us-east-1".into(), provider: "s3".into(), owner: "t-1".into() }
}

/// Scripts one request to the bucket.
fn on(method: &str, rest: &str, reply: Reply) {
    Http::on(method, &format!("http://storage/tenant-acme{rest}"), reply);
}

fn document(text: &str) -> Reply {
    Reply::body(200, "application/xml", &format!("<?xml version=\"1.0\"?>{text}"))
}

fn error(status: u16, code: &str) -> Reply {
    Reply::body(status, "application/xml", &format!("<Error><Code>{code}</Code><Message>because</Message><RequestId>1</RequestId></Error>"))
}

fn tags(tags: &[(&str, &str)]) -> Reply {
    let tags: String = tags.iter().map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>")).collect();
    document(&format!("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>{tags}</TagSet></Tagging>"))
}

/// A list of versions; a key with a plus is one of a delete marker.
fn versions(keys: &[&str]) -> Reply {
    let entry = |key: &&str| {
        let name = if key.contains('+') { "DeleteMarker" } else { "Version" };
        format!("<{name}><Key>{key}</Key><VersionId>v-{}</VersionId><IsLatest>true</IsLatest></{name}>", key.len())
    };
    let entries: String = keys.iter().map(entry).collect();
    document(&format!("<ListVersionsResult><EncodingType>url</EncodingType>{entries}</ListVersionsResult>"))
}

fn uploads(uploads: &str) -> Reply {
    document(&format!("<ListMultipartUploadsResult>{uploads}</ListMultipartUploadsResult>"))
}

fn apply() -> Result<Outcome<Receipt>, Failure> {
    testing::begin_call();
    S3::apply(&testing::call("key"), request())
}

fn observe() -> Result<Observed<Receipt>, Failure> {
    testing::begin_call();
    S3::observe(&testing::call("key"), request())
}

fn undo() -> Result<Outcome<Receipt>, Failure> {
    testing::begin_call();
    S3::undo(&testing::call("undo-key"), receipt())
}

/// What was sent, as `METHOD rest`.
fn sent() -> Vec<String> {
    Http::sent().iter().map(|it| format!("{} {}", it.method, it.url.replace("http://storage/tenant-acme", ""))).collect()
}

fn body(method: &str, rest: &str) -> String {
    let url = format!("http://storage/tenant-acme{rest}");
    let sent = Http::sent().into_iter().rev().find(|it| it.method == method && it.url == url);
    String::from_utf8(sent.expect("it was sent").body).unwrap()
}

/// Fails unless the text of a failure begins so.
fn begins<T: std::fmt::Debug>(answer: Result<T, Failure>, expected: &str) {
    let failure = answer.unwrap_err().to_string();
    assert!(failure.starts_with(expected), "expected {expected}, got {failure}");
}

#[test]
fn every_failure_code_is_declared_and_every_schema_is_json() {
    let manifest: serde_json::Value = serde_json::from_str(&MANIFEST.json()).unwrap();
    assert_eq!(manifest["contracts"][0]["contract"], "jackfield:tenant/storage");
    assert!(manifest["capabilities"]["config"].as_array().unwrap().iter().all(|setting| setting["schema"].is_object()));
    assert_eq!(manifest["failure_codes"].as_array().unwrap().len(), 11 + 3);
}

#[test]
fn documents_are_read_within_limits() {
    let read = |text: &str| xml::read(text.as_bytes());
    let found = read("<?xml version=\"1.0\"?>\n<a:A xmlns:a=\"x\"><B>1 &amp; &#50;<!-- no --></B><C/></a:A>\n").unwrap();
    assert_eq!((found.name.as_str(), found.text_of("B"), found.text_of("C"), found.children.len()), ("A", "1 & 2", "", 2));
    let deep = "<a>".repeat(30) + &"</a>".repeat(30);
    let many = format!("<a>{}</a>", "<b/>".repeat(50_000));
    for bad in ["", "garbage", "<a>", "<a></b>", "<a/><b/>", "<!DOCTYPE html><html></html>", "<a>&other;</a>", deep.as_str(), many.as_str()] {
        assert!(read(bad).is_err(), "{}", &bad[..bad.len().min(40)]);
    }
    assert!(xml::read(b"<a>\xff</a>").is_err());
    assert_eq!(xml::leaf("Key", "a<b>&\r\u{1}"), "<Key>a&lt;b&gt;&amp;&#xD;&#x1;</Key>");
}

#[test]
fn keys_become_paths_that_keep_their_slashes() {
    assert_eq!(s3::path("a b/ü?/c"), "/a%20b/%C3%BC%3F/c");
}

#[test]
fn settings_that_cannot_be_read_stop_every_verb() {
    for (key, value) in [("abort_uploads_days", "0"), ("optional_features", "[\"acl\"]"), ("versioning", "yes"), ("tenant_regions", "eu")] {
        testing::reset();
        Config::set(key, value);
        for answer in [apply().map(drop), observe().map(drop), undo().map(drop), resume("{}", Signal::Timer).map(drop)] {
            let failure = answer.unwrap_err().to_string();
            assert!(failure.starts_with("rejected (bad_config)") || failure.starts_with("rejected (bad_checkpoint)"), "{failure}");
        }
    }
}

fn resume(checkpoint: &str, signal: Signal) -> Result<Outcome<Receipt>, Failure> {
    testing::begin_call();
    S3::resume(&testing::call("undo-key"), checkpoint.into(), signal)
}
