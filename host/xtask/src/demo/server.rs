//! A child that serves: started, waited for until it says where it listens, logged to a file, ended with the demo.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::command::{self, Watched};

/// A child that has said where it listens. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Watched,
    /// The text that the child printed after the marker.
    pub(crate) address: String,
    /// Everything it printed, for the errors of tests.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests clean up after themselves"))]
    pub(crate) log: PathBuf,
}

impl Server {
    /// Starts a program and waits until it prints a line with `marker`; what follows the marker up to a space is its
    /// address. Both of its outputs go to the log.
    pub(crate) fn start(program: &mut Command, marker: &str, log: &Path, patience: Duration) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("{} cannot be created", log.display()))?;
        let (reader, writer) = std::io::pipe().context("no pipe can be made")?;
        program.stdout(writer.try_clone().context("a pipe cannot be shared")?).stderr(writer);
        let child = command::spawn(program);
        // The command holds the writing ends: while it does, the reader sees no end.
        program.stdout(Stdio::null()).stderr(Stdio::null());
        let (found, address) = mpsc::channel();
        let marker = marker.to_owned();
        thread::Builder::new().name("demo-log".to_owned()).spawn(move || copy_lines(reader, file, &marker, &found))?;
        let child = child?;
        match address.recv_timeout(patience) {
            Ok(address) => Ok(Self { child, address, log: log.to_owned() }),
            Err(mpsc::RecvTimeoutError::Disconnected) => bail!("it ended before it served; its last words are in {}", log.display()),
            Err(mpsc::RecvTimeoutError::Timeout) => bail!("it does not serve after {} s; see {}", patience.as_secs(), log.display()),
        }
    }

    /// Waits until the child ends by itself.
    pub(crate) fn wait(&mut self) -> Result<()> {
        self.child.wait().map(|_| ())
    }
}

/// Copies until the child ends, flushing by line, and sends the first address.
fn copy_lines(from: impl std::io::Read, mut log: File, marker: &str, found: &mpsc::Sender<String>) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        if let Some(address) = text.split_once(marker).and_then(|(_, rest)| rest.split_whitespace().next()) {
            // Nobody listens after the first one.
            let _ = found.send(address.to_owned());
        }
        // A full disk must not stop the child, which a full pipe would.
        let _ = log.write_all(&line);
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    fn start(script: &str, name: &str) -> Result<Server> {
        let log = workspace::target().join(format!("xtask-{name}-{}.log", std::process::id()));
        Server::start(&mut command::program("sh", &["-c", script]), "listening on ", &log, Duration::from_secs(60))
    }

    #[test]
    fn the_address_is_what_follows_the_marker_and_all_output_is_logged() {
        let mut server = start("echo a; echo b >&2; echo 'info: listening on http://127.0.0.1:1 now'", "address").unwrap();
        assert_eq!(server.address, "http://127.0.0.1:1");
        server.wait().unwrap();
        let log = std::fs::read_to_string(&server.log).unwrap();
        assert!(log.starts_with("a\nb\n"), "{log}");
        std::fs::remove_file(&server.log).unwrap();
    }

    #[test]
    fn a_child_that_ends_first_is_an_error_with_the_place_of_its_log() {
        let error = start("echo sorry; exit 1", "ends").unwrap_err().to_string();
        let log = PathBuf::from(error.strip_prefix("it ended before it served; its last words are in ").unwrap());
        std::fs::remove_file(log).unwrap();
    }
}
