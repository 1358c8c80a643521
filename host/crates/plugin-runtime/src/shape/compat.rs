//! Whether a plugin built from one version of a contract can be called by a host that speaks another: the rules of evolution, and the diff.
//!
//! What the host sends: the plugin may lack optional fields (they are dropped), may have optional fields of its own (they are `none`), and may lack cases (a
//! value with such a case is refused before the call). What the plugin sends: extra fields are kept, missing ones must be optional, and the host must know
//! every case that the plugin declares. Everything else is a difference.

use std::fmt;

use serde::Serialize;

use super::{Case, Field, Shape};

/// Who sends a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A parameter.
    ToPlugin,
    /// A result.
    ToHost,
}

/// One place where a plugin's type does not go together with the host's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where: `request.service.name`.
    pub path: String,
    /// The rule that is broken.
    pub problem: String,
    /// The host's type there, if it has one.
    pub host: Option<String>,
    /// The plugin's type there, if it has one.
    pub plugin: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let absent = "(absent)";
        write!(
            f,
            "{}: {}\n  host:   {}\n  plugin: {}",
            self.path,
            self.problem,
            self.host.as_deref().unwrap_or(absent),
            self.plugin.as_deref().unwrap_or(absent)
        )
    }
}

/// All differences between the host's type and the plugin's at one place.
pub fn compare(path: &str, host: &Shape, plugin: &Shape, direction: Direction) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(path, host, plugin, direction, &mut found);
    found
}

fn walk(path: &str, host: &Shape, plugin: &Shape, direction: Direction, found: &mut Vec<Difference>) {
    match (host, plugin) {
        (Shape::List(host), Shape::List(plugin)) => walk(&format!("{path}[]"), host, plugin, direction, found),
        (Shape::Option(host), Shape::Option(plugin)) => walk(path, host, plugin, direction, found),
        (Shape::Record(host), Shape::Record(plugin)) => records(path, host, plugin, direction, found),
        (Shape::Variant(host), Shape::Variant(plugin)) => variants(path, host, plugin, direction, found),
        (Shape::Enum(host), Shape::Enum(plugin)) | (Shape::Flags(host), Shape::Flags(plugin)) => names(path, host, plugin, direction, found),
        (Shape::Tuple(host), Shape::Tuple(plugin)) if host.len() == plugin.len() => {
            for (index, (host, plugin)) in host.iter().zip(plugin).enumerate() {
                walk(&format!("{path}.{index}"), host, plugin, direction, found);
            }
        }
        (Shape::Result { ok, err }, Shape::Result { ok: plugin_ok, err: plugin_err }) => {
            payloads(&format!("{path}.ok"), ok.as_deref(), plugin_ok.as_deref(), direction, found);
            payloads(&format!("{path}.err"), err.as_deref(), plugin_err.as_deref(), direction, found);
        }
        (host, plugin) if host == plugin => {}
        (host, plugin) => found.push(difference(path, "the type changed", Some(host), Some(plugin))),
    }
}

fn records(path: &str, host: &[Field], plugin: &[Field], direction: Direction, found: &mut Vec<Difference>) {
    for field in host {
        let path = format!("{path}.{}", field.name);
        match plugin.iter().find(|other| other.name == field.name) {
            Some(other) => walk(&path, &field.shape, &other.shape, direction, found),
            None if field.shape.is_option() => {}
            None => found.push(difference(&path, "a required field is missing", Some(&field.shape), None)),
        }
    }
    for field in plugin.iter().filter(|field| host.iter().all(|other| other.name != field.name)) {
        if direction == Direction::ToPlugin && !field.shape.is_option() {
            let path = format!("{path}.{}", field.name);
            found.push(difference(&path, "the plugin requires a field that the host does not send", None, Some(&field.shape)));
        }
    }
}

fn variants(path: &str, host: &[Case], plugin: &[Case], direction: Direction, found: &mut Vec<Difference>) {
    for case in plugin {
        let path = format!("{path}.{}", case.name);
        match host.iter().find(|other| other.name == case.name) {
            Some(other) => payloads(&path, other.payload.as_ref(), case.payload.as_ref(), direction, found),
            None if direction == Direction::ToPlugin => {}
            None => {
                found.push(Difference { path, problem: "the host does not know this case".to_owned(), host: None, plugin: Some(case.to_string()) })
            }
        }
    }
}

fn names(path: &str, host: &[String], plugin: &[String], direction: Direction, found: &mut Vec<Difference>) {
    if direction == Direction::ToHost {
        for name in plugin.iter().filter(|name| !host.contains(name)) {
            found.push(Difference {
                path: format!("{path}.{name}"),
                problem: "the host does not know this case".to_owned(),
                host: None,
                plugin: Some(name.clone()),
            });
        }
    }
}

fn payloads(path: &str, host: Option<&Shape>, plugin: Option<&Shape>, direction: Direction, found: &mut Vec<Difference>) {
    match (host, plugin) {
        (None, None) => {}
        (Some(host), Some(plugin)) => walk(path, host, plugin, direction, found),
        (host, plugin) => found.push(difference(path, "the payload changed", host, plugin)),
    }
}

fn difference(path: &str, problem: &str, host: Option<&Shape>, plugin: Option<&Shape>) -> Difference {
    Difference { path: path.to_owned(), problem: problem.to_owned(), host: host.map(Shape::to_string), plugin: plugin.map(Shape::to_string) }
}
