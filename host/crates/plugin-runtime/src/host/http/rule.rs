//! Rules in the form in which requests are checked.

use std::collections::BTreeMap;

use http::{
    HeaderName, HeaderValue, Method, Uri,
    header::AUTHORIZATION,
    uri::{Authority, PathAndQuery, Scheme},
};

use super::path;
use crate::grant::{Auth, HttpRule, Secret, TracePolicy};

/// The rules of one plugin, by logical name.
#[derive(Debug)]
pub(crate) struct Rules {
    plugin: String,
    by_name: BTreeMap<String, Rule>,
}

/// Where requests to one logical name go.
#[derive(Debug)]
pub(crate) struct Rule {
    scheme: Scheme,
    authority: Authority,
    /// Put in front of every path; no slash at the end.
    base: String,
    methods: Vec<Method>,
    prefix: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) trace: TracePolicy,
    pub(super) max_body_bytes: u64,
}

/// A request that no rule allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Denial {
    /// What was denied and why.
    pub(super) what: String,
    /// The line of configuration that would allow it, if one would.
    pub(super) allow: Option<String>,
}

impl Rules {
    pub(crate) fn new(plugin: String, by_name: BTreeMap<String, Rule>) -> Self {
        Self { plugin, by_name }
    }

    pub(super) fn plugin(&self) -> &str {
        &self.plugin
    }

    /// The rule for a request and the address it really goes to.
    pub(super) fn check(&self, method: &Method, uri: &Uri) -> Result<(&Rule, Uri), Denial> {
        let name = uri.authority().map_or("", Authority::as_str);
        let deny = |why: String, allow: Option<String>| Denial { what: format!("{method} http://{name}{} was denied: {why}", uri.path()), allow };
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
        Ok((rule, target))
    }
}

impl Rule {
    /// Checks what the operator wrote.
    pub(crate) fn parse(rule: &HttpRule) -> Result<Self, String> {
        let HttpRule { url, methods, path, headers, auth, trace, max_body_bytes } = rule;
        let uri: Uri = url.parse().map_err(|error| format!("url: `{url}` is not a URL: {error}"))?;
        let parts = uri.into_parts();
        let scheme = parts.scheme.filter(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
        let scheme = scheme.ok_or_else(|| format!("url: `{url}`: expected http:// or https://"))?;
        let authority = parts.authority.ok_or_else(|| format!("url: `{url}`: expected a host"))?;
        if authority.as_str().contains('@') {
            return Err("url: expected no user or password: use `auth`".to_owned());
        }
        let full = parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        if full.query().is_some() {
            return Err(format!("url: `{url}`: expected no query"));
        }
        let base = path::normalise(full.path()).map_err(|bad| format!("url: {}", bad.describe()))?;
        Ok(Self {
            scheme,
            authority,
            base: base.trim_end_matches('/').to_owned(),
            methods: methods.iter().map(|name| method(name)).collect::<Result<_, _>>()?,
            prefix: path::normalise(path).map_err(|bad| format!("path: {}", bad.describe()))?,
            headers: all_headers(headers, auth.as_ref())?,
            trace: *trace,
            max_body_bytes: *max_body_bytes,
        })
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
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("headers: `{name}` is not the name of a header"))?;
        all.push((header, secret(&format!("headers.{name}"), value.reveal())?));
    }
    match auth {
        None => {}
        Some(Auth::Bearer(token)) => all.push((AUTHORIZATION, secret("auth.bearer", &format!("Bearer {}", token.reveal()))?)),
        Some(Auth::Basic { user, password }) => {
            let pair = base64(format!("{user}:{}", password.reveal()).as_bytes());
            all.push((AUTHORIZATION, secret("auth.basic", &format!("Basic {pair}"))?));
        }
    }
    Ok(all)
}

/// A header value that is marked so that nobody prints it.
fn secret(at: &str, text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text).map_err(|_| format!("{at}: expected visible ASCII"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// RFC 4648 base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().enumerate().fold(0_u32, |group, (index, byte)| group | u32::from(*byte) << (16 - 8 * index));
        for index in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * index)) as usize & 63];
            text.push(if index <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    fn check(request: &str, expected: &str) {
        let mut rule = HttpRule::to("https://olt.example:8443/base/");
        rule.path = "/restconf/data".to_owned();
        let rules = Rules::new("p".to_owned(), [("olt".to_owned(), Rule::parse(&rule).unwrap())].into());
        let (method, uri) = request.split_once(' ').unwrap();
        let found = match rules.check(&method.parse().unwrap(), &uri.parse().unwrap()) {
            Ok((_, target)) => target.to_string(),
            Err(Denial { what, allow }) => format!("{what} / {}", allow.as_deref().unwrap_or("-")),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_request_is_allowed_by_name_method_and_path() {
        check("GET http://olt/restconf/data/x?a=1", "https://olt.example:8443/base/restconf/data/x?a=1");
        check("GET http://olt/restconf//data/./y/../x", "https://olt.example:8443/base/restconf/data/x");
        check(
            "GET http://evil/restconf/data",
            "GET http://evil/restconf/data was denied: `evil` is not one of the endpoints that are granted: olt / -",
        );
        check(
            "GET http://olt:80/restconf/data",
            "GET http://olt:80/restconf/data was denied: `olt:80` is not one of the endpoints that are granted: olt / -",
        );
        check(
            "PUT http://olt/restconf/data",
            "PUT http://olt/restconf/data was denied: the method is not allowed / http.olt.methods = [\"GET\", \"HEAD\", \"PUT\"]",
        );
        check(
            "GET http://olt/restconf/data/%2e%2e/operations",
            "GET http://olt/restconf/data/%2e%2e/operations was denied: `/restconf/operations` is not below `/restconf/data` / http.olt.path = \"/restconf/operations\"",
        );
    }

    #[test]
    fn a_rule_that_cannot_work_is_refused() {
        let parse = |edit: fn(&mut HttpRule)| {
            let mut rule = HttpRule::to("http://127.0.0.1:1");
            edit(&mut rule);
            Rule::parse(&rule).unwrap_err()
        };
        assert_eq!(parse(|r| r.url = "ftp://x".into()), "url: `ftp://x`: expected http:// or https://");
        assert_eq!(parse(|r| r.url = "http://u:p@x/".into()), "url: expected no user or password: use `auth`");
        assert_eq!(parse(|r| r.methods = vec!["get".into()]), "methods: `get` is not a method: expected for example GET, in upper case");
        assert_eq!(parse(|r| r.path = "data".into()), "path: the path does not begin with a slash");
    }
}
