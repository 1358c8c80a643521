//! A file that somebody has changed, anywhere.

use crate::{Place, public, publisher, signed_by};

/// Bytes between two that are changed: enough places that every section is hit, a prime so that they do not fall on one field.
const STRIDE: usize = 211;

/// How many of the changed files a host is started with; each start opens a store.
const STARTS: usize = 8;

#[test]
fn a_changed_byte_anywhere_is_refused() {
    let (file, place) = (signed_by(1), Place::trusting(&publisher(1, "")));
    place.write("plugin.wasm", &file);
    place.verify().good(&["publisher `acme` vouches for it"]);
    // Every byte of the signature section's head is of interest, and some of the rest.
    let tail = file.len() - 130;
    let places: Vec<usize> = (0..tail).step_by(STRIDE).chain((tail..file.len()).step_by(5)).collect();
    assert!(places.len() > 50, "{}", places.len());
    for (number, &at) in places.iter().enumerate() {
        let mut changed = file.clone();
        changed[at] ^= 1 << (number % 8);
        place.write("plugin.wasm", &changed);
        let said = place.verify();
        assert_eq!(said.code, Some(1), "byte {at} of {}: {said}", file.len());
        assert!(said.err.starts_with("jackfield: plugin.wasm: "), "byte {at}: {said}");
        if number % (places.len() / STARTS) == 0 {
            place.run(&["serve"]).bad(1, &["plugins.acme-pool: "]);
        }
    }
}

#[test]
fn what_is_cut_off_or_added_is_refused() {
    let (file, place) = (signed_by(1), Place::trusting(&publisher(1, "")));
    for cut in [1, 50, 400] {
        place.write("plugin.wasm", &file[..file.len() - cut]);
        place.verify().bad(1, &["jackfield: plugin.wasm: "]);
    }
    // Without its signature it is a plugin that nobody has signed.
    place.refuses(package::unsign(&file).unwrap(), &["(unsigned)"]);
    // An empty custom section named `x`, at the end.
    place.refuses([&file[..], &[0, 2, 1, b'x']].concat(), &["something follows the signature at byte "]);
    place.refuses([&file[..], &file[file.len() - 40..]].concat(), &["damaged"]);
    // The same signature twice.
    let signature = &file[package::unsign(&file).unwrap().len()..];
    place.refuses([&file[..], signature].concat(), &["a key signs twice or signatures are out of order"]);
}

#[test]
fn somebody_else_s_signature_beside_the_right_one_does_no_harm() {
    let place = Place::trusting(&publisher(1, ""));
    place.write("plugin.wasm", package::sign(&signed_by(1), &crate::key(2)).unwrap());
    let verified = place.verify();
    verified.good(&["publisher `acme` vouches for it", &format!("signed by {}: no publisher in [trust.publishers] has this key", public(2))]);
}
