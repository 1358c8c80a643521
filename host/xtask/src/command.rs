//! Runs other programs: their output streams through, they get no stdin, and they end when xtask is interrupted.

use std::{
    ffi::OsStr,
    process::{Child, Command, ExitStatus, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{environment, interrupt, workspace};

/// A program to run in the root of the workspace.
pub(crate) fn program(name: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(workspace::root()).stdin(Stdio::null());
    command
}

/// Cargo, as the person who typed `cargo xtask` has it: without what cargo itself tells the program that it runs. Some build scripts watch
/// these variables, and everything above them would be compiled again each time.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = program("cargo", arguments);
    for name in environment::told_by_cargo() {
        command.env_remove(name);
    }
    command
}

/// Says what is run, runs it with its output streaming through, and fails when it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", show(command));
    let status = spawn(command)?.wait()?;
    if !status.success() {
        bail!("`{}` ended with {status}", show(command));
    }
    Ok(())
}

/// The standard output of a program that answers at once; `None` when it is not there or fails.
pub(crate) fn answer(name: &str, arguments: &[&str]) -> Option<String> {
    let output = program(name, arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Starts a program that an interruption ends.
pub(crate) fn spawn(command: &mut Command) -> Result<Watched> {
    let child = command.spawn().with_context(|| format!("`{}` cannot be started", show(command)))?;
    interrupt::add(child.id());
    Ok(Watched(child))
}

/// A child that an interruption ends, and that does not outlive this value.
#[derive(Debug)]
pub(crate) struct Watched(Child);

impl Watched {
    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        let status = self.0.wait().context("a child cannot be waited for")?;
        interrupt::remove(self.0.id());
        Ok(status)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            interrupt::end(&[self.0.id()]);
            // The child may have ignored the polite way for the whole grace period; then it is gone by now.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
        interrupt::remove(self.0.id());
    }
}

/// The command as a person would type it.
fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .map(|word| if word.contains(' ') { format!("'{word}'") } else { word.into_owned() })
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_named_with_its_status() {
        let error = run(&mut program("sh", &["-c", "exit 3"])).unwrap_err().to_string();
        assert_eq!(error, "`sh -c 'exit 3'` ended with exit status: 3");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut program("no-such-program-anywhere", &[])).unwrap_err();
        assert!(format!("{error:#}").starts_with("`no-such-program-anywhere` cannot be started"), "{error:#}");
    }

    #[test]
    fn a_child_that_is_dropped_ends_with_what_it_started() {
        let mut command = program("sh", &["-c", "sleep 600 & echo $!; wait"]);
        let mut child = spawn(command.stdout(Stdio::piped())).unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.0.stdout.take().unwrap()), &mut line).unwrap();
        let grandchild: u32 = line.trim().parse().unwrap();
        assert!(interrupt::alive(grandchild));
        drop(child);
        assert!(!interrupt::alive(grandchild));
    }
}
