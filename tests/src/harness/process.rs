//! Child processes of tests: found in the target directory, killed when the test is over, whatever its end.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal};

/// The directory of the profile that the tests were built with.
fn profile_directory() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.ancestors().find(|path| path.ends_with("debug") || path.ends_with("release")).expect("tests run in a target directory").to_owned()
}

/// The target directory.
pub fn target_directory() -> PathBuf {
    profile_directory().parent().expect("a profile has a parent").to_owned()
}

/// A binary of this workspace.
///
/// # Panics
///
/// When it is not built.
pub fn binary(name: &str) -> PathBuf {
    let path = profile_directory().join(name);
    assert!(path.exists(), "{} is not built: run `cargo build --workspace --bins --examples`", path.display());
    path
}

/// A plugin or fixture of this workspace.
///
/// # Panics
///
/// When it is not built.
pub fn plugin(name: &str) -> PathBuf {
    let path = target_directory().join("plugins").join(format!("{name}.wasm"));
    assert!(path.exists(), "{} is not built: run `cargo xtask build-plugins`", path.display());
    path
}

/// A child process that does not outlive its test.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
}

impl Process {
    /// Starts a process and waits for the first line of its output that `find` makes something of.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub(super) fn start<T: Send + 'static>(command: &mut Command, find: fn(&str) -> Option<T>) -> (Self, T) {
        Self::try_start(command, find).unwrap_or_else(|| panic!("{command:?} does not say that it is ready"))
    }

    /// The same; `None` when the process ends without such a line, or says nothing for a long time.
    pub(super) fn try_start<T: Send + 'static>(command: &mut Command, find: fn(&str) -> Option<T>) -> Option<(Self, T)> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the process starts");
        let output = child.stdout.take().expect("its output is piped");
        let (found, wait) = mpsc::channel();
        // The thread goes on reading, so that the child never waits for room in the pipe; it ends with the child.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(value) = find(&line) {
                    let _already_found = found.send(value);
                }
            }
        });
        let process = Self { child };
        let value = wait.recv_timeout(Duration::from_secs(60)).ok()?;
        Some((process, value))
    }

    /// Its id.
    pub(super) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends a signal.
    pub(super) fn signal(&self, signal: Signal) {
        let _already_dead = rustix::process::kill_process(self.pid(), signal);
    }

    /// Whether it has not ended yet.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until it ends by itself; the exit code, `None` when it was killed.
    pub(super) fn exit(&mut self) -> Option<i32> {
        let patience = Instant::now() + Duration::from_secs(120);
        while self.is_alive() {
            assert!(Instant::now() < patience, "process {} does not end", self.child.id());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child.wait().ok().and_then(|status| status.code())
    }

    /// SIGKILL, as a power cut would.
    pub(super) fn kill(&mut self) {
        let _already_dead = self.child.kill();
        let _status = self.child.wait();
    }

    /// SIGTERM, and the exit code.
    pub(super) fn terminate(&mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.exit()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
