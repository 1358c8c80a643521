//! What came of the suites: a line when each ends, a table and one plain line of counts at the end.

use std::{fmt, time::Duration};

use super::NotRun;

/// What came of one suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It holds; how long it took.
    Pass(Duration),
    /// It does not; what was seen.
    Fail(String),
    /// It could not be run.
    NotRun {
        /// Why.
        reason: String,
        /// The command that enables it.
        enable: String,
    },
}

/// What came of the suites so far.
#[derive(Debug)]
pub(crate) struct Report {
    not_run: NotRun,
    rows: Vec<(&'static str, Verdict)>,
}

impl Report {
    /// Nothing so far.
    pub(crate) fn new(not_run: NotRun) -> Self {
        Self { not_run, rows: Vec::new() }
    }

    /// Takes the verdict of a suite and says it.
    pub(crate) fn add(&mut self, suite: &'static str, verdict: Verdict) {
        println!("{}", line(suite, &verdict));
        self.rows.push((suite, verdict));
    }

    /// Whether a suite was run and holds.
    pub(crate) fn passed(&self, suite: &str) -> bool {
        self.rows.iter().any(|(name, verdict)| *name == suite && matches!(verdict, Verdict::Pass(_)))
    }

    /// How many suites make the whole a failure.
    pub(crate) fn failed(&self) -> usize {
        self.count(|verdict| match verdict {
            Verdict::Pass(_) => false,
            Verdict::Fail(_) => true,
            Verdict::NotRun { .. } => self.not_run == NotRun::IsFailure,
        })
    }

    fn count(&self, which: impl Fn(&Verdict) -> bool) -> usize {
        self.rows.iter().filter(|(_, verdict)| which(verdict)).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (suite, verdict) in &self.rows {
            writeln!(f, "{}", line(suite, verdict))?;
        }
        let passed = self.count(|verdict| matches!(verdict, Verdict::Pass(_)));
        let failed = self.failed();
        write!(f, "\n{passed} passed, {failed} failed, {} skipped", self.rows.len() - passed - failed)
    }
}

/// One row of the table.
fn line(suite: &str, verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pass(took) => format!("PASS     {suite:<16} {} s", took.as_secs()),
        Verdict::Fail(what) => format!("FAIL     {suite:<16} {what}"),
        Verdict::NotRun { reason, enable } => format!("NOT RUN  {suite:<16} {reason}; to enable it: {enable}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(not_run: NotRun) -> Report {
        let mut report = Report::new(not_run);
        report.add("format", Verdict::Pass(Duration::from_secs(2)));
        report.add("lint", Verdict::Fail("it does not".to_owned()));
        report.add("javascript", Verdict::NotRun { reason: "npm is missing".to_owned(), enable: "apt-get install -y npm".to_owned() });
        report
    }

    #[test]
    fn the_last_line_counts_suites() {
        assert_eq!(report(NotRun::IsReported).to_string().lines().last(), Some("1 passed, 1 failed, 1 skipped"));
    }

    #[test]
    fn a_suite_that_cannot_be_run_is_a_failure_when_everything_is_asked_for() {
        assert_eq!(report(NotRun::IsFailure).to_string().lines().last(), Some("1 passed, 2 failed, 0 skipped"));
    }

    #[test]
    fn a_suite_that_cannot_be_run_names_the_reason_and_the_command() {
        let text = report(NotRun::IsReported).to_string();
        assert!(text.contains("NOT RUN  javascript       npm is missing; to enable it: apt-get install -y npm\n"), "{text}");
    }

    #[test]
    fn only_what_ran_and_holds_has_passed() {
        let report = report(NotRun::IsReported);
        assert!(report.passed("format") && !report.passed("lint") && !report.passed("javascript") && !report.passed("never"));
    }
}
