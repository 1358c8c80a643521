//! The sections of a component at its top level: a preamble of eight bytes, then sections, each an id byte, a length (LEB128, 32 bits) and its content.
//!
//! What is inside a section, a module or another component, is content here and nothing else.

use wasmparser::{BinaryReader, Error};

use crate::error::PackageError;

/// The first bytes of every WebAssembly file.
const MAGIC: &[u8] = b"\0asm";
/// What tells a component from a core module: version 13, layer 1 (Component Model, binary format).
const COMPONENT: &[u8] = &[0x0d, 0, 1, 0];
/// The fourth pair of bytes of a core module: version 1, layer 0.
const MODULE: &[u8] = &[1, 0, 0, 0];
/// Both together.
pub(crate) const PREAMBLE: usize = 8;

const CUSTOM: u8 = 0;

/// A section at the top level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section<'a> {
    id: u8,
    /// Where it begins in the file.
    pub(crate) offset: usize,
    /// All its bytes.
    pub(crate) whole: &'a [u8],
    content: &'a [u8],
}

impl<'a> Section<'a> {
    /// The data of a custom section of that name.
    pub(crate) fn custom(&self, name: &str) -> Option<&'a [u8]> {
        if self.id != CUSTOM {
            return None;
        }
        let mut reader = BinaryReader::new(self.content, 0);
        let found = reader.read_string().ok()?;
        (found == name).then(|| &self.content[reader.current_position()..])
    }
}

/// Checks the preamble: whether the file is a component at all.
pub(crate) fn check_preamble(bytes: &[u8]) -> Result<(), PackageError> {
    if !bytes.starts_with(MAGIC) {
        let found: Vec<_> = bytes.iter().take(MAGIC.len()).map(|byte| format!("{byte:02x}")).collect();
        return Err(PackageError::NotWasm { found: if found.is_empty() { "nothing".to_owned() } else { found.join(" ") } });
    }
    match bytes.get(MAGIC.len()..PREAMBLE) {
        Some(COMPONENT) => Ok(()),
        Some(MODULE) => Err(PackageError::CoreModule),
        Some(other) => Err(damaged(MAGIC.len(), format!("version {other:02x?}, expected {COMPONENT:02x?}"))),
        None => Err(damaged(bytes.len(), "unexpected end-of-file".to_owned())),
    }
}

/// All sections at the top level, in order. The preamble has been checked.
pub(crate) fn sections(bytes: &[u8]) -> Result<Vec<Section<'_>>, PackageError> {
    let mut reader = BinaryReader::new(&bytes[PREAMBLE..], PREAMBLE);
    let mut found = Vec::new();
    while !reader.eof() {
        let offset = reader.original_position();
        let mut one = || {
            let id = reader.read_u8()?;
            let length = reader.read_var_u32()?;
            Ok::<_, Error>((id, reader.read_bytes(length as usize)?))
        };
        let (id, content) = one().map_err(|error| unreadable(&error))?;
        found.push(Section { id, offset, whole: &bytes[offset..reader.original_position()], content });
    }
    Ok(found)
}

/// An error of the parser, with its place.
pub(crate) fn unreadable(error: &Error) -> PackageError {
    damaged(error.offset(), error.message().to_owned())
}

fn damaged(offset: usize, problem: String) -> PackageError {
    PackageError::Damaged { offset, problem }
}
