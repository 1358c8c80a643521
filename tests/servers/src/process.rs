//! A server as a child process in a folder of its own. Neither outlives the test, whatever its end.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, Tried as _};

/// How long a server may take to answer. Only what never answers takes that long.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(20);

/// How much of a log an error shows.
const SHOWN: usize = 2_000;

/// Waits for the end of the test process, which closes its standard input; then ends the server and removes the folder.
/// Each line that comes before names the server that runs now, or none.
const WATCHDOG: &str = r#"
pid=
while read -r line; do pid=$line; done
[ -z "$pid" ] || kill -9 "$pid" $(cat "/proc/$pid/task/$pid/children") 2>/dev/null
for again in 1 2 3 4 5; do rm -rf -- "$1" 2>/dev/null && break; sleep 0.2; done
"#;

/// A server of one kind.
#[derive(Debug)]
pub(crate) struct Process {
    what: &'static str,
    folder: PathBuf,
    watchdog: Child,
    running: Option<Child>,
}

impl Process {
    /// Makes a folder. Nothing runs in it yet.
    pub(crate) fn new(what: &'static str) -> Result<Self, Error> {
        let folder = tempfile::Builder::new().prefix("jackfield-server-").tempdir().tried(|| "a temporary folder cannot be made".to_owned())?.keep();
        let mut watchdog = Command::new("sh");
        watchdog.args(["-c", WATCHDOG, "watchdog"]).arg(&folder).stdin(Stdio::piped());
        // In a group of its own: what interrupts the test from the keyboard leaves it its work.
        let watchdog = watchdog.process_group(0).spawn().tried(|| "sh cannot be run".to_owned())?;
        Ok(Self { what, folder, watchdog, running: None })
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file of its own.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Starts it and waits until it answers a question that only this instance can answer.
    pub(crate) fn start(&mut self, mut command: Command, answers: impl Fn() -> bool) -> Result<(), Error> {
        self.kill9();
        let path = self.log_path();
        let log = File::options().create(true).append(true).open(&path).tried(|| format!("{} cannot be written", path.display()))?;
        let error_log = log.try_clone().tried(|| "a file cannot be opened twice".to_owned())?;
        command.current_dir(&self.folder).process_group(0).stdin(Stdio::null()).stdout(log).stderr(error_log);
        let child = command.spawn().tried(|| format!("{} cannot be run", self.what))?;
        self.tell_watchdog(&child.id().to_string());
        self.running = Some(child);
        let patience = Instant::now() + PATIENCE;
        while Instant::now() < patience {
            if let Some(status) = self.running.as_mut().and_then(|child| child.try_wait().ok().flatten()) {
                self.kill9();
                return Err(self.not_started(format!("ended with {status}")));
            }
            if answers() {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
        self.kill9();
        Err(self.not_started("does not answer".to_owned()))
    }

    /// Kills it and the processes that it started, as a failure of the machine would, and waits until they are gone.
    pub(crate) fn kill9(&mut self) {
        let Some(mut child) = self.running.take() else { return };
        let children = children(child.id());
        let _already_dead = child.kill();
        let _status = child.wait();
        for &child in &children {
            if let Some(pid) = i32::try_from(child).ok().and_then(Pid::from_raw) {
                let _already_dead = kill_process(pid, Signal::KILL);
            }
        }
        let patience = Instant::now() + PATIENCE;
        while children.iter().any(|child| is_alive(*child)) && Instant::now() < patience {
            thread::sleep(PAUSE);
        }
        self.tell_watchdog("");
    }

    /// What it printed, since the first start.
    pub(crate) fn log(&self) -> String {
        fs::read(self.log_path()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    fn not_started(&self, why: String) -> Error {
        let log = self.log();
        let start = log.char_indices().rev().nth(SHOWN).map_or(0, |(at, _)| at);
        Error::Start { what: self.what, why, log: log[start..].to_owned() }
    }

    fn tell_watchdog(&mut self, pid: &str) {
        if let Some(input) = &mut self.watchdog.stdin {
            let _it_was_killed = writeln!(input, "{pid}");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
        drop(self.watchdog.stdin.take());
        let _status = self.watchdog.wait();
    }
}

/// The processes that a process started.
fn children(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}

/// Whether a process runs still; one that nobody has asked about since its end does not.
fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the name, which is in brackets and may contain anything.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z') && !rest.starts_with('X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_server_that_ends_is_an_error_with_its_log() {
        let mut process = Process::new("a server").unwrap();
        let error = process.start(shell("echo address in use; exit 3"), || false).unwrap_err();
        assert!(error.is_port_taken() && error.to_string().starts_with("a server ended with exit status: 3; its log"), "{error}");
    }

    #[test]
    fn a_server_its_children_and_its_folder_end_with_it() {
        let mut process = Process::new("a server").unwrap();
        let (folder, ready) = (process.folder().to_owned(), process.file("ready"));
        process.start(shell("sleep 1000 & touch ready; wait"), || ready.exists()).unwrap();
        let server = process.running.as_ref().unwrap().id();
        let children = children(server);
        assert!(children.len() == 1 && is_alive(children[0]) && is_alive(server));
        drop(process);
        assert!(!is_alive(children[0]) && !is_alive(server) && !folder.exists());
    }

    #[test]
    fn a_server_ends_when_nobody_is_left_to_end_it() {
        let mut process = Process::new("a server").unwrap();
        let (folder, ready) = (process.folder().to_owned(), process.file("ready"));
        process.start(shell("sleep 1000 & touch ready; wait"), || ready.exists()).unwrap();
        let mut server = process.running.take().unwrap();
        // As at the end of this process.
        drop(process.watchdog.stdin.take());
        assert!(!server.wait().unwrap().success());
        process.watchdog.wait().unwrap();
        assert!(!folder.exists());
    }
}
