//! Spans of what no journal tells: what packs do with the world outside of calls, and who else took part in a run.

use std::fmt;

use pipeline::{Attributes, PipelineName, Timestamp};

use super::call::SpanContext;

/// Records spans when they are over, and begins traces.
pub trait LiveSpans: fmt::Debug + Send + Sync {
    /// A new trace with a sampling decision, as a run of the pipeline would get one: for the root span of something that is no run.
    fn root(&self, pipeline: &PipelineName) -> SpanContext;

    /// The address of a new span below another, in the same trace.
    fn child(&self, parent: &SpanContext) -> SpanContext;

    /// Records a span that is over. One whose trace is not sampled is dropped here.
    fn record(&self, span: LiveSpan);
}

/// A span that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveSpan {
    /// The instrumentation scope: `cpe.acs`.
    pub scope: &'static str,
    /// The name.
    pub name: String,
    /// Whether the host asks another system; otherwise it does something itself.
    pub client: bool,
    /// Its own address, where spans below it were given it before ([`LiveSpans::root`], [`LiveSpans::child`]); otherwise it gets one.
    pub context: Option<SpanContext>,
    /// The span above it; `None`: it is the root of its trace.
    pub parent: Option<SpanContext>,
    /// Spans of other traces that it has to do with, and how (the link's `link.reason`). Of more than a span may have, the rest are counted as dropped.
    pub links: Vec<(SpanContext, &'static str)>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Its attributes; texts of devices are cut where they are too long.
    pub attributes: Attributes,
    /// `error.type` and a message, if it failed.
    pub error: Option<(String, String)>,
}
