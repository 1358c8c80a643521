//! What must hold for any file and any manifest. Property tests and fuzz targets call it.

use std::collections::BTreeSet;

use package::{Manifest, Package, PrivateKey, sign, unsign};

/// The largest file that is read, in bytes.
pub(crate) const LIMIT: usize = 1 << 20;

/// A file is read or refused; what is read is consistent, and stays so when it is signed.
pub(crate) fn read(bytes: &[u8]) {
    let Ok(package) = Package::read(bytes, LIMIT) else { return };
    let content = unsign(bytes).unwrap();
    assert_eq!(Package::read(content, LIMIT).unwrap().content_digest, package.content_digest);
    assert_eq!(package.digest, package::digest_of(bytes));
    assert_eq!(package.size, bytes.len());
    if package.check_signatures().is_ok() {
        let signed = Package::read(&sign(bytes, &PrivateKey::from_seed([3; 32])).unwrap(), LIMIT).unwrap();
        assert_eq!((&signed.content_digest, signed.check_signatures()), (&package.content_digest, Ok(())));
    }
    read_manifest(&serde_json::to_vec(&package.manifest).unwrap());
}

/// A manifest is read or refused; what is read comes back when it is written.
pub(crate) fn read_manifest(text: &[u8]) {
    if let Ok(manifest) = Manifest::parse(text) {
        assert_eq!(Manifest::parse(&serde_json::to_vec(&manifest).unwrap()).unwrap(), manifest);
        assert_eq!(manifest.asks().len(), manifest.asks().into_iter().map(|ask| ask.capability).collect::<BTreeSet<_>>().len());
        let _either = manifest.check_schemas();
    }
}
