//! What an operator allows at one endpoint.

use std::{collections::BTreeMap, num::NonZeroU32};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;

use super::{AddressRange, Auth, Rate, Secret, TracePolicy};

/// Where requests to a logical name go, which are allowed, and what the host adds to them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpRule {
    /// The real endpoint, with a path that is put in front of the plugin's: `https://olt-1.example/restconf`.
    pub url: String,
    /// The methods that are allowed, in upper case.
    #[serde(default = "HttpRule::default_methods")]
    pub methods: Vec<String>,
    /// The path, after normalisation, must be this one or below it.
    #[serde(default = "HttpRule::default_path")]
    pub path: String,
    /// Headers that the host adds, in place of the plugin's own of the same name.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// How the host authenticates itself. The plugin never sees it.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// Whether the host's trace context is sent along.
    #[serde(default)]
    pub trace: TracePolicy,
    /// Addresses that the name in `url` may resolve to although they are not public. An address that stands in `url` itself is granted by that.
    #[serde(default)]
    pub addresses: Vec<AddressRange>,
    /// The most bytes of a request's and of a response's body: 8 MiB unless told, more than any of the protocols here sends.
    #[serde(default = "HttpRule::default_max_body_bytes")]
    pub max_body_bytes: u64,
    /// The most bytes of a request's body, where it differs.
    #[serde(default)]
    pub max_request_bytes: Option<u64>,
    /// The most bytes of a response's body, where it differs.
    #[serde(default)]
    pub max_response_bytes: Option<u64>,
    /// The most requests in a time: `50/s`, `300/m`, `1000/h`. A request that comes early waits, at most until its call ends.
    #[serde(default)]
    pub rate: Option<Rate>,
    /// How many requests may come at once under `rate`: 1 unless told, so that they are spread evenly.
    #[serde(default)]
    pub burst: Option<NonZeroU32>,
    /// The most requests at the same time, over all calls of the plugin. Others wait, at most until their call ends.
    #[serde(default)]
    pub concurrency: Option<NonZeroU32>,
    /// The longest that one request may take, in milliseconds: the call's own time unless told, and never more.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// The certificate authorities that are trusted at this endpoint, as PEM text. In a configuration it is a reference: `file:roots.pem`.
    #[serde(default)]
    pub ca: Option<String>,
    /// Whether only those of `ca` are trusted; otherwise they are beside the public ones.
    #[serde(default = "HttpRule::default_ca_only")]
    pub ca_only: bool,
}

impl HttpRule {
    /// A rule that allows reading everything below an endpoint.
    pub fn to(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            methods: Self::default_methods(),
            path: Self::default_path(),
            headers: BTreeMap::new(),
            auth: None,
            trace: TracePolicy::default(),
            addresses: Vec::new(),
            max_body_bytes: Self::default_max_body_bytes(),
            max_request_bytes: None,
            max_response_bytes: None,
            rate: None,
            burst: None,
            concurrency: None,
            timeout_ms: None,
            ca: None,
            ca_only: Self::default_ca_only(),
        }
    }

    /// The secrets that the host itself adds to requests, as they may come back.
    pub(crate) fn added(&self) -> Vec<Secret> {
        let mut all: Vec<Secret> = self.headers.values().filter(|value| value.is_referenced()).cloned().collect();
        match &self.auth {
            None => {}
            Some(Auth::Bearer(secret) | Auth::Header { name: _, value: secret }) => all.push(secret.clone()),
            Some(Auth::Basic { user, password }) => {
                all.push(password.clone());
                all.push(Secret::new(BASE64_STANDARD.encode(format!("{user}:{}", password.reveal()))));
            }
            Some(Auth::Sigv4 { access_key: _, secret_key, session_token, region: _, service: _ }) => {
                all.push(secret_key.clone());
                all.extend(session_token.clone());
            }
            Some(Auth::Hmac(auth)) => all.push(auth.key.clone()),
        }
        all
    }

    /// Reading only: what changes something must be allowed by name.
    fn default_methods() -> Vec<String> {
        vec!["GET".to_owned(), "HEAD".to_owned()]
    }

    fn default_path() -> String {
        "/".to_owned()
    }

    fn default_max_body_bytes() -> u64 {
        8 << 20
    }

    fn default_ca_only() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_defaults_refuses_unknown_keys_and_hides_secrets() {
        let rule: HttpRule = serde_json::from_str(r#"{"url":"http://127.0.0.1:1","auth":{"bearer":"hunter2"}}"#).unwrap();
        assert_eq!((rule.methods.as_slice(), rule.path.as_str(), rule.max_body_bytes), (&["GET".to_owned(), "HEAD".to_owned()][..], "/", 8_388_608));
        assert!(rule.ca_only);
        assert!(!format!("{rule:?}").contains("hunter2"));
        assert!(serde_json::from_str::<HttpRule>(r#"{"url":"x","method":["GET"]}"#).is_err());
    }
}
