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
    let (unpacked, installed): (Vec<Need>, Vec<Need>) = missing.into_iter().partition(|need| need.is_unpacked());
    install(&installed);
    for need in unpacked {
        if let Err(error) = unpack(need.package(), &workspace::target().join("debian")) {
            eprintln!("not unpacked: {error:#}");
        }
    }
}

fn install(missing: &[Need]) {
    if missing.is_empty() || !is_root() {
        return;
    }
    eprintln!("missing: {}; installing, because this runs as root: {}", packages(missing).join(", "), line(missing));
    let install = |arguments: &[&str]| command::run(command::program("apt-get", arguments).env("DEBIAN_FRONTEND", "noninteractive"));
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages(missing));
    if let Err(error) = install(&["update"]).and_then(|()| install(&arguments)) {
        eprintln!("not installed: {error:#}");
    }
}

/// Unpacks a package without installing it, which takes no rights: root only brings the list of packages up to date before.
fn unpack(package: &str, directory: &Path) -> Result<()> {
    eprintln!("missing: {package}; unpacking it under {}", directory.display());
    fs::create_dir_all(directory).with_context(|| format!("{} cannot be created", directory.display()))?;
    if is_root() {
        command::run(&mut command::program("apt-get", &["update"]))?;
    }
    command::run(command::program("apt-get", &["download", package]).current_dir(directory))?;
    for entry in fs::read_dir(directory).with_context(|| format!("{} cannot be read", directory.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            command::run(command::program("dpkg-deb", &["--extract"]).arg(&path).arg(directory))?;
            fs::remove_file(&path).with_context(|| format!("{} cannot be removed", path.display()))?;
        }
    }
    Ok(())
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
