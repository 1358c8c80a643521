//! Where one request ends and the next begins, for devices that get the length of a body wrong.
//!
//! Some devices send a few bytes more than they announced. An HTTP server takes those for the start of the next request and refuses it. So the stream is
//! given to the server in pieces: the head of a request, then a body of the length that was announced; and what stands between that and the next request line is
//! dropped, as long as it is little.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

/// How many bytes are dropped between two requests.
const STRAY: usize = 64;
/// How much is read at a time.
const CHUNK: usize = 8 * 1024;

/// A stream that stops at the ends of heads and bodies.
#[derive(Debug)]
pub(super) struct Framed<S> {
    stream: S,
    /// What was read and not given out.
    read: BytesMut,
    at: Place,
    length: Length,
    ended: bool,
    /// How long a device may take to read before it is given up, and until when, while it does not.
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

/// Where the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Between two requests.
    Between,
    /// Within the head of a request.
    Head(Lines),
    /// Behind a head, in a body of which so much is left as [`Length`] says.
    Body,
    /// Where only the server knows: a body that ends by itself came by.
    Anywhere,
}

/// What was seen of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Lines {
    /// Whether there was a line that is not empty.
    any: bool,
    /// Whether the current line has something in it.
    begun: bool,
}

/// The length of the body that follows, which the server tells once it has read the head. It is told from within the same task.
#[derive(Debug, Clone)]
pub(super) struct Length(Arc<AtomicU64>);

/// Nothing was told yet.
const UNTOLD: u64 = u64::MAX;
/// The body ends by itself. No length is told after this.
const OPEN: u64 = u64::MAX - 1;

impl Length {
    /// The body of the current request has this many bytes; `None` where it ends by itself.
    pub(super) fn is(&self, bytes: Option<u64>) {
        if self.left() != OPEN {
            self.0.store(bytes.unwrap_or(OPEN), Ordering::Relaxed);
        }
    }

    fn left(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl<S> Framed<S> {
    /// `patience`: how long nothing may be read of what is written.
    pub(super) fn new(stream: S, patience: Duration) -> (Self, Length) {
        let length = Length(Arc::new(AtomicU64::new(UNTOLD)));
        let at = Place::Head(Lines::default());
        (Self { stream, read: BytesMut::new(), at, length: length.clone(), ended: false, patience, stalled: None }, length)
    }

    /// What became of a write: one that waits for too long has failed.
    fn patient<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        stalled.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// How many of the bytes that were read may be given out now; 0 if more must be read first.
    fn ready(&mut self) -> usize {
        if self.at == Place::Body {
            match self.length.left() {
                0 => self.at = Place::Between,
                OPEN | UNTOLD => {
                    self.length.is(None);
                    self.at = Place::Anywhere;
                }
                _ => {}
            }
        }
        if self.at == Place::Between {
            match stray(&self.read) {
                Some(bytes) => {
                    self.read.advance(bytes);
                    self.at = Place::Head(Lines::default());
                }
                None if self.ended => self.at = Place::Anywhere,
                None => return 0,
            }
        }
        match self.at {
            Place::Between => 0,
            Place::Head(mut lines) => lines.end(&self.read).unwrap_or(self.read.len()),
            Place::Body => self.read.len().min(usize::try_from(self.length.left()).unwrap_or(usize::MAX)),
            Place::Anywhere => self.read.len(),
        }
    }

    /// So many bytes are given out.
    fn given(&mut self, bytes: usize) {
        match &mut self.at {
            Place::Head(lines) => {
                if lines.end(&self.read[..bytes]).is_some() {
                    self.at = Place::Body;
                    self.length.is(Some(UNTOLD));
                }
            }
            Place::Body => self.length.is(Some(self.length.left().saturating_sub(bytes as u64))),
            Place::Between | Place::Anywhere => {}
        }
        self.read.advance(bytes);
        if self.read.is_empty() {
            // A connection that waits keeps no buffer.
            self.read = BytesMut::new();
        }
    }
}

impl Lines {
    /// Where the head ends, if it does so within these bytes.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' if self.any && !self.begun => return Some(at + 1),
                b'\n' => self.begun = false,
                b'\r' => {}
                _ => *self = Self { any: true, begun: true },
            }
        }
        None
    }
}

/// How many bytes stand before the next request; `None` if that cannot be told yet.
fn stray(bytes: &[u8]) -> Option<usize> {
    const WORD: &[u8] = b"POST ";
    let method = bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    if method > 0 && bytes.get(method) == Some(&b' ') {
        return Some(0);
    }
    let near = &bytes[..bytes.len().min(STRAY + WORD.len())];
    let found = near.windows(WORD.len()).position(|word| word == WORD);
    // So much that is no request is no mistake in counting: the server says what it thinks of it.
    found.or((near.len() == STRAY + WORD.len()).then_some(0))
}

impl<S: AsyncRead + Unpin> AsyncRead for Framed<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            let bytes = this.ready().min(out.remaining());
            if bytes > 0 {
                out.put_slice(&this.read[..bytes]);
                this.given(bytes);
                return Poll::Ready(Ok(()));
            }
            if this.ended || out.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            let mut chunk = [const { MaybeUninit::uninit() }; CHUNK];
            let mut chunk = ReadBuf::uninit(&mut chunk);
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut chunk))?;
            this.ended = chunk.filled().is_empty();
            this.read.extend_from_slice(chunk.filled());
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Framed<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.patient(written, context)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.patient(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.patient(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.patient(shut, context)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Reads a stream to its end as a server would that is told a length after every head.
    async fn check(stream: &str, lengths: &[Option<u64>], expected: &[&str]) {
        // At once, and a byte at a time.
        for step in [1 << 20, 1] {
            let (mut device, server) = tokio::io::duplex(step);
            let (mut framed, length) = Framed::new(server, Duration::from_secs(60));
            let send = async move { device.write_all(stream.as_bytes()).await.unwrap() };
            let receive = async {
                let (mut pieces, mut lengths) = (vec![String::new()], lengths.iter());
                let mut buffer = [0; 4096];
                loop {
                    let read = framed.read(&mut buffer).await.unwrap();
                    if read == 0 {
                        return pieces;
                    }
                    let piece = pieces.last_mut().unwrap();
                    piece.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
                    if piece.len() > 4 && piece.ends_with("\r\n\r\n") {
                        length.is(*lengths.next().expect("a length for every head"));
                        pieces.push(String::new());
                    }
                }
            };
            let ((), mut pieces) = tokio::join!(send, receive);
            pieces.retain(|piece| !piece.is_empty());
            assert_eq!(pieces, expected, "step {step}");
        }
    }

    const HEAD: &str = "POST / HTTP/1.1\r\nA: b\r\n\r\n";

    #[tokio::test]
    async fn requests_are_taken_apart() {
        check(&format!("{HEAD}bodyPOST /2 HTTP/1.1\r\n\r\n"), &[Some(4), Some(0)], &[HEAD, "bodyPOST /2 HTTP/1.1\r\n\r\n"]).await;
        check(&format!("\r\n{HEAD}{HEAD}"), &[Some(0), Some(0)], &[&format!("\r\n{HEAD}"), HEAD]).await;
    }

    #[tokio::test]
    async fn stray_bytes_are_dropped_between_requests_only() {
        let stray = "elope>\r\n";
        check(&format!("{HEAD}body{stray}{HEAD}"), &[Some(4), Some(0)], &[HEAD, &format!("body{HEAD}")]).await;
        check(&format!("{HEAD}{stray}{HEAD}"), &[Some(0), Some(0)], &[HEAD, HEAD]).await;
        // Before the first request, and after more than a few, they are what the server makes of them.
        check(&format!("{stray}{HEAD}"), &[Some(0)], &[&format!("{stray}{HEAD}")]).await;
        let much = "x".repeat(STRAY + 1);
        check(&format!("{HEAD}{much}{HEAD}"), &[Some(0), Some(0)], &[HEAD, &format!("{much}{HEAD}")]).await;
        check(&format!("{HEAD}{stray}"), &[Some(0)], &[HEAD, stray]).await;
    }

    #[tokio::test]
    async fn a_device_that_does_not_read_is_given_up() {
        let (_device, server) = tokio::io::duplex(8);
        let (mut framed, _length) = Framed::new(server, Duration::from_millis(20));
        framed.write_all(b"12345678").await.unwrap();
        assert_eq!(framed.write_all(b"9").await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn after_a_body_that_ends_by_itself_nothing_is_dropped() {
        let rest = format!("1\r\nx\r\n0\r\n\r\nzz{HEAD}zz{HEAD}");
        let (mut framed, length) = Framed::new(Cursor::new(format!("{HEAD}{rest}").into_bytes()), Duration::from_secs(60));
        let mut head = vec![0; HEAD.len()];
        framed.read_exact(&mut head).await.unwrap();
        length.is(None);
        let mut read = String::new();
        framed.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, rest);
    }
}
