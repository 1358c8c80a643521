//! When a device has the value that it was given, although it writes it in its own way.

use std::net::IpAddr;

use super::{ValueType, parse};
use crate::quirks::Quirks;

/// Whether two literals are one value of a type. A device may write a value in another way than it was given; it may not have another value.
#[must_use]
pub fn same(kind: ValueType, wanted: &str, found: &str, quirks: &Quirks) -> bool {
    let (wanted, found) = (wanted.trim(), found.trim());
    if wanted == found {
        return true;
    }
    match kind {
        ValueType::String => text(wanted, found, quirks),
        ValueType::Int | ValueType::UnsignedInt | ValueType::Long | ValueType::UnsignedLong => alike(wanted, found, parse::integer),
        ValueType::Boolean => alike(wanted, found, parse::boolean),
        ValueType::DateTime => alike(wanted, found, |time| parse::date_time(time).map(|time| time.as_second())),
        ValueType::Base64 => alike(wanted, found, parse::base64),
        ValueType::HexBinary => alike(wanted, found, parse::hex) || mac(wanted, found),
    }
}

/// Whether both mean something, and the same.
fn alike<T: PartialEq>(wanted: &str, found: &str, parse: impl Fn(&str) -> Option<T>) -> bool {
    parse(wanted).is_some_and(|wanted| parse(found) == Some(wanted))
}

fn text(wanted: &str, found: &str, quirks: &Quirks) -> bool {
    if wanted.contains(',') || found.contains(',') {
        return list(wanted, found, quirks);
    }
    one(wanted, found)
}

/// Lists are separated by commas, around which white space means nothing.
fn list(wanted: &str, found: &str, quirks: &Quirks) -> bool {
    let [wanted, mut found] = [wanted, found].map(|list| list.split(',').map(str::trim).collect::<Vec<_>>());
    if wanted.len() != found.len() {
        return false;
    }
    if !quirks.unordered_lists {
        return wanted.iter().zip(found).all(|(wanted, found)| one(wanted, found));
    }
    wanted.iter().all(|wanted| match found.iter().position(|found| one(wanted, found)) {
        Some(at) => {
            found.swap_remove(at);
            true
        }
        None => false,
    })
}

fn one(wanted: &str, found: &str) -> bool {
    wanted == found || mac(wanted, found) || address(wanted, found)
}

/// Hardware addresses differ in their case and in what stands between the digits. Two without anything between are compared as texts: they may be passwords.
fn mac(wanted: &str, found: &str) -> bool {
    let separated = |text: &str| text.len() > DIGITS;
    (separated(wanted) || separated(found)) && alike(wanted, found, mac_digits)
}

/// The digits of a hardware address.
const DIGITS: usize = 12;

fn mac_digits(text: &str) -> Option<String> {
    let group = match text.len() {
        DIGITS => DIGITS,
        14 => 4,
        17 => 2,
        _ => return None,
    };
    let mut separators = text.chars().skip(group).step_by(group + 1);
    let separator = separators.next();
    let known = matches!((group, separator), (DIGITS, None) | (4, Some('.')) | (2, Some(':' | '-')));
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    (known && separators.all(|other| Some(other) == separator) && digits.len() == DIGITS).then(|| digits.to_ascii_lowercase())
}

/// Addresses of IPv6 can be written in many ways.
fn address(wanted: &str, found: &str) -> bool {
    wanted.contains(':') && found.contains(':') && alike(wanted, found, |text| text.parse::<IpAddr>().ok())
}

#[cfg(test)]
mod tests {
    use ValueType::{Base64, Boolean, DateTime, HexBinary, Int, Long, String, UnsignedInt, UnsignedLong};

    use super::*;

    /// Every literal of a row is the same value, and none of it is one of the second list.
    #[test]
    fn forms_of_one_value_are_the_same_and_other_values_are_not() {
        for (kind, forms, others) in [
            (Boolean, &["1", "true", "TRUE", "True", " 1\n"][..], &["0", "false", "", "yes", "2"][..]),
            (Boolean, &["0", "false", "False"], &["", "1"]),
            (Int, &["7", "007", "+7", " 7 "], &["-7", "7.0", "", "70"]),
            (Int, &["-1", "-01"], &["1", "4294967295"]),
            (UnsignedInt, &["0", "00", "-0"], &["", "false"]),
            (Long, &["-9223372036854775808"], &["9223372036854775808"]),
            (UnsignedLong, &["18446744073709551615", "018446744073709551615"], &["18446744073709551616", "-1"]),
            (
                DateTime,
                &[
                    "2026-11-20T09:39:55Z",
                    "2026-11-20T09:39:55",
                    "2026-11-20T09:39:55+00:00",
                    "2026-11-20T10:39:55+01:00",
                    "2026-11-20T09:39:55.000Z",
                    "2026-11-20T09:39:55.123456",
                ],
                &["2026-11-20T09:39:56Z", "2026-11-20T09:39:55+01:00", "2026-11-20", "", "never"],
            ),
            (DateTime, &["0001-01-01T00:00:00Z", "0001-01-01T00:00:00", "0001-01-01T00:00:00.000Z"], &["1970-01-01T00:00:00Z", ""]),
            (Base64, &["aGk=", "aGk", " aG\nk= "], &["AGK=", "aGl=x", ""]),
            (HexBinary, &["00aBc9", "00ABC9", "00 ab c9"], &["0abc9", "00abc8", ""]),
            (HexBinary, &["00:1B:44:11:3A:B7", "00-1b-44-11-3a-b7", "001b44113ab7"], &["00:1B:44:11:3A:B8"]),
            (String, &["00:1B:44:11:3A:B7", "00-1b-44-11-3a-b7", "001b.4411.3ab7"], &["00:1B:44:11:3A", "00:1B:44:11:3A:B8", "00:1b:44:11-3a:b7"]),
            (String, &["00:1B:44:11:3A:B7", "001b44113ab7"], &["001b44113ab70"]),
            (String, &["2001:db8::1", "2001:0DB8:0:0::0001"], &["2001:db8::2", "::1"]),
            (String, &["a, b,c", "a,b, c ", " a ,b,c"], &["a,c,b", "a,b", "a,b,c,c", "A,b,c"]),
            (String, &["Farm", " Farm", "Farm \n"], &["farm", "", "Fa rm"]),
            (String, &["abcdef123456"], &["ABCDEF123456"]),
            (String, &["1"], &["true", "01"]),
            (String, &["", " "], &["0", ",", "false"]),
        ] {
            for (form, other) in forms.iter().flat_map(|form| forms.iter().map(move |other| (form, other))) {
                assert!(same(kind, form, other, &Quirks::default()), "{kind}: `{form}` and `{other}` are the same");
            }
            for (form, other) in forms.iter().flat_map(|form| others.iter().map(move |other| (form, other))) {
                assert!(!same(kind, form, other, &Quirks::default()), "{kind}: `{form}` and `{other}` are not the same");
                assert!(!same(kind, other, form, &Quirks::default()), "{kind}: `{other}` and `{form}` are not the same");
            }
        }
    }

    #[test]
    fn a_list_may_come_in_another_order_where_a_quirk_says_so() {
        let quirks = Quirks { unordered_lists: true, ..Quirks::default() };
        for (wanted, found, expected) in [("a,b,c", "c, a,b", true), ("a,a,b", "a,b,b", false), ("a,b", "a", false), ("a", "a,b", false)] {
            assert_eq!(same(String, wanted, found, &quirks), expected, "`{wanted}` and `{found}`");
        }
    }

    #[test]
    fn a_literal_is_the_value_as_the_device_wants_it() {
        let usual = Quirks::default();
        let odd = Quirks { boolean: crate::quirks::BooleanForm::Word, datetime_milliseconds: true, ..Quirks::default() };
        for (kind, value, expected, differently) in [
            (Boolean, "TRUE", "1", "true"),
            (Boolean, "0", "0", "false"),
            (Boolean, "maybe", "maybe", "maybe"),
            (DateTime, "2026-11-20T10:39:55.5+01:00", "2026-11-20T09:39:55Z", "2026-11-20T09:39:55.500Z"),
            (DateTime, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            (UnsignedInt, " 007 ", "7", "7"),
            (Int, "seven", "seven", "seven"),
            (Base64, "aG\nk", "aGk=", "aGk="),
            (HexBinary, "00 aB", "00aB", "00aB"),
            (HexBinary, "00 aBc", "00 aBc", "00 aBc"),
            (String, " as it is ", " as it is ", " as it is "),
        ] {
            for (quirks, expected) in [(&usual, expected), (&odd, differently)] {
                let literal = super::super::literal(kind, value, quirks);
                assert_eq!(literal, expected, "{kind} `{value}`");
                assert!(same(kind, value, &literal, quirks), "{kind} `{value}` is not `{literal}`");
            }
        }
    }
}
