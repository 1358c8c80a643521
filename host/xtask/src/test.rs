//! `cargo xtask test`: everything that must hold, cheap suites first, one table at the end.

mod gated;
mod report;
mod suite;

use anyhow::Result;

use self::{report::Report, suite::suites};
use crate::{debian, preflight, workspace};

/// What a suite that cannot be run means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotRun {
    /// It is said, with the command that would enable it.
    IsReported,
    /// It is a failure: this is how CI runs.
    IsFailure,
}

/// Runs every suite, also after a failure, so that one run shows everything that is wrong. Returns whether everything holds.
pub(crate) fn run(not_run: NotRun) -> Result<bool> {
    preflight::base()?;
    let suites = suites(workspace::root())?;
    let needs: Vec<_> = suites.iter().flat_map(|suite| suite.needs.iter().copied()).collect();
    debian::install_if_possible(&needs);
    preflight::announce(&preflight::TEST);
    let mut report = Report::new(not_run);
    for suite in &suites {
        println!("\n=== {}: {}", suite.name, suite.about);
        let verdict = suite.verdict(&report);
        report.add(suite.name, verdict);
    }
    println!("\n{report}");
    Ok(report.failed() == 0)
}
