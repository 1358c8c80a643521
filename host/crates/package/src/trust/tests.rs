//! Each way in which a file is taken or refused, with the words that say so.

use pipeline::Timestamp;
use semver::Version;
use serde_json::{Value, json};

use super::*;
use crate::{
    key::PrivateKey,
    pack::pack,
    read::Package,
    signature::{sign, unsign},
};

/// 2027-01-01.
const NOW: Timestamp = Timestamp(1_798_761_600_000_000);

fn key(number: u8) -> PrivateKey {
    PrivateKey::from_seed([number; 32])
}

fn component(name: &str, version: &str, code: &str) -> Vec<u8> {
    let contracts = json!([{"contract": "jackfield:order/inventory@1", "verbs": ["apply"], "idempotent": true}]);
    let manifest = json!({"name": name, "version": version, "contracts": contracts});
    pack(&wat::parse_str(format!("(component (@custom \"code\" \"{code}\"))")).unwrap(), manifest.to_string().as_bytes()).unwrap()
}

fn pool(keys: &[PrivateKey]) -> Vec<u8> {
    keys.iter().fold(component("acme-pool", "1.1.0", "x"), |file, key| sign(&file, key).unwrap())
}

/// A trust list in which `acme` has key 1, with changes.
fn list(change: &Value, publisher: &Value) -> TrustList {
    let mut options = json!({"publishers": {"acme": {"key": key(1).public(), "plugins": ["acme-*"]}}});
    for (field, value) in change.as_object().unwrap() {
        options[field] = value.clone();
    }
    for (field, value) in publisher.as_object().unwrap() {
        options["publishers"]["acme"][field] = value.clone();
    }
    TrustList::new(serde_json::from_value(options).unwrap()).unwrap()
}

fn answer(list: &TrustList, file: &[u8], newest: Option<&str>) -> String {
    let package = match Package::read(file, 1 << 20) {
        Ok(package) => package,
        Err(error) => return format!("{}: {error}", error.code()),
    };
    let newest = newest.map(|version| Version::parse(version).unwrap());
    match list.admit(&Question { package: &package, now: Some(Instant::of(NOW)), newest: newest.as_ref() }) {
        Ok(Admission { publisher, signers }) => format!("by {} of {}", publisher.as_deref().unwrap_or("nobody"), signers.len()),
        Err(refusal) => format!("{}: {refusal}", refusal.code()),
    }
}

fn check(list: &TrustList, file: &[u8], expected: &str) {
    let found = answer(list, file, None);
    assert!(found.starts_with(expected), "expected: {expected}\nfound: {found}");
}

#[test]
fn a_signature_of_a_trusted_publisher_is_what_counts() {
    let strict = list(&json!({}), &json!({}));
    check(&strict, &pool(&[key(1)]), "by acme of 1");
    check(&strict, &pool(&[key(2), key(1), key(3)]), "by acme of 3");
    check(
        &strict,
        &pool(&[]),
        "unsigned: it is not signed: expected the signature of a publisher in [trust.publishers]; for development, `allow_unsigned = true`",
    );
    let stranger = key(2).public();
    check(
        &strict,
        &pool(&[key(2)]),
        &format!(
            "unknown_key: nobody who is trusted has signed it:\n  {stranger}: no publisher in [trust.publishers] has this key\n\
             to trust this key, add to the configuration:\n[trust.publishers.NAME]\nkey = \"{stranger}\"\nplugins = [\"acme-pool\"]"
        ),
    );
    let open = list(&json!({"allow_unsigned": true}), &json!({}));
    check(&open, &pool(&[]), "by nobody of 0");
    check(&open, &pool(&[key(2)]), "by nobody of 1");
    check(&open, &pool(&[key(1)]), "by acme of 1");
}

#[test]
fn a_publisher_is_trusted_with_what_the_list_says() {
    let signed = pool(&[key(1)]);
    check(&list(&json!({}), &json!({"plugins": ["acme-pool"], "contracts": ["jackfield:order/*"]})), &signed, "by acme");
    check(&list(&json!({}), &json!({"contracts": ["jackfield:order/inventory@1"]})), &signed, "by acme");
    check(
        &list(&json!({}), &json!({"plugins": ["other", "acme-b*"]})),
        &signed,
        &format!(
            "plugin_not_allowed: nobody who is trusted has signed it:\n  {}: publisher `acme` may sign plugins named `other`, `acme-b*` only",
            key(1).public()
        ),
    );
    let contracts = "plugins of publisher `acme` may answer contracts `jackfield:order/billing` only, not `jackfield:order/inventory@1`";
    let found = answer(&list(&json!({}), &json!({"contracts": ["jackfield:order/billing"]})), &signed, None);
    assert!(found.starts_with("contract_not_allowed: ") && found.contains(contracts), "{found}");
}

#[test]
fn a_key_counts_from_its_first_to_its_last_day_and_what_is_pinned_is_loaded_for_ever() {
    let signed = pool(&[key(1)]);
    check(&list(&json!({}), &json!({"not_before": "2027-01-01", "expires": "2027-01-02"})), &signed, "by acme");
    let expired = list(&json!({}), &json!({"expires": "2027-01-01"}));
    let found = answer(&expired, &signed, None);
    assert!(found.starts_with("expired_key: ") && found.contains("the key of publisher `acme` expired at 2027-01-01T00:00:00Z"), "{found}");
    let found = answer(&list(&json!({}), &json!({"not_before": "2027-01-01T00:00:01Z"})), &signed, None);
    assert!(found.starts_with("key_not_valid_yet: ") && found.contains("is trusted from 2027-01-01T00:00:01Z on"), "{found}");

    let package = Package::read(&signed, 1 << 20).unwrap();
    assert_eq!(expired.admit(&Question { package: &package, now: None, newest: None }).unwrap().publisher.as_deref(), Some("acme"));
    assert_eq!(expired.admit_pinned(&package), Ok(()));
    assert_eq!(list(&json!({"publishers": {}}), &json!({"key": key(9).public(), "plugins": ["*"]})).admit_pinned(&package), Ok(()));
}

#[test]
fn what_was_taken_back_is_neither_installed_nor_loaded() {
    let signed = pool(&[key(1)]);
    let package = Package::read(&signed, 1 << 20).unwrap();
    for allow_unsigned in [false, true] {
        for digest in [&package.digest, &package.content_digest] {
            let revoked = list(&json!({"revoked_digests": [digest], "allow_unsigned": allow_unsigned}), &json!({}));
            check(&revoked, &signed, &format!("revoked_digest: its digest {digest} is in [trust] revoked_digests"));
            assert!(matches!(revoked.admit_pinned(&package), Err(Refusal::RevokedDigest { .. })));
        }
        let key = key(1).public();
        let revoked = list(&json!({"revoked_keys": [key], "allow_unsigned": allow_unsigned}), &json!({}));
        check(
            &revoked,
            &signed,
            &format!("revoked_key: it was signed by {key}, which is in [trust] revoked_keys, and by nobody else who is trusted"),
        );
        assert_eq!(revoked.admit_pinned(&package), Err(Refusal::RevokedKey { key }));
    }
    // The digest of what is signed holds, whoever adds a signature.
    let revoked = list(&json!({"revoked_digests": [package.content_digest]}), &json!({}));
    check(&revoked, &sign(&signed, &key(2)).unwrap(), "revoked_digest: ");
    // Somebody else who is trusted vouches for it.
    let second = json!({"revoked_keys": [key(2).public()]});
    check(&list(&second, &json!({})), &pool(&[key(1), key(2)]), "by acme of 2");
    assert_eq!(list(&second, &json!({})).admit_pinned(&Package::read(&pool(&[key(1), key(2)]), 1 << 20).unwrap()), Ok(()));
}

#[test]
fn nothing_older_than_the_newest_is_taken() {
    let strict = list(&json!({}), &json!({}));
    let signed = pool(&[key(1)]);
    for newest in ["1.0.0", "1.1.0", "1.1.0-rc.1", "1.1.0+build.7"] {
        assert_eq!(answer(&strict, &signed, Some(newest)), "by acme of 1", "{newest}");
    }
    for newest in ["1.1.1", "2.0.0", "1.2.0-alpha"] {
        let found = answer(&strict, &signed, Some(newest));
        let expected = format!(
            "downgrade: acme-pool 1.1.0 is older than {newest}, the newest version that was installed: an old version may have known holes; \
             if you want to go back, say so with `allow_downgrade = true` in [plugins.acme-pool]"
        );
        assert_eq!(found, expected);
    }
    let (package, newest) = (Package::read(&signed, 1 << 20).unwrap(), "1.2.0".parse().unwrap());
    let refusal = strict.admit(&Question { package: &package, now: None, newest: Some(&newest) }).unwrap_err().of_command().to_string();
    assert!(refusal.ends_with("say so with `jackfield plugin install --allow-downgrade` (at the API: `allow_downgrade=true`)"), "{refusal}");
}

#[test]
fn a_signature_fits_one_manifest_on_one_code() {
    let strict = list(&json!({}), &json!({}));
    let signed = pool(&[key(1)]);
    let signature = &signed[unsign(&signed).unwrap().len()..];
    let other_code = [&component("acme-pool", "1.1.0", "y")[..], signature].concat();
    let other_manifest = [&component("acme-pool", "1.2.0", "x")[..], signature].concat();
    for replayed in [other_code, other_manifest] {
        let expected = format!(
            "broken_signature: the signature by {} does not fit the file: a byte of the component, its manifest or the signature is not what it was when \
             it was signed, or the manifest belongs to other code",
            key(1).public()
        );
        check(&strict, &replayed, &expected);
        check(&list(&json!({"allow_unsigned": true}), &json!({})), &replayed, "broken_signature: ");
    }
}

#[test]
fn a_trust_list_that_cannot_be_meant_is_refused() {
    let refused = |text: &str, expected: &str| {
        let found = toml::from_str::<TrustOptions>(text).map_err(|error| error.message().to_owned());
        let found = found.and_then(|options| TrustList::new(options).map_err(|error| error.to_string())).unwrap_err();
        assert!(found.contains(expected), "expected: {expected}\nfound: {found}");
    };
    let key_line = format!("key = \"{}\"", key(1).public());
    let acme = |rest: &str| format!("[publishers.acme]\n{key_line}\n{rest}");
    refused(&acme(""), "missing field `plugins`");
    refused(&acme("plugins = []"), "trust.publishers.acme.plugins is empty: the publisher is trusted with nothing");
    refused(&acme("plugins = [\"A\"]"), "`A` is no pattern");
    refused(&acme("plugins = [\"*\"]\nexpires = \"soon\""), "`soon` is no date: expected one such as \"2027-06-30\"");
    refused(
        &acme("plugins = [\"*\"]\nnot_before = \"2027-01-02\"\nexpires = \"2027-01-01\""),
        "trust.publishers.acme.expires is 2027-01-01T00:00:00Z, which is not after not_before (2027-01-02T00:00:00Z)",
    );
    refused(&acme("plugins = [\"*\"]\nexpire = \"2027-01-01\""), "unknown field `expire`");
    refused("[publishers.acme]\nkey = \"abc\"\nplugins = [\"*\"]", "this is no public key: expected `ed25519:` and 64 hexadecimal digits");
    refused(&format!("revoked_keys = [\"{}\"]", key(1).to_text()), "this is a private key, which belongs nowhere but in its own file");
    refused("revoked_digests = [\"abc\"]", "digest `abc` is not valid");
    refused("allow_unsinged = true", "unknown field `allow_unsinged`");
}
