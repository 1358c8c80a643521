//! Standard output and error of a guest: the beginning and the end are kept up to a limit, the rest is counted and nothing refused, because a guest that cannot
//! print its panic hides it, and the panic comes last.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    async_trait,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

/// How much a guest may write at once.
const PERMIT: usize = 64 << 10;

/// Keeps the first and the last bytes that are written. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Capture {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug)]
struct Kept {
    first: Vec<u8>,
    last: VecDeque<u8>,
    /// The most bytes of each.
    half: usize,
    dropped: u64,
}

impl Capture {
    pub(crate) fn new(limit: usize) -> Self {
        Self { kept: Arc::new(Mutex::new(Kept { first: Vec::new(), last: VecDeque::new(), half: limit / 2, dropped: 0 })) }
    }

    /// What was kept, with a note of what was not.
    pub(crate) fn contents(&self) -> Vec<u8> {
        let Ok(kept) = self.kept.lock() else { return Vec::new() };
        let mut contents = kept.first.clone();
        if kept.dropped > 0 {
            contents.extend_from_slice(format!("[{} bytes more]", kept.dropped).as_bytes());
        }
        contents.extend(&kept.last);
        contents
    }

    fn take(&self, bytes: &[u8]) {
        let Ok(mut kept) = self.kept.lock() else { return };
        let room = (kept.half - kept.first.len()).min(bytes.len());
        let (first, rest) = bytes.split_at(room);
        kept.first.extend_from_slice(first);
        // Of what is longer than the whole end, only its own end can stay.
        let (skipped, rest) = rest.split_at(rest.len().saturating_sub(kept.half));
        kept.last.extend(rest);
        let over = kept.last.len().saturating_sub(kept.half);
        kept.last.drain(..over);
        kept.dropped += (skipped.len() + over) as u64;
    }
}

impl IsTerminal for Capture {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Capture {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Capture {
    async fn ready(&mut self) {}
}

impl OutputStream for Capture {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

impl AsyncWrite for Capture {
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_bytes_are_kept_and_the_others_counted() {
        let mut capture = Capture::new(6);
        for (text, contents) in [("ab", "ab"), ("cde", "abcde"), ("f", "abcdef"), ("ghij", "abc[4 bytes more]hij"), ("k", "abc[5 bytes more]ijk")] {
            OutputStream::write(&mut capture, Bytes::from_static(text.as_bytes())).unwrap();
            assert_eq!(String::from_utf8(capture.contents()).unwrap(), contents);
        }
    }
}
