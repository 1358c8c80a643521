//! Whatever the bytes are, reading ends with an answer; and what was read comes back. Files that once were interesting are kept in `corpus/` and read first.
#![allow(clippy::unwrap_used, reason = "tests")]

mod answered;

use std::{fs, path::Path};

use answered::{LIMIT, read, read_manifest};
use package::{Manifest, Package, PrivateKey, Setting, pack, sign};
use proptest::prelude::*;
use serde_json::{Value, json};

const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

#[test]
fn the_corpus_is_read() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // What the fuzz targets keep has no extensions: it is what its folder says.
    let folders = [("tests/corpus", ""), ("../../../tests/fuzz/corpus/manifest", "json"), ("../../../tests/fuzz/corpus/file", "bin")];
    for (folder, kind) in folders {
        let mut files: Vec<_> = fs::read_dir(here.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() > 3, "{folder}");
        for file in files {
            let bytes = fs::read(&file).unwrap();
            let extension = file.extension().and_then(|extension| extension.to_str()).filter(|_| kind.is_empty());
            match extension.unwrap_or(kind) {
                "json" => read_manifest(&bytes),
                "wat" => read(&wat::parse_bytes(&bytes).unwrap()),
                _ => read(&bytes),
            }
        }
    }
}

fn word() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9-]{0,12}"
}

fn asked() -> impl Strategy<Value = Value> {
    (word(), proptest::option::of("[ -~]{1,40}")).prop_map(|(name, why)| match why {
        Some(why) => json!({"name": name, "why": why}),
        None => json!(name),
    })
}

/// Manifests, most of which are good.
fn manifest() -> impl Strategy<Value = Value> {
    let version = (0_u64..20, 0_u64..20, 0_u64..20).prop_map(|(major, minor, patch)| format!("{major}.{minor}.{patch}"));
    let verbs = proptest::sample::subsequence(vec!["resume", "observe", "undo"], 0..=3).prop_map(|mut verbs| {
        verbs.push("apply");
        verbs
    });
    let contract = (word(), verbs, any::<bool>())
        .prop_map(|(name, verbs, idempotent)| json!({"contract": format!("jackfield:order/{name}"), "verbs": verbs, "idempotent": idempotent}));
    let keyvalue = prop_oneof![Just(json!(true)), Just(json!(false)), Just(Value::Null), Just(json!({"why": "x"})), Just(json!(7))];
    let capabilities = (proptest::collection::vec(asked(), 0..4), keyvalue, proptest::collection::vec(asked(), 0..4))
        .prop_map(|(http, keyvalue, config)| json!({"http": http, "keyvalue": keyvalue, "config": config}));
    (word(), version, proptest::collection::vec(contract, 0..4), capabilities, any::<String>()).prop_map(
        |(name, version, contracts, capabilities, vendor)| {
            json!({"name": name, "version": version, "contracts": contracts, "capabilities": capabilities, "vendor": vendor})
        },
    )
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes);
        read(&[EMPTY, &bytes].concat());
        read_manifest(&bytes);
    }

    #[test]
    fn any_manifest_is_answered_and_what_is_good_can_be_packed(manifest in manifest()) {
        let text = manifest.to_string();
        read_manifest(text.as_bytes());
        match (Manifest::parse(text.as_bytes()), pack(EMPTY, text.as_bytes())) {
            (Ok(manifest), Ok(packed)) => {
                prop_assert_eq!(Package::read(&packed, LIMIT).unwrap().manifest, manifest);
                read(&packed);
            }
            (Err(_), Err(_)) => {}
            (parsed, packed) => prop_assert!(false, "{parsed:?} {packed:?}"),
        }
    }

    #[test]
    fn a_good_file_that_was_changed_is_answered(
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0_u8..3), 1..6), number in 0_u8..3,
    ) {
        let contracts = json!([{"contract": "a:b/c", "verbs": ["apply"], "idempotent": true}]);
        let text = json!({"name": "a", "version": "1.0.0", "contracts": contracts}).to_string();
        let mut file = pack(EMPTY, text.as_bytes()).unwrap();
        for seed in 0..number {
            file = sign(&file, &PrivateKey::from_seed([seed; 32])).unwrap();
        }
        for (index, byte, kind) in edits {
            let at = index.index(file.len());
            match kind {
                0 => file[at] = byte,
                1 => file.insert(at, byte),
                _ => drop(file.remove(at)),
            }
        }
        read(&file);
    }

    #[test]
    fn any_schema_and_any_setting_is_answered(schema in any_json(), text in "\\PC{0,40}") {
        let setting = Setting { name: "a".to_owned(), why: None, schema: Some(schema), required: false };
        let contracts = json!([{"contract": "a:b/c", "verbs": ["apply"], "idempotent": true}]);
        let manifest = json!({"name": "a", "version": "1.0.0", "contracts": contracts, "capabilities": {"config": [setting]}});
        let manifest = Manifest::parse(manifest.to_string().as_bytes()).unwrap();
        let good = manifest.check_schemas().is_ok();
        let fits = manifest.check_settings(&[("a".to_owned(), text)].into());
        prop_assert!(good || fits.is_err());
    }
}

/// JSON that looks like a schema here and there.
fn any_json() -> impl Strategy<Value = Value> {
    let keys = prop_oneof![
        Just("type".to_owned()),
        Just("$ref".to_owned()),
        Just("pattern".to_owned()),
        Just("enum".to_owned()),
        Just("items".to_owned()),
        Just("properties".to_owned()),
        Just("minimum".to_owned()),
        Just("anyOf".to_owned()),
        word(),
    ];
    let texts = prop_oneof![Just("string"), Just("object"), Just("#"), Just("(a|b)*"), Just("https://example.com")];
    let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), any::<i32>().prop_map(Value::from), texts.prop_map(Value::from)];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((keys.clone(), inner), 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}
