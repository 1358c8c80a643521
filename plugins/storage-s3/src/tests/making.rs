//! Making buckets.

use super::*;

/// A new bucket: it is made, has no owner and nothing in it.
fn made_new() {
    on("PUT", "", Reply::status(200));
    on("GET", "?tagging", error(404, "NoSuchTagSet"));
    on("GET", LIST_ONE, versions(&[]));
}

#[test]
fn a_new_bucket_gets_its_owner_first_and_then_its_settings() {
    made_new();
    for rest in ["?tagging", "?publicAccessBlock", "?encryption", "?lifecycle"] {
        on("PUT", rest, Reply::status(200));
    }
    assert_eq!(apply(), Ok(Outcome::Done(receipt())));
    let expected =
        ["PUT ", "GET ?tagging", &format!("GET {LIST_ONE}"), "PUT ?tagging", "PUT ?publicAccessBlock", "PUT ?encryption", "PUT ?lifecycle"];
    assert_eq!(sent(), expected);
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    let name = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
    assert_eq!(
        body("PUT", "?tagging"),
        format!(
            "{head}<Tagging {name}><TagSet><Tag><Key>owner</Key><Value>t-1</Value></Tag><Tag><Key>cost</Key><Value>a&amp;b</Value></Tag>\
             </TagSet></Tagging>"
        )
    );
    assert_eq!(
        body("PUT", "?lifecycle"),
        format!(
            "{head}<LifecycleConfiguration {name}><Rule><ID>jackfield-abort-uploads</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>\
             <AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>\
             </LifecycleConfiguration>"
        )
    );
    let tagging = &Http::sent()[3];
    assert_eq!(tagging.header("content-type"), Some("application/xml"));
    assert_eq!(tagging.header("content-md5").map(str::len), Some(24));
    assert!(Http::sent().iter().all(|it| it.header("authorization").is_none()), "the host signs, not the plugin");
}

#[test]
fn settings_say_where_and_how() {
    for (key, value) in
        [("region", "eu-central-1"), ("versioning", "true"), ("provider", "aws"), ("account", "123456789012"), ("tenant_regions", "[\"eu\"]")]
    {
        Config::set(key, value);
    }
    made_new();
    for rest in ["?tagging", "?publicAccessBlock", "?encryption", "?lifecycle", "?versioning"] {
        on("PUT", rest, Reply::status(200));
    }
    let expected = Receipt { region: "eu-central-1".into(), provider: "aws".into(), ..receipt() };
    assert_eq!(apply(), Ok(Outcome::Done(expected)));
    assert!(body("PUT", "").contains("<LocationConstraint>eu-central-1</LocationConstraint>"));
    assert!(body("PUT", "?versioning").contains("<Status>Enabled</Status>"));
    assert_eq!(Http::sent()[0].header("x-amz-expected-bucket-owner"), None);
    assert!(Http::sent()[1..].iter().all(|it| it.header("x-amz-expected-bucket-owner") == Some("123456789012")));
    Config::set("tenant_regions", "[\"us\"]");
    begins(apply(), "rejected (bad_region)");
}

#[test]
fn a_repetition_changes_nothing() {
    for made in [Reply::status(200), error(409, "BucketAlreadyOwnedByYou")] {
        on("PUT", "", made);
        on("GET", "?tagging", tags(&[("owner", "t-1"), ("cost", "a&amp;b"), ("team", "blue")]));
        for (rest, found) in SET_UP {
            on("GET", rest, document(found));
        }
        assert_eq!(apply(), Ok(Outcome::Done(receipt())));
    }
    Http::assert_finished();
    assert_eq!(sent().iter().filter(|it| it.starts_with("PUT")).count(), 2, "only the attempts to make it");
}

#[test]
fn what_is_missing_is_added_beside_what_others_made() {
    on("PUT", "", error(409, "BucketAlreadyOwnedByYou"));
    on("GET", "?tagging", tags(&[("owner", "t-1"), ("team", "blue")]));
    for (rest, found) in &SET_UP[..2] {
        on("GET", rest, document(found));
    }
    on("GET", "?lifecycle", document("<LifecycleConfiguration><Rule><ID>own</ID><Status>Enabled</Status></Rule></LifecycleConfiguration>"));
    on("PUT", "?tagging", Reply::status(200));
    on("PUT", "?lifecycle", Reply::status(200));
    assert_eq!(apply(), Ok(Outcome::Done(receipt())));
    assert!(body("PUT", "?tagging").contains("<Key>team</Key><Value>blue</Value>"));
    let rules = body("PUT", "?lifecycle");
    assert!(rules.contains("<ID>own</ID>") && rules.contains("<ID>jackfield-abort-uploads</ID>"), "{rules}");
    Http::assert_finished();
}

#[test]
fn a_bucket_of_somebody_else_is_taken_and_left_alone() {
    on("PUT", "", error(409, "BucketAlreadyExists"));
    begins(apply(), "rejected (bucket_taken)");
    for reply in [tags(&[("owner", "t-2")]), tags(&[("team", "blue")])] {
        on("PUT", "", Reply::status(200));
        on("GET", "?tagging", reply);
        begins(apply(), "rejected (bucket_taken)");
    }
    on("PUT", "", error(409, "BucketAlreadyOwnedByYou"));
    on("GET", "?tagging", error(404, "NoSuchTagSet"));
    on("GET", LIST_ONE, versions(&["a"]));
    begins(apply(), "rejected (bucket_taken)");
    assert_eq!(sent().iter().filter(|it| it.starts_with("PUT ?") || it.starts_with("DELETE")).count(), 0);
}

#[test]
fn making_fails_as_it_is() {
    let check = |reply: Reply, expected: &str| {
        on("PUT", "", reply);
        begins(apply(), expected);
    };
    check(error(403, "AccessDenied"), "rejected (not_authorised): PUT tenant-acme answered 403 AccessDenied because");
    check(error(403, "SignatureDoesNotMatch"), "rejected (not_authorised)");
    check(error(400, "TooManyBuckets"), "rejected (quota)");
    check(error(400, "IllegalLocationConstraintException"), "rejected (bad_region)");
    check(error(301, "PermanentRedirect"), "rejected (bad_region)");
    check(error(400, "InvalidBucketName"), "rejected (bad_request)");
    check(error(409, "OperationAborted"), "unavailable (storage_failed)");
    check(error(503, "SlowDown"), "unavailable (storage_failed)");
    check(error(500, "InternalError"), "unknown outcome (storage_failed)");
    check(Reply::body(502, "text/html", "<html><body>Bad Gateway<br></body></html>"), "unknown outcome (storage_failed)");
    check(Reply::body(418, "text/html", "garbage"), "rejected (storage_failed)");
    check(Reply::no_answer(), "unknown outcome (no_answer)");
    check(Reply::refused(), "unavailable (unreachable)");
    check(Reply::body(200, "text/plain", &"x".repeat(7 * 1024 * 1024)), "unknown outcome (bad_answer)");
    on("PUT", "", error(503, "SlowDown").header("retry-after", "7"));
    let Err(Failure::Unavailable(it)) = apply() else { panic!("not unavailable") };
    assert_eq!(it.retry_after_ms, Some(7000));
}

#[test]
fn what_fails_for_good_after_the_bucket_was_made_takes_it_away_again() {
    let fail = |removed: Reply, expected: &str| {
        made_new();
        on("PUT", "?tagging", Reply::status(200));
        on("PUT", "?publicAccessBlock", error(403, "AccessDenied"));
        on("DELETE", "", removed);
        begins(apply(), expected);
        Http::assert_finished();
    };
    fail(Reply::status(204), "rejected (not_authorised)");
    fail(error(404, "NoSuchBucket"), "rejected (not_authorised)");
    fail(error(409, "BucketNotEmpty"), "unknown outcome (not_authorised)");
    fail(error(403, "AccessDenied"), "unknown outcome (not_authorised)");
}

#[test]
fn what_fails_for_a_while_after_the_bucket_was_made_leaves_the_outcome_open() {
    for reply in [error(503, "SlowDown"), error(500, "InternalError"), Reply::no_answer(), Reply::refused()] {
        made_new();
        on("PUT", "?tagging", reply);
        assert!(matches!(apply(), Err(Failure::UnknownOutcome(_))));
    }
    on("PUT", "", Reply::status(200));
    on("GET", "?tagging", Reply::body(200, "text/html", "<html><body>Sign in</body></html>"));
    begins(apply(), "unknown outcome (bad_answer)");
    Http::assert_finished();
}

#[test]
fn what_a_vendor_does_not_implement_must_be_optional() {
    made_new();
    on("PUT", "?tagging", Reply::status(200));
    on("PUT", "?publicAccessBlock", error(501, "NotImplemented"));
    on("DELETE", "", Reply::status(204));
    begins(apply(), "rejected (not_supported)");
}

#[test]
fn without_tags_an_object_says_whose_the_bucket_is() {
    Config::set("optional_features", r#"["tags", "public-access-block", "encryption", "lifecycle"]"#);
    let lists = || {
        on("GET", LIST_ONE, error(501, "NotImplemented"));
        on("GET", "?list-type=2&encoding-type=url&max-keys=1", document("<ListBucketResult></ListBucketResult>"));
    };
    on("PUT", "", Reply::status(200));
    on("GET", "?tagging", error(501, "NotImplemented"));
    on("GET", "/.jackfield-owner", error(404, "NoSuchKey"));
    lists();
    for rest in ["?tagging", "?publicAccessBlock", "?encryption"] {
        on("PUT", rest, error(501, "NotImplemented"));
    }
    on("PUT", "/.jackfield-owner", Reply::status(200));
    on("PUT", "?lifecycle", Reply::status(200));
    assert_eq!(apply(), Ok(Outcome::Done(receipt())));
    assert_eq!(body("PUT", "/.jackfield-owner"), "t-1");
    Http::assert_finished();
    for (owner, expected) in [("t-1", Observed::Ours(receipt())), ("t-2", Observed::Foreign("the bucket tenant-acme: its owner is \"t-2\"".into()))] {
        on("GET", "?tagging", error(501, "NotImplemented"));
        on("GET", "/.jackfield-owner", Reply::body(200, "text/plain", owner));
        if owner == "t-1" {
            on("GET", "?publicAccessBlock", error(501, "NotImplemented"));
            on("GET", "?encryption", error(501, "NotImplemented"));
            on("GET", "?lifecycle", document(SET_UP[2].1));
        }
        assert_eq!(observe(), Ok(expected));
    }
}

#[test]
fn a_vendor_without_accounts_may_call_our_bucket_existing() {
    Config::set("single_account", "true");
    on("PUT", "", error(409, "BucketAlreadyExists"));
    on("GET", "?tagging", tags(&[("owner", "t-2")]));
    begins(apply(), "rejected (bucket_taken)");
    Http::assert_finished();
}

#[test]
fn names_and_labels_are_checked_before_anything_is_sent() {
    let long = "a".repeat(64);
    for name in ["", "ab", "Upper", "a_b", "a/../b", "-ab", "ab.", "a..b", "192.168.0.1", "a b", "ünï", long.as_str()] {
        testing::begin_call();
        begins(S3::apply(&testing::call("key"), Request { bucket: name.into(), ..request() }), "rejected (bad_request)");
    }
    let many: Vec<_> = (0..50).map(|at| Characteristic::new(format!("l{at}"), "x")).collect();
    let value = "x".repeat(257);
    for labels in [
        vec![Characteristic::new("owner", "t-2")],
        vec![Characteristic::new("aws:x", "1")],
        vec![Characteristic::new("", "1")],
        vec![Characteristic::new("a", value)],
        many,
    ] {
        testing::begin_call();
        begins(S3::apply(&testing::call("key"), Request { labels, ..request() }), "rejected (bad_request)");
    }
    assert!(Http::sent().is_empty());
}
