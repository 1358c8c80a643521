//! What a test waits for, and what it cannot be run without.

use std::{
    io::Write,
    time::{Duration, Instant},
};

/// Waits for something that must come; the patience is for a stuck host, not a measure of speed.
///
/// # Panics
///
/// When it does not come.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < patience, "{what} does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Says that a test was not run, in the words of `cargo xtask test`, and past the capture of the test's output.
pub fn not_run(test: &str, reason: &str, enable: &str) {
    let _nobody_reads = writeln!(std::io::stderr(), "NOT RUN  {test:<16} {}; to enable it: {enable}", reason.trim());
}
