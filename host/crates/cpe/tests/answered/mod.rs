//! What must hold for any bytes that a device sends. Property tests and the fuzz target call it.

use cpe::soap::{Limits, Style, read, write};

/// The limits of the check: a message that is written again has more elements than one whose fields were left out.
pub(crate) const LIMITS: Limits = Limits { bytes: 1 << 20, depth: 32, elements: 100_000, parameters: 2_000, events: 256, text: 1 << 16 };

/// Bytes are read or refused with a place within them; what is read and can be written comes back as it is.
pub(crate) fn envelope(bytes: &[u8], charset: Option<&str>) {
    match read(bytes, charset, &LIMITS) {
        // A text of UTF-8 can be three times as long as its bytes were in another character set.
        Err(error) => assert!(error.at <= 3 * bytes.len() as u64 && !error.to_string().contains(|character: char| character.is_control()), "{error}"),
        Ok(envelope) => {
            let Ok(text) = write(&envelope, &Style::default()) else { return };
            let again = read(text.as_bytes(), None, &Limits { bytes: usize::MAX, ..LIMITS });
            assert_eq!(again, Ok(envelope), "{text}");
        }
    }
}
