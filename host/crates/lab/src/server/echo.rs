//! A stream that can be armed to send what is written next a second time.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The stream.
#[derive(Debug)]
pub(super) struct Echo<S> {
    stream: S,
    armed: Trigger,
    /// What was written since it was armed, and how much of it was sent again.
    written: Vec<u8>,
    repeated: usize,
}

/// Arms a stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Trigger(Arc<AtomicBool>);

impl Trigger {
    /// Everything up to the next flush is sent twice.
    pub(super) fn arm(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<S> Echo<S> {
    pub(super) fn new(stream: S) -> (Self, Trigger) {
        let armed = Trigger::default();
        (Self { stream, armed: armed.clone(), written: Vec::new(), repeated: 0 }, armed)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Echo<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Echo<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        if self.armed.0.load(Ordering::SeqCst) {
            self.written.extend_from_slice(&bytes[..written]);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.repeated < this.written.len() {
            this.repeated += ready!(Pin::new(&mut this.stream).poll_write(cx, &this.written[this.repeated..]))?;
        }
        if !this.written.is_empty() {
            this.armed.0.store(false, Ordering::SeqCst);
            (this.written, this.repeated) = (Vec::new(), 0);
        }
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
