//! The enumeration: a run without kills counts the points, then each of them becomes the place of a death.

use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use end_to_end_tests::crash::{args::Args, points::Stop, reference};
use tempfile::TempDir;

use crate::{
    check::{Remains, violations},
    journal,
    ledger_server::LedgerServer,
    process::{End, run},
};

/// How many enumerations run side by side: most of the time is spent waiting for the disk.
const SIDE_BY_SIDE: usize = 2;

/// The points of the reference set and what it leaves behind without a crash.
#[derive(Debug)]
pub(crate) struct Enumeration {
    /// In the order in which the counting run passed them.
    pub(crate) points: Vec<String>,
    expected: Remains,
    /// Whether the first process acknowledges before it commits.
    early: bool,
}

/// How many processes died.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Kills {
    /// At the point that was to be visited.
    pub(crate) first: usize,
    /// While they recovered.
    pub(crate) second: usize,
}

/// Something went wrong at a point.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Whether the crash did harm; otherwise it could not be staged.
    pub(crate) harm: bool,
    /// What, where, what was expected, and the database that was kept.
    pub(crate) text: String,
}

impl Enumeration {
    /// Counts twice: the points do not depend on how the runs interleave.
    pub(crate) fn reference() -> Self {
        let (first, second) = (Self::count(false), Self::count(false));
        let sorted = |enumeration: &Self| {
            let mut points = enumeration.points.clone();
            points.sort();
            points
        };
        assert_eq!(sorted(&first), sorted(&second), "two runs without kills pass the same points");
        assert_eq!(first.expected, second.expected, "two runs without kills leave the same behind");
        first
    }

    /// Without a crash the mutant does everything right.
    pub(crate) fn of_the_mutant() -> Self {
        Self::count(true)
    }

    fn count(early: bool) -> Self {
        let (directory, server) = (TempDir::new().unwrap(), LedgerServer::start());
        let database = directory.path().join("runs.db");
        let args = Args { database: database.clone(), ledger: server.address, stop: Stop::Never, early };
        assert_eq!(run(&args, "counting"), End::Finished);
        let (runs, ledger) = (journal::read(&database), server.ledger());
        let expected = Remains::of(&runs, &ledger);
        assert_eq!(violations(&expected, &runs, &ledger), [""; 0], "without a crash everything holds");
        for case in reference::cases() {
            assert_eq!(expected.reports[case.name]["outcome"], case.ends, "{}", case.name);
        }
        Self { points: ledger.points.clone(), expected, early }
    }

    /// Visits every point and returns how many processes died, and what went wrong.
    pub(crate) fn visit_all(&self) -> (Kills, Vec<Fault>) {
        let (next, results) = (AtomicUsize::new(1), Mutex::new((Kills::default(), Vec::new())));
        thread::scope(|scope| {
            for _ in 0..SIDE_BY_SIDE {
                scope.spawn(|| {
                    while let Some(number) = Some(next.fetch_add(1, Ordering::SeqCst)).filter(|number| *number <= self.points.len()) {
                        let result = self.visit(number);
                        let mut results = results.lock().unwrap();
                        match result {
                            Ok(kills) => {
                                results.0.first += kills.first;
                                results.0.second += kills.second;
                            }
                            Err(fault) => results.1.push(fault),
                        }
                    }
                });
            }
        });
        results.into_inner().unwrap()
    }

    /// Kills a process at a point, counted from 1, kills the one that recovers, and lets a third finish.
    pub(crate) fn visit(&self, number: usize) -> Result<Kills, Fault> {
        let (directory, server) = (TempDir::new().unwrap(), LedgerServer::start());
        let visited = self.stage(number, directory.path(), &server).and_then(|kills| {
            let (runs, ledger) = (journal::read(&directory.path().join("runs.db")), server.ledger());
            let found = violations(&self.expected, &runs, &ledger);
            if found.is_empty() { Ok(kills) } else { Err((true, found)) }
        });
        visited.map_err(|(harm, found)| {
            let (point, reached) = (&self.points[number - 1], server.ledger().reached.clone());
            let kept = directory.keep();
            let text = format!("k = {number} ({point}), died at {reached:?}, kept in {}:\n  - {}", kept.display(), found.join("\n  - "));
            Fault { harm, text }
        })
    }

    fn stage(&self, number: usize, directory: &Path, server: &LedgerServer) -> Result<Kills, (bool, Vec<String>)> {
        let args = |stop, early| Args { database: directory.join("runs.db"), ledger: server.address, stop, early };
        let not_staged = |text: String| Err((false, vec![text]));
        let point = &self.points[number - 1];
        match run(&args(Stop::At(point.clone()), self.early), "first") {
            End::Killed if server.ledger().reached == [point.clone()] => {}
            End::Killed => return not_staged(format!("the first process was killed, but at {:?}", server.ledger().reached)),
            End::Finished => return not_staged("the first process never came to the point".to_owned()),
            End::Odd(text) => return not_staged(text),
        }
        // From here on whatever goes wrong was done by the crash.
        let second = match run(&args(Stop::Nth(1 + number % 7), false), "second") {
            End::Killed if server.ledger().reached.len() == 2 => 1,
            End::Killed => return not_staged("the second process was killed by somebody else".to_owned()),
            End::Finished => return Ok(Kills { first: 1, second: 0 }),
            End::Odd(text) => return Err((true, vec![text])),
        };
        match run(&args(Stop::Never, false), "third") {
            End::Finished => Ok(Kills { first: 1, second }),
            End::Killed => not_staged("the third process was killed by somebody else".to_owned()),
            End::Odd(text) => Err((true, vec![text])),
        }
    }
}
