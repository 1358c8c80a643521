//! The suites, in the order in which they run: what is cheap and fails often comes first.

use std::{path::Path, time::Instant};

use anyhow::Result;

use super::{
    gated,
    report::{Report, Verdict},
};
use crate::{command, debian, environment, plugins, preflight::Need};

/// One thing that must hold.
#[derive(Debug)]
pub(crate) struct Suite {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// What it checks, in a few words.
    pub(crate) about: &'static str,
    /// What it needs beyond Rust and a C compiler.
    pub(crate) needs: &'static [Need],
    /// Whether it compares against third-party material.
    pub(crate) fixtures: bool,
    /// A suite without which it means nothing.
    pub(crate) after: Option<&'static str>,
    /// Runs it.
    pub(crate) check: fn() -> Result<()>,
}

/// Every suite of this workspace. Those with needs of their own are there when their test file is.
pub(crate) fn suites(root: &Path) -> Result<Vec<Suite>> {
    let mut suites = vec![
        Suite { check: format, ..simple("format", "the code is formatted") },
        Suite { check: build_plugins, ..simple("plugins", "every plugin and fixture builds") },
        Suite { check: lint, ..simple("lint", "no warning from the compiler or Clippy") },
        Suite { check: tests, after: Some("plugins"), ..simple("tests", "every test and every example in the documentation") },
    ];
    suites.extend(gated::suites(root)?);
    Ok(suites)
}

fn simple(name: &'static str, about: &'static str) -> Suite {
    Suite { name, about, needs: &[], fixtures: false, after: None, check: format }
}

impl Suite {
    /// Runs the suite if what it needs is there.
    pub(crate) fn verdict(&self, so_far: &Report) -> Verdict {
        if let Some(verdict) = self.obstacle(so_far) {
            return verdict;
        }
        let started = Instant::now();
        match (self.check)() {
            Ok(()) => Verdict::Pass(started.elapsed()),
            Err(error) => Verdict::Fail(format!("{error:#}")),
        }
    }

    /// Why it cannot be run.
    fn obstacle(&self, so_far: &Report) -> Option<Verdict> {
        if let Some(first) = self.after.filter(|first| !so_far.passed(first)) {
            return Some(Verdict::NotRun {
                reason: format!("suite `{first}` did not pass"),
                enable: "cargo xtask build-plugins, until it does".to_owned(),
            });
        }
        let missing: Vec<Need> = self.needs.iter().copied().filter(|need| !need.is_met()).collect();
        if !missing.is_empty() {
            let names: Vec<_> = missing.iter().map(|need| need.name()).collect();
            return Some(Verdict::NotRun { reason: format!("{} is missing", names.join(", ")), enable: debian::line(&missing) });
        }
        if self.fixtures && environment::fixtures().is_none() {
            let enable = "JACKFIELD_FIXTURES=DIRECTORY cargo xtask test".to_owned();
            return Some(Verdict::NotRun { reason: "JACKFIELD_FIXTURES names no directory of third-party material".to_owned(), enable });
        }
        None
    }
}

fn format() -> Result<()> {
    command::run(&mut command::cargo(&["fmt", "--all", "--check"]))
}

fn build_plugins() -> Result<()> {
    plugins::build(&[])
}

fn lint() -> Result<()> {
    let mut cargo = command::cargo(&["clippy", "--workspace", "--all-targets"]);
    command::run(cargo.args(gated::feature_arguments()?).args(["--", "-D", "warnings"]))
}

fn tests() -> Result<()> {
    // End-to-end tests start the binaries of other packages, which Cargo builds for their own tests only.
    command::run(&mut command::cargo(&["build", "--workspace", "--bins"]))?;
    command::run(&mut command::cargo(&["test", "--workspace", "--no-fail-fast"]))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::NotRun, *};

    fn suite() -> Suite {
        Suite { check: || Ok(()), ..simple("x", "x") }
    }

    #[test]
    fn a_suite_that_holds_passes_and_one_that_does_not_says_why() {
        let report = Report::new(NotRun::IsReported);
        assert!(matches!(suite().verdict(&report), Verdict::Pass(_)));
        let failing = Suite { check: || anyhow::bail!("it broke"), ..suite() };
        assert_eq!(failing.verdict(&report), Verdict::Fail("it broke".to_owned()));
    }

    #[test]
    fn a_suite_is_not_run_when_the_one_before_it_did_not_pass() {
        let mut report = Report::new(NotRun::IsReported);
        let later = Suite { after: Some("plugins"), ..suite() };
        assert!(matches!(later.verdict(&report), Verdict::NotRun { .. }));
        report.add("plugins", Verdict::Pass(Duration::ZERO));
        assert!(matches!(later.verdict(&report), Verdict::Pass(_)));
    }
}
