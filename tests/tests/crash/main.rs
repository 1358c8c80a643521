//! Crashes, enumerated: a process that drives the reference set is killed at every point at which a crash could tell, and again while it recovers.
//! Every run must end as without the crash, and a ledger outside must show every effect once.
#![allow(clippy::unwrap_used, reason = "tests")]

mod check;
mod enumerate;
mod fault;
mod journal;
mod ledger;
mod ledger_server;
mod process;

use end_to_end_tests::crash::{points::Kind, reference};
use enumerate::{Enumeration, Kills};
use fault::Fault;

#[test]
fn every_run_survives_a_crash_at_every_point() {
    let reference = Enumeration::reference();
    let points = &reference.points;
    let of_kind = |kind: Kind| points.iter().filter(|point| point.starts_with(&kind.to_string())).count();
    let kinds: Vec<String> = Kind::ALL.iter().map(|kind| format!("{} {kind}", of_kind(*kind))).collect();
    println!("crash points: {} = {} with {} runs in flight", points.len(), kinds.join(" + "), reference::cases().len());
    assert!(reference::cases().len() >= 8 && Kind::ALL.iter().all(|kind| of_kind(*kind) > 0));
    let kills = harmless(reference.visit_all());
    assert_eq!(kills.first, points.len(), "every point that was counted was a place to die");
    assert!(kills.second * 2 > kills.first, "most recoveries were killed, too");
    assert!(kills.crowded * 2 > kills.first, "most crashes met many runs at once");
}

#[test]
fn every_run_survives_a_crash_at_every_point_of_a_recovery() {
    let reference = Enumeration::reference();
    // Early enough that nearly all runs have most of their way before them.
    let kills = harmless(reference.visit_recoveries(reference.points.len() / 4));
    assert!(kills.second > reference::cases().len(), "the recovery goes on with many runs");
}

#[test]
fn a_journal_that_acknowledges_before_it_commits_is_caught() {
    let reference = Enumeration::of_the_mutant();
    let caught = (1..=reference.points.len()).find_map(|number| reference.visit(number, 1).err());
    match caught {
        Some(fault) if fault.harm => println!("the mutant is caught: {}", fault.text),
        Some(fault) => panic!("the enumeration could not be made over the mutant: {}", fault.keep()),
        None => panic!("no crash shows that the mutant acknowledges before it commits"),
    }
}

/// Says how many processes died, and fails with the first crashes that did harm, if any did.
fn harmless((kills, faults): (Kills, Vec<Fault>)) -> Kills {
    println!("kills: {} first ({} of them with 8 runs in flight or more), {} during recovery", kills.first, kills.crowded, kills.second);
    let (count, told) = (faults.len(), faults.into_iter().take(10).map(Fault::keep).collect::<Vec<_>>());
    assert!(told.is_empty(), "{count} crashes did harm:\n{}", told.join("\n"));
    kills
}
