//! What can go wrong when telemetry is set up. What goes wrong later is counted and shown by [`crate::Telemetry::health`].

use crate::cursor::CursorError;

/// Why telemetry could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// No thread for the exporters.
    #[error("the runtime of the exporters cannot be started: {0}")]
    Runtime(std::io::Error),
    /// An exporter's configuration does not work.
    #[error("exporter `{name}` cannot be built: {detail}")]
    Exporter {
        /// Which exporter.
        name: String,
        /// What is wrong.
        detail: String,
    },
    /// Two exporters have one name, and would share a cursor.
    #[error("two exporters are called `{0}`; their names must differ because each keeps its own place")]
    SameName(String),
    /// The cursors or the durable counters could not be read.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// A value that is told to be a ratio is not.
    #[error("the sampling ratio of `{pipeline}` is {given}; expected a number from 0 to 1")]
    Ratio {
        /// Which pipeline.
        pipeline: String,
        /// The value.
        given: f64,
    },
    /// A label that nobody can turn on.
    #[error("no metric has a label `{given}` for the asking; there are {known}")]
    Label {
        /// The label.
        given: String,
        /// Those that there are.
        known: String,
    },
    /// Labels with so many values that series would be lost.
    #[error("`{metric}` would begin with more than {limit} series; name fewer values of its labels")]
    TooManySeries {
        /// The metric.
        metric: &'static str,
        /// How many it can have.
        limit: usize,
    },
    /// A variable of the environment is not understood.
    #[error("the environment variable {name} is `{given}`; expected {expected}")]
    Environment {
        /// The variable.
        name: &'static str,
        /// Its value, cut to 64 characters.
        given: String,
        /// What would be understood.
        expected: &'static str,
    },
}
