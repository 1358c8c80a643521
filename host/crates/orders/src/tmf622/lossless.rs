//! What a JSON text says and values would not: of a name that stands twice in an object only the last one is kept, and a whole number of more than 64 bits is
//! rounded. An order comes back as it was sent, so such a text is refused.

use std::{collections::HashSet, fmt};

use super::{
    ApiError, shortened,
    validate::{cut, member},
};

/// Checks a text that was read as JSON and is known to be sound.
pub(super) fn check(json: &[u8]) -> Result<(), ApiError> {
    Scanner { json, at: 0 }.value(&Path::Root)
}

/// The way to a value. It is written down only where something is wrong there.
enum Path<'a> {
    Root,
    Member(&'a Path<'a>, &'a str),
    Element(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("$"),
            Self::Member(parent, name) => f.write_str(&member(&parent.to_string(), name)),
            Self::Element(parent, number) => write!(f, "{parent}[{number}]"),
        }
    }
}

fn wrong(path: &Path<'_>, message: &str) -> ApiError {
    ApiError::invalid_field(&cut(&path.to_string()), message)
}

struct Scanner<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn value(&mut self, path: &Path<'_>) -> Result<(), ApiError> {
        match self.peek() {
            b'{' => self.object(path),
            b'[' => self.list(path),
            b'"' => {
                self.text();
                Ok(())
            }
            _ => self.word(path),
        }
    }

    fn object(&mut self, path: &Path<'_>) -> Result<(), ApiError> {
        let mut names = HashSet::new();
        self.at += 1;
        while self.peek() != b'}' {
            // Escapes may hide that two names are the same.
            let name: String = serde_json::from_slice(self.text()).unwrap_or_default();
            let path = Path::Member(path, &name);
            if names.contains(&name) {
                return Err(wrong(&path, "is given twice: expected each name once in an object"));
            }
            self.value(&path)?;
            names.insert(name);
        }
        self.at += 1;
        Ok(())
    }

    fn list(&mut self, path: &Path<'_>) -> Result<(), ApiError> {
        self.at += 1;
        for number in 0.. {
            if self.peek() == b']' {
                break;
            }
            self.value(&Path::Element(path, number))?;
        }
        self.at += 1;
        Ok(())
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self, path: &Path<'_>) -> Result<(), ApiError> {
        let word = self.take(|byte| !matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n'));
        let word = str::from_utf8(word).unwrap_or_default();
        let whole = word.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
        if whole && word.parse::<i64>().is_err() && word.parse::<u64>().is_err() {
            return Err(wrong(path, &format!("is {}: expected a whole number of at most 64 bits, or text", shortened(word))));
        }
        Ok(())
    }

    /// A text with its quotes.
    fn text(&mut self) -> &'a [u8] {
        self.peek();
        let start = self.at;
        let mut escaped = false;
        self.at += 1;
        self.take(|byte| {
            let goes_on = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            goes_on
        });
        self.at += 1;
        &self.json[start..self.at.min(self.json.len())]
    }

    /// The next byte that means something: neither white space nor what only separates.
    fn peek(&mut self) -> u8 {
        self.take(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b':'));
        // Of a sound text there is always more where more is asked for; an unsound one ends everything that is open.
        self.json.get(self.at).copied().unwrap_or(b'}')
    }

    fn take(&mut self, mut goes_on: impl FnMut(u8) -> bool) -> &'a [u8] {
        let rest = self.json.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !goes_on(*byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn refused(json: &str) -> String {
        serde_json::from_str::<Value>(json).unwrap();
        check(json.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_would_be_lost_is_named_with_its_place() {
        let twice = "is given twice: expected each name once in an object";
        assert_eq!(refused(r#"{"a": 1, "b": {"c": [], "c": 2}}"#), format!("Invalid body field: $.b.c {twice}"));
        assert_eq!(refused(r#"[ 1 , [{}, {"x y" : "\"}", "\u0078 y":[null]}]]"#), format!("Invalid body field: $[1][1]['x y'] {twice}"));
        let large = |number| format!("is {number}: expected a whole number of at most 64 bits, or text");
        assert_eq!(refused(r#"{"n":18446744073709551616}"#), format!("Invalid body field: $.n {}", large("18446744073709551616")));
        let long = "n".repeat(10_000);
        assert!(refused(&format!(r#"{{"{long}":1,"{long}":2}}"#)).len() < 1_000);
        assert_eq!(refused("[true,\n-9223372036854775809\t]"), format!("Invalid body field: $[1] {}", large("-9223372036854775809")));
    }

    #[test]
    fn what_is_kept_is_let_through() {
        for json in [
            "null",
            " \n 7 ",
            r#""\\""#,
            r#"{"a":{"a":{"a":[[],{},"",[]]}},"b":"{\"a\",\"a\"}","":[{"a":1},{"a":1}]}"#,
            "[18446744073709551615, -9223372036854775808, 1e300, -0, 0.1, 1E+2, 123456789012345678901234.5]",
        ] {
            let value: Value = serde_json::from_str(json).unwrap();
            check(json.as_bytes()).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&value.to_string()).unwrap(), value);
        }
    }

    #[test]
    fn an_unsound_text_ends_the_check_too() {
        for json in ["", "{", "[", "\"", "{\"a", "{\"a\":", "[1,", "\\", "[[[{"] {
            let _whatever = check(json.as_bytes());
        }
    }
}
