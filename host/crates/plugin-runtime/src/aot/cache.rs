//! Compiled code on the disk: one file for each plugin, engine and version of wasmtime; private, sealed, and bounded in size.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    hash::{Hash as _, Hasher},
    io::{self, Write as _},
    os::{
        fd::AsRawFd as _,
        unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use pipeline::Digest;
use rustix::{
    fs::{OFlags, Timespec, Timestamps, UTIME_NOW, futimens},
    process::geteuid,
};
use wasmtime::{Engine, component::Component};

use super::seal::Sealer;
use crate::error::RuntimeError;

/// What names of compiled code end with.
const SUFFIX: &str = ".aot";
/// What names of files end with that are being written.
const TEMPORARY: &str = ".tmp";
/// A file that is being written for longer was left behind by a process that is gone.
const LEFT_BEHIND: Duration = Duration::from_secs(3_600);

/// A directory of compiled code.
#[derive(Debug)]
pub(super) struct Cache {
    directory: PathBuf,
    max_bytes: u64,
    sealer: Sealer,
    /// What code must fit: the version of wasmtime, its settings and the processor's features, as a hash.
    engine: String,
}

impl Cache {
    /// Opens the directory and makes it private: whoever can write there can run code in the host.
    pub(super) fn open(directory: &Path, max_bytes: u64, engine: &Engine) -> Result<Self, RuntimeError> {
        let wrong = |problem: String| RuntimeError::Cache { directory: directory.to_owned(), problem };
        let io = |error: io::Error| wrong(error.to_string());
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(io)?;
        let real = directory.canonicalize().map_err(io)?;
        let owner = fs::metadata(&real).map_err(io)?.uid();
        if owner != geteuid().as_raw() {
            return Err(wrong(format!("it belongs to user {owner}")));
        }
        fs::set_permissions(&real, fs::Permissions::from_mode(0o700)).map_err(io)?;
        let sealer = Sealer::open(&real).map_err(io)?;
        let cache = Self { directory: real, max_bytes, sealer, engine: fingerprint(engine) };
        cache.tidy();
        Ok(cache)
    }

    /// The code of a plugin, if it is there and this host wrote it. Anything else that is in its place is told once and removed.
    pub(super) fn find(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let name = self.name(digest);
        let path = self.directory.join(&name);
        match self.load(engine, &name, &path) {
            Ok(component) => Some(component),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "compiled code cannot be used: compiling again");
                drop(fs::remove_file(&path));
                None
            }
        }
    }

    fn load(&self, engine: &Engine, name: &str, path: &Path) -> io::Result<Component> {
        let (file, size) = private(path)?;
        if !self.sealer.is_sealed(name, &file, size)? {
            return Err(io::Error::other("it does not bear the seal of this host"));
        }
        // Used now: what was not used for the longest time is removed first.
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        futimens(&file, &Timestamps { last_access: now, last_modification: now }).ok();
        // By its descriptor it is the same file whose seal was checked, whatever has the name meanwhile.
        let checked = format!("/proc/self/fd/{}", file.as_raw_fd());
        // SAFETY: the seal says that this host wrote the file for this name, which stands for this very engine. It belongs to this user, nobody else may write it,
        // the directory is private, and this host never changes a file that has got its name: it is removed as a whole.
        #[expect(unsafe_code, reason = "machine code can only be loaded on trust")]
        unsafe { Component::deserialize_file(engine, checked) }.map_err(|error| io::Error::other(format!("{error:#}")))
    }

    /// Writes code under its name, whole or not at all. That it cannot be written is told, and costs the next start time.
    pub(super) fn keep(&self, digest: &Digest, code: &[u8]) {
        let name = self.name(digest);
        if let Err(error) = self.write(&name, code) {
            tracing::warn!(directory = %self.directory.display(), %error, "compiled code cannot be kept: it will be compiled again at the next start");
        }
        self.evict(&name);
    }

    fn write(&self, name: &str, code: &[u8]) -> io::Result<()> {
        let path = temporary(&self.directory, name)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let written = file.write_all(code).and_then(|()| file.write_all(&self.sealer.seal(name, code)));
        // Without a sync: what a crash leaves half written bears no seal.
        written.and_then(|()| fs::rename(&path, self.directory.join(name))).inspect_err(|_| drop(fs::remove_file(&path)))
    }

    /// Removes what was not used for the longest time until the rest fits, but never what was just written.
    fn evict(&self, fresh: &str) {
        let mut kept = self.files(SUFFIX);
        kept.sort_by_key(|(_, modified, _)| *modified);
        let mut total: u64 = kept.iter().map(|(.., size)| size).sum();
        for (path, _, size) in kept {
            if total <= self.max_bytes {
                return;
            }
            if !path.ends_with(fresh) && fs::remove_file(&path).is_ok() {
                total -= size;
            }
        }
    }

    /// Removes what processes that are gone left behind.
    fn tidy(&self) {
        for (path, modified, _) in self.files(TEMPORARY) {
            if modified.elapsed().is_ok_and(|age| age > LEFT_BEHIND) {
                drop(fs::remove_file(path));
            }
        }
    }

    /// The files whose names end so: path, time of last use, size.
    fn files(&self, suffix: &str) -> Vec<(PathBuf, SystemTime, u64)> {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let ours = entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| name.ends_with(suffix)));
        ours.filter_map(|entry| entry.metadata().ok().and_then(|data| Some((entry.path(), data.modified().ok()?, data.len())))).collect()
    }

    fn name(&self, digest: &Digest) -> String {
        format!("{digest}-{}{SUFFIX}", self.engine)
    }
}

/// Opens a file that nobody but this user can have written, and tells its size.
pub(super) fn private(path: &Path) -> io::Result<(File, u64)> {
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let data = file.metadata()?;
    if !data.is_file() || data.uid() != geteuid().as_raw() || data.mode() & 0o022 != 0 {
        return Err(io::Error::other("others may write it"));
    }
    Ok((file, data.len()))
}

/// A name for a file that is being written.
pub(super) fn temporary(directory: &Path, name: &str) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(directory.join(format!("{name}.{:016x}{TEMPORARY}", u64::from_le_bytes(random))))
}

/// The engine as a text: code of one engine is loaded by those with the same text only.
fn fingerprint(engine: &Engine) -> String {
    let mut hasher = OfEngine(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.finalize().to_hex()[..32].to_owned()
}

/// Unlike the hasher of the standard library it gives the same result in the next process.
struct OfEngine(blake3::Hasher);

impl Hasher for OfEngine {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        u64::from_le_bytes(*self.0.finalize().as_bytes().first_chunk().expect("a hash has 32 bytes"))
    }
}

#[cfg(test)]
mod tests;
