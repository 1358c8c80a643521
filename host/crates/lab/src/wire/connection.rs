//! A connection and its answers.

use std::{fmt, io, net::SocketAddr};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    Answer, Target, Tls,
    answer::{Length, parse_head},
};

/// The longest head of an answer, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// The largest body, in bytes: firmware fits.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("{0:?} is no address: expected http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH")]
    Url(String),
    #[error("{0} cannot be reached: {1}")]
    Connect(String, io::Error),
    #[error("{0} is reached over TLS only, and this device has none")]
    NoTls(String),
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    #[error("the connection was closed before the answer")]
    Closed,
    #[error("the answer is not HTTP: {0}")]
    Malformed(String),
}

/// A connection.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    /// What came and has not been read yet.
    buffer: Vec<u8>,
    used: bool,
}

trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for S {}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("used", &self.used).finish_non_exhaustive()
    }
}

impl Connection {
    pub(crate) async fn open(target: &Target, tls: Option<&Tls>) -> Result<Self, WireError> {
        let unreachable = |error| WireError::Connect(target.authority.clone(), error);
        // An address needs no resolver, which would be a thread for each connection.
        let stream = match target.authority.parse::<SocketAddr>() {
            Ok(address) => TcpStream::connect(address).await,
            Err(_) => TcpStream::connect(&target.authority).await,
        };
        let stream = stream.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        let stream: Box<dyn Stream> = match tls {
            _ if !target.secure => Box::new(stream),
            None => return Err(WireError::NoTls(target.authority.clone())),
            Some(tls) => {
                let host = target.authority.rsplit_once(':').map_or("", |(host, _)| host);
                Box::new(tls.connect(host.trim_matches(['[', ']']), stream).await.map_err(unreachable)?)
            }
        };
        Ok(Self { stream, buffer: Vec::with_capacity(2048), used: false })
    }

    /// Sends the bytes of a request and reads the answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer, WireError> {
        self.stream.write_all(request).await?;
        self.used = true;
        self.read().await
    }

    /// Whether a request has been sent on it.
    pub(crate) fn was_used(&self) -> bool {
        self.used
    }

    async fn read(&mut self) -> Result<Answer, WireError> {
        loop {
            let (mut answer, length, head) = match parse_head(&self.buffer)? {
                Some(parsed) => parsed,
                None if self.buffer.len() > MAX_HEAD => return Err(WireError::Malformed(format!("its head is longer than {MAX_HEAD} bytes"))),
                None => {
                    self.more().await?;
                    continue;
                }
            };
            self.buffer.drain(..head);
            if answer.status < 200 {
                continue;
            }
            answer.body = match length {
                Length::Known(length) => self.take(length).await?,
                Length::Chunked => self.chunks().await?,
                Length::UntilClose => self.rest().await?,
            };
            return Ok(answer);
        }
    }

    async fn more(&mut self) -> Result<(), WireError> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 { Err(WireError::Closed) } else { Ok(()) }
    }

    async fn take(&mut self, length: usize) -> Result<Vec<u8>, WireError> {
        if length > MAX_BODY {
            return Err(WireError::Malformed(format!("its body is longer than {MAX_BODY} bytes")));
        }
        while self.buffer.len() < length {
            self.more().await?;
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    async fn chunks(&mut self) -> Result<Vec<u8>, WireError> {
        let mut body = Vec::new();
        loop {
            let parsed = httparse::parse_chunk_size(&self.buffer).map_err(|_| WireError::Malformed("a chunk has no size".to_owned()))?;
            let httparse::Status::Complete((head, size)) = parsed else {
                self.more().await?;
                continue;
            };
            self.take(head).await?;
            let size = usize::try_from(size).unwrap_or(usize::MAX).min(MAX_BODY + 1);
            body.extend(self.take(size).await?);
            // What follows the last chunk are trailers; nobody sends us any.
            self.take(2).await?;
            if size == 0 {
                return Ok(body);
            }
            if body.len() > MAX_BODY {
                return Err(WireError::Malformed(format!("its body is longer than {MAX_BODY} bytes")));
            }
        }
    }

    async fn rest(&mut self) -> Result<Vec<u8>, WireError> {
        while self.buffer.len() <= MAX_BODY && self.stream.read_buf(&mut self.buffer).await? > 0 {}
        Ok(std::mem::take(&mut self.buffer))
    }
}
