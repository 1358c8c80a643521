//! Answers without secrets: a back end that repeats what it was sent does not tell the guest.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use http_body::{Body, Frame};
use wasmtime_wasi_http::Error;

use crate::host::secrets::{Mask, MaskStream};

/// A body in which secrets are masked, also those that come in pieces.
pub(super) struct Masked<B> {
    inner: Pin<Box<B>>,
    mask: Mask,
    stream: MaskStream,
    /// What follows the last piece.
    last: VecDeque<Frame<Bytes>>,
    ended: bool,
}

impl<B> Masked<B> {
    pub(super) fn new(inner: B, mask: Mask) -> Self {
        Self { inner: Box::pin(inner), stream: mask.stream(), mask, last: VecDeque::new(), ended: false }
    }

    /// What is held comes before whatever ends the data.
    fn end_of_data(&mut self) {
        let held = self.stream.finish();
        if !held.is_empty() {
            self.last.push_back(Frame::data(held.into()));
        }
    }
}

impl<B> Body for Masked<B>
where
    B: Body<Data = Bytes, Error = Error>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            if let Some(frame) = self.last.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            match ready!(self.inner.as_mut().poll_frame(cx)).transpose() {
                Err(error) => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                Ok(None) => {
                    self.ended = true;
                    self.end_of_data();
                }
                Ok(Some(frame)) => match frame.into_data() {
                    Ok(data) => {
                        let clear = self.stream.push(&data);
                        if !clear.is_empty() {
                            return Poll::Ready(Some(Ok(Frame::data(clear.into()))));
                        }
                    }
                    Err(frame) => {
                        self.end_of_data();
                        if let Ok(mut trailers) = frame.into_trailers() {
                            headers(&self.mask, &mut trailers);
                            self.last.push_back(Frame::trailers(trailers));
                        }
                    }
                },
            }
        }
    }
}

/// Masks the values of headers.
pub(super) fn headers(mask: &Mask, headers: &mut HeaderMap) {
    for value in headers.values_mut() {
        if let Some(hidden) = mask.bytes(value.as_bytes()) {
            *value = HeaderValue::from_bytes(&hidden).unwrap_or_else(|_| HeaderValue::from_static("***"));
        }
    }
}

/// Whether a body can be looked through: it is not compressed.
pub(super) fn is_readable(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_ENCODING).iter().all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}
