//! Spans of requests: one for each that counts, and none beyond the limit.

use std::fmt;

use engine::port::{CallEnd, CallSpan, ChildSpan, Children, NewSpan, SpanItem};

use super::*;
use crate::{host::telemetry::GuestTelemetry, options::Limits};

/// What spans ended with.
type Ended = Arc<Mutex<Vec<Option<String>>>>;

/// A span that remembers how those below it ended.
struct Remembers {
    context: SpanContext,
    ended: Ended,
}

impl Remembers {
    fn new(ended: &Ended) -> Self {
        let context = SpanContext { trace_id: "a".repeat(32), span_id: "c".repeat(16), sampled: true, trace_state: String::new() };
        Self { context, ended: Arc::clone(ended) }
    }
}

impl fmt::Debug for Remembers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remembers")
    }
}

impl CallSpan for Remembers {
    fn context(&self) -> &SpanContext {
        &self.context
    }

    fn children(&self) -> Option<Arc<dyn Children>> {
        Some(Arc::new(Self::new(&self.ended)))
    }

    fn record(&mut self, _item: SpanItem) {}

    fn end(self: Box<Self>, _end: CallEnd) {}
}

impl Children for Remembers {
    fn begin(&self, _under: &SpanContext, _span: NewSpan) -> Box<dyn ChildSpan> {
        Box::new(Self::new(&self.ended))
    }
}

impl ChildSpan for Remembers {
    fn context(&self) -> &SpanContext {
        &self.context
    }

    fn record(&mut self, _item: SpanItem) {}

    fn end(self: Box<Self>, failed: Option<(String, String)>) {
        self.ended.lock().unwrap().push(failed.map(|(error_type, _)| error_type));
    }
}

#[tokio::test]
async fn a_request_beyond_the_limit_has_no_span_and_one_that_is_denied_counts() {
    let (server, ended) = (Server::start(OK).await, Ended::default());
    let mut guest = Guest::new(&format!("http://{}", server.address), |_| {}, LONG);
    guest.egress.follow(&GuestTelemetry::new(Box::new(Remembers::new(&ended)), &Limits::default()));
    guest.send(request("GET", "http://printer/", ""), None).await.unwrap();
    for _ in 0..100 {
        assert!(matches!(guest.send(request("GET", "http://other/", ""), None).await, Err(Error::HttpRequestDenied)));
    }
    assert!(matches!(guest.send(request("GET", "http://printer/", ""), None).await, Err(Error::HttpRequestDenied)));
    let mut expected = vec![Some("plugin.denied".to_owned()); REQUESTS as usize];
    expected[0] = None;
    assert_eq!(*ended.lock().unwrap(), expected);
    assert_eq!(server.heads.lock().unwrap().len(), 1);
}
