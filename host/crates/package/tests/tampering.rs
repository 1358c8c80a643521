//! No byte of a signed file can be changed, added or taken away: at every position of a small component, and with several signatures.
#![allow(clippy::unwrap_used, reason = "tests")]

use package::{Package, PackageError, PrivateKey, Question, SIGNATURE_SECTION, TrustList, TrustOptions, pack, sign, unsign};
use serde_json::json;

const LIMIT: usize = 1 << 20;

fn key(number: u8) -> PrivateKey {
    PrivateKey::from_seed([number; 32])
}

/// A component with code, types, a module and a component inside it.
fn component() -> Vec<u8> {
    let wat = r#"(component
        (core module $m (func (export "f") (result i32) i32.const 42) (@custom "note" "inner"))
        (core instance $i (instantiate $m))
        (func (export "f") (result u32) (canon lift (core func $i "f")))
        (component (@custom "jackfield.signature" "of somebody else"))
    )"#;
    let contracts = json!([{"contract": "jackfield:order/inventory", "verbs": ["apply"], "idempotent": true}]);
    let manifest = json!({"name": "acme-pool", "version": "1.0.0", "vendor": "Acme", "contracts": contracts});
    pack(&wat::parse_str(wat).unwrap(), manifest.to_string().as_bytes()).unwrap()
}

fn signed(keys: &[u8]) -> Vec<u8> {
    keys.iter().fold(component(), |file, number| sign(&file, &key(*number)).unwrap())
}

/// A list that trusts keys 1 and 2 with everything.
fn trust() -> TrustList {
    let publisher = |number: u8| json!({"key": key(number).public(), "plugins": ["*"]});
    let options: TrustOptions = serde_json::from_value(json!({"publishers": {"one": publisher(1), "two": publisher(2)}})).unwrap();
    TrustList::new(options).unwrap()
}

fn is_taken(trust: &TrustList, file: &[u8]) -> bool {
    let Ok(package) = Package::read(file, LIMIT) else { return false };
    trust.admit(&Question { package: &package, now: None, newest: None }).is_ok()
}

#[test]
fn a_signed_file_is_taken_and_stays_a_component() {
    let trust = trust();
    for keys in [&[1][..], &[2, 1], &[1, 2, 3, 4, 5, 6, 7, 8]] {
        let file = signed(keys);
        assert!(is_taken(&trust, &file));
        let package = Package::read(&file, LIMIT).unwrap();
        assert_eq!((package.signatures.len(), package.content_digest), (keys.len(), Package::read(&component(), LIMIT).unwrap().digest));
        assert_eq!(unsign(&file).unwrap(), component());
        assert!(wasmparser::Parser::new(0).parse_all(&file).all(|payload| payload.is_ok()));
    }
    // In whichever order, with whichever repetitions: the same keys make the same file.
    assert_eq!(signed(&[1, 2]), signed(&[2, 1, 2]));
}

#[test]
fn every_bit_of_every_byte_counts() {
    let trust = trust();
    for keys in [&[1][..], &[1, 2]] {
        let file = signed(keys);
        for position in 0..file.len() {
            for bit in 0..8 {
                let mut changed = file.clone();
                changed[position] ^= 1 << bit;
                assert!(!is_taken(&trust, &changed), "bit {bit} of byte {position} of {} does not count", file.len());
            }
        }
    }
}

#[test]
fn no_byte_can_be_added_or_taken_away() {
    let trust = trust();
    let file = signed(&[1, 2]);
    for position in 0..=file.len() {
        for byte in [0, 1, 0x13, 0x7f, 0x80, 0xff] {
            let mut longer = file.clone();
            longer.insert(position, byte);
            assert!(!is_taken(&trust, &longer), "byte {byte} at {position} of {} can be added", file.len());
        }
        if position < file.len() {
            let mut shorter = file.clone();
            shorter.remove(position);
            assert!(!is_taken(&trust, &shorter), "byte {position} of {} can be taken away", file.len());
        }
    }
    let content = component().len();
    let one = (file.len() - content) / 2;
    for length in 0..file.len() {
        // Whole signatures can be taken away; the rest is then signed by fewer.
        assert_eq!(is_taken(&trust, &file[..length]), length == content + one, "cut to {length} of {}", file.len());
    }
}

#[test]
fn nothing_is_let_in_beside_the_signatures() {
    let trust = trust();
    let file = signed(&[1, 2]);
    let content = component().len();
    let (first, second) = file[content..].split_at((file.len() - content) / 2);
    let custom = b"\0\x05\x04note";
    let check = |parts: &[&[u8]], expected: &str| {
        let changed = parts.concat();
        let error = Package::read(&changed, LIMIT).map_or_else(|error| error.to_string(), |_| String::new());
        assert!(error.contains(expected), "expected: {expected}\nfound: {error}");
        assert!(!is_taken(&trust, &changed));
    };
    let code = &file[..content];
    let follows = format!("byte {}: something follows the signature at byte {content}", file.len());
    check(&[code, first, second, custom], &follows);
    check(&[code, first, custom, second], "something follows the signature");
    check(&[code, second, first], "a key signs twice or signatures are out of order");
    check(&[code, first, first], "a key signs twice or signatures are out of order");
    check(&[code, first, second, &first[..first.len() - 1]], "the component is damaged at byte ");
    // The same length, written in two bytes.
    let long = [&[0, first[1] | 0x80, 0], &first[2..]].concat();
    check(&[code, &long], "its length is not written in the shortest form");
    // A manifest, too, stands before what is signed.
    check(&[code, first, second, &file[8..content]], "something follows the signature");
    // Before the signatures anything can be put, but then they do not fit.
    let between = [code, custom, first, second].concat();
    assert!(matches!(Package::read(&between, LIMIT).unwrap().check_signatures(), Err(PackageError::BrokenSignature { .. })));
    assert!(!is_taken(&trust, &between));
}

/// A custom section of the name of signatures with that data.
fn section(data: &[u8]) -> Vec<u8> {
    let name = SIGNATURE_SECTION.as_bytes();
    let leb = |mut number: usize| {
        let mut bytes = Vec::new();
        while number > 0x7f {
            bytes.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    };
    [&[0][..], &leb(1 + name.len() + data.len()), &leb(name.len()), name, data].concat()
}

#[test]
fn a_signature_of_another_form_is_refused_with_its_place() {
    let component = component();
    let check = |data: &[u8], expected: &str| {
        let error = Package::read(&[&component[..], &section(data)].concat(), LIMIT).unwrap_err().to_string();
        assert_eq!(error, format!("the signature at byte {} is damaged: {expected}", component.len()));
    };
    check(b"", "it has 0 bytes of data, expected 98");
    check(&[1; 97], "it has 97 bytes of data, expected 98");
    check(&[1; 99], "it has 99 bytes of data, expected 98");
    check(&[1; 500_000], "it has 500000 bytes of data, expected 98");
    check(&[2; 98], "it is of version 2 and algorithm 2, expected 1 and 1 (Ed25519)");
    let many = (0..9).flat_map(|number| section(&[&[1, 1][..], &[number; 32], &[0; 64]].concat())).collect::<Vec<_>>();
    assert_eq!(Package::read(&[&component[..], &many].concat(), LIMIT).unwrap_err().to_string(), "the file has more than 8 signatures");
    assert_eq!(
        Package::read(&[&component[..], &many].concat(), 100).unwrap_err().to_string(),
        format!("the file has {} bytes, expected at most 100", component.len() + many.len())
    );
}

#[test]
fn what_is_no_good_is_not_signed() {
    let refused = |file: &[u8]| sign(file, &key(1)).unwrap_err().to_string();
    assert!(refused(b"PK\x03\x04").starts_with("the file is not webassembly"));
    assert!(refused(b"\0asm\x0d\0\x01\0").starts_with("the component has no manifest"));
    let mut broken = signed(&[2]);
    broken[9] ^= 1;
    assert!(sign(&broken, &key(1)).is_err());
    let full = signed(&[1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(sign(&full, &key(9)).unwrap_err().to_string(), "the file has more than 8 signatures");
    assert_eq!(sign(&full, &key(8)).unwrap(), full);
}

#[test]
fn packing_replaces_the_manifest_and_takes_signatures_away() {
    let contracts = json!([{"contract": "a:b/c", "verbs": ["apply"], "idempotent": true}]);
    let manifest = json!({"name": "other", "version": "2.0.0", "contracts": contracts}).to_string();
    let packed = pack(&signed(&[1, 2]), manifest.as_bytes()).unwrap();
    let package = Package::read(&packed, LIMIT).unwrap();
    assert_eq!((package.manifest.name.as_str(), package.signatures.len()), ("other", 0));
    assert_eq!(pack(&packed, manifest.as_bytes()).unwrap(), packed);
    let refused = |component: &[u8], manifest: &str| pack(component, manifest.as_bytes()).unwrap_err().to_string();
    assert!(refused(&packed, "{").starts_with("manifest: EOF"));
    assert!(refused(b"\0asm\x01\0\0\0", &manifest).starts_with("the file is a core module"));
    assert!(refused(b"\0asm\x0d\0\x01\0\0\x7fab", &manifest).starts_with("the component is damaged at byte "));
    assert!(refused(b"\0asm\x0d\0\x01\0\0\xff\xff\xff\xff\xff", &manifest).starts_with("the component is damaged at byte "));
    let escaped = manifest.replace('"', "\\\"");
    let sdk = wat::parse_str(format!(r#"(component (core module (@custom "jackfield.manifest" "{escaped}")))"#)).unwrap();
    assert_eq!(refused(&sdk, &manifest), PackageError::InnerManifest.to_string());
}
