//! `cargo xtask build-plugins`: every plugin and every Rust fixture as `target/plugins/NAME.wasm`.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::{
    command, preflight,
    workspace::{self, Guest},
};

/// Checks what is needed and builds the named plugins, or all.
pub(crate) fn run(names: &[&str]) -> Result<()> {
    preflight::base()?;
    preflight::announce(&preflight::PLUGINS);
    build(names)
}

/// Builds the named plugins, or all, and puts the components where host, demo and tests look for them.
pub(crate) fn build(names: &[&str]) -> Result<()> {
    let guests = choose(workspace::guests(workspace::root())?, names)?;
    let mut cargo = command::cargo(&["build", "--profile", "plugin", "--target", "wasm32-wasip2"]);
    for guest in &guests {
        cargo.args(["--package", &guest.package]);
    }
    command::run(&mut cargo)?;
    let (built, plugins) = (workspace::target().join("wasm32-wasip2/plugin"), workspace::target().join("plugins"));
    fs::create_dir_all(&plugins).with_context(|| format!("{} cannot be created", plugins.display()))?;
    for guest in &guests {
        let component = built.join(guest.artifact());
        if !component.is_file() {
            bail!("{} builds no component: its Cargo.toml needs [lib] crate-type = [\"cdylib\", \"rlib\"]", guest.folder.display());
        }
        let changed = install(&component, &plugins.join(format!("{}.wasm", guest.package)))?;
        eprintln!("{} target/plugins/{}.wasm", if changed { "wrote" } else { "unchanged" }, guest.package);
    }
    Ok(())
}

/// Builds the plugins that ship, without the fixtures of tests.
pub(crate) fn build_shipped() -> Result<()> {
    let shipped = workspace::root().join("plugins");
    let guests = workspace::guests(workspace::root())?;
    let names: Vec<_> = guests.iter().filter(|guest| guest.folder.starts_with(&shipped)).map(|guest| guest.package.as_str()).collect();
    build(&names)
}

/// The guests of the given names; all when no name is given.
fn choose(mut guests: Vec<Guest>, names: &[&str]) -> Result<Vec<Guest>> {
    let known: Vec<_> = guests.iter().map(|guest| guest.package.as_str()).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(*name)) {
        bail!("there is no plugin `{unknown}`; there are: {}", known.join(", "));
    }
    guests.retain(|guest| names.is_empty() || names.contains(&guest.package.as_str()));
    if guests.is_empty() {
        bail!("neither plugins/ nor tests/fixtures/ has a folder with a Cargo.toml");
    }
    Ok(guests)
}

/// Copies a file so that a reader sees the old or the new one, never a part; leaves an equal one untouched, so that its
/// date, which caches go by, stays. Returns whether anything changed.
pub(crate) fn install(from: &Path, to: &Path) -> Result<bool> {
    let bytes = fs::read(from).with_context(|| format!("{} cannot be read", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    let temporary = to.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&temporary, bytes).with_context(|| format!("{} cannot be written", temporary.display()))?;
    fs::rename(&temporary, to).with_context(|| format!("{} cannot be replaced", to.display()))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn guests() -> Vec<Guest> {
        ["a", "b"].map(|name| Guest { package: name.to_owned(), folder: PathBuf::new() }).to_vec()
    }

    #[test]
    fn without_names_all_are_chosen_and_with_names_only_those() {
        assert_eq!(choose(guests(), &[]).unwrap().len(), 2);
        assert_eq!(choose(guests(), &["b"]).unwrap(), guests()[1..]);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        assert_eq!(choose(guests(), &["c"]).unwrap_err().to_string(), "there is no plugin `c`; there are: a, b");
    }

    #[test]
    fn an_equal_file_is_left_untouched_and_a_different_one_is_replaced() {
        let folder = workspace::target().join(format!("xtask-test-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (from, to) = (folder.join("from"), folder.join("to.wasm"));
        fs::write(&from, "1").unwrap();
        assert!(install(&from, &to).unwrap());
        assert!(!install(&from, &to).unwrap());
        fs::write(&from, "2").unwrap();
        assert!(install(&from, &to).unwrap());
        assert_eq!(fs::read_to_string(&to).unwrap(), "2");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        fs::remove_dir_all(&folder).unwrap();
    }
}
