//! HTTPS as the authority is spoken with: only over TLS, with limits of time and size, following nothing.

use std::{cell::Cell, fmt, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, header::RETRY_AFTER};
use http_body_util::{BodyExt as _, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

/// The largest answer in bytes.
const LARGEST_ANSWER: usize = 1 << 20;

/// The longest pause that is taken down.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

tokio::task_local! {
    /// The pause that the last answer of the call asked for.
    static PAUSE: Cell<Option<Duration>>;
}

/// Makes a call whose answers are watched for pauses.
pub(super) async fn watched<T>(call: impl Future<Output = T>) -> T {
    PAUSE.scope(Cell::new(None), call).await
}

/// The pause that the last answer asked for.
pub(super) fn asked_pause() -> Option<Duration> {
    PAUSE.try_with(Cell::get).ok().flatten()
}

/// Takes down the pause that an answer asked for.
pub(super) fn note(pause: Option<Duration>) {
    let _outside_of_a_call_nobody_asks = PAUSE.try_with(|kept| kept.set(pause));
}

/// A client of one authority.
#[derive(Clone)]
pub(super) struct Transport {
    client: Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>,
    timeout: Duration,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl Transport {
    /// A client that believes the known authorities and those in a PEM text.
    pub(super) fn new(roots: Option<&str>, timeout: Duration) -> Result<Self, String> {
        let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let unfit = |error: &dyn fmt::Display| format!("`roots` cannot be read: {error}; expected certificates in PEM form");
        for root in roots.iter().flat_map(|roots| CertificateDer::pem_slice_iter(roots.as_bytes())) {
            store.add(root.map_err(|error| unfit(&error))?).map_err(|error| unfit(&error))?;
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(store)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().build();
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector), timeout })
    }
}

impl HttpClient for Transport {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let (answer, timeout) = (self.client.request(request), self.timeout);
        Box::pin(async move {
            let whole = async {
                let (parts, body) = answer.await.map_err(other)?.into_parts();
                note(retry_after(&parts.headers));
                let body = Limited::new(body, LARGEST_ANSWER).collect().await.map_err(Error::Other)?.to_bytes();
                Ok(BytesResponse { parts, body: Box::new(body) })
            };
            tokio::time::timeout(timeout, whole).await.unwrap_or_else(|_| Err(other(TimedOut)))
        })
    }
}

#[derive(Debug)]
struct TimedOut;

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the authority did not answer in time")
    }
}

impl std::error::Error for TimedOut {}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Other(Box::new(error))
}

/// A pause in seconds, or until a time by the authority's own clock, which its answer has too (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let value = text(RETRY_AFTER)?;
    let pause = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let (until, now) = (httpdate::parse_http_date(value).ok()?, httpdate::parse_http_date(text(http::header::DATE)?).ok()?);
            until.duration_since(now).ok()?
        }
    };
    Some(pause.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_a_number_or_a_time_by_the_clock_of_the_answer() {
        let date = "Thu, 01 Jan 2026 00:00:00 GMT";
        let table = [
            (Some("7"), None, Some(7)),
            (Some("Thu, 01 Jan 2026 00:01:00 GMT"), Some(date), Some(60)),
            (Some("Wed, 31 Dec 2025 00:01:00 GMT"), Some(date), None),
            (Some("Thu, 01 Jan 2026 00:01:00 GMT"), None, None),
            (Some("99999999999"), None, Some(LONGEST.as_secs())),
            (Some("-1"), None, None),
            (Some("soon"), Some(date), None),
            (None, Some(date), None),
        ];
        for (after, date, expected) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in [(RETRY_AFTER, after), (http::header::DATE, date)] {
                if let Some(value) = value {
                    headers.insert(name, value.parse().unwrap());
                }
            }
            assert_eq!(retry_after(&headers).map(|pause| pause.as_secs()), expected, "{after:?} {date:?}");
        }
    }
}
