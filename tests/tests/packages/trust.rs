//! Whom an operator trusts: what `plugin verify` says is what a host does.

use end_to_end_tests::{
    harness::{Setup, plugin as built},
    runtime::{Core, component, inventory_manifest, order_files},
};
use package::sign;
use serde_json::{Value, json};

use crate::{Place, key, plugin, public, publisher, signed_by};

#[test]
fn a_file_that_nobody_has_signed_is_taken_by_a_switch_only() {
    let place = Place::trusting("");
    place.refuses(plugin(&[]), &["it is refused (unsigned): it is not signed", "`allow_unsigned = true` in [trust] takes it"]);
    let place = Place::trusting("[trust]\nallow_unsigned = true");
    place.write("plugin.wasm", plugin(&[]));
    place.verify().good(&["acme-pool 1.0.0: it is taken, but only because of `allow_unsigned = true` in [trust]", "not signed"]);
}

#[test]
fn a_key_that_nobody_trusts_comes_with_the_lines_that_trust_it() {
    let lines = format!("[trust.publishers.NAME]\nkey = \"{}\"\nplugins = [\"acme-pool\"]", public(2));
    let place = Place::trusting(&publisher(1, ""));
    place.refuses(signed_by(2), &["it is refused (unknown_key): nobody who is trusted has signed it", &lines]);
    // Whoever follows the advice is served.
    let place = Place::trusting(&lines);
    place.write("plugin.wasm", signed_by(2));
    place.verify().good(&["it is taken, publisher `NAME` vouches for it"]);
}

#[test]
fn a_key_counts_for_its_plugins_its_contracts_and_its_time() {
    let refuses = |trust: &str, parts: &[&str]| Place::trusting(trust).refuses(signed_by(1), parts);
    refuses(&publisher(1, "").replace("acme-*", "other-*"), &["(plugin_not_allowed)", "may sign plugins named `other-*` only"]);
    refuses(&publisher(1, "contracts = [\"jackfield:order/billing\"]"), &["(contract_not_allowed)", "not `jackfield:order/inventory@1`"]);
    refuses(&publisher(1, "expires = \"2020-01-01\""), &["(expired_key)", "the key of publisher `acme` expired at 2020-01-01T00:00:00Z"]);
    refuses(&publisher(1, "not_before = \"9000-01-01\""), &["(key_not_valid_yet)", "is trusted from 9000-01-01T00:00:00Z on"]);
}

#[test]
fn what_was_taken_back_is_refused_also_where_unsigned_files_are_taken() {
    let revoked_key = format!("[trust]\nallow_unsigned = true\nrevoked_keys = [\"{}\"]\n", public(1));
    Place::trusting(&revoked_key).refuses(signed_by(1), &["(revoked_key)", &public(1).to_string(), "[trust] revoked_keys"]);
    // Whoever signs it.
    let content = package::digest_of(&plugin(&[]));
    let revoked_digest = format!("[trust]\nallow_unsigned = true\nrevoked_digests = [\"{content}\"]\n");
    for file in [plugin(&[]), signed_by(1), signed_by(2)] {
        Place::trusting(&revoked_digest).refuses(file, &["(revoked_digest)", &content.to_string()]);
    }
}

#[test]
fn an_old_manifest_or_an_old_signature_on_other_code_is_refused() {
    let mut manifest = inventory_manifest();
    manifest["version"] = json!("1.1.0");
    let other_code = component(&order_files(), &[], "import jackfield:host/config@1.0.0;", Core::Dummy, &manifest);
    let (old, new) = (signed_by(1), sign(&other_code, &key(1)).unwrap());
    let content = |file: &[u8]| package::unsign(file).unwrap().len();
    let place = Place::trusting(&publisher(1, ""));
    for (bytes, signature) in [(&new, &old), (&old, &new)] {
        let replayed = [&bytes[..content(bytes)], &signature[content(signature)..]].concat();
        place.refuses(replayed, &["the signature by", "does not fit the file", "the manifest belongs to other code"]);
    }
    // The code of one version under the manifest of another, with the signature of either.
    let mixed = package::pack(&new, inventory_manifest().to_string().as_bytes()).unwrap();
    for signature in [&old, &new] {
        place.refuses([&mixed[..], &signature[content(signature)..]].concat(), &["does not fit the file"]);
    }
}

#[test]
fn nothing_older_than_what_was_there_is_taken() {
    let place = Place::trusting(&publisher(1, ""));
    place.write("plugin.wasm", signed_by(1));
    let verify = |newest: &str| place.run(&["plugin", "verify", "plugin.wasm", "--config", "jackfield.toml", "--newest", newest]);
    verify("1.0.0").good(&["it is taken"]);
    verify("1.0.1").bad(1, &["(downgrade)", "acme-pool 1.0.0 is older than 1.0.1", "`allow_downgrade = true` in [plugins.acme-pool]"]);
    verify("new").bad(2, &["--newest"]);
}

#[test]
fn a_host_takes_a_step_back_only_where_the_operator_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("plugin.wasm");
    let put = |version: &str| std::fs::write(&file, sign(&plugin(&[("version", json!(version))]), &key(1)).unwrap()).unwrap();
    put("1.1.0");
    let mut host = Setup::default().trust(&publisher(1, "")).plugin("acme-pool", Value::Null).instead("acme-pool", &file).start();
    assert_eq!(host.terminate(), Some(0));
    put("1.0.0");
    let serve = ["serve", "--config", "jackfield.toml"];
    host.type_in(&serve).bad(1, &["plugins.acme-pool: it is refused (downgrade): acme-pool 1.0.0 is older than 1.1.0", "`allow_downgrade = true`"]);
    let config = host.directory().join("jackfield.toml");
    let text = std::fs::read_to_string(&config).unwrap().replace("[plugins.acme-pool]\n", "[plugins.acme-pool]\nallow_downgrade = true\n");
    std::fs::write(&config, text).unwrap();
    host.restart();
    assert_eq!(health(&host), "refused");
}

#[test]
fn a_host_says_whether_it_takes_unsigned_files_and_goes_on_with_an_expired_key() {
    let mut host = Setup::default().plugin("noop", Value::Null).start();
    assert_eq!(health(&host), "allowed");
    assert!(host.log().contains("`allow_unsigned = true` in [trust] is a switch for development"), "{}", host.log());
    assert_eq!(host.terminate(), Some(0));

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("noop.wasm");
    std::fs::write(&file, sign(&std::fs::read(built("noop")).unwrap(), &key(1)).unwrap()).unwrap();
    let trust = publisher(1, "").replace("acme-*", "noop");
    let mut host = Setup::default().trust(&trust).plugin("noop", Value::Null).instead("noop", &file).start();
    assert_eq!(health(&host), "refused");
    assert!(!host.log().contains("allow_unsigned"), "{}", host.log());
    assert_eq!(host.terminate(), Some(0));
    // The time of the key is over: what is installed goes on, and the same file cannot be installed anew.
    let config = host.directory().join("jackfield.toml");
    let text = std::fs::read_to_string(&config).unwrap().replace("plugins = [\"noop\"]", "plugins = [\"noop\"]\nexpires = \"2020-01-01\"");
    std::fs::write(&config, text).unwrap();
    host.restart();
    assert_eq!(health(&host), "refused");
    assert_eq!(host.terminate(), Some(0));
    std::fs::remove_dir_all(host.directory().join("jackfield-data")).unwrap();
    host.type_in(&["serve", "--config", "jackfield.toml"]).bad(1, &["plugins.noop: it is refused (expired_key)"]);
}

fn health(host: &end_to_end_tests::harness::Host) -> Value {
    serde_json::from_str::<Value>(&host.text("/healthz")).unwrap()["unsigned_plugins"].clone()
}
