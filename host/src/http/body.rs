//! Bodies of requests: each must have arrived within a time, so that a slow sender does not hold what it was given for ever.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, extract::Request};
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// A request whose body ends with an error when it takes longer than that to arrive.
pub(super) fn timely(request: Request, within: Duration) -> Request {
    if request.body().is_end_stream() {
        return request;
    }
    request.map(|body| Body::new(Timely { body, end: Box::pin(sleep(within)), within }))
}

struct Timely {
    body: Body,
    end: Pin<Box<Sleep>>,
    within: Duration,
}

/// What a reader of the body is told.
#[derive(Debug)]
struct TooSlow(Duration);

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it did not arrive within {} ms", self.0.as_millis())
    }
}

impl std::error::Error for TooSlow {}

impl HttpBody for Timely {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let ready @ Poll::Ready(_) = Pin::new(&mut self.body).poll_frame(context) {
            return ready;
        }
        self.end.as_mut().poll(context).map(|()| Some(Err(axum::Error::new(TooSlow(self.within)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
