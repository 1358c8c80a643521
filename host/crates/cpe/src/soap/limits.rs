//! How much a device may send.

/// The bounds of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole body, decoded. Default: 8 MiB, which a full data model of 20,000 parameters fits into.
    pub bytes: usize,
    /// Elements within each other. Default: 32; a message needs 9.
    pub depth: usize,
    /// Elements in all. Default: 128,000, which is six for each of 20,000 parameters.
    pub elements: usize,
    /// Entries of a list of parameters, names or methods. Default: 20,000.
    pub parameters: usize,
    /// Events of an `Inform`. Default: 256; the standard allows 64.
    pub events: usize,
    /// Bytes of one text. Default: 1 MiB; a base64 value may be long.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 8 << 20, depth: 32, elements: 128_000, parameters: 20_000, events: 256, text: 1 << 20 }
    }
}
