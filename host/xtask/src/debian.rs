//! Debian packages: the one line that installs what is missing, and installing it where that is possible.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{command, preflight::Need, workspace};

/// The one line that provides what is missing.
pub(crate) fn line(missing: &[Need]) -> String {
    let prefix = if is_root() { "" } else { "sudo " };
    format!("{prefix}apt-get install -y {}", packages(missing).join(" "))
}

/// Installs what is missing where that is possible, and says so. What could not be installed is found missing later.
pub(crate) fn install_if_possible(needs: &[Need]) {
    let missing: Vec<Need> = needs.iter().copied().filter(|need| !need.is_met()).collect();
    if missing.is_empty() || command::answer("apt-get", &["--version"]).is_none() {
        return;
    }
    if is_root()
        && let Err(error) = command::run(&mut command::program("apt-get", &["update"]))
    {
        eprintln!("the list of packages is as old as it was: {error:#}");
    }
    let (unpacked, installed): (Vec<Need>, Vec<Need>) = missing.into_iter().partition(|need| need.is_unpacked());
    install(&installed);
    for package in packages(&unpacked) {
        if let Err(error) = unpack(package, &workspace::target().join("debian")) {
            eprintln!("not unpacked: {error:#}");
        }
    }
}

fn install(missing: &[Need]) {
    if missing.is_empty() || !is_root() {
        return;
    }
    eprintln!("missing: {}; installing, because this runs as root: {}", packages(missing).join(", "), line(missing));
    let mut install = command::program("apt-get", &["install", "-y", "--no-install-recommends"]);
    if let Err(error) = command::run(install.args(packages(missing)).env("DEBIAN_FRONTEND", "noninteractive")) {
        eprintln!("not installed: {error:#}");
    }
}

/// Unpacks a package, and those of its dependencies that are not installed, without installing them. That takes no rights, and starts
/// no service.
fn unpack(package: &str, directory: &Path) -> Result<()> {
    eprintln!("missing: {package}; unpacking it under {}", directory.display());
    let archives = directory.join("archives");
    fs::create_dir_all(archives.join("partial")).with_context(|| format!("{} cannot be created", archives.display()))?;
    let mut download = command::program("apt-get", &["install", "-y", "--no-install-recommends", "--download-only", "--quiet"]);
    // Nothing of the system is written, so nothing of it is locked.
    download.args(["-o", "Debug::NoLocking=1", "-o"]).arg(format!("Dir::Cache::archives={}", archives.display())).arg(package);
    command::run(&mut download)?;
    for entry in fs::read_dir(&archives).with_context(|| format!("{} cannot be read", archives.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            command::run(command::program("dpkg-deb", &["--extract"]).arg(&path).arg(directory))?;
        }
    }
    fs::remove_dir_all(&archives).with_context(|| format!("{} cannot be removed", archives.display()))
}

/// The packages without repetition, in the order of the needs.
fn packages(needs: &[Need]) -> Vec<&'static str> {
    let mut packages = Vec::new();
    for need in needs {
        if !packages.contains(&need.package()) {
            packages.push(need.package());
        }
    }
    packages
}

fn is_root() -> bool {
    command::answer("id", &["-u"]).as_deref() == Some("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_missing_makes_one_line_that_names_each_package_once() {
        let line = line(&[Need::PythonVenv, Need::Node, Need::Npm, Need::Node]);
        assert!(line.ends_with("apt-get install -y python3-venv nodejs npm"), "{line}");
        assert_eq!(line.lines().count(), 1);
    }
}
