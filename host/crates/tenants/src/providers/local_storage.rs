//! The contract `storage` answered with a folder per tenant, for a host without a vendor.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use engine::port::{Answer, Call, CallReport, Observed, Runner};
use pipeline::{Failure, Pin};
use serde::{Deserialize, Serialize};

use super::{
    effect::{self, Effect, LASTING, done, drifted, held, ours, rejected, unavailable},
    names::{check_id, is_label, shown},
};
use crate::contract::{Characteristic, StorageReceipt, StorageRequest};

/// The name of the provider in bindings.
pub const LOCAL_STORAGE_PROVIDER: &str = "local-storage";

/// The file that says whose a folder is. What the tenant keeps is beside it, in the folder `files`.
const OWNER_FILE: &str = "owner.json";

/// The largest file of an owner that is read.
const LARGEST_OWNER_FILE: u64 = 64 << 10;

/// Keeps a folder per tenant under one base folder.
#[derive(Debug, Clone)]
pub struct LocalStorage {
    base: PathBuf,
}

/// Whose a folder is, and what is written on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Owner {
    owner: String,
    region: String,
    labels: Vec<Characteristic>,
}

/// What is under a name.
enum Found {
    Nothing,
    Owned(Owner),
    /// Somebody made it who is not this provider.
    Unowned,
}

impl LocalStorage {
    /// A storage in this folder, which is made when it is needed.
    pub fn new(base: PathBuf) -> Self {
        Self { base }
    }

    /// What the step of the storage is bound to.
    pub fn pin() -> Pin {
        effect::native(LOCAL_STORAGE_PROVIDER, "jackfield:tenant/storage@1.0.0", LASTING, true)
    }

    /// Where a tenant's files are.
    pub fn files(&self, bucket: &str) -> PathBuf {
        self.base.join(bucket).join("files")
    }

    fn find(&self, bucket: &str) -> io::Result<Found> {
        let folder = self.base.join(bucket);
        match fs::symlink_metadata(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        let mut text = String::new();
        let read = File::open(folder.join(OWNER_FILE)).and_then(|file| file.take(LARGEST_OWNER_FILE).read_to_string(&mut text));
        match read {
            Ok(_) => Ok(serde_json::from_str(&text).map_or(Found::Unowned, Found::Owned)),
            Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory, io::ErrorKind::InvalidData].contains(&error.kind()) => {
                Ok(Found::Unowned)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes the folder under another name and then gives it its own, so that it is complete whenever it is there.
    fn make(&self, bucket: &str, owner: &Owner) -> io::Result<()> {
        folders(&self.base)?;
        let draft = self.base.join(format!(".new-{}-{bucket}", owner.owner));
        remove_tree(&draft)?;
        folders(&draft.join("files"))?;
        write_owner(&draft, owner)?;
        fs::rename(&draft, self.base.join(bucket))?;
        File::open(&self.base)?.sync_all()
    }

    /// Takes the name from the folder first: what is removed in part is not found any more, except by the next removal.
    fn remove(&self, bucket: &str, owner: &str) -> io::Result<()> {
        let gone = self.base.join(format!(".gone-{owner}-{bucket}"));
        remove_tree(&gone)?;
        match self.find(bucket)? {
            Found::Owned(found) if found.owner == owner => {
                fs::rename(self.base.join(bucket), &gone)?;
                File::open(&self.base)?.sync_all()?;
                remove_tree(&gone)
            }
            Found::Owned(_) | Found::Nothing | Found::Unowned => Ok(()),
        }
    }

    /// Does what may block where it may.
    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static) -> Result<T, Failure> {
        let storage = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&storage)).await.map_err(|error| held("host.internal", error.to_string()))?;
        done.map_err(|error| unavailable("storage_unavailable", format!("the folder of storages cannot be used: {error}")))
    }
}

fn folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn write_owner(folder: &Path, owner: &Owner) -> io::Result<()> {
    let draft = folder.join(".owner.json");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(serde_json::to_string(owner)?.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(OWNER_FILE))?;
    File::open(folder)?.sync_all()
}

fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn checked(request: StorageRequest) -> Result<(String, Owner), Failure> {
    check_id(&request.tenant.id)?;
    if !is_label(&request.bucket) || request.bucket.len() < 3 {
        let message = format!("`{}` is no name of a bucket: expected 3 to 63 characters of [a-z0-9-]", shown(&request.bucket));
        return Err(rejected("bad_bucket", message));
    }
    let owner = Owner { owner: request.tenant.id, region: request.tenant.region, labels: request.labels };
    if serde_json::to_string(&owner).is_ok_and(|text| text.len() as u64 >= LARGEST_OWNER_FILE) {
        return Err(rejected("too_many_labels", format!("the labels of a bucket have at most {LARGEST_OWNER_FILE} bytes")));
    }
    Ok((request.bucket, owner))
}

fn receipt(bucket: String, owner: &Owner) -> StorageReceipt {
    StorageReceipt { bucket, region: owner.region.clone(), provider: LOCAL_STORAGE_PROVIDER.to_owned(), owner: owner.owner.clone() }
}

#[async_trait]
impl Runner for LocalStorage {
    async fn call(&self, call: Call) -> CallReport {
        effect::run(self, &call).await
    }
}

#[async_trait]
impl Effect for LocalStorage {
    type Request = StorageRequest;
    type Receipt = StorageReceipt;

    async fn apply(&self, _: &Call, request: StorageRequest) -> Result<Answer, Failure> {
        let (bucket, owner) = checked(request)?;
        let receipt = receipt(bucket.clone(), &owner);
        let made = self.blocking(move |storage| match storage.find(&bucket)? {
            Found::Nothing => storage.make(&bucket, &owner).map(|()| true),
            Found::Owned(found) if found == owner => Ok(true),
            Found::Owned(found) if found.owner == owner.owner => write_owner(&storage.base.join(&bucket), &owner).map(|()| true),
            Found::Owned(_) => Ok(false),
            Found::Unowned => Ok(false),
        });
        if made.await? {
            Ok(done(&receipt))
        } else {
            Err(rejected("bucket_taken", format!("the bucket `{}` belongs to somebody else", receipt.bucket)))
        }
    }

    async fn observe(&self, _: &Call, request: StorageRequest) -> Result<Observed, Failure> {
        let (bucket, owner) = checked(request)?;
        let receipt = receipt(bucket.clone(), &owner);
        Ok(match self.blocking(move |storage| storage.find(&bucket)).await? {
            Found::Nothing => Observed::Absent,
            Found::Unowned => Observed::Foreign("unknown".to_owned()),
            Found::Owned(found) if found.owner != owner.owner => Observed::Foreign(found.owner),
            Found::Owned(found) if found == owner => ours(&receipt),
            Found::Owned(_) => drifted(&receipt),
        })
    }

    async fn undo(&self, _: &Call, receipt: StorageReceipt) -> Result<(), Failure> {
        check_id(&receipt.owner)?;
        if !is_label(&receipt.bucket) {
            return Err(rejected("bad_bucket", format!("`{}` is no name of a bucket", shown(&receipt.bucket))));
        }
        self.blocking(move |storage| storage.remove(&receipt.bucket, &receipt.owner)).await
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::{Value, json};

    use super::*;
    use crate::providers::testing::Caller;

    fn request(id: &str, bucket: &str) -> Value {
        json!({"tenant": {"id": id, "slug": "acme", "plan": "pro", "region": "eu"}, "bucket": bucket, "labels": [{"name": "cost-centre", "value": "7"}]})
    }

    #[tokio::test]
    async fn a_folder_is_made_kept_private_and_removed_with_everything_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let storage = LocalStorage::new(folder.path().join("storage"));
        let caller = Caller::new(storage.clone(), LocalStorage::pin());
        let mine = request("t-1", "acme-files");
        assert_eq!(caller.observe(&mine).await, Observed::Absent);
        let receipt = caller.receipt(&mine).await;
        assert_eq!(receipt, json!({"bucket": "acme-files", "region": "eu", "provider": "local-storage", "owner": "t-1"}));
        assert_eq!(caller.receipt(&mine).await, receipt);
        let files = storage.files("acme-files");
        for folder in [files.as_path(), files.parent().unwrap(), storage.base.as_path()] {
            assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        }
        fs::create_dir(files.join("deep")).unwrap();
        fs::write(files.join("deep/file"), "text").unwrap();
        std::os::unix::fs::symlink(folder.path(), files.join("away")).unwrap();

        let theirs = request("t-2", "acme-files");
        assert_eq!(caller.fails(&theirs).await, "Rejected bucket_taken");
        assert_eq!(caller.observe(&theirs).await, Observed::Foreign("t-1".to_owned()));
        let mut never = receipt.clone();
        never["owner"] = json!("t-2");
        caller.undo(&theirs, &never).await;
        assert_eq!(caller.observe(&mine).await, Observed::Ours(receipt.clone()), "another's undo leaves it");
        let mut other = mine.clone();
        other["labels"] = json!([]);
        assert!(matches!(caller.observe(&other).await, Observed::Drifted(_)));
        caller.receipt(&other).await;
        assert_eq!(caller.observe(&other).await, Observed::Ours(receipt.clone()));

        // As if the process had been killed while it removed, and while it made.
        for half in [".gone-t-1-acme-files", ".new-t-1-acme-files"] {
            fs::create_dir_all(storage.base.join(half).join("files")).unwrap();
        }
        caller.undo(&mine, &receipt).await;
        caller.receipt(&mine).await;
        caller.undo(&mine, &receipt).await;
        assert_eq!(fs::read_dir(&storage.base).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn names_that_lead_elsewhere_and_folders_of_nobody_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let caller = Caller::new(LocalStorage::new(folder.path().to_owned()), LocalStorage::pin());
        for bucket in ["../x", "a/b", ".", "..", "", "ab", "UPPER", ".new-t-1-a"] {
            assert_eq!(caller.fails(&request("t-1", bucket)).await, "Rejected bad_bucket", "{bucket}");
        }
        assert_eq!(caller.fails(&request("../t", "abc")).await, "Rejected bad_id");
        fs::create_dir(folder.path().join("abc")).unwrap();
        fs::write(folder.path().join("abd"), "a file").unwrap();
        for bucket in ["abc", "abd"] {
            assert_eq!(caller.fails(&request("t-1", bucket)).await, "Rejected bucket_taken");
            assert_eq!(caller.observe(&request("t-1", bucket)).await, Observed::Foreign("unknown".to_owned()));
        }
        let file = Caller::new(LocalStorage::new(folder.path().join("abd/base")), LocalStorage::pin());
        assert_eq!(file.fails(&request("t-1", "abc")).await, "Unavailable storage_unavailable");
    }
}
