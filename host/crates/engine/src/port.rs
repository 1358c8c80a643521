//! The ports: what the engine needs from the world, each a small trait with a real and a test implementation.

mod blobs;
mod call;
mod clock;
mod documents;
mod holds;
mod host_interface;
mod journal;
mod key_value;
mod live_spans;
mod observer;
pub mod registry;
mod secrets;
mod telemetry;
mod timers;

pub use self::{
    blobs::{BlobHash, Blobs},
    call::{Answer, Call, CallReport, CallbackAddress, KeyValueWrite, Observed, PendingAnswer, Runner, Signal, SpanContext, Verb},
    clock::{Clock, SystemClock},
    documents::{Document, DocumentError, DocumentPage, DocumentQuery, Documents, MOST_DOCUMENT_BYTES, MOST_DOCUMENTS, check_documents},
    holds::{Held, HoldChange, Holds},
    host_interface::{CallScope, HostInterface, HostInterfaceError},
    journal::{Append, AppendError, Appended, Committed, Journal, Opening, Position, ReadError, RunRow, RunState, WriteError},
    key_value::{KeyValue, Versioned},
    live_spans::{LiveSpan, LiveSpans},
    observer::{Observer, ObserverError, OwnedTransition},
    secrets::{Secrets, SecretsError},
    telemetry::{CallEnd, CallSpan, CallTelemetry, ChildKind, ChildSpan, Children, GuestMeasurement, LogLevel, NewSpan, SpanItem},
    timers::Timers,
};
