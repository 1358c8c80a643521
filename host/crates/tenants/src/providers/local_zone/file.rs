//! A zone in the form of a zone file (RFC 1035, section 5).

use std::fmt::Write as _;

use super::rows::RecordSet;

/// The longest piece of a text.
const PIECE: usize = 255;

pub(super) fn render(zone: &str, serial: u32, mut sets: Vec<RecordSet>) -> String {
    sets.sort_by(|a, b| (a.name != zone, &a.name, &a.kind).cmp(&(b.name != zone, &b.name, &b.kind)));
    let mut text = format!(
        "$ORIGIN {zone}.\n{zone}. 3600 IN SOA ns1.{zone}. hostmaster.{zone}. {serial} 10800 3600 604800 60\n{zone}. 3600 IN NS ns1.{zone}.\n"
    );
    for set in &sets {
        for value in set.distinct() {
            let value = match set.kind.as_str() {
                "TXT" => quoted(&value),
                "CNAME" => format!("{value}."),
                _ => value,
            };
            let _writing_to_text_never_fails = writeln!(text, "{}. {} IN {} {value}", set.name, set.ttl, set.kind);
        }
    }
    text
}

fn quoted(value: &str) -> String {
    let pieces = value.as_bytes().chunks(PIECE).map(|piece| {
        let mut text = String::from("\"");
        for byte in piece {
            match byte {
                b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
                b' '..=b'~' => text.push(char::from(*byte)),
                _ => {
                    let _writing_to_text_never_fails = write!(text, "\\{byte:03}");
                }
            }
        }
        text + "\""
    });
    let pieces: Vec<_> = pieces.collect();
    if pieces.is_empty() { "\"\"".to_owned() } else { pieces.join(" ") }
}
