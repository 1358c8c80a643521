//! Plugins that are refused when they are loaded: what they import, what they ask for, what the operator granted.

use std::fs;

use end_to_end_tests::{
    harness,
    runtime::{Bench, Core, component, inventory_manifest, order_files},
};
use expect_test::{Expect, expect};
use plugin_runtime::Grant;
use serde_json::json;

use crate::{element::Element, grant, options};

async fn refused(bytes: Vec<u8>, grant: &Grant, expected: Expect) {
    let bench = Bench::new(options());
    let error = bench.load(bytes, grant).await.unwrap_err();
    expected.assert_eq(&error.to_string());
    assert!(bench.runner.plugins().all().is_empty());
}

fn importing(package: &[&str], import: &str) -> Vec<u8> {
    component(&order_files(), package, &format!("import {import};"), Core::Dummy, &inventory_manifest())
}

#[tokio::test]
async fn an_import_that_the_manifest_does_not_ask_for_is_refused_with_its_name_and_the_line_to_add() {
    let bytes = importing(&[], "jackfield:host/keyvalue@1.0.0");
    refused(
        bytes,
        &Grant { keyvalue: true, ..Grant::default() },
        expect!["the component imports `jackfield:host/keyvalue@1.0.0`, which its manifest does not ask for: set `capabilities.keyvalue` to true"],
    )
    .await;
}

#[tokio::test]
async fn an_import_that_nobody_offers_is_refused_with_its_name() {
    let vault = "package acme:vault@1.0.0;\ninterface secrets { open: func(name: string) -> string; }";
    refused(
        importing(&[vault], "acme:vault/secrets@1.0.0"),
        &Grant::default(),
        expect!["the component imports `acme:vault/secrets@1.0.0`, which this host does not offer"],
    )
    .await;
    let sockets = "package wasi:sockets@0.2.12;\ninterface udp { send: func(to: string); }";
    refused(
        importing(&[sockets], "wasi:sockets/udp@0.2.12"),
        &Grant::default(),
        expect!["the component imports `wasi:sockets/udp@0.2.12`, which its manifest does not ask for: use wasi:http/outgoing-handler, or say in `capabilities.tcp` what it opens connections for"],
    )
    .await;
}

#[tokio::test]
async fn a_capability_that_the_operator_did_not_grant_is_refused_with_the_line_that_grants_it() {
    let element = Element::start();
    let bytes = fs::read(harness::plugin("misbehaving")).unwrap();
    let whole = grant(&element);
    let without_http = Grant { http: Default::default(), ..whole.clone() };
    refused(
        bytes.clone(),
        &without_http,
        expect![[r#"
        the plugin asks for the HTTP endpoint `element`, which is not granted; to grant it, add to the configuration:
        http.element = { url = "https://...", methods = ["GET"] }"#]],
    )
    .await;
    let without_keys = Grant { keyvalue: false, ..whole.clone() };
    refused(
        bytes.clone(),
        &without_keys,
        expect![[r#"
        the plugin asks for the key-value store, which is not granted; to grant it, add to the configuration:
        keyvalue = true"#]],
    )
    .await;
    let with_setting = Grant { config: [("pool".to_owned(), "x".to_owned())].into(), ..whole };
    refused(bytes, &with_setting, expect!["grant of `misbehaving`: config.pool: the plugin does not read this setting, it reads no settings"]).await;
}

#[tokio::test]
async fn a_manifest_without_a_verb_or_with_an_unknown_contract_is_refused() {
    let with = |contracts: serde_json::Value| {
        let mut manifest = inventory_manifest();
        manifest["contracts"] = contracts;
        component(&order_files(), &[], "", Core::Dummy, &manifest)
    };
    let no_apply = json!([{ "contract": "jackfield:order/inventory", "verbs": ["observe"], "idempotent": true }]);
    refused(with(no_apply), &Grant::default(), expect!["manifest.contracts[0].verbs: `apply` is missing: every contract has it"]).await;
    let unknown = json!([{ "contract": "jackfield:order/catering", "verbs": ["apply"], "idempotent": true }]);
    refused(with(unknown), &Grant::default(), expect!["contract `jackfield:order/catering` is not known to this host, expected one of: jackfield:cpe/configuration@1.0.0, jackfield:cpe/inventory@1.0.0, jackfield:cpe/profile@1.0.0, jackfield:order/activation@1.1.0, jackfield:order/billing@1.1.0, jackfield:order/catalog@1.1.0, jackfield:order/inventory@1.1.0, jackfield:order/provisioning@1.1.0, jackfield:tenant/certificate@1.0.0, jackfield:tenant/certificate-order@1.0.0, jackfield:tenant/dns@1.0.0, jackfield:tenant/integration@1.0.0, jackfield:tenant/mail@1.0.0, jackfield:tenant/seed@1.0.0, jackfield:tenant/storage@1.0.0"]).await;
    let absent = json!([{ "contract": "jackfield:order/billing", "verbs": ["apply"], "idempotent": true }]);
    refused(
        with(absent),
        &Grant::default(),
        expect![
            "the manifest lists `jackfield:order/billing` but the component does not export it; its exports are: jackfield:order/inventory@1.1.0"
        ],
    )
    .await;
}
