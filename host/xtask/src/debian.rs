//! Debian packages: the one line that installs what is missing, and installing it where that is possible.

use crate::{command, preflight::Need};

/// The one line that provides what is missing.
pub(crate) fn line(missing: &[Need]) -> String {
    let prefix = if is_root() { "" } else { "sudo " };
    format!("{prefix}apt-get install -y {}", packages(missing).join(" "))
}

/// Installs what is missing where that is possible, and says so. What could not be installed is found missing later.
pub(crate) fn install_if_possible(needs: &[Need]) {
    let missing: Vec<Need> = needs.iter().copied().filter(|need| !need.is_met()).collect();
    if missing.is_empty() || !is_root() || command::answer("apt-get", &["--version"]).is_none() {
        return;
    }
    eprintln!("missing: {}; installing, because this runs as root: {}", packages(&missing).join(", "), line(&missing));
    let install = |arguments: &[&str]| command::run(command::program("apt-get", arguments).env("DEBIAN_FRONTEND", "noninteractive"));
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages(&missing));
    if let Err(error) = install(&["update"]).and_then(|()| install(&arguments)) {
        eprintln!("not installed: {error:#}");
    }
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
