//! `jackfield plugin pack`: puts a manifest into a component, for guests that were made without our SDK.
//!
//! A component is a preamble of eight bytes and a list of sections, each an id byte, a length (LEB128, at most 32 bits) and its content; a custom section has
//! the id 0 and begins with its name (Component Model, binary format).

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, bail};
use clap::Args;
use plugin_runtime::{Manifest, SECTION};

use super::read;
use crate::cli::output;

/// The first bytes of every WebAssembly file, then those that tell a component from a core module.
const MAGIC: &[u8] = b"\0asm";
const COMPONENT: &[u8] = &[0x0d, 0, 1, 0];
const PREAMBLE: usize = 8;
const CUSTOM: u8 = 0;

/// A component to give a manifest to.
#[derive(Debug, Args)]
pub(in crate::cli) struct Pack {
    /// The component: a `.wasm` file.
    file: PathBuf,
    /// The manifest: a JSON file; wit/README.md describes it.
    #[arg(long, value_name = "FILE.json")]
    manifest: PathBuf,
    /// Where to write the component with its manifest; may be the same file.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Pack {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let text = read(&self.manifest)?;
        let manifest = Manifest::parse(&text).with_context(|| self.manifest.display().to_string())?;
        let packed = pack(&read(&self.file)?, &text).with_context(|| self.file.display().to_string())?;
        std::fs::write(&self.output, packed).with_context(|| format!("{} cannot be written", self.output.display()))?;
        let (name, version, file) = (manifest.name, manifest.version, self.output.display());
        output::say(&format!("wrote {name} {version} to {file}; `jackfield plugin check {file}` says whether the component keeps what it promises"))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The component with exactly that manifest at its end.
fn pack(component: &[u8], manifest: &[u8]) -> anyhow::Result<Vec<u8>> {
    if !component.starts_with(MAGIC) {
        bail!("the file is not webassembly: expected a component");
    }
    if component.get(MAGIC.len()..PREAMBLE) != Some(COMPONENT) {
        bail!("the file is a core module, expected a component: wrap it with a component tool");
    }
    let mut packed = component[..PREAMBLE].to_vec();
    let mut rest = &component[PREAMBLE..];
    while !rest.is_empty() {
        let (section, after) = section(rest).with_context(|| format!("the component is damaged at byte {}", component.len() - rest.len()))?;
        if !is_manifest(section) {
            packed.extend_from_slice(section.whole);
        }
        rest = after;
    }
    let mut content = Vec::new();
    push_length(&mut content, SECTION.len());
    content.extend_from_slice(SECTION.as_bytes());
    // A compiler puts the manifest of our SDK into a module inside the component, with the same name before it.
    if packed.windows(content.len()).any(|window| window == content) {
        bail!("a module inside the component carries a manifest already: expected a component that was made without our SDK");
    }
    content.extend_from_slice(manifest);
    packed.push(CUSTOM);
    push_length(&mut packed, content.len());
    packed.extend_from_slice(&content);
    Ok(packed)
}

/// A section with its header.
#[derive(Clone, Copy)]
struct Section<'a> {
    id: u8,
    whole: &'a [u8],
    content: &'a [u8],
}

fn section(bytes: &[u8]) -> Option<(Section<'_>, &[u8])> {
    let (id, rest) = bytes.split_first()?;
    let (length, content) = length(rest)?;
    let header = bytes.len() - content.len();
    let (whole, after) = bytes.split_at_checked(header.checked_add(length)?)?;
    Some((Section { id: *id, whole, content: &whole[header..] }, after))
}

fn is_manifest(section: Section<'_>) -> bool {
    let name = || length(section.content).and_then(|(length, rest)| rest.get(..length));
    section.id == CUSTOM && name() == Some(SECTION.as_bytes())
}

/// An unsigned LEB128 number of at most 32 bits, and what follows it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(u32::try_from(value).ok()?).ok()?, &bytes[index + 1..]));
        }
    }
    None
}

fn push_length(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn a_manifest_is_added_once_and_replaced_afterwards() {
        let long = vec![b'x'; 300];
        let first = pack(EMPTY, &long).unwrap();
        assert_eq!(first.len(), EMPTY.len() + 1 + 2 + 1 + SECTION.len() + 300);
        let second = pack(&first, b"{}").unwrap();
        assert_eq!(second, pack(EMPTY, b"{}").unwrap());
        let mut other = EMPTY.to_vec();
        other.extend_from_slice(b"\0\x05\x03abcd");
        let packed = pack(&other, b"{}").unwrap();
        assert!(packed.starts_with(&other), "another custom section stays");
    }

    #[test]
    fn what_is_no_component_is_refused() {
        for (bytes, expected) in [
            (&b"PK\x03\x04"[..], "the file is not webassembly: expected a component"),
            (b"\0asm\x01\0\0\0", "the file is a core module, expected a component: wrap it with a component tool"),
            (b"\0asm\x0d\0\x01\0\0\x7fab", "the component is damaged at byte 8"),
            (b"\0asm\x0d\0\x01\0\0\xff\xff\xff\xff\xff", "the component is damaged at byte 8"),
        ] {
            assert_eq!(pack(bytes, b"{}").unwrap_err().to_string(), expected);
        }
    }
}
