//! An append made ready on the caller's thread: checked and serialised, so that the writer thread only binds and steps.

use engine::port::{Append, HoldChange, KeyValueWrite, RunRow, WriteError};
use pipeline::{Epoch, Event, Record, RunId, Seq, Timestamp};

use crate::document_rows::DocumentRow;

/// An append whose form is right; whether its preconditions hold is for the writer to find out.
#[derive(Debug)]
pub(crate) struct PreparedAppend {
    pub(crate) row: RunRow,
    pub(crate) expected_head: Seq,
    pub(crate) lines: Vec<Line>,
    pub(crate) documents: Vec<DocumentRow>,
    pub(crate) writes: Vec<KeyValueWrite>,
    pub(crate) holds: Vec<HoldChange>,
}

/// A record in its persisted form.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) seq: Seq,
    pub(crate) epoch: Epoch,
    pub(crate) at: Timestamp,
    pub(crate) kind: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) checksum: u32,
}

impl PreparedAppend {
    /// Checks the form and serialises. A malformed append is a defect of the caller that no repetition mends, hence `Fatal`; the
    /// store itself is not affected by it.
    pub(crate) fn new(append: &Append, epoch: Epoch) -> Result<Self, WriteError> {
        let Append { row, expected_head, records, documents, writes, holds } = append;
        check_form(row, *expected_head, records)?;
        if records.iter().any(|record| record.epoch != epoch) {
            return Err(WriteError::Fenced(epoch));
        }
        let malformed = |error: serde_json::Error| malformed(&format!("an append to run {}", row.run), &error);
        let lines = records.iter().map(|record| Line::new(&row.run, record)).collect::<Result<_, _>>().map_err(malformed)?;
        let documents = documents.iter().map(DocumentRow::new).collect::<Result<_, _>>().map_err(malformed)?;
        Ok(Self { row: row.clone(), expected_head: *expected_head, lines, documents, writes: writes.clone(), holds: holds.clone() })
    }

    /// About how many bytes it adds to the log.
    pub(crate) fn bytes(&self) -> usize {
        let lines: usize = self.lines.iter().map(|line| line.payload.len()).sum();
        let documents: usize = self.documents.iter().map(DocumentRow::bytes).sum();
        let writes: usize = self.writes.iter().map(|write| write.key.len() + write.value.as_ref().map_or(0, String::len)).sum();
        lines + documents + writes
    }
}

/// What has no JSON form has none the next time either.
pub(crate) fn malformed(what: &str, error: &serde_json::Error) -> WriteError {
    WriteError::Fatal(format!("{what} cannot be written as JSON: {error}"))
}

/// Records must follow each other from the expected head to the row's.
fn check_form(row: &RunRow, expected_head: Seq, records: &[Record]) -> Result<(), WriteError> {
    let consecutive = records.iter().zip(expected_head.0 + 1..).all(|(record, seq)| record.seq.0 == seq);
    let last = records.last().map_or(expected_head, |record| record.seq);
    if consecutive && last == row.head && row.head > Seq(0) {
        return Ok(());
    }
    let numbers: Vec<u64> = records.iter().map(|record| record.seq.0).collect();
    Err(WriteError::Fatal(format!(
        "a malformed append to run {}: records {numbers:?} do not lead from head {} to head {}",
        row.run, expected_head.0, row.head.0
    )))
}

impl Line {
    fn new(run: &RunId, record: &Record) -> Result<Self, serde_json::Error> {
        let Record { seq, epoch, at, event } = record;
        let payload = serde_json::to_vec(event)?;
        let checksum = checksum(run.as_str(), *seq, *epoch, *at, &payload);
        Ok(Self { seq: *seq, epoch: *epoch, at: *at, kind: kind(&payload), payload, checksum })
    }
}

/// CRC-32 (IEEE 802.3) over everything a record says, so that a row that moved to another run is found as well as a flipped bit.
pub(crate) fn checksum(run: &str, seq: Seq, epoch: Epoch, at: Timestamp, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(run.as_bytes());
    for number in [seq.0, epoch.0, at.0] {
        hasher.update(&number.to_le_bytes());
    }
    hasher.update(payload);
    hasher.finalize()
}

/// Reads the event of a payload.
pub(crate) fn event(payload: &[u8]) -> Result<Event, serde_json::Error> {
    serde_json::from_slice(payload)
}

/// The tag of a serialised event. It is always the first member, because serde writes the tag of an internally tagged enum first.
fn kind(payload: &[u8]) -> String {
    let tag = payload.strip_prefix(b"{\"kind\":\"").and_then(|rest| rest.split(|byte| *byte == b'"').next());
    String::from_utf8_lossy(tag.unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use pipeline::Outcome;

    use super::*;

    #[test]
    fn the_kind_of_an_event_is_its_tag() {
        for (event, expected) in [(Event::ParentNotified, "parent-notified"), (Event::RunEnded { outcome: Outcome::Completed }, "run-ended")] {
            assert_eq!(kind(&serde_json::to_vec(&event).unwrap()), expected);
        }
    }

    #[test]
    fn every_part_of_a_record_changes_its_checksum() {
        let base = checksum("a", Seq(1), Epoch(2), Timestamp(3), b"x");
        for other in [
            checksum("b", Seq(1), Epoch(2), Timestamp(3), b"x"),
            checksum("a", Seq(2), Epoch(2), Timestamp(3), b"x"),
            checksum("a", Seq(1), Epoch(3), Timestamp(3), b"x"),
            checksum("a", Seq(1), Epoch(2), Timestamp(4), b"x"),
            checksum("a", Seq(1), Epoch(2), Timestamp(3), b"y"),
        ] {
            assert_ne!(base, other);
        }
    }
}
