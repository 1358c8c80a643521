//! Paths before they are compared with a prefix: what is checked is what is sent.

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadPath {
    /// A backslash, plain or encoded: some servers take it for a slash.
    Backslash,
    /// A `..` that only appears when an encoded slash is decoded.
    HiddenDots,
    /// It does not begin with a slash.
    Relative,
}

impl BadPath {
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Backslash => "the path contains a backslash",
            Self::HiddenDots => "the path climbs through an encoded slash",
            Self::Relative => "the path does not begin with a slash",
        }
    }
}

/// The path without `.` and `..` segments (RFC 3986, 5.2.4), encoded dots included, and without empty segments. Encoded slashes stay as they are: in RESTCONF
/// (RFC 8040) they are part of a key.
pub(super) fn normalise(path: &str) -> Result<String, BadPath> {
    let path = if path.is_empty() { "/" } else { path };
    let rest = path.strip_prefix('/').ok_or(BadPath::Relative)?;
    let mut kept: Vec<&str> = Vec::new();
    let mut directory = true;
    for segment in rest.split('/') {
        let decoded = decode(segment);
        if decoded.contains('\\') {
            return Err(BadPath::Backslash);
        }
        directory = false;
        match decoded.as_str() {
            "" | "." => directory = true,
            ".." => {
                kept.pop();
                directory = true;
            }
            other if other.contains('/') && other.split('/').any(|part| part == "..") => return Err(BadPath::HiddenDots),
            _ => kept.push(segment),
        }
    }
    let mut normal = String::with_capacity(path.len());
    for segment in &kept {
        normal.push('/');
        normal.push_str(segment);
    }
    if directory {
        normal.push('/');
    }
    Ok(normal)
}

/// Whether a normalised path is a prefix's path or below it.
pub(super) fn below(path: &str, prefix: &str) -> bool {
    match path.strip_prefix(prefix.trim_end_matches('/')) {
        Some(rest) => rest.is_empty() || rest.starts_with('/'),
        None => false,
    }
}

/// Decodes the dots, slashes and backslashes of a segment; nothing else matters here.
fn decode(segment: &str) -> String {
    let mut text = segment.to_owned();
    for (encoded, plain) in [("%2e", "."), ("%2E", "."), ("%2f", "/"), ("%2F", "/"), ("%5c", "\\"), ("%5C", "\\")] {
        if text.contains(encoded) {
            text = text.replace(encoded, plain);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: Result<&str, BadPath>) {
        assert_eq!(normalise(path).as_deref(), expected.as_deref(), "{path}");
    }

    #[test]
    fn a_path_is_made_normal_before_it_is_compared() {
        check("", Ok("/"));
        check("/a/b", Ok("/a/b"));
        check("/a//b/", Ok("/a/b/"));
        check("/a/./b/../c", Ok("/a/c"));
        check("/a/%2e%2E/secret", Ok("/secret"));
        check("/a/.%2e/secret", Ok("/secret"));
        check("/../../x", Ok("/x"));
        check("/a/..", Ok("/"));
        check("/interface=ge-0%2F0%2F1", Ok("/interface=ge-0%2F0%2F1"));
        check("/a/..%2fsecret", Err(BadPath::HiddenDots));
        check("/a/x%2f%2e%2e%2fsecret", Err(BadPath::HiddenDots));
        check("/a\\..\\secret", Err(BadPath::Backslash));
        check("/a/%5c../secret", Err(BadPath::Backslash));
        check("a/b", Err(BadPath::Relative));
    }

    #[test]
    fn below_means_whole_segments() {
        for (path, prefix, expected) in [
            ("/data", "/data", true),
            ("/data/x", "/data", true),
            ("/data/x", "/data/", true),
            ("/database", "/data", false),
            ("/x", "/", true),
            ("/", "/", true),
        ] {
            assert_eq!(below(path, prefix), expected, "{path} {prefix}");
        }
    }
}
