//! Headers that a guest may not choose.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Whose trace a request belongs to.
pub(super) const TRACE: [HeaderName; 3] =
    [HeaderName::from_static("traceparent"), HeaderName::from_static("tracestate"), HeaderName::from_static("baggage")];

/// They belong to one connection (RFC 9110, 7.6.1), and the connection is the host's; and where a request goes is the rule's.
const OF_THE_CONNECTION: [HeaderName; 12] = [
    header::HOST,
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
    HeaderName::from_static("http2-settings"),
];

/// They make a server do something else than the request line says, which is what the rule has looked at, or tell it where a request comes from.
const INSTEAD_OF_THE_LINE: [HeaderName; 10] = [
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-method-override"),
    HeaderName::from_static("x-rewrite-url"),
    HeaderName::from_static("x-host"),
    HeaderName::from_static("x-http-host-override"),
    header::FORWARDED,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("true-client-ip"),
];

/// So do all that begin like this.
const INSTEAD_OF_THE_LINE_BY_PREFIX: [&str; 2] = ["x-forwarded-", "x-original-"];

/// They have an object store read elsewhere than the path says.
const SOURCES_BY_PREFIX: [&str; 2] = ["x-amz-copy-source", "x-amz-rename-source"];

/// The name of a header that an operator sets; `at` says where it stands.
pub(super) fn header_name(at: &str, name: &str) -> Result<HeaderName, String> {
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{at}: `{name}` is not the name of a header"))?;
    if OF_THE_CONNECTION.contains(&header) {
        return Err(format!("{at}: `{name}` belongs to the connection and is set by the host"));
    }
    Ok(header)
}

/// Removes what belongs to the connection, what `connection` names, what speaks instead of the request line, and the trace.
pub(super) fn clean(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in OF_THE_CONNECTION.iter().chain(&INSTEAD_OF_THE_LINE).chain(&TRACE).chain(&named) {
        headers.remove(name);
    }
    remove_all(headers, &INSTEAD_OF_THE_LINE_BY_PREFIX);
}

/// Removes what would have an object store read elsewhere than the path says, in the host's name (Amazon S3, CopyObject and RenameObject).
pub(super) fn clean_sources(headers: &mut HeaderMap) {
    remove_all(headers, &SOURCES_BY_PREFIX);
}

fn remove_all(headers: &mut HeaderMap, prefixes: &[&str]) {
    let begins = |name: &&HeaderName| prefixes.iter().any(|prefix| name.as_str().starts_with(prefix));
    let named: Vec<HeaderName> = headers.keys().filter(begins).cloned().collect();
    for name in named {
        headers.remove(name);
    }
}

/// The length of the body that a guest declared; two lengths, or what is no number, are refused.
pub(super) fn declared_length(headers: &HeaderMap) -> Result<Option<u64>, ()> {
    let mut all = headers.get_all(header::CONTENT_LENGTH).iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => digits(one).map(Some).ok_or(()),
        (Some(_), Some(_)) => Err(()),
    }
}

fn digits(value: &HeaderValue) -> Option<u64> {
    value.to_str().ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_where_a_request_comes_from_or_what_it_is_for_is_the_host_s() {
        let removed = [
            "x-forwarded-for",
            "x-forwarded-port",
            "x-forwarded-server",
            "x-original-url",
            "x-original-host",
            "x-host",
            "x-real-ip",
            "x-client-ip",
            "true-client-ip",
            "forwarded",
            "x-http-method-override",
            "traceparent",
            "host",
            "x-hop",
        ];
        let kept = ["connections", "x-forwarded", "x-hosted-by", "x-request-id"];
        let value = || HeaderValue::from_static("x-hop");
        let mut headers: HeaderMap = removed.iter().chain(&kept).map(|name| (HeaderName::from_static(name), value())).collect();
        headers.insert(header::CONNECTION, value());
        clean(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, kept);
    }
}
