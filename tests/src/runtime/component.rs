//! Components that no compiler would make: from WIT text, changed where a test wants it, and a module in text form.

use std::{fs, path::Path};

use package::SECTION;
use serde_json::{Value, json};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser_tests::{LiftLowerAbi, ManglingAndAbi, PackageId, Resolve, SourceMap};

/// What is inside a component.
#[derive(Debug, Clone, Copy)]
pub enum Core<'a> {
    /// Imports everything that the world names and exports what it must; every function traps.
    Dummy,
    /// A module in text form.
    Text(&'a str),
}

/// The files of `jackfield:order` as they are now, but the worlds: name and text.
pub fn order_files() -> Vec<(String, String)> {
    files("order")
}

/// A component that exports the inventory of the given version of `jackfield:order` and imports what `imports` says, which may come from `packages`.
pub fn component(order: &[(String, String)], packages: &[&str], imports: &str, core: Core<'_>, manifest: &Value) -> Vec<u8> {
    let mut resolve = Resolve::default();
    for package in ["step", "host"] {
        push(&mut resolve, &files(package));
    }
    for package in packages {
        push(&mut resolve, &[("package.wit".to_owned(), (*package).to_owned())]);
    }
    let order = push(&mut resolve, order);
    let version = resolve.packages[order].name.version.clone().expect("the package has a version");
    let world = format!("package acme:plugin;\nworld plugin {{\n{imports}\nexport jackfield:order/inventory@{version};\n}}\n");
    let package = push(&mut resolve, &[("plugin.wit".to_owned(), world)]);
    let world = resolve.select_world(&[package], Some("plugin")).expect("the world is there");
    let mut module = match core {
        Core::Dummy => dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync)),
        Core::Text(text) => wat::parse_str(text).expect("the module's text is right"),
    };
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).expect("the world fits into the module");
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(&module).expect("the module fits the world");
    let mut bytes = encoder.encode().expect("the component can be encoded");
    append_manifest(&mut bytes, manifest);
    bytes
}

/// A manifest that lists the inventory contract and asks for nothing.
pub fn inventory_manifest() -> Value {
    json!({
        "name": "acme-pool", "version": "1.0.0", "vendor": "Acme",
        "contracts": [{ "contract": "jackfield:order/inventory@1", "verbs": ["apply", "resume", "observe", "undo"], "idempotent": true }],
    })
}

/// Appends the custom section as a packer does: 0, the size of the rest, the size of the name, the name, the text.
pub fn append_manifest(component: &mut Vec<u8>, manifest: &Value) {
    let mut rest = Vec::new();
    leb128(&mut rest, SECTION.len());
    rest.extend_from_slice(SECTION.as_bytes());
    rest.extend_from_slice(manifest.to_string().as_bytes());
    component.push(0);
    leb128(component, rest.len());
    component.extend_from_slice(&rest);
}

fn leb128(bytes: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn push(resolve: &mut Resolve, files: &[(String, String)]) -> PackageId {
    let mut map = SourceMap::default();
    for (name, text) in files {
        map.push_str(name, text.as_str());
    }
    let group = map.parse().map_err(|(map, error)| error.render(&map)).unwrap_or_else(|error| panic!("{error}"));
    resolve.push_group(group).unwrap_or_else(|error| panic!("{error}"))
}

/// The files of a package of the contracts. Worlds name what a plugin may import from WASI, which is not needed here.
fn files(package: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit").join(package);
    let entries = fs::read_dir(folder).expect("the contracts are there").map(|entry| entry.expect("the folder can be read").path());
    let wit = entries.filter(|path| path.extension().is_some_and(|it| it == "wit") && !path.ends_with("worlds.wit"));
    wit.map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("the file can be read"))).collect()
}
