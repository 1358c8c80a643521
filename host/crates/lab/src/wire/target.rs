//! Where a URL leads.

use super::WireError;

/// The parts of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Host and port.
    pub(crate) authority: String,
    /// Over TLS.
    pub(crate) secure: bool,
    /// Path and query.
    pub(crate) path: String,
}

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, WireError> {
        let secure = url.starts_with("https://");
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).ok_or_else(|| WireError::Url(url.to_owned()))?;
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        if authority.is_empty() || url.contains(char::is_whitespace) {
            return Err(WireError::Url(url.to_owned()));
        }
        let authority = if authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
            authority.to_owned()
        } else {
            format!("{authority}:{}", if secure { 443 } else { 80 })
        };
        Ok(Self { authority, secure, path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn a_url_leads_somewhere() {
        let parsed = |url: &str| Target::parse(url).ok().map(|Target { authority, secure, path }| format!("{authority} {secure} {path}"));
        let there = |text: &str| Some(text.to_owned());
        assert_eq!(parsed("http://127.0.0.1:7547"), there("127.0.0.1:7547 false /"));
        assert_eq!(parsed("http://acs.example/tr069?a=b"), there("acs.example:80 false /tr069?a=b"));
        assert_eq!(parsed("http://[::1]:80/x"), there("[::1]:80 false /x"));
        assert_eq!(parsed("https://acs/"), there("acs:443 true /"));
        assert_eq!((parsed("ftp://acs/"), parsed("http:///x"), parsed("http://a b/")), (None, None, None));
    }
}
