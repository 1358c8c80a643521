//! Paths before they are compared with a prefix: what is checked is what is sent.

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadPath {
    /// A backslash, plain or encoded: some servers take it for a slash.
    Backslash,
    /// A `..` that only appears when an encoded slash is decoded, when something is decoded twice, or when a parameter is cut off.
    HiddenDots,
    /// An encoded control character: some servers end the path there.
    Control,
    /// Bytes that decode to a character in more than its shortest form.
    Overlong,
    /// It does not begin with a slash.
    Relative,
}

/// How often a path is decoded in search of what it hides: no chain of servers decodes as often.
const MAX_DECODINGS: usize = 8;

impl BadPath {
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Backslash => "the path contains a backslash",
            Self::HiddenDots => "the path climbs in a way that shows only when it is decoded",
            Self::Control => "the path contains an encoded control character",
            Self::Overlong => "the path contains a character in an encoding that is not its own",
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
        directory = true;
        match meaning(segment)? {
            Meaning::Stay => {}
            Meaning::Up => {
                kept.pop();
            }
            Meaning::Down => {
                kept.push(segment);
                directory = false;
            }
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

/// What a segment does to the path before it.
enum Meaning {
    Stay,
    Up,
    Down,
}

fn meaning(segment: &str) -> Result<Meaning, BadPath> {
    let mut decoded = decode(segment.as_bytes());
    match decoded.as_slice() {
        b"" | b"." => return Ok(Meaning::Stay),
        b".." => return Ok(Meaning::Up),
        _ => {}
    }
    for _ in 0..MAX_DECODINGS {
        refuse(&decoded)?;
        let next = decode(&decoded);
        if next == decoded {
            return Ok(Meaning::Down);
        }
        decoded = next;
    }
    Err(BadPath::HiddenDots)
}

/// Refuses a decoded segment that a server may read as something else.
fn refuse(decoded: &[u8]) -> Result<(), BadPath> {
    if decoded.contains(&b'\\') {
        return Err(BadPath::Backslash);
    }
    if decoded.iter().any(u8::is_ascii_control) {
        return Err(BadPath::Control);
    }
    let continued = |pair: &[u8]| matches!(pair, [0xc0 | 0xc1, 0x80..=0xbf] | [0xe0, 0x80..=0x9f] | [0xf0, 0x80..=0x8f]);
    if decoded.windows(2).any(continued) {
        return Err(BadPath::Overlong);
    }
    // Servlet containers cut `;parameters` off each segment before they look at the dots.
    let dots = |part: &[u8]| matches!(part.split(|b| *b == b';').next(), Some(b"." | b".."));
    if decoded.split(|b| *b == b'/').any(dots) { Err(BadPath::HiddenDots) } else { Ok(()) }
}

/// Decodes once. What is no encoded byte stays.
fn decode(text: &[u8]) -> Vec<u8> {
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let byte = match after {
            [high, low, ..] if *first == b'%' => digit(high).zip(digit(low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        decoded.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        check("/rate=100%25;unit=x", Ok("/rate=100%25;unit=x"));
        check("/caf%C3%A9/...", Ok("/caf%C3%A9/..."));
        check("/a/..%2fsecret", Err(BadPath::HiddenDots));
        check("/a/x%2f%2e%2e%2fsecret", Err(BadPath::HiddenDots));
        check("/a/%252e%252e/secret", Err(BadPath::HiddenDots));
        check("/a/x%252f..%25252fsecret", Err(BadPath::HiddenDots));
        check("/a/..;/secret", Err(BadPath::HiddenDots));
        check("/a/%2e%2e%3bx=1/secret", Err(BadPath::HiddenDots));
        check("/a\\..\\secret", Err(BadPath::Backslash));
        check("/a/%5c../secret", Err(BadPath::Backslash));
        check("/a/%255c../secret", Err(BadPath::Backslash));
        check("/a/x%00.txt", Err(BadPath::Control));
        check("/a/x%0d%0aHost:%20evil", Err(BadPath::Control));
        check("/a/%c0%ae%c0%ae/secret", Err(BadPath::Overlong));
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

    /// What the worst server makes of a path: it decodes as often as there is something to decode, takes backslashes for slashes, cuts parameters off and then
    /// climbs.
    fn worst_reading(path: &str) -> Vec<Vec<u8>> {
        let mut bytes = path.as_bytes().to_vec();
        loop {
            let next = decode(&bytes);
            if next == bytes {
                break;
            }
            bytes = next;
        }
        let mut reached: Vec<Vec<u8>> = Vec::new();
        for part in bytes.split(|b| matches!(b, b'/' | b'\\')) {
            match part.split(|b| *b == b';').next().unwrap_or_default() {
                b"" | b"." => {}
                b".." => drop(reached.pop()),
                other => reached.push(other.to_vec()),
            }
        }
        reached
    }

    fn never_escapes(path: &str) {
        const PREFIX: &str = "/api/v1";
        if let Ok(normal) = normalise(path)
            && below(&normal, PREFIX)
        {
            let reached = worst_reading(&normal);
            assert!(reached.starts_with(&[b"api".to_vec(), b"v1".to_vec()]), "{path} was sent as {normal} and may be read as {reached:?}");
            assert_eq!(normalise(&normal).as_deref(), Ok(normal.as_str()), "{path} is normal after once");
        }
    }

    #[test]
    fn no_path_of_the_corpus_escapes_its_prefix() {
        let corpus = include_str!("../../../tests/corpus/paths.txt");
        let paths: Vec<_> = corpus.lines().filter(|line| line.starts_with('/')).collect();
        assert!(paths.len() >= 40);
        paths.into_iter().for_each(never_escapes);
    }

    proptest! {
        #[test]
        fn no_path_escapes_its_prefix(pieces in proptest::collection::vec(
            prop::sample::select(vec![
                "/", "/", "..", ".", "%2e", "%2E", "%252e", "%25252E", "%2f", "%252f", "\\", "%5c", "%255C", ";", "%3b", ";x=1", "api", "v1", "x", "%00",
                "%c0%ae", "%25", "%", "2e", "//",
            ]), 0..12)) {
            never_escapes(&format!("/api/v1/{}", pieces.concat()));
            never_escapes(&format!("/{}", pieces.concat()));
        }
    }
}
