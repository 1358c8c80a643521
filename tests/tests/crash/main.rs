//! Crashes, enumerated: a process that drives the reference set is killed at every point at which a crash could tell, and again while it recovers.
//! Every run must end as without the crash, and a ledger outside must show every effect once.
#![allow(clippy::unwrap_used, reason = "tests")]

mod check;
mod enumerate;
mod journal;
mod ledger;
mod ledger_server;
mod process;

use end_to_end_tests::crash::{points::Kind, reference};
use enumerate::{Enumeration, Fault};

#[test]
fn every_run_survives_a_crash_at_every_point() {
    let reference = Enumeration::reference();
    let points = &reference.points;
    let of_kind = |kind: Kind| points.iter().filter(|point| point.starts_with(&kind.to_string())).count();
    let kinds: Vec<String> = Kind::ALL.iter().map(|kind| format!("{} {kind}", of_kind(*kind))).collect();
    println!("crash points: {} = {} with {} runs in flight", points.len(), kinds.join(" + "), reference::cases().len());
    assert!(reference::cases().len() >= 8 && Kind::ALL.iter().all(|kind| of_kind(*kind) > 0));
    let (visited, faults) = reference.visit_all();
    println!("kills: {} first, {} during recovery", visited.first, visited.second);
    assert!(faults.is_empty(), "{} of {} crashes did harm:\n{}", faults.len(), points.len(), report(&faults));
    assert_eq!(visited.first, points.len(), "every point that was counted was a place to die");
    assert!(visited.second * 2 > visited.first, "most recoveries were killed, too");
}

#[test]
fn a_journal_that_acknowledges_before_it_commits_is_caught() {
    let reference = Enumeration::of_the_mutant();
    let caught = (1..=reference.points.len()).find_map(|number| reference.visit(number).err());
    match caught {
        Some(Fault { harm: true, text, .. }) => println!("the mutant is caught: {text}"),
        Some(fault) => panic!("the enumeration could not be made over the mutant: {}", fault.text),
        None => panic!("no crash shows that the mutant acknowledges before it commits"),
    }
}

fn report(faults: &[Fault]) -> String {
    faults.iter().map(|fault| fault.text.as_str()).collect::<Vec<_>>().join("\n")
}
