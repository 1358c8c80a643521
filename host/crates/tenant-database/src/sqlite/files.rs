//! Files and folders: who may read them, and when a name is durable.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};

use super::beside;

/// The end of names of files that are being written.
pub(super) const UNFINISHED: &str = ".unfinished";
/// What SQLite may have beside a file, as long as it is in use or was not closed.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Makes the folder, readable by its owner only, and removes what was not finished.
pub(super) fn prepare(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(folder)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_string_lossy().contains(UNFINISHED) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Writes a new file that only its owner may read.
pub(super) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    options.mode(0o600);
    options.write(true).create_new(true).open(path)?.write_all(content)
}

/// Gives a finished file its name, unless the name is taken. Afterwards both are on the disk.
pub(super) fn publish(unfinished: &Path, path: &Path) -> io::Result<bool> {
    File::open(unfinished)?.sync_all()?;
    let named = match fs::hard_link(unfinished, path) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
        Err(error) => return Err(error),
    };
    fs::remove_file(unfinished)?;
    sync_folder(path)?;
    Ok(named)
}

/// Removes a database with all that is beside it. The file goes last: as long as it is there, its owner is known.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    for companion in COMPANIONS.map(|suffix| beside(path, suffix)).iter().map(std::path::PathBuf::as_path).chain([path]) {
        match fs::remove_file(companion) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    sync_folder(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
