//! A request, built and sent.

use super::{DEFAULT_LIMIT, Error, ErrorKind, Response, effects, transport};

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Reads the head only.
    Head,
    /// Makes something.
    Post,
    /// Makes or replaces something.
    Put,
    /// Changes something.
    Patch,
    /// Removes something.
    Delete,
}

impl Method {
    /// The method on the wire: `GET`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether a request with this method changes nothing (RFC 9110, section 9.2.1).
    pub fn is_safe(self) -> bool {
        match self {
            Self::Get | Self::Head => true,
            Self::Post | Self::Put | Self::Patch | Self::Delete => false,
        }
    }
}

/// A request to a logical endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) limit: usize,
    invalid: Option<String>,
}

impl Request {
    /// A request with any method. The URL is `http://{logical name}/path?query`.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), body: Vec::new(), limit: DEFAULT_LIMIT, invalid: None }
    }

    /// Reads.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::Get, url)
    }

    /// Makes something.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new(Method::Post, url)
    }

    /// Makes or replaces something.
    pub fn put(url: impl Into<String>) -> Self {
        Self::new(Method::Put, url)
    }

    /// Changes something.
    pub fn patch(url: impl Into<String>) -> Self {
        Self::new(Method::Patch, url)
    }

    /// Removes something.
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new(Method::Delete, url)
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body, with its media type.
    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        self.header("content-type", media_type)
    }

    /// Sets the body to JSON text. The media type is `application/json` unless a `content-type` header was added before.
    pub fn json<T: serde::Serialize + ?Sized>(mut self, value: &T) -> Self {
        let kept = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let media_type = kept.map_or_else(|| "application/json".to_owned(), |(_, value)| value.clone());
        match serde_json::to_vec(value) {
            Ok(body) => self.body(&media_type, body),
            Err(error) => {
                self.invalid = Some(format!("the body cannot be written as JSON: {error}"));
                self
            }
        }
    }

    /// Reads at most so many bytes of the response body (default [`DEFAULT_LIMIT`]); a longer one is an error.
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Sends it and waits for the whole answer. Any status is an answer: see [`Response::require_success`].
    ///
    /// # Errors
    /// When there is no usable answer. `?` makes it the right [`Failure`](crate::Failure).
    pub fn send(self) -> Result<Response, Error> {
        if let Some(problem) = &self.invalid {
            return Err(Error::new(ErrorKind::Invalid, false, format!("{}: {problem}", self.describe())));
        }
        let before = effects::possible();
        let safe = self.method.is_safe();
        let answer = transport::send(&self).map_err(|(kind, why)| {
            let sent = matches!(kind, ErrorKind::NoAnswer | ErrorKind::BadAnswer) && !safe;
            (kind, sent, why)
        });
        let reached = match &answer {
            Ok(_) => !safe,
            Err((_, sent, _)) => *sent,
        };
        if reached {
            effects::note();
        }
        match answer {
            Ok(raw) => Ok(Response::new(self.describe(), safe, before, raw)),
            Err((kind, sent, why)) => Err(Error::new(kind, sent, format!("{}: {why}", self.describe()))),
        }
    }

    /// Method and URL without the query, for messages.
    fn describe(&self) -> String {
        let path = self.url.split('?').next().unwrap_or_default();
        format!("{} {path}", self.method.as_str())
    }
}

/// A text as one segment of a path or one value of a query: everything but letters, digits and `-._~` is
/// percent-encoded (RFC 3986, section 2).
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
