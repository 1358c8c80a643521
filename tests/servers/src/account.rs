//! Who runs a server that root may not run.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::Path,
    process::Command,
};

use rustix::process::geteuid;

use crate::{
    error::{Error, Tried as _},
    program::{Program, output, with_libraries},
};

/// The account, if it is another than that of this process.
#[derive(Debug, Clone)]
pub(crate) struct Account(Option<(u32, u32)>);

impl Account {
    /// Without root's rights: this process' own account, or for root one of these, the first that exists.
    pub(crate) fn without_rights(names: &[&str]) -> Result<Self, Error> {
        if !geteuid().is_root() {
            return Ok(Self(None));
        }
        let id = |option: &str, name: &str| output(Command::new("id").args([option, name]), "id").ok()?.parse().ok();
        let found = names.iter().find_map(|name| Some((id("-u", name)?, id("-g", name)?)));
        found.map(|ids| Self(Some(ids))).ok_or_else(|| Error::missing(&format!("an account ({})", names.join(", ")), "postgresql-common"))
    }

    /// A command that runs a program under the account.
    pub(crate) fn command(&self, program: &Program) -> Command {
        let Some((user, group)) = self.0 else { return program.command() };
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups"]);
        if program.is_unpacked() {
            // The workspace may lie where only root may look; without the last one, the right does not hold for `access`.
            command.args(["--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"]);
        }
        command.arg(program.path());
        with_libraries(command)
    }

    /// Gives it a folder, which it can reach then.
    pub(crate) fn own(&self, folder: &Path) -> Result<(), Error> {
        fs::create_dir_all(folder).tried(|| format!("{} cannot be made", folder.display()))?;
        self.give(folder, 0o700)
    }

    /// Gives it a file that nobody else may read.
    pub(crate) fn own_secret(&self, file: &Path) -> Result<(), Error> {
        self.give(file, 0o600)
    }

    fn give(&self, path: &Path, mode: u32) -> Result<(), Error> {
        let done = fs::set_permissions(path, fs::Permissions::from_mode(mode)).and_then(|()| match self.0 {
            Some((user, group)) => chown(path, Some(user), Some(group)),
            None => Ok(()),
        });
        done.tried(|| format!("{} cannot be given away", path.display()))
    }
}
