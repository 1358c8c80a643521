//! Where things are: the workspace's folders, and the packages that are guests, found by reading the folders.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// The root of the workspace that this binary was built from.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate lies two folders below the root")
}

/// The target directory. There is one, shared by demo, test and people.
pub(crate) fn target() -> PathBuf {
    root().join("target")
}

/// A package that is built to a component.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Guest {
    /// The package's name, under which the component is found.
    pub(crate) package: String,
    /// Its folder.
    pub(crate) folder: PathBuf,
}

impl Guest {
    /// What Cargo calls the built file.
    pub(crate) fn artifact(&self) -> String {
        format!("{}.wasm", self.package.replace('-', "_"))
    }
}

/// Every plugin and every fixture written in Rust, in alphabetical order.
pub(crate) fn guests(root: &Path) -> Result<Vec<Guest>> {
    let mut guests = Vec::new();
    for parent in ["plugins", "tests/fixtures"] {
        for folder in folders(&root.join(parent))? {
            let manifest = folder.join("Cargo.toml");
            if manifest.is_file() {
                let text = fs::read_to_string(&manifest).with_context(|| format!("{} cannot be read", manifest.display()))?;
                let Some(package) = package_name(&text) else { bail!("{} has no `name` under [package]", manifest.display()) };
                guests.push(Guest { package: package.to_owned(), folder });
            }
        }
    }
    guests.sort();
    Ok(guests)
}

/// Every fixture written in JavaScript.
pub(crate) fn javascript_fixtures(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = folders(&root.join("tests/fixtures"))?;
    found.retain(|folder| folder.join("package.json").is_file());
    Ok(found)
}

/// The folders within a folder, in alphabetical order; none when it does not exist.
fn folders(parent: &Path) -> Result<Vec<PathBuf>> {
    if !parent.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(parent).with_context(|| format!("{} cannot be read", parent.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("{} cannot be read", parent.display()))?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// The name in a manifest: the first `name = "..."` of its `[package]` table. A TOML parser would be the largest
/// dependency of this crate; manifests in this workspace write the name on a line of its own.
fn package_name(manifest: &str) -> Option<&str> {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[package]").skip(1).take_while(|line| !line.starts_with('['));
    lines.find_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix('=')?.trim().strip_prefix('"')?.strip_suffix('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_package_is_read_from_its_own_table_only() {
        assert_eq!(package_name("[lib]\nname = \"x\"\n[package]\nversion = \"1\"\nname = \"a-b\"\n"), Some("a-b"));
        assert_eq!(package_name("[package]\nversion = \"1\"\n[lib]\nname = \"x\"\n"), None);
    }

    #[test]
    fn the_plugins_of_this_workspace_are_found_by_their_folders() {
        let guests = guests(root()).unwrap();
        let folders = folders(&root().join("plugins")).unwrap();
        assert!(!folders.is_empty());
        for folder in folders {
            let guest = guests.iter().find(|guest| guest.folder == folder);
            assert!(guest.is_some_and(|guest| folder.ends_with(&guest.package)), "{} is not a plugin of its folder's name", folder.display());
        }
    }

    #[test]
    fn the_artifact_has_the_name_that_cargo_gives_it() {
        let guest = Guest { package: "inventory-pool".to_owned(), folder: PathBuf::new() };
        assert_eq!(guest.artifact(), "inventory_pool.wasm");
    }
}
