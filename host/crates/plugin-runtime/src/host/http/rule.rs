//! Rules in the form in which requests are checked.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{
    HeaderName, HeaderValue, Method, Uri,
    header::AUTHORIZATION,
    uri::{Authority, PathAndQuery, Scheme},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use super::{
    client::{Client, Outside, public_roots, tls},
    denial::Denial,
    headers::header_name,
    path,
    sign::Signing,
    throttle::Throttle,
};
use crate::{
    grant::{Auth, HttpRule, Secret, TracePolicy},
    host::net::Endpoint,
};

/// The rules of one plugin, by logical name.
#[derive(Debug)]
pub(crate) struct Rules {
    plugin: String,
    by_name: BTreeMap<String, Arc<Rule>>,
}

/// Where requests to one logical name go.
#[derive(Debug)]
pub(crate) struct Rule {
    scheme: Scheme,
    authority: Authority,
    /// Scheme, host and port in one spelling: the name of its endpoint, which rules of several plugins may share.
    pub(super) origin: Arc<str>,
    /// Put in front of every path; no slash at the end.
    base: String,
    methods: Vec<Method>,
    prefix: String,
    /// As the operator wrote them, for the line that would grant one more.
    addresses: Vec<String>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) trace: TracePolicy,
    pub(super) signing: Option<Signing>,
    pub(super) max_request_bytes: u64,
    pub(super) max_response_bytes: u64,
    pub(super) timeout: Option<Duration>,
    pub(super) throttle: Throttle,
    pub(super) client: Client,
}

/// A request that a rule allows.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) rule: Arc<Rule>,
    /// The logical name.
    pub(super) name: String,
    /// Where it really goes.
    pub(super) target: Uri,
}

impl Rules {
    pub(crate) fn new(plugin: String, by_name: BTreeMap<String, Rule>) -> Self {
        Self { plugin, by_name: by_name.into_iter().map(|(name, rule)| (name, Arc::new(rule))).collect() }
    }

    pub(super) fn plugin(&self) -> &str {
        &self.plugin
    }

    /// The rule for a request and the address it really goes to.
    pub(super) fn check(&self, method: &Method, uri: &Uri) -> Result<Allowed, Denial> {
        // Whoever writes a user or password in front of a host is not told so by repeating it.
        let name = uri.authority().map_or("", Authority::as_str).rsplit('@').next().unwrap_or_default();
        let deny = |why: String, allow: Option<String>| Denial { what: format!("{method} http://{name}{} was denied: {why}", uri.path()), allow };
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(deny("a user or password in a URL is not sent".to_owned(), None));
        }
        let Some(rule) = self.by_name.get(name) else {
            let names = self.by_name.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let names = if names.is_empty() { "none".to_owned() } else { names };
            return Err(deny(format!("`{name}` is not one of the endpoints that are granted: {names}"), None));
        };
        if *method == Method::CONNECT || !rule.methods.contains(method) {
            let mut methods: Vec<_> = rule.methods.iter().map(|method| format!("\"{method}\"")).collect();
            methods.push(format!("\"{method}\""));
            let allow = (*method != Method::CONNECT).then(|| format!("http.{name}.methods = [{}]", methods.join(", ")));
            return Err(deny("the method is not allowed".to_owned(), allow));
        }
        let path = path::normalise(uri.path()).map_err(|bad| deny(bad.describe().to_owned(), None))?;
        if !path::below(&path, &rule.prefix) {
            return Err(deny(format!("`{path}` is not below `{}`", rule.prefix), Some(format!("http.{name}.path = \"{path}\""))));
        }
        let target = rule.target(&path, uri.query()).map_err(|problem| deny(problem, None))?;
        Ok(Allowed { rule: Arc::clone(rule), name: name.to_owned(), target })
    }
}

impl Rule {
    /// Checks what the operator wrote.
    pub(crate) fn parse(rule: &HttpRule, outside: &Outside) -> Result<Self, String> {
        let Url { scheme, authority, base } = Url::parse(&rule.url)?;
        let granted = rule.addresses.iter().map(|range| range.net()).collect();
        let port = if scheme == Scheme::HTTPS { 443 } else { 80 };
        let endpoint = Endpoint::new(&authority, port, granted, Arc::clone(&outside.resolver)).map_err(|problem| format!("url: {problem}"))?;
        if rule.burst.is_some() && rule.rate.is_none() {
            return Err("burst: expected `rate` beside it".to_owned());
        }
        let origin = format!("{scheme}://{}:{}", authority.host().to_ascii_lowercase(), endpoint.port()).into();
        Ok(Self {
            scheme,
            authority,
            origin,
            base,
            methods: rule.methods.iter().map(|name| method(name)).collect::<Result<_, _>>()?,
            prefix: path::normalise(&rule.path).map_err(|bad| format!("path: {}", bad.describe()))?,
            addresses: rule.addresses.iter().map(ToString::to_string).collect(),
            headers: all_headers(&rule.headers, rule.auth.as_ref())?,
            trace: rule.trace,
            signing: rule.auth.as_ref().map_or(Ok(None), Signing::of)?,
            max_request_bytes: rule.max_request_bytes.unwrap_or(rule.max_body_bytes),
            max_response_bytes: rule.max_response_bytes.unwrap_or(rule.max_body_bytes),
            timeout: rule.timeout_ms.map(Duration::from_millis),
            throttle: Throttle::new(rule),
            client: Client::new(endpoint, trusting(rule, outside)?),
        })
    }

    /// The line that would grant one more address.
    pub(super) fn granting(&self, name: &str, address: std::net::IpAddr) -> String {
        let mut all: Vec<_> = self.addresses.iter().map(|range| format!("\"{range}\"")).collect();
        all.push(format!("\"{address}\""));
        format!("http.{name}.addresses = [{}]", all.join(", "))
    }

    fn target(&self, path: &str, query: Option<&str>) -> Result<Uri, String> {
        let full = match query {
            None => format!("{}{path}", self.base),
            Some(query) => format!("{}{path}?{query}", self.base),
        };
        let uri = Uri::builder().scheme(self.scheme.clone()).authority(self.authority.clone()).path_and_query(full).build();
        uri.map_err(|error| format!("the path is not valid: {error}"))
    }
}

/// The URL of an endpoint, in parts.
struct Url {
    scheme: Scheme,
    authority: Authority,
    base: String,
}

impl Url {
    fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("url: `{url}` is not a URL: {error}"))?;
        let parts = uri.into_parts();
        let scheme = parts.scheme.filter(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
        let scheme = scheme.ok_or_else(|| format!("url: `{url}`: expected http:// or https://"))?;
        let authority = parts.authority.ok_or_else(|| format!("url: `{url}`: expected a host"))?;
        if authority.as_str().contains('@') {
            return Err("url: expected no user or password: use `auth`".to_owned());
        }
        let full = parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        if full.query().is_some() || url.contains('#') {
            // What follows may be a secret.
            let before = url.split(['?', '#']).next().unwrap_or_default();
            return Err(format!("url: `{before}`: expected no query and no fragment"));
        }
        let base = path::normalise(full.path()).map_err(|bad| format!("url: {}", bad.describe()))?;
        Ok(Self { scheme, authority, base: base.trim_end_matches('/').to_owned() })
    }
}

/// Whom TLS trusts at this endpoint.
fn trusting(rule: &HttpRule, outside: &Outside) -> Result<Arc<ClientConfig>, String> {
    let Some(pem) = &rule.ca else { return Ok(Arc::clone(&outside.tls)) };
    let mut roots = if rule.ca_only { RootCertStore::empty() } else { public_roots() };
    let mut found = 0;
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| format!("ca: the PEM text cannot be read: {error}"))?;
        roots.add(certificate).map_err(|error| format!("ca: certificate {} cannot be used: {error}", found + 1))?;
        found += 1;
    }
    if found == 0 {
        return Err("ca: expected certificates in PEM text, for example by the reference `file:roots.pem`".to_owned());
    }
    Ok(tls(roots))
}

fn method(name: &str) -> Result<Method, String> {
    let wrong = || format!("methods: `{name}` is not a method: expected for example GET, in upper case");
    if name.bytes().any(|b| b.is_ascii_lowercase()) {
        return Err(wrong());
    }
    Method::from_bytes(name.as_bytes()).map_err(|_| wrong())
}

fn all_headers(headers: &BTreeMap<String, Secret>, auth: Option<&Auth>) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let mut all = Vec::with_capacity(headers.len() + 1);
    for (name, value) in headers {
        all.push((header_name("headers", name)?, secret(&format!("headers.{name}"), value.reveal())?));
    }
    match auth {
        None => {}
        Some(Auth::Bearer(token)) => all.push((AUTHORIZATION, secret("auth.bearer", &format!("Bearer {}", token.reveal()))?)),
        Some(Auth::Basic { user, password }) => {
            let pair = BASE64_STANDARD.encode(format!("{user}:{}", password.reveal()));
            all.push((AUTHORIZATION, secret("auth.basic", &format!("Basic {pair}"))?));
        }
        Some(Auth::Header { name, value }) => {
            all.push((header_name("auth.header.name", name)?, secret("auth.header.value", value.reveal())?));
        }
        // They depend on the request.
        Some(Auth::Sigv4 { .. } | Auth::Hmac(_)) => {}
    }
    Ok(all)
}

/// A header value that is marked so that nobody prints it.
fn secret(at: &str, text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text).map_err(|_| format!("{at}: expected visible ASCII"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
