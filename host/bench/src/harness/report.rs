//! What was measured, as a table for people and as JSON.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{
    field::{Goal, goal},
    machine::Machine,
};

/// At more than this many microseconds, on a machine with nothing else to do, the floor itself is not what it should be.
const SLOW_FLOOR_US: f64 = 30.0;

/// What a figure came to: values of its fields by name, and what else there is to say.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Measured {
    /// The values.
    pub(crate) values: Vec<(&'static str, f64)>,
    /// What a reader must know about them.
    pub(crate) note: Option<String>,
    /// Facts that are no numbers, such as how memory is allocated.
    pub(crate) facts: Vec<(&'static str, Value)>,
}

/// Why a figure is null although nothing failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Excused(pub(crate) String);

/// One field of the report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Its name.
    pub(crate) name: &'static str,
    /// What is asked of it.
    pub(crate) goal: Goal,
    /// What was measured, or why nothing was.
    pub(crate) value: Result<f64, Missing>,
    /// What a reader must know.
    pub(crate) note: Option<String>,
    load1: f64,
    fdatasync_p50_us: f64,
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The reason.
    pub(crate) reason: String,
    /// Whether the check passes nevertheless.
    pub(crate) excused: bool,
}

/// Everything that was measured.
#[derive(Debug)]
pub(crate) struct Report {
    /// The machine before the first figure.
    pub(crate) machine: Machine,
    /// The fields in the order in which they were measured.
    pub(crate) entries: Vec<Entry>,
    /// Why the figures cannot be trusted.
    pub(crate) untrusted: Vec<String>,
    facts: Vec<(&'static str, Value)>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(machine: Machine, untrusted: Vec<String>) -> Self {
        let facts = vec![("pagemap", json!(if machine.pagemap { "active" } else { "unavailable" })), ("allocation", Value::Null)];
        Self { machine, entries: Vec::new(), untrusted, facts }
    }

    /// Adds what a figure came to; a field without a value is null.
    pub(crate) fn add(&mut self, fields: &[&'static str], measured: anyhow::Result<Measured>, machine: &Machine) {
        let (measured, missing) = match measured {
            Ok(measured) => (measured, Missing { reason: "it was not measured".to_owned(), excused: false }),
            // One line, as a cell of a table needs it.
            Err(error) => (Measured::default(), Missing { reason: format!("{error:#}").replace('\n', " "), excused: error.is::<Excused>() }),
        };
        for name in fields {
            let value = measured.values.iter().find(|(of, value)| of == name && value.is_finite()).map(|(_, value)| *value);
            self.entries.push(Entry {
                name,
                goal: goal(name),
                value: value.ok_or_else(|| missing.clone()),
                note: measured.note.clone(),
                load1: machine.load1,
                fdatasync_p50_us: machine.fdatasync_p50_us,
            });
        }
        for (name, fact) in measured.facts {
            self.facts.retain(|(known, _)| *known != name);
            self.facts.push((name, fact));
        }
    }

    /// Draws the conclusions that need all figures.
    pub(crate) fn settle(&mut self) {
        let on_demand = self.facts.iter().any(|(name, fact)| *name == "allocation" && fact == "on-demand");
        // Without the pool nothing is active that belongs to it.
        if on_demand {
            self.facts.retain(|(name, _)| *name != "pagemap");
            self.facts.push(("pagemap", json!("inactive")));
        }
        let floor = self.entries.iter().find(|entry| entry.name == "floor_us");
        if let Some(Entry { value: Ok(floor), load1, .. }) = floor
            && *floor > SLOW_FLOOR_US
            && *load1 < 1.0
        {
            self.untrusted.push(format!("the floor is {floor:.1} us at a load of {load1}: more than {SLOW_FLOOR_US} us on an idle machine"));
        }
    }

    /// One object: every field by its name, then the details.
    pub(crate) fn json(&self) -> Value {
        let mut object = Map::new();
        for entry in &self.entries {
            object.insert(entry.name.to_owned(), entry.value.as_ref().map_or(Value::Null, |value| rounded(*value)));
        }
        object.insert("load1".to_owned(), rounded(self.machine.load1));
        object.insert("fdatasync_p50_us".to_owned(), rounded(self.machine.fdatasync_p50_us));
        object.extend(self.facts.iter().map(|(name, fact)| ((*name).to_owned(), fact.clone())));
        object.insert("trusted".to_owned(), json!(self.untrusted.is_empty()));
        object.insert("untrusted_because".to_owned(), json!(self.untrusted));
        object.insert("figures".to_owned(), self.entries.iter().map(Entry::json).collect());
        Value::Object(object)
    }

    /// A table in Markdown: it goes to the documentation as it is.
    pub(crate) fn table(&self) -> String {
        let mut text = String::from("| figure | value | goal | | load1 | fdatasync p50, us |\n|---|---:|---:|---|---:|---:|\n");
        for entry in &self.entries {
            let value = entry.value.as_ref().map_or_else(|_| "null".to_owned(), |value| rounded(*value).to_string());
            let (name, goal, verdict) = (entry.name, entry.goal.text(), entry.verdict());
            writeln!(text, "| {name} | {value} | {goal} | {verdict} | {} | {:.0} |", entry.load1, entry.fdatasync_p50_us)
                .expect("a string takes all text");
        }
        let facts = self.facts.iter().map(|(name, fact)| format!("{name} {}", fact.as_str().unwrap_or("unknown")));
        writeln!(text, "\n{}", facts.collect::<Vec<_>>().join(", ")).expect("a string takes all text");
        let mut notes: Vec<&str> = self.entries.iter().filter_map(|entry| entry.note.as_deref()).collect();
        notes.dedup();
        let reasons = self.untrusted.iter().map(|reason| format!("NOT TRUSTED: {reason}"));
        for line in notes.into_iter().map(str::to_owned).chain(reasons) {
            writeln!(text, "{line}").expect("a string takes all text");
        }
        text
    }
}

impl Entry {
    fn verdict(&self) -> String {
        match &self.value {
            Ok(_) if self.goal == Goal::Reported => String::new(),
            Ok(value) if self.goal.is_met(*value) => "met".to_owned(),
            Ok(_) => "MISSED".to_owned(),
            Err(missing) => missing.reason.clone(),
        }
    }

    fn json(&self) -> Value {
        let mut object = json!({
            "name": self.name,
            "value": self.value.as_ref().map_or(Value::Null, |value| rounded(*value)),
            "goal": self.goal.text(),
            "verdict": self.verdict(),
            "load1": self.load1,
            "fdatasync_p50_us": rounded(self.fdatasync_p50_us),
        });
        if let Some(note) = &self.note {
            object["note"] = json!(note);
        }
        object
    }
}

/// Three decimals are more than any figure deserves.
fn rounded(value: f64) -> Value {
    json!((value * 1e3).round() / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn machine(load1: f64) -> Machine {
        Machine { load1, fdatasync_p50_us: 120.0, pagemap: true }
    }

    fn report(load1: f64, floor: f64) -> Report {
        let mut report = Report::new(machine(load1), Vec::new());
        let measured =
            Measured { values: vec![("floor_us", floor), ("plugin_call_ratio", 1.25)], facts: vec![("allocation", json!("pooling"))], note: None };
        report.add(&["floor_us", "plugin_call_ratio"], Ok(measured), &machine(load1));
        report.settle();
        report
    }

    #[test]
    fn a_slow_floor_on_an_idle_machine_is_not_trusted() {
        for (load1, floor, trusted) in [(0.2, 25.0, true), (0.2, 30.5, false), (3.0, 55.0, true)] {
            assert_eq!(report(load1, floor).json()["trusted"], json!(trusted), "load {load1}, floor {floor}");
        }
    }

    #[test]
    fn every_figure_shows_its_goal_the_load_and_the_disk() {
        let mut report = report(0.5, 20.123_456);
        report.add(&["restart_ms_1m"], Err(anyhow::anyhow!("no room")), &machine(0.7));
        let json = report.json();
        assert_eq!((&json["floor_us"], &json["restart_ms_1m"], &json["allocation"]), (&json!(20.123), &Value::Null, &json!("pooling")));
        assert_eq!((&json["figures"][1]["goal"], &json["figures"][1]["verdict"]), (&json!("<= 1.3"), &json!("met")));
        let table = report.table();
        assert!(table.contains("| plugin_call_ratio | 1.25 | <= 1.3 | met | 0.5 | 120 |"), "{table}");
        assert!(table.contains("| restart_ms_1m | null | <= 2000 | no room | 0.7 | 120 |"), "{table}");
        assert!(table.contains("pagemap active, allocation pooling"), "{table}");
    }

    #[test]
    fn nothing_of_the_pool_is_active_without_the_pool() {
        let mut report = report(0.5, 20.0);
        let measured = Measured { facts: vec![("allocation", json!("on-demand"))], ..Measured::default() };
        report.add(&[], Ok(measured), &machine(0.5));
        report.settle();
        assert_eq!((&report.json()["pagemap"], &report.json()["allocation"]), (&json!("inactive"), &json!("on-demand")));
    }
}
