//! A request on its way out: handles become secrets, and what signs a request sees it as it is sent.

use bytes::Bytes;
use engine::port::{Clock as _, SystemClock};
use http::{HeaderMap, HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt as _, Full};
use wasmtime_wasi_http::{Error, WasiBody};

use super::{denial::Denial, exchange::Exchange, sign::Unsigned};
use crate::host::secrets::{CallSecrets, Place};

impl Exchange {
    /// Puts secrets where their handles are and signs. A request that needs neither passes as it comes, piece by piece.
    pub(super) async fn complete(&self, request: Request<WasiBody>) -> Result<Request<WasiBody>, Error> {
        let secrets = self.secrets.as_deref().filter(|secrets| secrets.has_handles());
        if secrets.is_none() && self.rule.signing.is_none() {
            return Ok(request);
        }
        let (mut parts, body) = request.into_parts();
        let mut body = body.collect().await?.to_bytes();
        if let Some(secrets) = secrets {
            let place = Place::of_body(parts.headers.get(header::CONTENT_TYPE));
            parts.uri = self.uri(secrets, &parts.uri)?;
            self.headers(secrets, &mut parts.headers)?;
            if let Some(replaced) = self.replaced(secrets, &body, place)? {
                body = Bytes::from(replaced);
            }
        }
        if let Some(signing) = &self.rule.signing {
            let unsigned = Unsigned { method: &parts.method, uri: &parts.uri, body: &body, now: SystemClock.now() };
            signing.sign(&unsigned, &mut parts.headers);
        }
        // The client writes the length that the body has now.
        parts.headers.remove(header::CONTENT_LENGTH);
        let body = Full::new(body).map_err(|never| match never {}).boxed_unsync();
        Ok(Request::from_parts(parts, body))
    }

    /// Handles stand in the query only: a path is judged before and stays what was judged.
    fn uri(&self, secrets: &CallSecrets, uri: &Uri) -> Result<Uri, Error> {
        let Some(query) = uri.query() else { return Ok(uri.clone()) };
        let Some(replaced) = self.replaced(secrets, query.as_bytes(), Place::Query)? else { return Ok(uri.clone()) };
        let mut full = uri.path().as_bytes().to_vec();
        full.push(b'?');
        full.extend_from_slice(&replaced);
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(full.as_slice().try_into().map_err(|_| Error::HttpRequestUriInvalid)?);
        Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)
    }

    fn headers(&self, secrets: &CallSecrets, headers: &mut HeaderMap) -> Result<(), Error> {
        for (name, value) in headers.iter_mut() {
            if let Some(replaced) = self.replaced(secrets, value.as_bytes(), Place::Plain)? {
                let size = || Error::HttpRequestHeaderSize { field_name: Some(name.to_string()), field_size: None };
                *value = HeaderValue::from_bytes(&replaced).map_err(|_| size())?;
                value.set_sensitive(true);
            }
        }
        Ok(())
    }

    fn replaced(&self, secrets: &CallSecrets, text: &[u8], place: Place) -> Result<Option<Vec<u8>>, Error> {
        secrets.substitute(text, place).map_err(|_error| {
            let what = format!("a request to http://{} was denied: what looks like a handle of a secret is none of this call", self.name);
            Denial { what, allow: None }.record(self.rules.plugin(), &self.account);
            Error::HttpRequestDenied
        })
    }
}
