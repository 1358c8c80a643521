//! A file taken apart: its manifest, what is signed and by whom. Nothing of it is compiled or run.

use pipeline::Digest;
use sha2::{Digest as _, Sha256};

use crate::{
    error::PackageError,
    key::{PublicKey, hex},
    manifest::Manifest,
    pack::manifests,
    section::{check_preamble, sections},
    signature::{Signature, split},
};

/// A plugin as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// What it says about itself.
    pub manifest: Manifest,
    /// The sha256 of the whole file: what a run pins.
    pub digest: Digest,
    /// The sha256 of what is signed: the file without its signatures. It stays the same when somebody adds a signature.
    pub content_digest: Digest,
    /// The size of the file in bytes.
    pub size: usize,
    /// The signatures, sorted by key. Whether they fit is for [`Package::check_signatures`].
    pub signatures: Vec<Signature>,
    content: [u8; 32],
    end: usize,
}

impl Package {
    /// Takes a file apart.
    ///
    /// # Errors
    ///
    /// The file is larger than `limit` bytes, is no component, is damaged, has not exactly one manifest, a manifest that cannot be used, or something else than
    /// signatures behind a signature. Signatures are not verified here.
    pub fn read(bytes: &[u8], limit: usize) -> Result<Self, PackageError> {
        if bytes.len() > limit {
            return Err(PackageError::TooLarge { size: bytes.len(), limit });
        }
        check_preamble(bytes)?;
        let (end, signatures) = split(bytes, &sections(bytes)?)?;
        let manifest = match manifests(&bytes[..end])?.as_slice() {
            [one] => Manifest::parse(one)?,
            several => return Err(PackageError::ManifestCount { found: several.len() }),
        };
        let (signed, rest) = bytes.split_at(end);
        let hasher = Sha256::new_with_prefix(signed);
        let content: [u8; 32] = hasher.clone().finalize().into();
        let whole: [u8; 32] = hasher.chain_update(rest).finalize().into();
        Ok(Self { manifest, digest: digest(&whole), content_digest: digest(&content), size: bytes.len(), signatures, content, end })
    }

    /// Verifies every signature. One that does not fit spoils the file, whoever it is by: either the file or the signature was changed.
    pub fn check_signatures(&self) -> Result<(), PackageError> {
        match self.signatures.iter().find(|signature| !signature.fits(&self.content)) {
            Some(broken) => Err(PackageError::BrokenSignature { key: broken.key }),
            None => Ok(()),
        }
    }

    /// Everybody who has signed, and whether the signature fits the file.
    pub fn signers(&self) -> impl Iterator<Item = (PublicKey, bool)> {
        self.signatures.iter().map(|signature| (signature.key, signature.fits(&self.content)))
    }

    /// The bytes of this file that are signed.
    pub(crate) fn content<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        &file[..self.end]
    }
}

/// The sha256 of a file.
pub fn digest_of(bytes: &[u8]) -> Digest {
    digest(&sha256(bytes))
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn digest(sha256: &[u8; 32]) -> Digest {
    Digest::new(hex(sha256)).expect("a sha256 has 64 hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wat: &str, cut: usize, limit: usize, expected: &str) {
        let bytes = wat::parse_str(wat).unwrap();
        let found = match Package::read(&bytes[..bytes.len() - cut], limit) {
            Ok(package) => package.manifest.name,
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    const MANIFEST: &str =
        r#"{\"name\":\"here\",\"version\":\"1.0.0\",\"contracts\":[{\"contract\":\"a:b/c\",\"verbs\":[\"apply\"],\"idempotent\":true}]}"#;

    #[test]
    fn a_manifest_is_found_in_the_component_and_in_a_module_inside_it() {
        check(&format!(r#"(component (@custom "jackfield.manifest" "{MANIFEST}"))"#), 0, 1000, "here");
        check(&format!(r#"(component (core module (@custom "jackfield.manifest" "{MANIFEST}")))"#), 0, 1000, "here");
        let twice = format!(r#"(@custom "jackfield.manifest" "{MANIFEST}")"#);
        check(
            &format!(r#"(component (component {twice}) {twice})"#),
            0,
            1000,
            "the component has no manifest: expected JSON in exactly one custom section `jackfield.manifest`, found 2",
        );
    }

    #[test]
    fn what_is_no_component_is_refused() {
        check(
            "(module)",
            0,
            1000,
            "the file is a core module, expected a component: build it with --target wasm32-wasip2 or wrap it with a component tool",
        );
        check("(component)", 0, 1000, "the component has no manifest: expected JSON in exactly one custom section `jackfield.manifest`, found 0");
        check("(component)", 0, 4, "the file has 8 bytes, expected at most 4");
        check("(component)", 2, 1000, "the component is damaged at byte 6: unexpected end-of-file");
        check(r#"(component (@custom "jackfield.manifest" "here"))"#, 2, 1000, "the component is damaged at byte 10: unexpected end-of-file");
        for (bytes, found) in [(&b"PK\x03\x04"[..], "50 4b 03 04"), (b"", "nothing"), (b"\0a", "00 61")] {
            assert_eq!(
                Package::read(bytes, 10).unwrap_err().to_string(),
                format!("the file is not webassembly: it begins with {found}, expected 00 61 73 6d")
            );
        }
    }
}
