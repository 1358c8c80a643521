//! A connection and its answers.

use std::{fmt, io, net::SocketAddr};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use super::Tls;

/// The longest head of an answer, in bytes, and the most fields in it.
const MAX_HEAD: usize = 64 * 1024;
const MAX_FIELDS: usize = 64;

/// The largest body, in bytes: firmware fits.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// Where a URL leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Host and port.
    pub(crate) authority: String,
    /// Over TLS.
    pub(crate) secure: bool,
    /// Path and query.
    pub(crate) path: String,
}

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Name and value of each cookie.
    pub(crate) cookies: Vec<(String, String)>,
    pub(crate) challenges: Vec<String>,
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Vec<u8>,
    /// Whether the connection cannot be used again.
    pub(crate) closes: bool,
}

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

/// How a body ends.
enum Length {
    Known(usize),
    Chunked,
    UntilClose,
}

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, WireError> {
        let secure = url.starts_with("https://");
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).ok_or_else(|| WireError::Url(url.to_owned()))?;
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        if authority.is_empty() || url.contains(char::is_whitespace) {
            return Err(WireError::Url(url.to_owned()));
        }
        let authority = if authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
            authority.to_owned()
        } else {
            format!("{authority}:{}", if secure { 443 } else { 80 })
        };
        Ok(Self { authority, secure, path: path.to_owned() })
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

/// The answer without its body, how that ends, and the length of the head. `None` when there is more to come.
fn parse_head(bytes: &[u8]) -> Result<Option<(Answer, Length, usize)>, WireError> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut head = httparse::Response::new(&mut fields);
    let malformed = |error: httparse::Error| WireError::Malformed(error.to_string());
    let httparse::Status::Complete(length) = head.parse(bytes).map_err(malformed)? else { return Ok(None) };
    let mut answer = Answer { status: head.code.unwrap_or_default(), closes: head.version == Some(0), ..Answer::default() };
    let mut ends = if matches!(answer.status, 204 | 304) || answer.status < 200 { Length::Known(0) } else { Length::UntilClose };
    for field in head.headers.iter() {
        let value = String::from_utf8_lossy(field.value);
        let value = value.trim();
        match field.name {
            name if name.eq_ignore_ascii_case("content-length") => {
                ends = Length::Known(value.parse().map_err(|_| WireError::Malformed(format!("its length is {value:?}")))?);
            }
            name if name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked") => ends = Length::Chunked,
            name if name.eq_ignore_ascii_case("connection") => answer.closes = value.eq_ignore_ascii_case("close"),
            name if name.eq_ignore_ascii_case("www-authenticate") => answer.challenges.push(value.to_owned()),
            name if name.eq_ignore_ascii_case("retry-after") => answer.retry_after = value.parse().ok(),
            name if name.eq_ignore_ascii_case("set-cookie") => answer.cookies.extend(cookie(value)),
            _ => {}
        }
    }
    answer.closes |= matches!(ends, Length::UntilClose);
    Ok(Some((answer, ends, length)))
}

fn cookie(field: &str) -> Option<(String, String)> {
    let (name, value) = field.split(';').next()?.split_once('=')?;
    Some((name.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn a_url_leads_somewhere() {
        let parsed = |url: &str| Target::parse(url).ok().map(|Target { authority, secure, path }| format!("{authority} {secure} {path}"));
        let there = |text: &str| Some(text.to_owned());
        assert_eq!(parsed("http://127.0.0.1:7547"), there("127.0.0.1:7547 false /"));
        assert_eq!(parsed("http://acs.example/tr069?a=b"), there("acs.example:80 false /tr069?a=b"));
        assert_eq!(parsed("http://[::1]:80/x"), there("[::1]:80 false /x"));
        assert_eq!(parsed("https://acs/"), there("acs:443 true /"));
        assert_eq!((parsed("ftp://acs/"), parsed("http:///x"), parsed("http://a b/")), (None, None, None));
    }
}
