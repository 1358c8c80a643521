//! Letters of other scripts that people take for ASCII. A hint in an error, and no defence: everything beyond ASCII is refused anyway.

/// The ASCII character that this one is easily taken for.
pub(super) fn lookalike(found: char) -> Option<char> {
    match found {
        // Full-width forms.
        '\u{ff10}'..='\u{ff19}' | '\u{ff41}'..='\u{ff5a}' => char::from_u32(u32::from(found) - 0xfee0),
        // Dashes, the minus sign, the soft hyphen.
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ad}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => Some('-'),
        _ => PAIRS.iter().find(|(other, _)| *other == found).map(|(_, ascii)| *ascii),
    }
}

/// Cyrillic, Greek, Armenian and extended Latin letters.
const PAIRS: [(char, char); 44] = [
    ('\u{430}', 'a'),
    ('\u{435}', 'e'),
    ('\u{43e}', 'o'),
    ('\u{440}', 'p'),
    ('\u{441}', 'c'),
    ('\u{443}', 'y'),
    ('\u{445}', 'x'),
    ('\u{455}', 's'),
    ('\u{456}', 'i'),
    ('\u{458}', 'j'),
    ('\u{501}', 'd'),
    ('\u{51b}', 'q'),
    ('\u{51d}', 'w'),
    ('\u{4bb}', 'h'),
    ('\u{4cf}', 'l'),
    ('\u{432}', 'b'),
    ('\u{43a}', 'k'),
    ('\u{43c}', 'm'),
    ('\u{442}', 't'),
    ('\u{433}', 'r'),
    ('\u{437}', '3'),
    ('\u{3b1}', 'a'),
    ('\u{3b3}', 'y'),
    ('\u{3b5}', 'e'),
    ('\u{3b9}', 'i'),
    ('\u{3ba}', 'k'),
    ('\u{3bd}', 'v'),
    ('\u{3bf}', 'o'),
    ('\u{3c1}', 'p'),
    ('\u{3c4}', 't'),
    ('\u{3c5}', 'u'),
    ('\u{3c7}', 'x'),
    ('\u{3c9}', 'w'),
    ('\u{3f2}', 'c'),
    ('\u{3f3}', 'j'),
    ('\u{57d}', 'u'),
    ('\u{578}', 'n'),
    ('\u{585}', 'o'),
    ('\u{570}', 'h'),
    ('\u{581}', 'g'),
    ('\u{131}', 'i'),
    ('\u{237}', 'j'),
    ('\u{251}', 'a'),
    ('\u{261}', 'g'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_ascii_is_named_and_the_rest_is_not() {
        for (found, ascii) in [('\u{430}', Some('a')), ('\u{ff41}', Some('a')), ('\u{ff19}', Some('9')), ('\u{2013}', Some('-')), ('é', None)] {
            assert_eq!(lookalike(found), ascii, "{found:?}");
        }
        assert!(PAIRS.iter().all(|(other, ascii)| !other.is_ascii() && (ascii.is_ascii_lowercase() || ascii.is_ascii_digit())));
    }
}
