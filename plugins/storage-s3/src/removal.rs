//! Removing a bucket with everything in it, page by page.

use jackfield_plugin_sdk::{Failure, Outcome, Pending, http::encode, storage};
use serde::{Deserialize, Serialize};

use crate::{
    BAD_CHECKPOINT, FOREIGN_BUCKET, NOT_EMPTY,
    bucket::check_name,
    owner::{MARKER, Standing},
    problem::Problem,
    s3::{self, Bucket, Entry},
    settings::{Optional, Settings},
};

/// Objects of a page: what S3 removes at once.
const PAGE: usize = 1000;
/// Pages of one call: with two requests each, a call is far from its end even where each takes a second.
const PAGES: usize = 4;
/// Uploads that one call ends, one request each.
const UPLOADS: usize = 20;
/// Milliseconds until the next pages.
const PAUSE_MS: u64 = 100;

/// What a pending removal needs: the receipt.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checkpoint {
    bucket: String,
    region: String,
    provider: String,
    owner: String,
}

/// The receipt in a checkpoint.
pub(crate) fn read(checkpoint: &str) -> Result<storage::Receipt, Failure> {
    let read = serde_json::from_str(checkpoint);
    let Checkpoint { bucket, region, provider, owner } =
        read.map_err(|error| Failure::rejected(BAD_CHECKPOINT, format!("the checkpoint cannot be read: {error}")))?;
    Ok(storage::Receipt { bucket, region, provider, owner })
}

/// Removes what can be removed in one call; `last` if there will be no other.
pub(crate) fn remove(receipt: &storage::Receipt, settings: &Settings, last: bool) -> Result<storage::Outcome, Failure> {
    check_name(&receipt.bucket)?;
    let bucket = Bucket { name: &receipt.bucket, settings };
    let failure = |problem: Problem| problem.failure(false);
    match bucket.standing(&receipt.owner).map_err(failure)? {
        Standing::NoBucket => return Ok(Outcome::Undone),
        Standing::Foreign(why) => return Err(Failure::rejected(FOREIGN_BUCKET, format!("the bucket {} is not removed: {why}", bucket.name))),
        Standing::Ours(_) | Standing::HalfMade => {}
    }
    if bucket.clear().map_err(failure)? && bucket.end_uploads().map_err(failure)? && discard(&bucket).map_err(failure)? {
        return Ok(Outcome::Undone);
    }
    if last {
        return Err(Failure::unavailable(NOT_EMPTY, format!("the time is up, and the bucket {} still holds something", bucket.name)));
    }
    Ok(Outcome::Pending(pending(receipt, settings)))
}

/// Removes a bucket that holds nothing but the object that names its owner. False if it holds more.
pub(crate) fn discard(bucket: &Bucket<'_>) -> Result<bool, Problem> {
    if bucket.settings.is_optional(Optional::Tags) {
        // Last of all: until then it says whose the bucket is.
        let markers: Vec<Entry> = bucket.entries(PAGE)?.into_iter().filter(is_marker).collect();
        if !markers.is_empty() {
            bucket.delete_all(&markers)?;
        }
    }
    match bucket.delete("") {
        Ok(()) => Ok(true),
        Err(problem) if problem.says(&["NoSuchBucket"]) => Ok(true),
        Err(problem) if problem.says(&["BucketNotEmpty"]) => Ok(false),
        Err(problem) => Err(problem),
    }
}

impl Bucket<'_> {
    /// Removes some pages of objects. True if none is left.
    fn clear(&self) -> Result<bool, Problem> {
        let mut before = Vec::new();
        for _ in 0..PAGES {
            let entries: Vec<Entry> =
                self.entries(PAGE)?.into_iter().filter(|it| !self.settings.is_optional(Optional::Tags) || !is_marker(it)).collect();
            if entries.is_empty() {
                return Ok(true);
            }
            if entries == before {
                return Err(Problem::within("", format!("{} objects of {} are still there after they were removed", entries.len(), self.name)));
            }
            self.delete_all(&entries)?;
            before = entries;
        }
        Ok(false)
    }

    /// Ends some unfinished uploads. True if none is left.
    fn end_uploads(&self) -> Result<bool, Problem> {
        let listed = match self.document(&format!("?uploads&max-uploads={UPLOADS}"), "ListMultipartUploadsResult") {
            Err(problem) if problem.is_unsupported() => return Ok(true),
            listed => listed?,
        };
        let (mut seen, mut ended) = (0, 0);
        for upload in listed.all("Upload").take(UPLOADS) {
            seen += 1;
            match self.delete(&format!("{}?uploadId={}", s3::path(upload.text_of("Key")), encode(upload.text_of("UploadId")))) {
                Ok(()) => ended += 1,
                Err(problem) if problem.says(&["NoSuchUpload"]) => {}
                Err(problem) => return Err(problem),
            }
        }
        // What cannot be ended does not keep a bucket from being removed.
        Ok(seen < UPLOADS || ended == 0)
    }
}

fn is_marker(entry: &Entry) -> bool {
    entry.key == MARKER
}

fn pending(receipt: &storage::Receipt, settings: &Settings) -> Pending {
    let storage::Receipt { bucket, region, provider, owner } = receipt.clone();
    let operation = format!("removal of the bucket {bucket}");
    let checkpoint = serde_json::to_string(&Checkpoint { bucket, region, provider, owner }).expect("a checkpoint holds only text");
    Pending { operation, checkpoint, poll_after_ms: Some(PAUSE_MS), give_up_after_ms: settings.removal_give_up_ms }
}
