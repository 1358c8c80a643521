//! Spans of a plugin's own, below the span that the host records for each call. Nothing here fails; of a run that is not sampled nothing is kept.
//!
//! ```
//! use jackfield_plugin_sdk::spans::Span;
//!
//! let lookup = Span::start("acme.olt.lookup", [("acme.olt.name", "olt-1".into())]);
//! // What happens here is inside the span, requests over HTTP included.
//! lookup.event("acme.olt.found", []);
//! drop(lookup);
//! ```

use crate::telemetry::{Value, named};

/// A span. It ends when it is dropped; it begins inside the innermost one that has not ended.
#[derive(Debug)]
pub struct Span(host::Span);

impl Span {
    /// Begins a span. Its name is lower case and dotted, under a name of the vendor's own, and in the manifest.
    #[must_use = "a span that is dropped at once has ended at once"]
    pub fn start<'a>(name: &str, attributes: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        Self(host::Span::start(name, &named(attributes)))
    }

    /// Sets attributes. A key set twice keeps the last value.
    pub fn set<'a>(&self, attributes: impl IntoIterator<Item = (&'a str, Value)>) {
        self.0.set(&named(attributes));
    }

    /// Records an event, now.
    pub fn event<'a>(&self, name: &str, attributes: impl IntoIterator<Item = (&'a str, Value)>) {
        self.0.event(name, &named(attributes));
    }

    /// Marks the span as failed. `error_type` is a code that the manifest declares.
    pub fn fail(&self, error_type: &str, message: &str) {
        self.0.fail(error_type, message);
    }
}

#[cfg(target_family = "wasm")]
use crate::bindings::imports::jackfield::host::spans as host;

#[cfg(not(target_family = "wasm"))]
use crate::testing::spans as host;
