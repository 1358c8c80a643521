//! A component that answers the contract `catalog`, made of text: as much of a plugin as a check needs.

use serde_json::{Value, json};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser_tests::{Resolve, SourceMap};

/// The contract, from the WIT that vendors get.
const WIT: [&[(&str, &str)]; 2] = [
    &[("types.wit", include_str!("../../../wit/step/types.wit"))],
    &[("types.wit", include_str!("../../../wit/order/types.wit")), ("catalog.wit", include_str!("../../../wit/order/catalog.wit"))],
];

const WORLD: &str = "package acme:test;\nworld plugin { export jackfield:order/catalog@1.1.0; }";

const MODULE: &str = r#"(module
    (func (export "jackfield:order/catalog@1.1.0#apply") (param i32) (result i32) unreachable)
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))"#;

/// A component without a manifest.
pub(crate) fn catalog() -> Vec<u8> {
    let mut resolve = Resolve::default();
    let mut push = |files: &[(&str, &str)]| {
        let mut map = SourceMap::default();
        files.iter().for_each(|(name, text)| map.push_str(name, *text));
        resolve.push_group(map.parse().map_err(|(map, error)| error.render(&map)).unwrap()).unwrap()
    };
    for files in WIT {
        push(files);
    }
    let package = push(&[("world.wit", WORLD)]);
    let world = resolve.select_world(&[package], Some("plugin")).unwrap();
    let mut module = wat::parse_str(MODULE).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

/// A manifest of it, with changes.
pub(crate) fn manifest(change: &Value) -> String {
    let contracts = json!([{"contract": "jackfield:order/catalog", "verbs": ["apply"], "idempotent": true}]);
    let mut manifest = json!({"name": "tester", "version": "1.0.0", "vendor": "Acme", "contracts": contracts});
    for (key, value) in change.as_object().unwrap() {
        manifest[key] = value.clone();
    }
    manifest.to_string()
}
