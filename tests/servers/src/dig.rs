//! What a name server answers, asked with dig, which is not ours.

use std::net::SocketAddr;

use crate::{
    error::Error,
    program::{Program, output},
};

/// The package of dig and nsupdate.
pub(crate) const PACKAGE: &str = "bind9-dnsutils";

/// A record of a zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// The whole name, with the dot at its end.
    pub name: String,
    /// `A`, `TXT` and so on.
    pub kind: String,
    /// Seconds.
    pub ttl: u32,
    /// As in a zone file.
    pub content: String,
}

/// Asks one name server.
#[derive(Debug, Clone)]
pub(crate) struct Dig {
    program: Program,
    server: SocketAddr,
}

impl Dig {
    pub(crate) fn new(server: SocketAddr) -> Result<Self, Error> {
        Ok(Self { program: Program::find("dig", PACKAGE)?, server })
    }

    /// The values at a name, in the order of the alphabet.
    pub(crate) fn values(&self, name: &str, kind: &str) -> Result<Vec<String>, Error> {
        let text = self.run(&["+short", name, kind])?;
        let mut values: Vec<_> = text.lines().map(str::to_owned).collect();
        values.sort();
        Ok(values)
    }

    /// All records of a zone, sorted, by a transfer of the zone.
    pub(crate) fn zone(&self, zone: &str) -> Result<Vec<Record>, Error> {
        let text = self.run(&["+noall", "+answer", "+onesoa", zone, "AXFR"])?;
        let mut records: Vec<Record> = text.lines().filter_map(record).collect();
        if records.is_empty() {
            return Err(Error::refused(format!("dig {zone} AXFR"), text));
        }
        records.sort();
        Ok(records)
    }

    /// Whether the server is the one with this identifier.
    pub(crate) fn is(&self, identifier: &str) -> bool {
        let answer = self.run(&["+short", "+time=1", "+tries=1", "id.server", "CH", "TXT"]);
        answer.is_ok_and(|answer| answer.trim_matches('"') == identifier)
    }

    fn run(&self, arguments: &[&str]) -> Result<String, Error> {
        let (address, port) = (format!("@{}", self.server.ip()), self.server.port().to_string());
        // Without the options that a person may have in a file of their own.
        let mut command = self.program.command();
        output(command.args(["-r", &address, "-p", &port]).args(arguments), &format!("dig {}", arguments.join(" ")))
    }
}

/// `name ttl IN kind content`
fn record(line: &str) -> Option<Record> {
    let (name, rest) = field(line)?;
    let (ttl, rest) = field(rest)?;
    let (_class, rest) = field(rest)?;
    let (kind, content) = field(rest)?;
    Some(Record { name: name.to_owned(), kind: kind.to_owned(), ttl: ttl.parse().ok()?, content: content.trim().to_owned() })
}

/// The first field, and the rest; any number of blanks and tabs may be between them.
fn field(text: &str) -> Option<(&str, &str)> {
    text.trim_start().split_once(|c: char| c.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_record_or_nothing() {
        let found = record("t1.example.test.\t60\tIN\tTXT\t\"a  b\" \"c\"").unwrap();
        assert_eq!((found.name.as_str(), found.kind.as_str(), found.ttl, found.content.as_str()), ("t1.example.test.", "TXT", 60, "\"a  b\" \"c\""));
        assert_eq!(record("; Transfer failed."), None);
        assert_eq!(record(""), None);
    }
}
