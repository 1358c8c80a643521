//! The lock that keeps a second process out: a side file, held exclusively for as long as the store is open.

use std::{
    fs::{File, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
};

use crate::{
    error::OpenError,
    files::{beside, private},
};

/// The held lock. The system releases it when the process ends, however that happens; the file stays.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Lock {
    /// Takes the lock of a database or tells who has it.
    pub(crate) fn take(database: &Path) -> Result<Self, OpenError> {
        let path = beside(database, ".lock");
        let failed = |action| {
            let path = path.clone();
            move |source| OpenError::Io { path, action, source }
        };
        let mut file = private().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed("opened"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { path: database.to_owned(), process: read_process(&mut file) }),
            Err(TryLockError::Error(source)) => return Err(failed("locked")(source)),
        }
        write_process(&mut file).map_err(failed("written"))?;
        Ok(Self(file))
    }
}

/// The process id that the holder wrote, unless it has not come so far yet.
fn read_process(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_process(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}
