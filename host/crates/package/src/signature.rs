//! Signatures: custom sections at the very end of a component, each over every byte before the first of them.
//!
//! What is signed is the sha256 of these bytes (manifest included), after a text that no other protocol signs. A signature section has one form only (the
//! shortest length, 98 bytes of data, sorted by key, no key twice) and nothing may follow but another one. So no byte of a file can be changed, added or taken
//! away without breaking every signature, or the form; what is left to somebody without the key is to take whole signatures away, or to add one of their own.

use std::borrow::Cow;

use wasm_encoder::{ComponentSection as _, CustomSection};

use crate::{
    error::PackageError,
    key::{PrivateKey, PublicKey, SIGNATURE},
    read::{self, sha256},
    section::Section,
};

/// The name of the custom section.
pub const SIGNATURE_SECTION: &str = "jackfield.signature";

/// How many signatures a file may have: the vendor's, a distributor's, and some during a change of keys.
const MAX_SIGNATURES: usize = 8;
/// The form of the data: version 1.
const VERSION: u8 = 1;
/// Ed25519 (RFC 8032) over the context and the sha256 of what is signed.
const ED25519: u8 = 1;
const CONTEXT: &[u8] = b"jackfield.signature v1\0";
/// Version, algorithm, key, signature.
const DATA: usize = 2 + 32 + SIGNATURE;

/// A signature as a file has it; whether it fits the file is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Whose it says it is.
    pub key: PublicKey,
    bytes: [u8; SIGNATURE],
}

impl Signature {
    fn make(content: &[u8], key: &PrivateKey) -> Self {
        Self { key: key.public(), bytes: key.sign(&message(&sha256(content))) }
    }

    /// Whether it is the key's over content with that sha256.
    pub(crate) fn fits(&self, content: &[u8; 32]) -> bool {
        self.key.verifies(&message(content), &self.bytes)
    }

    fn section(&self) -> Vec<u8> {
        let data: Vec<u8> = [&[VERSION, ED25519][..], self.key.as_bytes(), &self.bytes].concat();
        let mut section = Vec::new();
        CustomSection { name: Cow::Borrowed(SIGNATURE_SECTION), data: Cow::Owned(data) }.append_to_component(&mut section);
        section
    }

    fn read(section: &Section<'_>, data: &[u8]) -> Result<Self, PackageError> {
        let wrong = |problem: String| PackageError::SignatureForm { offset: section.offset, problem };
        let Ok(data) = <&[u8; DATA]>::try_from(data) else {
            return Err(wrong(format!("it has {} bytes of data, expected {DATA}", data.len())));
        };
        if data[..2] != [VERSION, ED25519] {
            return Err(wrong(format!("it is of version {} and algorithm {}, expected {VERSION} and {ED25519} (Ed25519)", data[0], data[1])));
        }
        let (key, bytes) = data[2..].split_first_chunk().expect("the data is as long as key and signature");
        let signature = Self { key: PublicKey::from_bytes(*key), bytes: bytes.try_into().expect("the data is as long as key and signature") };
        if signature.section() != section.whole {
            return Err(wrong("its length is not written in the shortest form".to_owned()));
        }
        Ok(signature)
    }
}

fn message(content: &[u8; 32]) -> Vec<u8> {
    [CONTEXT, content].concat()
}

/// Where what is signed ends, and the signatures behind it.
pub(crate) fn split(bytes: &[u8], sections: &[Section<'_>]) -> Result<(usize, Vec<Signature>), PackageError> {
    let first = sections.iter().position(|section| section.custom(SIGNATURE_SECTION).is_some()).unwrap_or(sections.len());
    let end = sections.get(first).map_or(bytes.len(), |section| section.offset);
    let mut signatures: Vec<Signature> = Vec::new();
    for section in &sections[first..] {
        let data = section.custom(SIGNATURE_SECTION).ok_or(PackageError::AfterSignature { signature: end, offset: section.offset })?;
        if signatures.len() == MAX_SIGNATURES {
            return Err(PackageError::TooManySignatures { limit: MAX_SIGNATURES });
        }
        let signature = Signature::read(section, data)?;
        if signatures.last().is_some_and(|last| last.key >= signature.key) {
            let problem = "a key signs twice or signatures are out of order: expected them sorted by key, each key once".to_owned();
            return Err(PackageError::SignatureForm { offset: section.offset, problem });
        }
        signatures.push(signature);
    }
    Ok((end, signatures))
}

/// The file with a signature more; one by the same key is replaced. What is signed must be a plugin, and signatures that it has must fit.
pub fn sign(file: &[u8], key: &PrivateKey) -> Result<Vec<u8>, PackageError> {
    let package = read::Package::read(file, usize::MAX)?;
    package.check_signatures()?;
    let content = package.content(file);
    let mut signatures: Vec<&Signature> = package.signatures.iter().filter(|other| other.key != key.public()).collect();
    let own = Signature::make(content, key);
    signatures.push(&own);
    if signatures.len() > MAX_SIGNATURES {
        return Err(PackageError::TooManySignatures { limit: MAX_SIGNATURES });
    }
    signatures.sort_by_key(|signature| signature.key);
    Ok(signatures.into_iter().fold(content.to_vec(), |mut signed, signature| {
        signed.extend(signature.section());
        signed
    }))
}

/// The file without its signatures.
pub fn unsign(file: &[u8]) -> Result<&[u8], PackageError> {
    Ok(read::Package::read(file, usize::MAX)?.content(file))
}
