//! Journals of the reference set as each release wrote them, under `tests/golden`: every later build must replay them to the same state.
//!
//! Each file is JSON lines: `{"run", "record"}` in order, then one `{"run", "state"}` per run. Files of a release are never changed; `JACKFIELD_BLESS=1`
//! writes those of the release that is being made, which is the last of [`RELEASES`].

use std::{collections::BTreeMap, path::PathBuf};

use pipeline::{Definition, Record, Run, RunId, Standing, StepStatus, replay};
use serde::{Deserialize, Serialize};

use crate::{
    scenario::{Scenario, all},
    support::outcome_text,
};

/// The releases whose journals are kept, in order.
const RELEASES: [&str; 2] = ["v1", "v2"];

/// One line of a golden journal.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    run: RunId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    record: Option<Record>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<Vec<String>>,
}

/// What a replay must come to, in words that do not depend on how a build lays a run out in memory.
fn state(definition: &Definition, run: &Run) -> Vec<String> {
    let mut state = vec![run.outcome().map_or_else(|| "live".to_owned(), outcome_text)];
    for (step, step_state) in definition.steps.iter().zip(run.steps()) {
        let status = match &step_state.status {
            StepStatus::Waiting => "waiting",
            StepStatus::Refused(_) => "refused",
            StepStatus::Scheduled(_) => "scheduled",
            StepStatus::Done { .. } => "done",
        };
        state.push(format!("{} round {} {status}", step.name, step_state.round));
        for item in &step_state.items {
            let attempts = item.attempts;
            state.push(format!(
                "- round {} {} attempts {}+{} failures {}",
                item.round,
                standing(&item.standing),
                attempts[0],
                attempts[1],
                item.failures
            ));
        }
    }
    state.extend(run.fallouts().iter().map(|fallout| {
        let by = fallout.resolved.as_ref().map_or("nobody", |(_, by)| by.as_str());
        format!("fallout {} {:?} {} resolved by {by}", fallout.opened.id, fallout.opened.subject, fallout.opened.step)
    }));
    state
}

fn standing(standing: &Standing) -> String {
    match standing {
        Standing::Open => "open".to_owned(),
        Standing::Done { output, by_hand } => format!("done {output}{}", if *by_hand { " by hand" } else { "" }),
        Standing::Failed { doubt, .. } => if *doubt { "failed in doubt" } else { "failed" }.to_owned(),
        Standing::Forgiven => "forgiven".to_owned(),
        Standing::Undone => "undone".to_owned(),
        Standing::UndoFailed { .. } => "undo failed".to_owned(),
    }
}

fn directory(release: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(release)
}

/// The pipelines that a journal of the scenario may speak of.
fn definitions(scenario: &Scenario) -> Vec<Definition> {
    scenario.world().definitions().cloned().collect()
}

fn written(scenario: &Scenario) -> String {
    let mut world = scenario.world();
    world.finish();
    let definitions = definitions(scenario);
    let mut lines = Vec::new();
    for (id, entry) in &world.runs {
        lines.extend(entry.journal.iter().map(|record| Line { run: id.clone(), record: Some(record.clone()), state: None }));
        let definition = definition_of(&definitions, &entry.journal);
        lines.push(Line { run: id.clone(), record: None, state: Some(state(definition, &entry.run)) });
    }
    lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect()
}

fn definition_of<'a>(definitions: &'a [Definition], journal: &[Record]) -> &'a Definition {
    let pipeline::Event::RunStarted(started) = &journal[0].event else { panic!("a journal begins with run-started") };
    definitions.iter().find(|definition| definition.name == started.pipeline).unwrap()
}

fn check(scenario: &Scenario, text: &str) {
    let (mut journals, mut states) = (BTreeMap::<RunId, Vec<Record>>::new(), BTreeMap::new());
    for line in text.lines() {
        let Line { run, record, state } = serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}: {line}", scenario.name));
        journals.entry(run.clone()).or_default().extend(record);
        states.extend(state.map(|state| (run, state)));
    }
    assert_eq!(journals.len(), states.len(), "{}: every journal says what it comes to", scenario.name);
    for (id, journal) in journals {
        let definitions = definitions(scenario);
        let definition = definition_of(&definitions, &journal);
        let run = replay(definition, id.clone(), &journal).unwrap_or_else(|illegal| panic!("{}: {illegal}", scenario.name));
        assert_eq!(state(definition, &run), states[&id], "{}", scenario.name);
    }
}

#[test]
fn journals_of_this_and_earlier_releases_replay_to_the_state_they_had() {
    let this = RELEASES[RELEASES.len() - 1];
    if blessed() {
        std::fs::create_dir_all(directory(this)).unwrap();
        all().iter().for_each(|scenario| std::fs::write(directory(this).join(format!("{}.json", scenario.name)), written(scenario)).unwrap());
    }
    for (release, scenario) in RELEASES.iter().flat_map(|release| all().into_iter().map(move |scenario| (release, scenario))) {
        let path = directory(release).join(format!("{}.json", scenario.name));
        match std::fs::read_to_string(&path) {
            Ok(text) => check(&scenario, &text),
            // Scenarios are added from release to release.
            Err(_) if *release != this => {}
            Err(error) => panic!("{}: {error}; JACKFIELD_BLESS=1 writes it", path.display()),
        }
    }
}

#[test]
fn no_golden_journal_is_without_its_scenario() {
    let kept: std::collections::BTreeSet<_> = all().into_iter().map(|scenario| format!("{}.json", scenario.name)).collect();
    for file in RELEASES.iter().flat_map(|release| std::fs::read_dir(directory(release)).unwrap()) {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(kept.contains(&name), "{name} is not replayed by any scenario");
    }
    assert_eq!(std::fs::read_dir(directory(RELEASES[0])).unwrap().count(), 49, "a journal of the first release is gone");
}

#[expect(clippy::disallowed_methods, reason = "a switch for the person who makes a release, not configuration of the product")]
fn blessed() -> bool {
    std::env::var("JACKFIELD_BLESS").is_ok_and(|value| value == "1")
}
