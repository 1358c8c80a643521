//! What hides secrets in what a plugin sees and says. A secret is looked for as it is and in the encodings that carry it through protocols.

use std::{borrow::Cow, collections::BTreeSet, fmt, ops::Bound, sync::Arc};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::{Engine as _, prelude::*};

/// What stands where a secret was.
const MASK: &str = "***";
/// A shorter secret would be found by chance in anything.
pub(crate) const MIN_SECRET: usize = 4;

/// Finds secrets and hides them. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Mask {
    found: Option<Arc<Needles>>,
}

struct Needles {
    all: BTreeSet<Vec<u8>>,
    /// The length of the longest.
    longest: usize,
    search: AhoCorasick,
}

impl Mask {
    /// A mask over these secrets.
    pub(crate) fn of<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        Self::default().and(secrets)
    }

    /// A mask over these secrets as well.
    pub(super) fn and<'a>(&self, secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut all = self.found.as_ref().map(|needles| needles.all.clone()).unwrap_or_default();
        all.extend(secrets.filter(|secret| secret.len() >= MIN_SECRET).flat_map(encodings));
        if all.is_empty() {
            return Self::default();
        }
        let search = AhoCorasick::builder()
            // The faster kind takes half a kilobyte for each byte of a secret.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::LeftmostLongest)
            .build(&all);
        let longest = all.iter().map(Vec::len).max().unwrap_or(0);
        Self { found: Some(Arc::new(Needles { search: search.expect("secrets are bounded"), longest, all })) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_none()
    }

    /// The text without secrets.
    pub(crate) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.found {
            Some(needles) if needles.search.is_match(text) => Cow::Owned(String::from_utf8_lossy(&needles.hide(text.as_bytes())).into_owned()),
            _ => Cow::Borrowed(text),
        }
    }

    /// The same in place.
    pub(crate) fn hide(&self, text: &mut String) {
        if let Cow::Owned(hidden) = self.text(text) {
            *text = hidden;
        }
    }

    /// The bytes without secrets, if there was one.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let needles = self.found.as_ref().filter(|needles| needles.search.is_match(bytes))?;
        Some(needles.hide(bytes))
    }

    /// For bytes that come in pieces.
    pub(crate) fn stream(&self) -> MaskStream {
        MaskStream { mask: self.clone(), held: Vec::new() }
    }
}

impl Needles {
    fn hide(&self, bytes: &[u8]) -> Vec<u8> {
        let mut hidden = Vec::with_capacity(bytes.len());
        let mut last = 0;
        for found in self.search.find_iter(bytes) {
            hidden.extend_from_slice(&bytes[last..found.start()]);
            hidden.extend_from_slice(MASK.as_bytes());
            last = found.end();
        }
        hidden.extend_from_slice(&bytes[last..]);
        hidden
    }

    /// Where the last bytes begin that may be the beginning of a secret.
    fn open_end(&self, bytes: &[u8]) -> usize {
        let from = bytes.len().saturating_sub(self.longest.saturating_sub(1));
        // In order, those that go on after the tail come next after it.
        let begins = |tail: &[u8]| {
            let next = self.all.range::<[u8], _>((Bound::Excluded(tail), Bound::Unbounded)).next();
            next.is_some_and(|needle| needle.starts_with(tail))
        };
        (from..bytes.len()).find(|at| begins(&bytes[*at..])).unwrap_or(bytes.len())
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mask").finish_non_exhaustive()
    }
}

/// Hides secrets in bytes that come in pieces: what may be the beginning of one is held until it is clear.
#[derive(Debug)]
pub(crate) struct MaskStream {
    mask: Mask,
    held: Vec<u8>,
}

impl MaskStream {
    /// Takes a piece and gives what is clear by now.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        let Some(needles) = &self.mask.found else { return piece.to_vec() };
        let mut bytes = std::mem::take(&mut self.held);
        bytes.extend_from_slice(piece);
        let open = needles.open_end(&bytes);
        let mut clear = Vec::with_capacity(bytes.len());
        let mut last = 0;
        for found in needles.search.find_iter(&bytes).take_while(|found| found.start() < open) {
            clear.extend_from_slice(&bytes[last..found.start()]);
            clear.extend_from_slice(MASK.as_bytes());
            last = found.end();
        }
        clear.extend_from_slice(bytes.get(last..open).unwrap_or_default());
        self.held = bytes.split_off(open.max(last));
        clear
    }

    /// The rest, when there are no more pieces.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        self.mask.bytes(&held).unwrap_or(held)
    }
}

/// A secret as it is, and as it may stand in JSON, in URLs and forms, in hexadecimal digits and in base64 by itself.
fn encodings(secret: &str) -> Vec<Vec<u8>> {
    let percent = |lower: bool| {
        let keep = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let one = |b: u8| match (keep(b), lower) {
            (true, _) => char::from(b).to_string(),
            (false, true) => format!("%{b:02x}"),
            (false, false) => format!("%{b:02X}"),
        };
        secret.bytes().map(one).collect::<String>()
    };
    let json = serde_json::to_string(secret).map(|quoted| quoted[1..quoted.len() - 1].to_owned()).unwrap_or_default();
    let hex = package::hex(secret.as_bytes());
    [
        secret.to_owned(),
        json.replace('/', "\\/"),
        json,
        percent(true),
        percent(false).replace("%20", "+"),
        percent(false),
        hex.to_ascii_uppercase(),
        hex,
        BASE64_STANDARD.encode(secret),
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
    ]
    .map(String::into_bytes)
    .into_iter()
    .filter(|needle| needle.len() >= MIN_SECRET)
    .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mask() -> Mask {
        Mask::of(["hunter2", "hunter2-and-more", "a/b \"c\"", "xyz"].into_iter())
    }

    #[test]
    fn a_secret_is_hidden_in_every_encoding() {
        for (text, expected) in [
            ("nothing here", "nothing here"),
            ("xyz is too short to be looked for", "xyz is too short to be looked for"),
            ("key=hunter2;", "key=***;"),
            ("hunter2-and-more", "***"),
            ("hunter2-and-less", "***-and-less"),
            (r#"{"k":"a/b \"c\""}"#, r#"{"k":"***"}"#),
            (r#"{"k":"a\/b \"c\""}"#, r#"{"k":"***"}"#),
            ("?k=a%2Fb%20%22c%22&l=a%2fb%20%22c%22&m=a%2Fb+%22c%22", "?k=***&l=***&m=***"),
            ("68756e74657232 68756E74657232", "*** ***"),
            ("Basic aHVudGVyMg==", "Basic ***"),
        ] {
            assert_eq!(mask().text(text), expected);
            assert_eq!(mask().bytes(text.as_bytes()).is_some(), text != expected);
        }
        assert!(Mask::of(["abc"].into_iter()).is_empty());
    }

    proptest! {
        #[test]
        fn pieces_are_hidden_as_the_whole_is(
            parts in proptest::collection::vec(prop::sample::select(vec!["hunter2", "hun", "ter2", "-and-more", "-and", "x", "hunter", "2"]), 0..10),
            cuts in proptest::collection::vec(1..9_usize, 0..30),
        ) {
            let text = parts.concat();
            let (mut stream, mut rest, mut out) = (mask().stream(), text.as_bytes(), Vec::new());
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                out.extend(stream.push(piece));
                rest = after;
            }
            out.extend(stream.push(rest));
            out.extend(stream.finish());
            prop_assert_eq!(String::from_utf8(out).unwrap(), mask().text(&text).into_owned());
        }
    }
}
