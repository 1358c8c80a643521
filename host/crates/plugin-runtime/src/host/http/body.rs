//! Bodies under limits: so many bytes, so long between two pieces, and never beyond the call's end.

use std::{
    future::Future as _,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep, sleep_until},
};
use wasmtime_wasi_http::Error;

/// A body that ends with an error when it is too large or too slow.
pub(super) struct Bounded<B> {
    inner: Pin<Box<B>>,
    left: u64,
    too_large: fn() -> Error,
    pace: Option<Pace>,
    /// Given back when the body ends.
    permit: Option<OwnedSemaphorePermit>,
    /// Whether somebody waits for its next piece.
    owing: Option<Arc<AtomicBool>>,
}

struct Pace {
    between: Duration,
    last: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl<B> Bounded<B> {
    /// Limits the size.
    pub(super) fn new(inner: B, most: u64, too_large: fn() -> Error) -> Self {
        Self { inner: Box::pin(inner), left: most, too_large, pace: None, permit: None, owing: None }
    }

    /// Limits the time between two pieces, and the time of all of them.
    pub(super) fn paced(mut self, between: Duration, last: Instant) -> Self {
        let next = (Instant::now() + between).min(last);
        self.pace = Some(Pace { between, last, sleep: Box::pin(sleep_until(next)) });
        self
    }

    /// Keeps room taken until the body ends.
    pub(super) fn holding(mut self, permit: Option<OwnedSemaphorePermit>) -> Self {
        self.permit = permit;
        self
    }

    /// Tells whether somebody waits for its next piece.
    pub(super) fn owing(mut self, owing: Arc<AtomicBool>) -> Self {
        self.owing = Some(owing);
        self
    }

    fn count(&mut self, frame: &Frame<Bytes>) -> Result<(), Error> {
        let size = frame.data_ref().map_or(0, |data| data.len() as u64);
        self.left = self.left.checked_sub(size).ok_or_else(self.too_large)?;
        if let Some(pace) = &mut self.pace {
            let next = (Instant::now() + pace.between).min(pace.last);
            pace.sleep.as_mut().reset(next);
        }
        Ok(())
    }
}

impl<B> Body for Bounded<B>
where
    B: Body<Data = Bytes, Error: Into<Error>>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = self.inner.as_mut().poll_frame(cx);
        if let Some(owing) = &self.owing {
            owing.store(polled.is_pending(), Ordering::Relaxed);
        }
        if let Poll::Ready(frame) = polled {
            if !matches!(frame, Some(Ok(_))) {
                self.permit = None;
            }
            return Poll::Ready(frame.map(|frame| {
                let frame = frame.map_err(Into::into)?;
                self.count(&frame)?;
                Ok(frame)
            }));
        }
        let Some(pace) = &mut self.pace else { return Poll::Pending };
        ready!(pace.sleep.as_mut().poll(cx));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
