//! Programs of Debian packages: the installed ones, or those that `cargo xtask test` unpacked.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::error::{Error, Tried as _};

/// Where packages put programs. A `*` stands for one folder.
const FOLDERS: [&str; 5] = ["usr/lib/postgresql/*/bin", "usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin"];

/// A program that is there.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    path: PathBuf,
    is_unpacked: bool,
}

impl Program {
    /// Finds a program, or names the package that brings it.
    pub(crate) fn find(name: &str, package: &str) -> Result<Self, Error> {
        let found = roots().into_iter().find_map(|root| {
            let mut paths = FOLDERS.iter().flat_map(|folder| spread(&root, folder)).map(|folder| folder.join(name));
            paths.find(|path| path.is_file()).map(|path| Self { path, is_unpacked: root != Path::new("/") })
        });
        found.ok_or_else(|| Error::missing(name, package))
    }

    /// A program of the same folder.
    pub(crate) fn beside(&self, name: &str) -> Self {
        Self { path: self.path.with_file_name(name), ..self.clone() }
    }

    /// The same program under another path.
    pub(crate) fn copied_to(&self, path: PathBuf) -> Result<Self, Error> {
        fs::copy(&self.path, &path).tried(|| format!("{} cannot be copied to {}", self.path.display(), path.display()))?;
        Ok(Self { path, ..self.clone() })
    }

    /// Whether it was unpacked under `target` and not installed.
    pub(crate) fn is_unpacked(&self) -> bool {
        self.is_unpacked
    }

    /// Where it is, for a program that starts it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A command that runs it.
    pub(crate) fn command(&self) -> Command {
        with_libraries(Command::new(&self.path))
    }
}

/// Lets a command find the libraries of packages that were unpacked, which an installed program may load too.
pub(crate) fn with_libraries(mut command: Command) -> Command {
    let unpacked = unpacked();
    let folders = ["usr/lib/*-linux-gnu", "lib/*-linux-gnu"].iter().flat_map(|folder| spread(&unpacked, folder));
    let paths: Vec<OsString> = folders.map(PathBuf::into_os_string).collect();
    if !paths.is_empty() {
        command.env("LD_LIBRARY_PATH", paths.join(&OsString::from(":")));
    }
    command
}

/// A file of a package, relative to the root. A `*` stands for one folder.
pub(crate) fn file(path: &str, package: &str) -> Result<PathBuf, Error> {
    let mut paths = roots().into_iter().flat_map(|root| spread(&root, path));
    paths.find(|path| path.exists()).ok_or_else(|| Error::missing(path, package))
}

/// Where packages are: installed, or unpacked.
fn roots() -> [PathBuf; 2] {
    [PathBuf::from("/"), unpacked()]
}

fn unpacked() -> PathBuf {
    target().join("debian")
}

/// The target directory of the workspace, where `cargo xtask` puts what it unpacks and installs.
pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

/// Runs a command and returns what it printed.
pub(crate) fn output(command: &mut Command, what: &str) -> Result<String, Error> {
    let output = command.output().tried(|| format!("{what} cannot be run"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(Error::refused(what, format!("{} {}", error.trim(), out.trim()).trim()))
}

/// The paths that a pattern with at most one `*` stands for, the last of the alphabet (the newest version) first.
fn spread(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![root.join(pattern)];
    };
    let (folder, start) = before.rsplit_once('/').unwrap_or(("", before));
    let (end, rest) = after.split_once('/').unwrap_or((after, ""));
    let entries = fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = names.filter(|name| name.starts_with(start) && name.ends_with(end)).collect();
    names.sort_by(|one, other| other.cmp(one));
    names.into_iter().map(|name| root.join(folder).join(name).join(rest)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_folders_newest_first() {
        let root = tempfile::tempdir().unwrap();
        for version in ["13", "15", "README"] {
            fs::create_dir_all(root.path().join("lib/p").join(version).join("bin")).unwrap();
        }
        let found = spread(root.path(), "lib/p/1*/bin");
        assert_eq!(found, ["15", "13"].map(|version| root.path().join("lib/p").join(version).join("bin")));
        assert_eq!(spread(root.path(), "lib/p"), [root.path().join("lib/p")]);
        assert!(spread(root.path(), "nowhere/*").is_empty());
    }

    #[test]
    fn what_is_not_there_is_said_with_the_line_that_installs_it() {
        let error = Program::find("no-such-server", "such-a-package").unwrap_err();
        let line = "no-such-server is missing: install such-a-package with `apt-get install --no-install-recommends such-a-package`";
        assert_eq!(error.to_string(), line);
    }
}
