//! Tests of what this machine may not offer.

use std::io::Write;

/// Says that a test was not run, in the words of `cargo xtask test`, and past the capture of the test's output.
pub fn not_run(test: &str, reason: &str, enable: &str) {
    let _nobody_reads = writeln!(std::io::stderr(), "NOT RUN  {test:<16} {}; to enable it: {enable}", reason.trim());
}
