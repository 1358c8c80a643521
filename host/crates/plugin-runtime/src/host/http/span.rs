//! The span of one outgoing request, from when the guest asks until the head of the answer is there.

use std::future::Future;

use engine::port::{ChildSpan, SpanItem};
use http::{Method, Uri};
use pipeline::{AttributeValue, Attributes};
use wasmtime_wasi_http::Error;

use super::send::Sent;
use crate::host::spans::Clients;

/// Methods whose name is the name of the span; any other is `HTTP`, so that there are few names.
const METHODS: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"];

/// A span that ends as its request did, also when the call is over before.
pub(super) struct ClientSpan(Option<Box<dyn ChildSpan>>);

impl ClientSpan {
    pub(super) fn begin(clients: &Clients, method: &Method) -> Self {
        let name = METHODS.iter().find(|name| method.as_str() == **name).copied();
        let shown = AttributeValue::from(name.unwrap_or("_OTHER"));
        Self(Some(clients.begin(name.unwrap_or("HTTP"), vec![("http.request.method".to_owned(), shown)])))
    }

    /// The context that the request carries.
    pub(super) fn context(&self) -> Option<&engine::port::SpanContext> {
        self.0.as_ref().map(|span| span.context())
    }

    /// Where it goes, without what may be secret of it.
    pub(super) fn goes_to(&mut self, uri: &Uri) {
        let (Some(span), Some(host)) = (&mut self.0, uri.host()) else { return };
        let scheme = uri.scheme_str().unwrap_or("http");
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        let url = crate::call::bounded(format!("{scheme}://{host}:{port}{}", uri.path()), 1_024);
        span.record(SpanItem::Attributes(vec![
            ("server.address".to_owned(), host.into()),
            ("server.port".to_owned(), i64::from(port).into()),
            ("url.full".to_owned(), url.as_str().into()),
        ]));
    }

    fn ended(mut self, sent: &Sent) {
        let Some(mut span) = self.0.take() else { return };
        match sent {
            Ok((response, _)) => {
                let status = response.status();
                let attributes: Attributes = vec![("http.response.status_code".to_owned(), i64::from(status.as_u16()).into())];
                span.record(SpanItem::Attributes(attributes));
                let failed = status.is_client_error() || status.is_server_error();
                span.end(failed.then(|| ("_OTHER".to_owned(), format!("HTTP {}", status.as_u16()))));
            }
            Err(Error::HttpRequestDenied) => span.end(Some(("plugin.denied".to_owned(), "the request was denied".to_owned()))),
            Err(error) => span.end(Some(("_OTHER".to_owned(), format!("{error:?}")))),
        }
    }
}

impl Drop for ClientSpan {
    fn drop(&mut self) {
        if let Some(span) = self.0.take() {
            span.end(Some(("host.cancelled".to_owned(), "the call ended before the answer came".to_owned())));
        }
    }
}

/// Sends under a span, if there is one.
pub(super) async fn traced(span: Option<ClientSpan>, send: impl Future<Output = Sent>) -> Sent {
    let sent = send.await;
    if let Some(span) = span {
        span.ended(&sent);
    }
    sent
}
