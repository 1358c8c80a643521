//! Why a value does not fit a shape, with the path to it; and why a type has no shape.

use std::fmt;

/// A value that does not fit its type. The path begins with `$`, the whole value: `$.services[3].name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodecError {
    /// From the innermost step to the outermost, because errors travel outwards.
    steps: Vec<Step>,
    problem: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

impl CodecError {
    /// An error at the value itself.
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { steps: Vec::new(), problem: problem.into() }
    }

    /// The same error seen from the record, variant or option that holds the value.
    pub(crate) fn in_field(mut self, name: &str) -> Self {
        self.steps.push(Step::Name(name.to_owned()));
        self
    }

    /// The same error seen from the list or tuple that holds the value.
    pub(crate) fn in_element(mut self, index: usize) -> Self {
        self.steps.push(Step::Index(index));
        self
    }

    /// Where the value is.
    pub fn path(&self) -> String {
        let mut path = String::from("$");
        for step in self.steps.iter().rev() {
            match step {
                Step::Name(name) => {
                    path.push('.');
                    path.push_str(name);
                }
                Step::Index(index) => {
                    path.push('[');
                    path.push_str(&index.to_string());
                    path.push(']');
                }
            }
        }
        path
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path(), self.problem)
    }
}

impl std::error::Error for CodecError {}

/// A type that cannot cross: it has no JSON form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{kind}` cannot cross between host and plugin: use records, variants, lists and strings")]
pub struct UnsupportedType {
    /// What it is in WIT.
    pub kind: &'static str,
}
