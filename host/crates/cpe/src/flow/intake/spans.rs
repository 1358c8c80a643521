//! The span `cpe.inform` of a session that is not the beginning of a run: a run has its own.

use std::sync::Arc;

use engine::port::{LiveSpan, LiveSpans, SpanContext};
use pipeline::{PipelineName, Timestamp};
use serde_json::json;

use crate::{
    acs::SessionEnd,
    flow::{
        book::Session,
        facts::device,
        provision::{PIPELINE, SCOPE, root_attributes},
    },
    quirks::Quirks,
};

/// The name under which an operator gives the share of periodic sessions without work whose spans are exported.
const PERIODIC: &str = "cpe_periodic";

/// Records the span of a session that is over, with a link to the run that it went on with.
pub(super) fn record(
    spans: &dyn LiveSpans,
    now: Timestamp,
    session: &Session,
    root: Option<SpanContext>,
    end: SessionEnd,
    quirks: impl FnOnce() -> Arc<Quirks>,
) {
    if session.began_run {
        return;
    }
    let events: Vec<&str> = session.inform.events.iter().map(|event| event.code.as_str()).collect();
    let noise = !session.awaited && events.iter().all(|code| *code == "2 PERIODIC");
    let context = spans.root(&PipelineName::new(if noise { PERIODIC } else { PIPELINE }).expect("both are valid names"));
    if !context.sampled {
        return;
    }
    let mut attributes = root_attributes(&json!({ "device": device(&session.inform, &quirks()), "events": events }));
    attributes.push(("cpe.session.end".to_owned(), name(end).into()));
    spans.record(LiveSpan {
        scope: SCOPE,
        name: "cpe.inform".to_owned(),
        client: false,
        context: Some(context),
        parent: None,
        links: root.map(|root| (root, "session_of")).into_iter().collect(),
        started: session.since,
        ended: now.max(session.since),
        attributes,
        error: failure(end, session.awaited),
    });
}

fn name(end: SessionEnd) -> &'static str {
    match end {
        SessionEnd::Done => "done",
        SessionEnd::DeviceLeft => "device_left",
        SessionEnd::Superseded => "superseded",
        SessionEnd::TimedOut => "timed_out",
        SessionEnd::Stopped => "stopped",
    }
}

/// A device that leaves although it was waited for did not get what it was to get.
fn failure(end: SessionEnd, awaited: bool) -> Option<(String, String)> {
    match end {
        SessionEnd::DeviceLeft | SessionEnd::TimedOut if awaited => Some(("timeout".to_owned(), "the device left its session".to_owned())),
        SessionEnd::DeviceLeft | SessionEnd::TimedOut | SessionEnd::Done | SessionEnd::Superseded | SessionEnd::Stopped => None,
    }
}
