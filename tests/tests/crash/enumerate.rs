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
    fault::{Fault, Trouble},
    journal,
    ledger_server::LedgerServer,
    process::{End, run},
};

/// How many deaths are staged side by side: most of the time is spent waiting for the disk.
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
    /// Of these, with at least eight runs in flight.
    pub(crate) crowded: usize,
    /// While they recovered.
    pub(crate) second: usize,
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

    /// Visits every point, with an early point of each recovery, and returns how many processes died and what went wrong.
    pub(crate) fn visit_all(&self) -> (Kills, Vec<Fault>) {
        side_by_side(1, |number| (number <= self.points.len()).then(|| self.visit(number, 1 + number % 7)))
    }

    /// Visits one point again and again, each time with another point of the recovery, until a recovery comes to its end.
    pub(crate) fn visit_recoveries(&self, number: usize) -> (Kills, Vec<Fault>) {
        let recovered = Mutex::new(false);
        side_by_side(1, |again| {
            let visited = (!*recovered.lock().unwrap()).then(|| self.visit(number, again))?;
            *recovered.lock().unwrap() |= !matches!(visited, Ok(Kills { second: 1, .. }));
            Some(visited)
        })
    }

    /// Kills a process at a point, counted from 1, kills the one that recovers at its own `again`-th point, and lets a third finish.
    pub(crate) fn visit(&self, number: usize, again: usize) -> Result<Kills, Fault> {
        let (directory, server) = (TempDir::new().unwrap(), LedgerServer::start());
        let visited = self.stage(number, again, directory.path(), &server).and_then(|kills| {
            let (runs, ledger) = (journal::read(&directory.path().join("runs.db")), server.ledger());
            let found = violations(&self.expected, &runs, &ledger);
            if found.is_empty() { Ok(kills) } else { Err(Trouble::Harm(found)) }
        });
        let at = format!("k = {number} ({}), died at {:?}", self.points[number - 1], server.ledger().reached);
        visited.map_err(|trouble| Fault::new(&at, trouble, directory))
    }

    fn stage(&self, number: usize, again: usize, directory: &Path, server: &LedgerServer) -> Result<Kills, Trouble> {
        let args = |stop, early| Args { database: directory.join("runs.db"), ledger: server.address, stop, early };
        let point = &self.points[number - 1];
        match run(&args(Stop::At(point.clone()), self.early), "first") {
            End::Killed if server.ledger().reached == [point.clone()] => {}
            other @ (End::Killed | End::Finished | End::Odd(_)) => {
                return Err(Trouble::Staging(format!("the first process was to be killed at its point; instead {other:?}")));
            }
        }
        let crowded = usize::from(server.ledger().in_flight.first() >= Some(&8));
        // From here on whatever goes wrong was done by the crash.
        match run(&args(Stop::Nth(again), false), "second") {
            End::Killed if server.ledger().reached.len() == 2 => {}
            End::Finished => return Ok(Kills { first: 1, crowded, second: 0 }),
            other @ (End::Killed | End::Odd(_)) => {
                return Err(Trouble::Harm(vec![format!("the second process was to be killed or to finish; instead {other:?}")]));
            }
        }
        match run(&args(Stop::Never, false), "third") {
            End::Finished => Ok(Kills { first: 1, crowded, second: 1 }),
            other @ (End::Killed | End::Odd(_)) => Err(Trouble::Harm(vec![format!("the third process was to finish; instead {other:?}")])),
        }
    }
}

/// Stages the deaths `first`, `first + 1` and so on until there are no more, some at a time.
fn side_by_side(first: usize, stage: impl Fn(usize) -> Option<Result<Kills, Fault>> + Sync) -> (Kills, Vec<Fault>) {
    let (next, results) = (AtomicUsize::new(first), Mutex::new((Kills::default(), Vec::new())));
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(visited) = stage(next.fetch_add(1, Ordering::SeqCst)) {
                    let mut results = results.lock().unwrap();
                    match visited {
                        Ok(kills) => results.0.add(kills),
                        Err(fault) => results.1.push(fault),
                    }
                }
            });
        }
    });
    results.into_inner().unwrap()
}

impl Kills {
    fn add(&mut self, Self { first, crowded, second }: Self) {
        self.first += first;
        self.crowded += crowded;
        self.second += second;
    }
}
