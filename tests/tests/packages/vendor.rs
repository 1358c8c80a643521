//! What a vendor types: a key, a signature, a look at the result.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::{Place, plugin};

#[test]
fn a_plugin_is_keyed_signed_inspected_and_verified() {
    let place = Place::new();
    place.write("bare.wasm", plugin(&[]));
    let made = place.run(&["plugin", "keygen", "acme", "--json"]).json();
    assert_eq!(std::fs::metadata(place.path("acme.key")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(place.path("acme.pub")).unwrap().trim_end(), made["key"]);
    let signed = place.run(&["plugin", "sign", "bare.wasm", "--key", "acme.key", "-o", "acme.wasm"]);
    signed.good(&["signed acme-pool 1.0.0 with ", made["key"].as_str().unwrap(), "wrote acme.wasm"]);

    let (bare, inspected) = (inspect(&place, "bare.wasm"), inspect(&place, "acme.wasm"));
    assert_eq!(inspected["signers"], json!([{"key": made["key"], "fits": true}]));
    assert_eq!((&inspected["manifest"], &inspected["content_digest"]), (&bare["manifest"], &bare["digest"]));
    assert_ne!(inspected["digest"], bare["digest"]);
    place.run(&["plugin", "inspect", "bare.wasm"]).good(&[
        "acme-pool 1.0.0 by Acme",
        "not signed",
        "apply, resume, observe, undo; apply may be repeated",
    ]);

    let verified = place.run(&["plugin", "verify", "acme.wasm", "--key", "acme.pub", "--json"]).json();
    assert_eq!((&verified["taken"], &verified["publisher"], &verified["digest"]), (&json!(true), &json!("acme"), &inspected["digest"]));
    place.run(&["plugin", "verify", "bare.wasm", "--key", "acme.pub"]).bad(1, &["bare.wasm: it is refused (unsigned)"]);
    let refused = place.run(&["plugin", "verify", "bare.wasm", "--key", "acme.pub", "--json"]);
    assert_eq!((refused.code, &serde_json::from_str::<Value>(&refused.out).unwrap()["code"]), (Some(1), &json!("unsigned")));

    // Signing again is signing once; a second key stands beside the first; packing takes both away and says so.
    place.run(&["plugin", "sign", "acme.wasm", "--key", "acme.key", "-o", "again.wasm"]).good(&[]);
    assert_eq!(std::fs::read(place.path("again.wasm")).unwrap(), std::fs::read(place.path("acme.wasm")).unwrap());
    place.run(&["plugin", "keygen", "shop"]).good(&["wrote shop.key", "[trust.publishers.shop]\nkey = \"ed25519:"]);
    place.run(&["plugin", "sign", "acme.wasm", "--key", "shop.key", "-o", "acme.wasm"]).good(&[]);
    assert_eq!(inspect(&place, "acme.wasm")["signers"].as_array().unwrap().len(), 2);
    place.write("manifest.json", bare["manifest"].to_string());
    let packed = place.run(&["plugin", "pack", "acme.wasm", "--manifest", "manifest.json", "-o", "packed.wasm"]);
    packed.good(&["wrote acme-pool 1.0.0", "its 2 signatures are gone, because they were over other bytes"]);
    assert_eq!(inspect(&place, "packed.wasm")["signers"], json!([]));
}

#[test]
fn a_key_is_neither_written_over_nor_taken_for_another() {
    let place = Place::new();
    place.write("bare.wasm", plugin(&[]));
    place.run(&["plugin", "keygen", "acme"]).good(&[]);
    let key = std::fs::read_to_string(place.path("acme.key")).unwrap();
    place.run(&["plugin", "keygen", "acme"]).bad(5, &["acme.key exists already"]);
    std::fs::remove_file(place.path("acme.key")).unwrap();
    place.run(&["plugin", "keygen", "acme"]).bad(5, &["acme.pub exists already"]);
    assert!(!place.path("acme.key").exists());
    place.run(&["plugin", "keygen", "Acme Inc"]).bad(2, &["`Acme Inc` cannot be the name of a key"]);
    place.run(&["plugin", "keygen", "absent/acme"]).bad(1, &["absent/acme.key cannot be written"]);

    place.write("acme.key", &key);
    let sign = |key: &str| place.run(&["plugin", "sign", "bare.wasm", "--key", key, "-o", "out.wasm"]);
    sign("acme.key").good(&[]);
    assert!(sign("acme.key").err.contains("acme.key can be read by others (mode 644): chmod 600 it"));
    sign("acme.pub").bad(1, &["acme.pub: this is no private key"]);
    sign("absent.key").bad(1, &["absent.key cannot be read"]);
    // A private key in the wrong place is not printed.
    let wrong = place.run(&["plugin", "verify", "out.wasm", "--key", "acme.key"]);
    wrong.bad(1, &["acme.key: this is a private key"]);
    assert!(!wrong.err.contains(key.trim_end()) && !wrong.out.contains(key.trim_end()));
    place.run(&["plugin", "verify", "out.wasm"]).bad(2, &["--config"]);
    place.write("note.wasm", "hello");
    for verb in ["inspect", "check"] {
        place.run(&["plugin", verb, "note.wasm"]).bad(1, &["note.wasm: the file is not webassembly: it begins with 68 65 6c 6c"]);
    }
}

#[test]
fn every_shipped_plugin_says_why_it_asks() {
    let folders = std::fs::read_dir(crate::root().join("plugins")).unwrap();
    let names: Vec<String> = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        let file = end_to_end_tests::harness::plugin(&name);
        let inspected = inspect(&Place::new(), file.to_str().unwrap());
        for ask in inspected["asks"].as_array().unwrap() {
            assert!(ask["why"].is_string(), "{name}: {ask}");
        }
        assert!(inspected["manifest"]["telemetry"].is_object(), "{name}");
    }
}

fn inspect(place: &Place, file: &str) -> Value {
    place.run(&["plugin", "inspect", file, "--json"]).json()
}

/// `host/docs/ship-a-plugin.md`, followed to the letter.
#[test]
fn the_vendor_s_page_works_as_described() {
    let page = std::fs::read_to_string(crate::root().join("host/docs/ship-a-plugin.md")).unwrap();
    let blocks: Vec<&str> = page.split("```").skip(1).step_by(2).map(|block| block.strip_prefix("sh\n").expect("commands only")).collect();
    assert_eq!(blocks.len(), 6);
    let place = Place::new();
    place.write("acme-offerings.wasm", plugin(&[]));
    let binaries = end_to_end_tests::harness::binary("jackfield");
    let script = format!("set -eu\nexport PATH=\"{}:$PATH\"\n{}", binaries.parent().unwrap().display(), blocks.concat());
    let output = std::process::Command::new("sh").args(["-c", &script]).current_dir(place.path("")).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    for part in [
        "acme-pool 1.0.0 by Acme: good",
        "version 1.0.0 of the contract",
        "publisher `acme` vouches for it",
        "nothing that a manifest says has changed",
    ] {
        assert!(out.contains(part), "missing: {part}\n{out}\n{err}");
    }
}
