//! What an operator grants a plugin: the other half of every capability.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;

/// What an operator grants a plugin. A capability is there when the manifest asks for it and the grant has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grant {
    /// Endpoints by the logical name that the plugin uses as the host of its URLs.
    pub http: BTreeMap<String, HttpRule>,
    /// Whether the plugin may keep keys.
    pub keyvalue: bool,
    /// Settings that the plugin reads.
    pub config: BTreeMap<String, String>,
}

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
    /// The most bytes of a request's and of a response's body: 8 MiB unless told, more than any of the protocols here sends.
    #[serde(default = "HttpRule::default_max_body_bytes")]
    pub max_body_bytes: u64,
}

/// How the host authenticates itself: becomes the header `authorization`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Auth {
    /// RFC 6750.
    Bearer(Secret),
    /// RFC 7617.
    Basic {
        /// The user's name.
        user: String,
        /// The password.
        password: Secret,
    },
}

/// What happens to `traceparent` and `tracestate`. A plugin's own are removed in both cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TracePolicy {
    /// The host's are sent: for systems of one's own.
    #[default]
    Inject,
    /// None are sent: a trace id is information.
    Strip,
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being printed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the wire only.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
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
            max_body_bytes: Self::default_max_body_bytes(),
        }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_defaults_refuses_unknown_keys_and_hides_secrets() {
        let rule: HttpRule = serde_json::from_str(r#"{"url":"http://127.0.0.1:1","auth":{"bearer":"hunter2"}}"#).unwrap();
        assert_eq!((rule.methods.as_slice(), rule.path.as_str(), rule.max_body_bytes), (&["GET".to_owned(), "HEAD".to_owned()][..], "/", 8_388_608));
        assert!(!format!("{rule:?}").contains("hunter2"));
        assert!(serde_json::from_str::<HttpRule>(r#"{"url":"x","method":["GET"]}"#).is_err());
    }
}
