//! Removing buckets.

use super::*;

fn ours() {
    on("GET", "?tagging", tags(&[("owner", "t-1")]));
}

fn deleted() -> Reply {
    document("<DeleteResult/>")
}

#[test]
fn versions_markers_and_uploads_go_before_the_bucket() {
    ours();
    on("GET", LIST, versions(&["a%2Fb%26c", "old+file"]));
    on("POST", "?delete", deleted());
    on("GET", LIST, versions(&[]));
    on("GET", UPLOADS, uploads("<Upload><Key>x/y z</Key><UploadId>u+1</UploadId></Upload><Upload><Key>gone</Key><UploadId>2</UploadId></Upload>"));
    on("DELETE", "/x/y%20z?uploadId=u%2B1", Reply::status(204));
    on("DELETE", "/gone?uploadId=2", error(404, "NoSuchUpload"));
    on("DELETE", "", Reply::status(204));
    assert_eq!(undo(), Ok(Outcome::Undone));
    Http::assert_finished();
    let expected = "<Quiet>true</Quiet><Object><Key>a/b&amp;c</Key><VersionId>v-9</VersionId></Object>\
                    <Object><Key>old file</Key><VersionId>v-8</VersionId></Object>";
    assert!(body("POST", "?delete").contains(expected), "{}", body("POST", "?delete"));
    let post = Http::sent().into_iter().find(|it| it.method == "POST").unwrap();
    assert!(post.header("content-md5").is_some());
}

#[test]
fn what_is_gone_is_undone() {
    on("GET", "?tagging", error(404, "NoSuchBucket"));
    assert_eq!(undo(), Ok(Outcome::Undone));
    ours();
    on("GET", LIST, versions(&[]));
    on("GET", UPLOADS, error(501, "NotImplemented"));
    on("DELETE", "", error(404, "NoSuchBucket"));
    assert_eq!(undo(), Ok(Outcome::Undone));
}

#[test]
fn a_bucket_of_another_owner_is_never_removed() {
    on("GET", "?tagging", tags(&[("owner", "t-2")]));
    begins(undo(), "rejected (foreign_bucket)");
    on("GET", "?tagging", error(404, "NoSuchTagSet"));
    on("GET", LIST_ONE, versions(&["a"]));
    begins(undo(), "rejected (foreign_bucket)");
    assert!(sent().iter().all(|it| it.starts_with("GET")));
    let foreign = Receipt { bucket: "../other".into(), ..receipt() };
    assert!(matches!(S3::undo(&testing::call("undo"), foreign), Err(Failure::Rejected(_))));
}

#[test]
fn a_bucket_with_more_than_some_pages_is_removed_in_several_calls() {
    ours();
    for page in ["a", "b", "c", "d"] {
        on("GET", LIST, versions(&[page]));
        on("POST", "?delete", deleted());
    }
    let Ok(Outcome::Pending(pending)) = undo() else { panic!("not pending") };
    assert_eq!(
        (pending.operation.as_str(), pending.poll_after_ms, pending.give_up_after_ms),
        ("removal of the bucket tenant-acme", Some(100), 86_400_000)
    );
    // The next call finds the rest, and something that was written meanwhile.
    ours();
    on("GET", LIST, versions(&[]));
    on("GET", UPLOADS, uploads(""));
    on("DELETE", "", error(409, "BucketNotEmpty"));
    assert!(matches!(resume(&pending.checkpoint, Signal::Timer), Ok(Outcome::Pending(_))));
    ours();
    on("GET", LIST, versions(&[]));
    on("GET", UPLOADS, uploads(""));
    on("DELETE", "", error(409, "BucketNotEmpty"));
    begins(resume(&pending.checkpoint, Signal::Cancel), "unavailable (not_empty)");
    Http::assert_finished();
    for bad in ["", "{}", "null", r#"{"bucket": 1}"#] {
        begins(resume(bad, Signal::Timer), "rejected (bad_checkpoint)");
    }
}

#[test]
fn what_cannot_be_removed_is_said_without_its_name() {
    let check = |reply: Reply, expected: &str| {
        ours();
        on("GET", LIST, versions(&["secret-name"]));
        on("POST", "?delete", reply);
        let failure = undo().unwrap_err().to_string();
        assert!(failure.starts_with(expected) && !failure.contains("secret-name"), "expected {expected}, got {failure}");
    };
    let refused = |code: &str| document(&format!("<DeleteResult><Error><Key>secret-name</Key><Code>{code}</Code></Error></DeleteResult>"));
    check(refused("AccessDenied"), "rejected (not_authorised): POST tenant-acme?delete: 1 of 1 objects were not removed: AccessDenied");
    check(refused("InternalError"), "unavailable (storage_failed)");
    check(refused("SlowDown"), "unavailable (storage_failed)");
    check(error(200, "InternalError"), "unavailable (storage_failed)");
    check(error(503, "SlowDown"), "unavailable (storage_failed)");
    check(error(500, "InternalError"), "unknown outcome (storage_failed)");
    check(document("<html></html>"), "unknown outcome (bad_answer)");
    check(Reply::no_answer(), "unknown outcome (no_answer)");
}

#[test]
fn a_vendor_that_removes_nothing_is_found_out() {
    ours();
    for _ in 0..2 {
        on("GET", LIST, versions(&["a"]));
    }
    on("POST", "?delete", deleted());
    begins(undo(), "rejected (storage_failed): 1 objects of tenant-acme are still there");
}

#[test]
fn the_object_that_names_the_owner_goes_last() {
    Config::set("optional_features", r#"["tags"]"#);
    let objects = |keys: &[&str]| {
        let keys: String = keys.iter().map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
        on("GET", LIST, error(501, "NotImplemented"));
        on("GET", "?list-type=2&encoding-type=url&max-keys=1000", document(&format!("<ListBucketResult>{keys}</ListBucketResult>")));
    };
    on("GET", "?tagging", error(501, "NotImplemented"));
    on("GET", "/.jackfield-owner", Reply::body(200, "text/plain", "t-1\n"));
    objects(&[".jackfield-owner", "a+b%20c"]);
    on("POST", "?delete", deleted());
    objects(&[".jackfield-owner"]);
    on("GET", UPLOADS, uploads(""));
    objects(&[".jackfield-owner"]);
    on("POST", "?delete", deleted());
    on("DELETE", "", Reply::status(204));
    assert_eq!(undo(), Ok(Outcome::Undone));
    Http::assert_finished();
    let bodies: Vec<String> = Http::sent().iter().filter(|it| it.method == "POST").map(|it| String::from_utf8_lossy(&it.body).into_owned()).collect();
    assert!(bodies[0].contains("<Object><Key>a+b%20c</Key></Object>") && !bodies[0].contains("jackfield-owner"), "{}", bodies[0]);
    assert!(bodies[1].contains("<Object><Key>.jackfield-owner</Key></Object>"), "{}", bodies[1]);
}
