//! `plugin check`: the whole verdict, before anything is installed. What people read is in `verdict/NAME.txt`, whole.

use end_to_end_tests::runtime::{Core, component, inventory_manifest, order_files};
use expect_test::{ExpectFile, expect_file};
use serde_json::{Value, json};

use crate::{Place, plugin, publisher, signed_by};

/// A check of `plugin.wasm`, as text without what depends on how it was built: sizes and digests.
fn check(place: &Place, arguments: &[&str], code: i32, expected: ExpectFile) {
    let said = place.run(&[&["plugin", "check", "plugin.wasm"], arguments].concat());
    assert_eq!(said.code, Some(code), "{said}");
    let text = if code == 0 { &said.out } else { &said.err };
    let built = |line: &&str| line.starts_with("  ") && line.contains(" bytes, sha256 ");
    let lines: Vec<&str> = text.lines().filter(|line| !built(line)).collect();
    expected.assert_eq(&format!("{}\n", lines.join("\n")));
}

fn place(file: impl AsRef<[u8]>) -> Place {
    let place = Place::new();
    place.write("plugin.wasm", file);
    place
}

/// The inventory contract with these replacements, in a plugin with that manifest.
fn built_from(changes: &[(&str, &str)], imports: &str, manifest: &Value) -> Vec<u8> {
    let mut files = order_files();
    for (present, next) in changes {
        let (_, text) = files.iter_mut().find(|(_, text)| text.contains(present)).unwrap();
        *text = text.replacen(present, next, 1);
    }
    component(&files, &[], imports, Core::Dummy, manifest)
}

#[test]
fn a_good_plugin_is_told_what_to_add() {
    check(&place(plugin(&[("capabilities", asks())])), &[], 0, expect_file!["verdict/good.txt"]);
}

#[test]
fn nothing_stops_at_the_first_problem() {
    let mut manifest = inventory_manifest();
    manifest["contracts"] = json!([
        {"contract": "jackfield:order/inventory", "verbs": ["apply", "observe"], "idempotent": false},
        {"contract": "jackfield:order/billing", "verbs": ["apply"], "idempotent": true},
        {"contract": "acme:tv/tuner", "verbs": ["apply"], "idempotent": true},
    ]);
    manifest["capabilities"] = json!({"config": [{"name": "pools", "schema": {"type": "objekt"}}]});
    let changes = [
        ("    undo: func(call: call, receipt: receipt) -> result<outcome, failure>;", ""),
        ("order: string,", "order: u64,"),
        ("location: option<string>,", "location: string,"),
    ];
    let file = built_from(&changes, "import jackfield:host/keyvalue@1.0.0;", &manifest);
    check(&place(file), &[], 1, expect_file!["verdict/everything.txt"]);
}

#[test]
fn a_plugin_for_the_present_contract_is_compared_with_the_first_one() {
    check(&place(plugin(&[])), &["--against", "1.0.0"], 0, expect_file!["verdict/against_1_0.txt"]);
    check(&place(plugin(&[])), &["--against", "1.7.0"], 1, expect_file!["verdict/against_unknown.txt"]);
    // What the first contract requires and the present one does, too, is missing in both.
    let without = built_from(&[("service: service-spec,", "")], "", &inventory_manifest());
    check(&place(without), &["--against", "1.0.0"], 1, expect_file!["verdict/against_1_0_refused.txt"]);
}

#[test]
fn a_version_that_asks_for_more_comes_with_the_lines_that_grant_it() {
    let newer = plugin(&[("version", json!("1.1.0")), ("capabilities", asks()), ("failure_codes", json!(["full"]))]);
    let place = place(&newer);
    place.write("older.wasm", plugin(&[]));
    check(&place, &["--against", "older.wasm"], 1, expect_file!["verdict/asks_more.txt"]);
    place.write("plugin.wasm", plugin(&[]));
    place.write("newer.wasm", &newer);
    check(&place, &["--against", "newer.wasm"], 1, expect_file!["verdict/downgrade.txt"]);
    check(&place, &["--against", "plugin.wasm"], 0, expect_file!["verdict/same.txt"]);
}

#[test]
fn a_configuration_is_checked_without_a_host() {
    let asking = plugin(&[("capabilities", asks())]);
    let place = Place::trusting(&publisher(1, ""));
    place.write("plugin.wasm", &asking);
    let with_config = ["--config", "jackfield.toml"];
    check(&place, &with_config, 1, expect_file!["verdict/not_granted.txt"]);
    let granted = "[plugins.acme-pool.grant]\nhttp.element = { url = \"http://127.0.0.1:1\" }\nkeyvalue = true\nconfig.ports = \"8\"\n";
    let trusting = std::fs::read_to_string(place.path("jackfield.toml")).unwrap();
    place.write("jackfield.toml", format!("{trusting}{granted}"));
    place.write("plugin.wasm", package::sign(&asking, &crate::key(1)).unwrap());
    check(&place, &with_config, 0, expect_file!["verdict/granted.txt"]);
    place.write("jackfield.toml", format!("{trusting}{granted}").replace("\"8\"", "\"many\""));
    check(&place, &with_config, 1, expect_file!["verdict/wrong_setting.txt"]);
}

#[test]
fn programs_read_the_same_verdict() {
    let place = place(signed_by(1));
    place.write("older.wasm", plugin(&[("capabilities", asks())]));
    let verdict = place.run(&["plugin", "check", "plugin.wasm", "--against", "older.wasm", "--json"]).json();
    assert_eq!((&verdict["good"], &verdict["manifest"]["name"]), (&json!(true), &json!("acme-pool")));
    let contract = &verdict["contracts"][0];
    assert_eq!((&contract["exported"], &contract["host"]), (&json!("jackfield:order/inventory@1.1.0"), &json!("1.1.0")));
    assert_eq!(contract["verbs"][0], json!({"verb": "apply", "exported": true, "works": true}));
    assert_eq!(verdict["upgrade"]["asks_less"], json!(["http.element", "keyvalue", "config.ports"]));
}

/// Something of each kind.
fn asks() -> Value {
    json!({
        "http": [{"name": "element", "why": "configures ports"}],
        "keyvalue": {"why": "remembers which service has which port"},
        "config": [{"name": "ports", "why": "how many there are", "schema": {"type": "integer"}, "required": true}],
    })
}
