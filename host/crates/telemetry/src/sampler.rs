//! Whether the spans of a new run are exported: decided once per run, then kept in its journal.

use std::collections::BTreeMap;

use engine::api::InboundTrace;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use pipeline::PipelineName;

use crate::error::TelemetryError;

/// The shares of runs whose spans are exported.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// The share of a pipeline that is not named.
    pub default: f64,
    /// The shares of pipelines, from 0 to 1.
    pub pipelines: BTreeMap<String, f64>,
    /// Whether a caller's decision goes before ours.
    pub parent_based: bool,
}

impl Default for Sampling {
    /// Everything, and what the caller says: OpenTelemetry's `parentbased_always_on`.
    fn default() -> Self {
        Self { default: 1.0, pipelines: BTreeMap::new(), parent_based: true }
    }
}

impl Sampling {
    /// Checks that shares are shares.
    ///
    /// # Errors
    /// [`TelemetryError::Ratio`] names the one that is not.
    pub fn validate(&self) -> Result<(), TelemetryError> {
        let named = self.pipelines.iter().map(|(name, share)| (name.as_str(), *share));
        match named.chain([("default", self.default)]).find(|(_, share)| !(0.0..=1.0).contains(share)) {
            Some((pipeline, given)) => Err(TelemetryError::Ratio { pipeline: pipeline.to_owned(), given }),
            None => Ok(()),
        }
    }

    /// Decides about a new run. Has the form of the engine's `Sampler`.
    pub fn decide(&self, pipeline: &PipelineName, caller: Option<&InboundTrace>) -> bool {
        // 64 random bits, as a trace id would have.
        let random = RandomIdGenerator::default().new_span_id().to_bytes();
        self.decide_at(pipeline, caller, u64::from_be_bytes(random))
    }

    fn decide_at(&self, pipeline: &PipelineName, caller: Option<&InboundTrace>, random: u64) -> bool {
        if let Some(caller) = caller.filter(|_| self.parent_based) {
            return caller.sampled;
        }
        let share = self.pipelines.get(pipeline.as_str()).copied().unwrap_or(self.default);
        // 53 bits are what a double holds exactly.
        #[allow(clippy::cast_precision_loss, reason = "both numbers are at most 2^53")]
        let drawn = (random >> 11) as f64 / (1_u64 << 53) as f64;
        drawn < share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_decides_first_then_the_pipelines_share() {
        let order = PipelineName::new("order").unwrap();
        let caller = |sampled| InboundTrace { trace_id: "1".repeat(32), parent_span_id: "1".repeat(16), sampled, trace_state: String::new() };
        let half = Sampling { default: 0.0, pipelines: [("order".to_owned(), 0.5)].into(), parent_based: true };
        half.validate().unwrap();
        for (caller, random, expected) in
            [(None, 0, true), (None, 1 << 62, true), (None, u64::MAX, false), (Some(caller(true)), u64::MAX, true), (Some(caller(false)), 0, false)]
        {
            assert_eq!(half.decide_at(&order, caller.as_ref(), random), expected, "{random}");
        }
        assert!(!half.decide(&PipelineName::new("cpe").unwrap(), None));
        assert!(Sampling::default().decide(&order, None));
        assert!(Sampling { parent_based: false, ..half }.decide_at(&order, Some(&caller(false)), 0));
    }

    #[test]
    fn a_share_outside_0_and_1_is_refused_by_name() {
        let wrong = Sampling { pipelines: [("order".to_owned(), 1.5)].into(), ..Sampling::default() };
        assert_eq!(wrong.validate().unwrap_err().to_string(), "the sampling ratio of `order` is 1.5; expected a number from 0 to 1");
    }
}
