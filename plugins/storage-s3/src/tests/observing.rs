//! Looking at buckets.

use super::*;

#[test]
fn observe_tells_absent_ours_drifted_and_foreign_apart() {
    on("GET", "?tagging", error(404, "NoSuchBucket"));
    assert_eq!(observe(), Ok(Observed::Absent));
    // Whole.
    on("GET", "?tagging", tags(&[("owner", "t-1"), ("cost", "a&amp;b")]));
    for (rest, found) in SET_UP {
        on("GET", rest, document(found));
    }
    assert_eq!(observe(), Ok(Observed::Ours(receipt())));
    // A label is missing.
    on("GET", "?tagging", tags(&[("owner", "t-1")]));
    assert_eq!(observe(), Ok(Observed::Drifted(receipt())));
    // Half made.
    on("GET", "?tagging", error(404, "NoSuchTagSet"));
    on("GET", LIST_ONE, versions(&[]));
    assert_eq!(observe(), Ok(Observed::Drifted(receipt())));
    // Somebody else's.
    on("GET", "?tagging", tags(&[("owner", "t-2")]));
    assert_eq!(observe(), Ok(Observed::Foreign("the bucket tenant-acme: its owner is \"t-2\"".into())));
    on("GET", "?tagging", error(404, "NoSuchTagSet"));
    on("GET", LIST_ONE, versions(&["a"]));
    assert!(matches!(observe(), Ok(Observed::Foreign(_))));
    Http::assert_finished();
}

#[test]
fn a_setting_that_was_changed_is_drift() {
    let changed = [
        ("?publicAccessBlock", SET_UP[0].1.replacen("true", "false", 1)),
        ("?encryption", "<ServerSideEncryptionConfiguration/>".into()),
        ("?lifecycle", "<LifecycleConfiguration><Rule><ID>own</ID></Rule></LifecycleConfiguration>".into()),
        ("?versioning", "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>".into()),
    ];
    for (drifted, text) in &changed {
        testing::reset();
        Config::set("versioning", "true");
        on("GET", "?tagging", tags(&[("owner", "t-1"), ("cost", "a&amp;b")]));
        for (rest, found) in SET_UP {
            if rest == *drifted {
                break;
            }
            on("GET", rest, document(found));
        }
        on("GET", drifted, document(text));
        assert_eq!(observe(), Ok(Observed::Drifted(receipt())), "{drifted}");
        Http::assert_finished();
    }
    // A vendor's own name for a document.
    testing::reset();
    Config::set("versioning", "true");
    on("GET", "?tagging", tags(&[("owner", "t-1"), ("cost", "a&amp;b")]));
    for (rest, found) in SET_UP {
        on("GET", rest, document(found));
    }
    on("GET", "?versioning", document("<GetBucketVersioningResponse xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>"));
    assert_eq!(observe(), Ok(Observed::Drifted(receipt())));
    // What was taken away altogether.
    testing::reset();
    on("GET", "?tagging", tags(&[("owner", "t-1"), ("cost", "a&amp;b")]));
    on("GET", "?publicAccessBlock", error(404, "NoSuchPublicAccessBlockConfiguration"));
    assert_eq!(observe(), Ok(Observed::Drifted(receipt())));
}

#[test]
fn looking_fails_without_an_effect() {
    let check = |reply: Reply, expected: &str| {
        on("GET", "?tagging", reply);
        begins(observe(), expected);
    };
    check(error(403, "AccessDenied"), "rejected (not_authorised)");
    check(error(500, "InternalError"), "unavailable (storage_failed)");
    check(error(503, "SlowDown"), "unavailable (storage_failed)");
    check(Reply::no_answer(), "unavailable (no_answer)");
    check(Reply::body(200, "text/html", "<html>"), "unavailable (bad_answer)");
    check(Reply::body(200, "application/xml", "<Other/>"), "unavailable (bad_answer)");
    check(Reply::status(200), "unavailable (bad_answer)");
    check(Reply::body(200, "text/html", "<html xmlns=\"http://www.w3.org/1999/xhtml\"></html>"), "unavailable (bad_answer)");
    check(error(501, "NotImplemented"), "rejected (not_supported)");
}
