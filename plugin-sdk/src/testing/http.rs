//! The other side of HTTP in a native test: answers are scripted, and a request that nobody expects fails the test.

use std::cell::RefCell;

use crate::http::{ErrorKind, Raw, Request};

/// A request that the plugin under test sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The method: `GET`.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Sent {
    /// The first header with that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the plugin sent a body that is not JSON")
    }
}

/// What the other side does with a request.
#[derive(Debug, Clone)]
pub struct Reply(Result<Raw, (ErrorKind, String)>);

impl Reply {
    /// Answers with a status and no body.
    pub fn status(status: u16) -> Self {
        Self(Ok(Raw { status, headers: Vec::new(), body: Vec::new() }))
    }

    /// Answers with JSON text.
    pub fn json(status: u16, body: &str) -> Self {
        Self::body(status, "application/json", body)
    }

    /// Answers with a body of that media type.
    pub fn body(status: u16, media_type: &str, body: &str) -> Self {
        let headers = vec![("content-type".into(), media_type.into())];
        Self(Ok(Raw { status, headers, body: body.as_bytes().to_vec() }))
    }

    /// Adds a header to an answer.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Ok(raw) = &mut self.0 {
            raw.headers.push((name.into(), value.into()));
        }
        self
    }

    /// Refuses the connection: nothing is sent.
    pub fn refused() -> Self {
        Self(Err((ErrorKind::Unreachable, "connection refused".into())))
    }

    /// Takes the request and never answers.
    pub fn no_answer() -> Self {
        Self(Err((ErrorKind::NoAnswer, "the connection broke off".into())))
    }

    /// The host refuses to send it.
    pub fn denied() -> Self {
        Self(Err((ErrorKind::Denied, "not granted".into())))
    }
}

/// Answers requests by what it knows.
type Server = Box<dyn FnMut(&Sent) -> Reply>;

#[derive(Default)]
struct Script {
    replies: Vec<(String, Reply)>,
    server: Option<Server>,
    sent: Vec<Sent>,
}

thread_local! {
    static SCRIPT: RefCell<Script> = RefCell::default();
}

/// The other side.
#[derive(Debug)]
pub struct Http;

impl Http {
    /// Scripts the answer to one request. Several for the same method and URL are used in order, each once.
    pub fn on(method: &str, url: &str, reply: Reply) {
        SCRIPT.with_borrow_mut(|it| it.replies.push((format!("{method} {url}"), reply)));
    }

    /// Has every request that is not scripted answered by a server, such as the simulation of a vendor.
    pub fn serve(server: impl FnMut(&Sent) -> Reply + 'static) {
        SCRIPT.with_borrow_mut(|it| it.server = Some(Box::new(server)));
    }

    /// What was sent so far, in order.
    pub fn sent() -> Vec<Sent> {
        SCRIPT.with_borrow(|it| it.sent.clone())
    }

    /// Fails unless every scripted answer was used.
    ///
    /// # Panics
    /// If one was not.
    pub fn assert_finished() {
        SCRIPT.with_borrow(|it| {
            let left: Vec<_> = it.replies.iter().map(|(request, _)| request).collect();
            assert!(left.is_empty(), "scripted but never requested: {left:?}");
        });
    }
}

pub(crate) fn send(request: &Request) -> Result<Raw, (ErrorKind, String)> {
    let wanted = format!("{} {}", request.method.as_str(), request.url);
    super::note(format!("http {wanted}"));
    SCRIPT.with_borrow_mut(|it| {
        let sent =
            Sent { method: request.method.as_str().into(), url: request.url.clone(), headers: request.headers.clone(), body: request.body.clone() };
        let reply = match (it.replies.iter().position(|(request, _)| *request == wanted), &mut it.server) {
            (Some(at), _) => it.replies.remove(at).1,
            (None, Some(server)) => server(&sent),
            (None, None) => {
                let script: Vec<_> = it.replies.iter().map(|(request, _)| request).collect();
                panic!("unexpected request {wanted}; scripted are {script:?}");
            }
        };
        it.sent.push(sent);
        let raw = reply.0?;
        if raw.body.len() > request.limit {
            let why = format!("the answer is longer than {} bytes", request.limit);
            return Err((ErrorKind::BadAnswer, why));
        }
        Ok(raw)
    })
}

pub(super) fn reset() {
    SCRIPT.take();
}
