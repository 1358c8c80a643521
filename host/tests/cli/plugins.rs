//! Plugin files that cannot be used, at `plugin check` and at the start of a host; and `plugin pack`, `plugin call`.

use serde_json::{Value, json};

use crate::{
    component::{catalog, manifest},
    support::Place,
};

const PLUGIN: &str = "[plugins.tester]\npath = \"plugin.wasm\"\n";

/// A file that is refused by the check and by a host that is told to use it.
fn refused(bytes: &[u8], expected: &str) {
    let place = Place::with(PLUGIN);
    place.write("plugin.wasm", bytes);
    place.run(&["plugin", "check", "plugin.wasm"]).bad(1, &["jackfield: plugin.wasm: ", expected]);
    place.run(&["serve"]).bad(1, &["plugins.tester: ", expected]);
}

/// A place with the component, packed with a manifest.
fn packed(config: &str, change: &Value) -> Place {
    let place = Place::with(config);
    place.write("bare.wasm", catalog());
    place.write("manifest.json", manifest(change));
    place.run(&["plugin", "pack", "bare.wasm", "--manifest", "manifest.json", "-o", "plugin.wasm"]).good();
    place
}

#[test]
fn a_file_that_is_no_component_is_refused() {
    refused(b"PK\x03\x04", "the file is not webassembly: it begins with 50 4b 03 04, expected 00 61 73 6d");
    refused(b"", "the file is not webassembly: it begins with nothing");
    refused(b"\0asm\x01\0\0\0", "the file is a core module, expected a component: build it with --target wasm32-wasip2");
    let whole = catalog();
    refused(&whole[..whole.len() / 2], "the component is damaged at byte ");
    refused(&whole, "the component has no manifest: expected JSON in exactly one custom section `jackfield.manifest`, found 0");
}

#[test]
fn a_contract_that_is_not_known_or_not_complete_is_refused() {
    let check = |change: Value, expected: &str| {
        let place = packed(PLUGIN, &change);
        place.run(&["plugin", "check", "plugin.wasm"]).bad(1, &[expected]);
        place.run(&["serve"]).bad(1, &["plugins.tester: ", expected]);
    };
    let contract = |name: &str| json!({"contracts": [{"contract": name, "verbs": ["apply"], "idempotent": true}]});
    check(contract("acme:test/work"), "contract `acme:test/work` is not known to this host, expected one of: jackfield:cpe/configuration@1.0.0");
    check(
        contract("jackfield:order/billing"),
        "the manifest lists `jackfield:order/billing` but the component does not export it; its exports are: jackfield:order/catalog@1.1.0",
    );
}

#[test]
fn a_contract_without_all_its_functions_is_refused() {
    let place = Place::new();
    let wat = r#"(component (instance $empty) (export "jackfield:order/inventory@1.1.0" (instance $empty)))"#;
    place.write("bare.wasm", wat::parse_str(wat).unwrap());
    let contracts = json!([{"contract": "jackfield:order/inventory", "verbs": ["apply"], "idempotent": true}]);
    place.write("manifest.json", manifest(&json!({"contracts": contracts})));
    place.run(&["plugin", "pack", "bare.wasm", "--manifest", "manifest.json", "-o", "plugin.wasm"]).good();
    let expected = [
        "`jackfield:order/inventory@1.1.0` does not go together with version 1.1.0 of this host:",
        "apply: the function is missing",
        "undo: the function is missing",
    ];
    place.run(&["plugin", "check", "plugin.wasm"]).bad(1, &expected);
    place.write("jackfield.toml", format!("[http]\nlisten = \"127.0.0.1:0\"\n[trust]\nallow_unsigned = true\n{PLUGIN}"));
    place.run(&["serve"]).bad(1, &[&["plugins.tester: "], expected.as_slice()].concat());
}

#[test]
fn a_plugin_that_is_no_file_or_another_plugin_is_refused() {
    let place = Place::with(PLUGIN);
    place.run(&["plugin", "check", "plugin.wasm"]).bad(1, &["plugin.wasm cannot be read: No such file"]);
    place.run(&["serve"]).bad(1, &["plugins.tester.path: ", "plugin.wasm cannot be read: No such file"]);
    std::fs::create_dir(place.path("plugin.wasm")).unwrap();
    place.run(&["plugin", "check", "plugin.wasm"]).bad(1, &["plugin.wasm cannot be read: Is a directory"]);
    place.run(&["serve"]).bad(1, &["plugins.tester.path: ", "plugin.wasm cannot be read: Is a directory"]);
    packed(PLUGIN, &json!({"name": "other"})).run(&["serve"]).bad(1, &["plugins.tester: ", "says that its name is `other`"]);
    let two = "[plugins.tester]\npath = \"plugin.wasm\"\n[bindings]\n\"jackfield:order/billing@1\" = \"tester\"\n";
    packed(two, &json!({}))
        .run(&["serve"])
        .bad(1, &["bindings.\"jackfield:order/billing@1\" names plugin `tester`, which does not answer it; it answers jackfield:order/catalog@1"]);
}

#[test]
fn a_manifest_that_cannot_be_used_is_not_packed() {
    let place = Place::new();
    place.write("bare.wasm", catalog());
    let contracts = json!([{"contract": "jackfield:order/catalog", "verbs": ["undo"], "idempotent": true}]);
    place.write("manifest.json", manifest(&json!({"contracts": contracts})));
    let pack = ["plugin", "pack", "bare.wasm", "--manifest", "manifest.json", "-o", "plugin.wasm"];
    place.run(&pack).bad(1, &["manifest.json: manifest.contracts[0].verbs: `apply` is missing: every contract has it"]);
    assert!(!place.path("plugin.wasm").exists());
}

#[test]
fn a_capability_that_is_not_granted_is_named_with_the_line_to_add() {
    let asks = json!({"capabilities": {"http": ["element"], "keyvalue": true, "config": []}});
    let endpoint =
        "the plugin asks for the HTTP endpoint `element`, which is not granted; to grant it, add to the configuration:\nhttp.element = { url = ";
    packed(PLUGIN, &asks).run(&["serve"]).bad(1, &["plugins.tester: ", endpoint]);

    let some = format!("{PLUGIN}[plugins.tester.grant]\nhttp.element = {{ url = \"http://127.0.0.1:1\" }}\n");
    packed(&some, &asks).run(&["serve"]).bad(1, &["the plugin asks for the key-value store, which is not granted", "keyvalue = true"]);

    let place = packed("", &asks);
    let shown = place.run(&["plugin", "check", "plugin.wasm"]).good();
    for line in ["[plugins.tester.grant]", "http.element = { url = ", "keyvalue = true"] {
        assert!(shown.contains(line), "{shown}");
    }
}

#[test]
fn a_secret_that_is_missing_is_named_with_its_place() {
    let grant = "[plugins.tester.grant.http.element]\nurl = \"http://127.0.0.1:1\"\nauth = { bearer = \"env:JACKFIELD_TEST_NO_SUCH_SECRET\" }\n";
    let asks = json!({"capabilities": {"http": ["element"]}});
    let expected = "grant.http.element.auth.bearer: the environment has no variable `JACKFIELD_TEST_NO_SUCH_SECRET`";
    packed(&format!("{PLUGIN}{grant}"), &asks).run(&["serve"]).bad(1, &["plugins.tester: ", expected]);
}

#[test]
fn a_call_prints_its_outcome_and_its_span() {
    let place = packed(PLUGIN, &json!({}));
    let request = r#"{"offering": "x", "action": "add", "quantity": 1, "characteristics": []}"#;
    let ran = place.run(&["plugin", "call", "plugin.wasm", "--input", request]);
    // The component of this test does nothing but trap.
    let outcome: Value = serde_json::from_str(&ran.out()).unwrap();
    assert_eq!((&outcome["outcome"], &outcome["error_type"]), (&json!("failed"), &json!("plugin.trap")));
    for part in ["plugin.call tester/apply", "outcome  failed", "error    plugin.trap", "cpu      ", "memory   65536 bytes at most"] {
        assert!(ran.err().contains(part), "expected: {part}\nfound: {}", ran.err());
    }
    place.write("request.json", request);
    let whole: Value = serde_json::from_str(
        &place.run(&["plugin", "call", "plugin.wasm", "--config", "jackfield.toml", "--input", "@request.json", "--json"]).out(),
    )
    .unwrap();
    assert_eq!(whole["span"]["error.type"], "plugin.trap");

    place.run(&["plugin", "call", "plugin.wasm", "--input", "{"]).bad(1, &["--input is not JSON: expected JSON or @FILE"]);
    place.run(&["plugin", "call", "plugin.wasm", "--input", "{}", "--contract", "catalog"]).bad(2, &["--contract: contract `catalog` is not valid"]);
}

#[test]
fn a_new_plugin_takes_the_sdk_of_the_source_tree_it_is_in_and_otherwise_the_published_one() {
    let place = Place::new();
    let made = |path: &std::path::Path| std::fs::read_to_string(path.join("Cargo.toml")).unwrap();
    let outside = place.path("outside");
    place.run(&["plugin", "new", "acme-bill", "--contract", "billing", "--path", outside.to_str().unwrap()]).good();
    assert!(made(&outside).contains("jackfield-plugin-sdk = \"0.1.0\"\n"), "{}", made(&outside));
    place
        .run(&["plugin", "new", "acme-bill", "--contract", "billing", "--path", "outside"])
        .bad(1, &["outside exists already: name another directory with --path"]);
    place
        .run(&["plugin", "new", "acme-bill", "--contract", "billing", "--sdk", "outside"])
        .bad(1, &["--sdk: outside does not hold the crate jackfield-plugin-sdk"]);

    let target = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let inside = target.path().join("inside");
    place.run(&["plugin", "new", "acme-bill", "--contract", "billing", "--path", inside.to_str().unwrap()]).good();
    assert!(made(&inside).contains("plugin-sdk' }\n"), "{}", made(&inside));
    let lib = std::fs::read_to_string(inside.join("src/lib.rs")).unwrap();
    assert!(lib.contains("name: \"acme-bill\",") && !lib.contains("plugin-name"));
}
