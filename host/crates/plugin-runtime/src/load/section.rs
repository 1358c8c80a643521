//! The bytes of a component before they are compiled: what kind of file it is, and its manifest.

use wasmparser::{Encoding, Parser, Payload};

use crate::{error::LoadError, manifest::SECTION};

const MAGIC: &[u8] = b"\0asm";

/// The manifest's bytes. The custom section may lie in the component itself or in a module inside it, where a compiler put it.
pub(super) fn manifest(bytes: &[u8], limit: usize) -> Result<&[u8], LoadError> {
    if bytes.len() > limit {
        return Err(LoadError::TooLarge { size: bytes.len(), limit });
    }
    if !bytes.starts_with(MAGIC) {
        let found: Vec<_> = bytes.iter().take(MAGIC.len()).map(|byte| format!("{byte:02x}")).collect();
        return Err(LoadError::NotWasm { found: if found.is_empty() { "nothing".to_owned() } else { found.join(" ") } });
    }
    let mut manifests: Vec<&[u8]> = Vec::new();
    let mut first = true;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| LoadError::Damaged { offset: error.offset(), problem: error.message().to_owned() })?;
        if first && matches!(payload, Payload::Version { encoding: Encoding::Module, .. }) {
            return Err(LoadError::CoreModule);
        }
        if let Payload::CustomSection(section) = payload
            && section.name() == SECTION
        {
            manifests.push(section.data());
        }
        first = false;
    }
    match manifests.as_slice() {
        [one] => Ok(one),
        several => Err(LoadError::ManifestCount { found: several.len() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wat: &str, cut: usize, limit: usize, expected: &str) {
        let bytes = wat::parse_str(wat).unwrap();
        let found = match manifest(&bytes[..bytes.len() - cut], limit) {
            Ok(manifest) => String::from_utf8(manifest.to_vec()).unwrap(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_manifest_is_found_in_the_component_and_in_a_module_inside_it() {
        check(r#"(component (@custom "jackfield.manifest" "here"))"#, 0, 1000, "here");
        check(r#"(component (core module (@custom "jackfield.manifest" "inside")))"#, 0, 1000, "inside");
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
        check(r#"(component (@custom "jackfield.manifest" "here"))"#, 2, 1000, "the component is damaged at byte 10: unexpected end-of-file");
        assert_eq!(
            manifest(b"PK\x03\x04", 10).unwrap_err().to_string(),
            "the file is not webassembly: it begins with 50 4b 03 04, expected 00 61 73 6d"
        );
        assert_eq!(manifest(b"", 10).unwrap_err().to_string(), "the file is not webassembly: it begins with nothing, expected 00 61 73 6d");
    }
}
