//! The drop folder: a plugin that somebody puts there is installed, and moved to `installed` or, with the reason beside it, to `refused`.

use std::{
    collections::HashMap,
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use engine::port::ReadError;
use rustix::fs::{Mode, OFlags};
use tracing::{info, warn};

use super::{Registry, RegistryError, named};

/// How often the folder is looked at. A file counts as whole when it is the same at two looks.
const LOOK: Duration = Duration::from_secs(2);

/// What a file looked like: its length and when it was written.
type Look = (u64, Option<SystemTime>);

/// Watches a folder for ever. It is made when it is not there.
pub(crate) async fn watch_drop_folder(registry: Arc<Registry>, folder: PathBuf) {
    let mut seen = HashMap::new();
    let mut reported = None;
    loop {
        let (place, mut known) = (folder.clone(), std::mem::take(&mut seen));
        let looked = beside(move || look(&place, &mut known).map(|ready| (ready, known))).await;
        let problem = match looked {
            Ok((ready, known)) => {
                seen = known;
                for file in ready {
                    take(&registry, &folder, &file).await;
                }
                None
            }
            Err(error) => Some(error.to_string()),
        };
        if problem != reported
            && let Some(problem) = &problem
        {
            warn!("registry.drop_folder: {} cannot be used: {problem}", folder.display());
        }
        reported = problem;
        tokio::time::sleep(LOOK).await;
    }
}

/// The files that have not changed since the last look.
fn look(folder: &Path, seen: &mut HashMap<PathBuf, Look>) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let mut now = HashMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // A link could lead anywhere; the entry's own type says so.
        if path.extension().is_some_and(|extension| extension == "wasm") && entry.file_type()?.is_file() {
            let metadata = entry.metadata()?;
            now.insert(path, (metadata.len(), metadata.modified().ok()));
        }
    }
    let mut ready: Vec<PathBuf> = now.iter().filter(|(path, look)| seen.get(*path) == Some(look)).map(|(path, _)| path.clone()).collect();
    ready.sort();
    *seen = now;
    Ok(ready)
}

async fn take(registry: &Registry, folder: &Path, file: &Path) {
    let (path, limit) = (file.to_owned(), registry.max_bytes());
    let outcome = match beside(move || Ok(read(&path, limit))).await.unwrap_or_else(|error| Err(ReadError::Unavailable(error.to_string()).into())) {
        Ok(bytes) => registry.install(bytes, "drop-folder", &file.display().to_string(), false).await,
        Err(refused) => Err(refused),
    };
    let moved = match outcome {
        Ok(installation) => {
            info!("{}: {} is installed; it gets no traffic until it is activated", file.display(), named(&installation.plugin));
            put_away_beside(folder, "installed", file, None).await
        }
        Err(error @ (RegistryError::Read(_) | RegistryError::Unread { .. } | RegistryError::Change(_))) => {
            warn!("{} is tried again later: {error}", file.display());
            Ok(())
        }
        Err(error) => {
            warn!("{} is refused: {error}", file.display());
            put_away_beside(folder, "refused", file, Some(error.to_string())).await
        }
    };
    if let Err(error) = moved {
        warn!("{} cannot be moved, and is looked at again: {error}", file.display());
    }
}

/// The bytes of a file that is not too large to be a plugin.
fn read(file: &Path, limit: usize) -> Result<Vec<u8>, RegistryError> {
    // What was a file when the folder was looked at may be a link or a pipe by now.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = fs::File::from(rustix::fs::open(file, flags, Mode::empty()).map_err(|error| unreadable(&error.into()))?);
    let metadata = opened.metadata().map_err(|error| unreadable(&error))?;
    if !metadata.is_file() {
        return Err(RegistryError::Refused("it is no file".to_owned()));
    }
    let length = metadata.len();
    if length > limit as u64 {
        return Err(RegistryError::Refused(format!("it has {length} bytes, more than the {limit} of runtime.max_component_bytes")));
    }
    let mut bytes = Vec::new();
    opened.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    Ok(bytes)
}

fn unreadable(error: &io::Error) -> RegistryError {
    RegistryError::Refused(format!("it cannot be read: {error}"))
}

/// Does what waits for a disk on a thread that may wait.
async fn beside<R: Send + 'static>(work: impl FnOnce() -> io::Result<R> + Send + 'static) -> io::Result<R> {
    tokio::task::spawn_blocking(work).await?
}

async fn put_away_beside(folder: &Path, fate: &'static str, file: &Path, why: Option<String>) -> io::Result<()> {
    let (folder, file) = (folder.to_owned(), file.to_owned());
    beside(move || put_away(&folder, fate, &file, why.as_deref())).await
}

/// Moves a file beside the others of its fate. A name that is taken gets a number.
fn put_away(folder: &Path, fate: &str, file: &Path, why: Option<&str>) -> io::Result<()> {
    let directory = folder.join(fate);
    fs::create_dir_all(&directory)?;
    if fs::symlink_metadata(&directory)?.is_symlink() {
        return Err(io::Error::other(format!("{} is a link, expected a directory", directory.display())));
    }
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let place = |number: usize| directory.join(if number == 0 { format!("{name}.wasm") } else { format!("{name}-{number}.wasm") });
    let is_free = |place: &PathBuf| fs::symlink_metadata(place).is_err() && fs::symlink_metadata(place.with_extension("txt")).is_err();
    let free = (0..).map(place).find(is_free).unwrap_or_else(|| place(0));
    fs::rename(file, &free)?;
    match why {
        // Never over something that is there, which might be a link.
        Some(why) => fs::File::create_new(free.with_extension("txt"))?.write_all(format!("{why}\n").as_bytes()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_ready_when_two_looks_see_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.wasm");
        let mut seen = HashMap::new();
        fs::write(&file, "one").unwrap();
        fs::write(folder.path().join("b.txt"), "no plugin").unwrap();
        std::os::unix::fs::symlink(&file, folder.path().join("c.wasm")).unwrap();
        assert_eq!(look(folder.path(), &mut seen).unwrap(), Vec::<PathBuf>::new());
        fs::write(&file, "longer").unwrap();
        assert_eq!(look(folder.path(), &mut seen).unwrap(), Vec::<PathBuf>::new());
        assert_eq!(look(folder.path(), &mut seen).unwrap(), vec![file.clone()]);
        put_away(folder.path(), "refused", &file, Some("why")).unwrap();
        fs::write(&file, "again").unwrap();
        put_away(folder.path(), "refused", &file, Some("why not")).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("refused/a.txt")).unwrap(), "why\n");
        assert_eq!(fs::read_to_string(folder.path().join("refused/a-1.txt")).unwrap(), "why not\n");
    }
}
