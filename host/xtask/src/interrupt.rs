//! Ctrl-C ends every child: those that xtask started and those that they started.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

/// How long children have between the polite signal and the other one: a draining host needs a few seconds.
const GRACE: Duration = Duration::from_secs(10);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

static CHILDREN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Ends the children and this process on SIGINT, SIGTERM and SIGHUP.
pub(crate) fn watch() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("signals cannot be watched")?;
    let watcher = move || {
        if signals.forever().next().is_some() {
            eprintln!("\ninterrupted: ending what was started");
            INTERRUPTED.store(true, Ordering::SeqCst);
            let children: Vec<u32> = children().iter().copied().collect();
            end(&children);
            std::process::exit(130);
        }
    };
    thread::Builder::new().name("interrupt".to_owned()).spawn(watcher).context("no thread can be started")?;
    Ok(())
}

/// From now on an interruption ends this child. One that came a moment ago ends it now.
pub(crate) fn add(child: u32) {
    children().insert(child);
    if INTERRUPTED.load(Ordering::SeqCst) {
        end(&[child]);
    }
    hold();
}

/// The child is over. If an interruption ended it, that is no failure of the child and nothing follows from it.
pub(crate) fn remove(child: u32) {
    hold();
    children().remove(&child);
}

/// Does not return after an interruption: the watching thread is about to end the process.
fn hold() {
    while INTERRUPTED.load(Ordering::SeqCst) {
        thread::park();
    }
}

/// Ends processes and all their descendants: SIGTERM, then SIGKILL for those that are left after the grace period.
pub(crate) fn end(roots: &[u32]) {
    let mut all = Vec::new();
    for root in roots {
        descend(*root, &mut all);
    }
    signal("TERM", &all);
    let step = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    while waited < GRACE && all.iter().any(|id| alive(*id)) {
        thread::sleep(step);
        waited += step;
    }
    all.retain(|id| alive(*id));
    signal("KILL", &all);
}

/// Whether a process is there and not merely waiting to be collected by its parent.
pub(crate) fn alive(id: u32) -> bool {
    // The state is the first letter after the name, which is in parentheses and may contain any character.
    fs::read_to_string(format!("/proc/{id}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with(['Z', 'X'])))
}

/// A process and its descendants, as `/proc` tells. Where there is no `/proc` it is the process alone.
fn descend(id: u32, found: &mut Vec<u32>) {
    found.push(id);
    let Ok(threads) = fs::read_dir(format!("/proc/{id}/task")) else { return };
    for thread in threads.flatten() {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        children.split_whitespace().filter_map(|word| word.parse().ok()).for_each(|child| descend(child, found));
    }
}

/// Sends a signal. The shell's own `kill` is used: the system call needs unsafe code, and the program of that name is
/// not everywhere.
fn signal(name: &str, processes: &[u32]) {
    if processes.is_empty() {
        return;
    }
    let script = format!("kill -{name} {}", processes.iter().map(u32::to_string).collect::<Vec<_>>().join(" "));
    // A process that ended meanwhile makes `kill` complain, which nobody needs to know.
    let _ = Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

fn children() -> MutexGuard<'static, BTreeSet<u32>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}
