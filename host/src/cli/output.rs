//! What people read: lines, tables, times, and progress where somebody looks on.

use std::io::{self, IsTerminal, Write};

use anyhow::Context;
use serde_json::Value;

/// Prints a text on standard output. A reader that has seen enough (`| head`) is no error.
pub(super) fn say(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("standard output cannot be written"),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Says on standard error what went wrong. Where that cannot be written either, the exit code has to do.
pub(super) fn complain(text: &str) {
    let _nobody_reads = writeln!(io::stderr(), "{text}");
}

/// Prints JSON on standard output, for programs.
pub(super) fn say_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    say(&serde_json::to_string_pretty(value).context("the answer has no JSON form")?)
}

/// Columns as wide as their widest cell, two spaces between them; the last one is not padded.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut lines: Vec<Vec<String>> = vec![header.iter().map(|cell| (*cell).to_owned()).collect()];
    lines.extend(rows.iter().cloned());
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: &Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The text of a JSON value as a cell shows it: strings without quotation marks, nothing for what is not there.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// An instant in microseconds since 1970 as people write it, in UTC.
pub(super) fn instant(micros: u64) -> String {
    let instant = i64::try_from(micros).ok().and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok());
    instant.map_or_else(|| format!("{micros} us after 1970"), |instant| instant.strftime("%Y-%m-%d %H:%M:%S%.3fZ").to_string())
}

/// A part of a whole in percent, with the digits that say something.
pub(super) fn share(part: f64, whole: f64) -> String {
    let percent = format!("{:.4}", 100.0 * part / whole);
    format!("{} %", percent.trim_end_matches('0').trim_end_matches('.'))
}

/// A duration in microseconds with three digits that matter.
pub(super) fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..10_000 => format!("{:.2} ms", micros as f64 / 1e3),
        10_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..60_000_000 => format!("{:.2} s", micros as f64 / 1e6),
        60_000_000..3_600_000_000 => format!("{} min {} s", micros / 60_000_000, micros / 1_000_000 % 60),
        _ => format!("{} h {} min", micros / 3_600_000_000, micros / 60_000_000 % 60),
    }
}

/// Progress on standard error: one line that changes on a terminal, a line for each change elsewhere.
#[derive(Debug)]
pub(super) struct Progress {
    terminal: bool,
    last: String,
}

impl Progress {
    /// Progress on this process's standard error.
    pub(super) fn new() -> Self {
        Self { terminal: io::stderr().is_terminal(), last: String::new() }
    }

    /// Shows a line unless it is the one that is shown.
    pub(super) fn show(&mut self, line: &str) {
        if line == self.last {
            return;
        }
        if self.terminal {
            // Carriage return and "erase to the end of the line" (ECMA-48).
            eprint!("\r\x1b[K{line}");
        } else {
            eprintln!("{line}");
        }
        line.clone_into(&mut self.last);
    }

    /// Takes the changing line away.
    pub(super) fn end(&mut self) {
        if self.terminal && !self.last.is_empty() {
            eprint!("\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_wide_as_its_cells() {
        let rows = [vec!["1".to_owned(), "größer".to_owned(), String::new()], vec!["22".to_owned(), "x".to_owned(), "end".to_owned()]];
        assert_eq!(table(&["ID", "NAME", "LAST"], &rows), "ID  NAME    LAST\n1   größer\n22  x       end");
    }

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(instant(1_700_000_000_123_456), "2023-11-14 22:13:20.123Z");
        for (micros, expected) in
            [(999, "999 us"), (1_500, "1.50 ms"), (150_000, "150 ms"), (2_340_000, "2.34 s"), (61_000_000, "1 min 1 s"), (7_260_000_000, "2 h 1 min")]
        {
            assert_eq!(duration(micros), expected);
        }
    }
}
