//! The child as a process: started, waited for, and ended if it hangs.

use std::{
    fs::{self, File},
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use end_to_end_tests::crash::args::Args;

/// How long a child may take before the test calls it hung: some hundred times what it needs.
const HUNG: Duration = Duration::from_secs(90);

/// How a child ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It finished its work.
    Finished,
    /// It killed itself.
    Killed,
    /// Anything else; why, and what it wrote to its standard error.
    Odd(String),
}

/// Runs a child to its end. What it writes goes to a file beside its database.
pub(crate) fn run(args: &Args, called: &str) -> End {
    let log = args.database.with_file_name(format!("{called}.stderr"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_crash-child"))
        .args(args.words())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let ended = wait(&mut child);
    let log = fs::read_to_string(&log).unwrap();
    match ended {
        Some(status) if log.contains(" ERROR ") => End::Odd(format!("the {called} process, which ended with {status}, reported: {}", tail(&log))),
        Some(status) if status.success() => End::Finished,
        Some(status) if status.signal() == Some(9) => End::Killed,
        Some(status) => End::Odd(format!("the {called} process ended with {status}: {}", tail(&log))),
        None => End::Odd(format!("the {called} process hung: {}", tail(&log))),
    }
}

fn wait(child: &mut Child) -> Option<ExitStatus> {
    let began = Instant::now();
    while began.elapsed() < HUNG {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

/// The last lines of a log.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n    ")
}
