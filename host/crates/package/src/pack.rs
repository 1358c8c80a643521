//! A manifest for a component that was made without our SDK.

use std::borrow::Cow;

use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::{Parser, Payload};

use crate::{
    error::PackageError,
    manifest::{Manifest, SECTION},
    section::{PREAMBLE, check_preamble, sections, unreadable},
    signature::SIGNATURE_SECTION,
};

/// The component with exactly that manifest at its end. One that it had is replaced; signatures are taken away, because they were over other bytes.
pub fn pack(component: &[u8], manifest: &[u8]) -> Result<Vec<u8>, PackageError> {
    Manifest::parse(manifest)?;
    check_preamble(component)?;
    let mut packed = component[..PREAMBLE].to_vec();
    for section in sections(component)? {
        if [SECTION, SIGNATURE_SECTION].iter().all(|name| section.custom(name).is_none()) {
            packed.extend_from_slice(section.whole);
        }
    }
    // A compiler puts the manifest of our SDK into a module inside the component.
    if count(&packed)? > 0 {
        return Err(PackageError::InnerManifest);
    }
    CustomSection { name: Cow::Borrowed(SECTION), data: Cow::Borrowed(manifest) }.append_to_component(&mut packed);
    Ok(packed)
}

fn count(bytes: &[u8]) -> Result<usize, PackageError> {
    Ok(manifests(bytes)?.len())
}

/// Every manifest, in the component itself and in what is inside it.
pub(crate) fn manifests(bytes: &[u8]) -> Result<Vec<&[u8]>, PackageError> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        if let Payload::CustomSection(section) = payload.map_err(|error| unreadable(&error))?
            && section.name() == SECTION
        {
            found.push(section.data());
        }
    }
    Ok(found)
}
