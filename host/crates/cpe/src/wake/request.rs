//! The request itself: a GET, a challenge, a GET with an answer to it.

use std::{net::SocketAddr, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, StatusCode, Uri,
    header::{AUTHORIZATION, HOST, WWW_AUTHENTICATE},
    uri::PathAndQuery,
};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{
    body::Incoming,
    client::conn::http1::{Builder, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

use super::WakeError;
use crate::digest::{Algorithm, Exchange, Parameters, Protection, hex};

/// What a device may be shown.
#[derive(Clone, Copy)]
pub(super) struct Secret<'a> {
    pub(super) username: &'a str,
    pub(super) password: &'a str,
    pub(super) allow_basic: bool,
}

/// How much of an answer is read, to keep its connection.
const ANSWER: usize = 64 * 1024;
/// How long an answer is read for that. A new connection costs less than more of it.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much of an answer's head is read.
const HEAD: usize = 16 * 1024;
/// Without credentials, with them, and with a nonce that is not stale.
const TRIES: usize = 3;

/// Sends the request until the device says yes or no.
pub(super) async fn send(address: SocketAddr, uri: &Uri, secret: Secret<'_>) -> Result<(), WakeError> {
    let mut peer = Peer { address, connections: JoinSet::new(), open: None };
    let mut authorization = None;
    for attempt in 0..TRIES {
        let (status, headers) = peer.get(uri, authorization.take()).await?;
        match status {
            StatusCode::OK | StatusCode::NO_CONTENT => return Ok(()),
            StatusCode::SERVICE_UNAVAILABLE => return Err(WakeError::Busy),
            StatusCode::UNAUTHORIZED if attempt == 0 || is_stale(&headers) => authorization = Some(answer(&headers, uri, secret)?),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(WakeError::Refused),
            other => return Err(WakeError::Status(other.as_u16())),
        }
    }
    Err(WakeError::Refused)
}

/// The device, with the connection that is open. Its task ends with this.
struct Peer {
    address: SocketAddr,
    connections: JoinSet<()>,
    open: Option<SendRequest<Empty<Bytes>>>,
}

impl Peer {
    /// One request. On a connection that was used before it is sent again if the device has closed it.
    async fn get(&mut self, uri: &Uri, authorization: Option<HeaderValue>) -> Result<(StatusCode, HeaderMap), WakeError> {
        if let Some(open) = self.open.take()
            && let Ok(answered) = self.try_get(open, uri, authorization.clone()).await
        {
            return Ok(answered);
        }
        let new = self.connect().await?;
        self.try_get(new, uri, authorization).await
    }

    async fn connect(&mut self) -> Result<SendRequest<Empty<Bytes>>, WakeError> {
        let stream = TcpStream::connect(self.address).await.map_err(|error| WakeError::Unreachable(error.to_string()))?;
        // Some devices look for `Authorization` and know no `authorization`.
        let mut client = Builder::new();
        client.max_buf_size(HEAD).title_case_headers(true);
        let (sender, connection) = client.handshake(TokioIo::new(stream)).await.map_err(unreachable)?;
        // How the connection ends shows in the answer.
        self.connections.spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    async fn try_get(
        &mut self,
        mut open: SendRequest<Empty<Bytes>>,
        uri: &Uri,
        authorization: Option<HeaderValue>,
    ) -> Result<(StatusCode, HeaderMap), WakeError> {
        open.ready().await.map_err(unreachable)?;
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = Uri::from(uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
        let host = uri.authority().and_then(|authority| authority.as_str().parse().ok());
        request.headers_mut().extend(host.map(|host| (HOST, host)));
        request.headers_mut().extend(authorization.map(|value| (AUTHORIZATION, value)));
        let response = open.send_request(request).await.map_err(unreachable)?;
        let (head, body) = response.into_parts();
        // Only a challenge is followed by another request on the connection.
        if head.status == StatusCode::UNAUTHORIZED && is_read(body).await {
            self.open = Some(open);
        }
        Ok((head.status, head.headers))
    }
}

/// Whether the answer came to its end, so that its connection can be used again.
async fn is_read(body: Incoming) -> bool {
    let read = tokio::time::timeout(PATIENCE, Limited::new(body, ANSWER).collect()).await;
    read.is_ok_and(|body| body.is_ok())
}

#[expect(clippy::needless_pass_by_value, reason = "it is the argument of `map_err`")]
fn unreachable(error: hyper::Error) -> WakeError {
    WakeError::Unreachable(error.to_string())
}

fn texts(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all(WWW_AUTHENTICATE).into_iter().filter_map(|value| value.to_str().ok())
}

fn is_stale(headers: &HeaderMap) -> bool {
    let stale = |digest: &Parameters<'_>| digest.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true"));
    texts(headers).any(|text| Parameters::all(text).iter().any(stale))
}

/// The answer to the best challenge.
fn answer(headers: &HeaderMap, uri: &Uri, secret: Secret<'_>) -> Result<HeaderValue, WakeError> {
    let challenges = texts(headers).flat_map(Parameters::all);
    let known = challenges.filter_map(|challenge| Some((Algorithm::named(challenge.get("algorithm"))?, challenge)));
    let best = known.max_by_key(|(algorithm, _)| *algorithm == Algorithm::Sha256);
    let basic = secret.allow_basic && texts(headers).any(|text| text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic")));
    let text = match best {
        Some((algorithm, challenge)) => digest(algorithm, &challenge, uri, secret),
        None if basic => Some(format!("Basic {}", STANDARD.encode(format!("{}:{}", secret.username, secret.password)))),
        None => None,
    };
    let mut value: HeaderValue = text.and_then(|text| text.try_into().ok()).ok_or(WakeError::Refused)?;
    value.set_sensitive(true);
    Ok(value)
}

fn digest(algorithm: Algorithm, challenge: &Parameters<'_>, uri: &Uri, secret: Secret<'_>) -> Option<String> {
    let (realm, nonce) = (challenge.get("realm")?, challenge.get("nonce")?);
    // Exactly as it stands in the request line: devices compare the two.
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let mut random = [0; 8];
    getrandom::fill(&mut random).ok()?;
    let client = hex(&random);
    let count = "00000001";
    let offered = |wanted: &str| challenge.get("qop").is_some_and(|all| all.split(',').any(|one| one.trim().eq_ignore_ascii_case(wanted)));
    let (protection, quality) = match challenge.get("qop") {
        _ if offered("auth") => (Protection::Auth { count, client: &client }, ", qop=auth"),
        _ if offered("auth-int") => (Protection::Body { count, client: &client, body: b"" }, ", qop=auth-int"),
        None => (Protection::None, ""),
        Some(_) => return None,
    };
    let response =
        algorithm.response(&algorithm.secret(secret.username, realm, secret.password), Exchange { method: "GET", uri: path, nonce, protection });
    let mut text = format!("Digest username={}, realm={}, nonce={}, uri={}", quoted(secret.username), quoted(realm), quoted(nonce), quoted(path));
    if challenge.get("algorithm").is_some() {
        text += &format!(", algorithm={}", algorithm.name());
    }
    if !quality.is_empty() {
        text += &format!("{quality}, nc={count}, cnonce=\"{client}\"");
    }
    text += &format!(", response=\"{response}\"");
    if let Some(opaque) = challenge.get("opaque") {
        text += &format!(", opaque={}", quoted(opaque));
    }
    Some(text)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
