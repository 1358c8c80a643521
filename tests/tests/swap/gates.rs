//! What comes in is looked at before anything happens: uploads, the drop folder, grants.

use std::{fs, path::Path};

use end_to_end_tests::harness::{Lab, Setup, plugin, until};
use serde_json::json;

use super::{file, install, order, setup, standing, versioned};

#[test]
fn what_is_no_plugin_or_too_large_is_refused_and_nothing_is_kept() {
    let host = Setup::default().config("[engine]\nmax_driven = 64").start();
    let directory = host.directory().to_owned();
    let refused = |name: &str, bytes: &[u8], parts: &[&str]| {
        fs::write(directory.join(name), bytes).unwrap();
        host.type_in(&["plugin", "install", name]).bad(5, parts);
    };
    let whole = fs::read(plugin("noop")).unwrap();
    refused("empty.wasm", b"", &["empty.wasm: "]);
    refused("text.wasm", b"plugin", &["text.wasm: the file is not webassembly"]);
    refused("half.wasm", &whole[..whole.len() / 2], &["half.wasm: "]);
    refused(
        "echo.wasm",
        &fs::read(plugin("echo-guest")).unwrap(),
        &["echo-guest 0.1.0 by Jackfield: refused", "imports jackfield:test/echo@1.0.0, which this host does not offer"],
    );
    host.type_in(&["plugin", "install", "nothing.wasm"]).bad(1, &["nothing.wasm cannot be read"]);
    assert_eq!(host.type_in(&["plugin", "list", "--json"]).json()["plugins"], json!([]));
    host.type_in(&["plugin", "activate", "noop@0.1.0"]).bad(4, &["no plugin `noop@0.1.0` is installed"]);
    host.type_in(&["plugin", "activate", "noop"]).bad(5, &["`noop` names no version: expected NAME@VERSION or a digest"]);
    host.type_in(&["plugin", "activate", "noop@0.1.0", "--canary", "120%"]).bad(2, &["`120%` is no share"]);
    // An old version is taken only by those who say so.
    install(&host, "noop", "0.2.0");
    fs::write(directory.join("old.wasm"), &whole).unwrap();
    host.type_in(&["plugin", "install", "old.wasm"])
        .bad(5, &["noop 0.1.0 is older than 0.2.0", "say so with `jackfield plugin install --allow-downgrade`"]);
    host.type_in(&["plugin", "install", "old.wasm", "--allow-downgrade"])
        .good(&["noop@0.1.0 installed", "jackfield:order/billing@1.1.0, together with version 1.1.0 of this host: apply"]);
    // Without any binding it answers everything that nobody answers.
    host.type_in(&["plugin", "activate", "noop@0.2.0"]).good(&["is in service"]);
    let id = host.submit(&order());
    host.wait(&id, &["completed"]);
}

#[test]
fn an_upload_is_bounded() {
    let host = Setup::default().runtime("max_component_bytes = 20000").start();
    let path = host.directory().join("large.wasm");
    fs::write(&path, fs::read(plugin("noop")).unwrap()).unwrap();
    assert!(fs::metadata(&path).unwrap().len() > 20_001);
    host.type_in(&["plugin", "install", "large.wasm"]).bad(5, &["at most 20000 bytes"]);
}

#[test]
fn a_version_that_asks_for_more_needs_a_grant() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    let flaky = plugin("billing-rest");
    host.type_in(&["plugin", "install", flaky.to_str().unwrap()]).good(&["was installed before"]);
    let empty = Setup::default().config("[secrets]\nallow = [\"env:NO_SUCH\"]").start();
    empty.type_in(&["plugin", "install", flaky.to_str().unwrap()]).good(&[
        "Its activation needs a grant",
        "[plugins.billing-rest.grant]",
        "http.billing = ",
    ]);
    let activate = ["plugin", "activate", "billing-rest@0.1.0"];
    empty.type_in(&activate).bad(5, &["asks for more than is granted", "[plugins.billing-rest.grant]", "http.billing = { url = "]);
    let grant = |text: &str| {
        fs::write(empty.directory().join("grant.toml"), text).unwrap();
        empty.type_in(&[&activate[..], &["--grant", "grant.toml"]].concat())
    };
    grant("http.billing = { ulr = \"x\" }").bad(5, &["grant.http.billing: unknown field `ulr`"]);
    grant("http.billing = { url = \"http://127.0.0.1:1\", auth = { bearer = \"env:NO_SUCH\" } }")
        .bad(5, &["the environment has no variable `NO_SUCH`"]);
    grant(&format!("http.billing = {{ url = \"{}\", methods = [\"GET\", \"POST\", \"DELETE\"] }}", lab.url("billing"))).good(&["is in service"]);
    // The grant goes on to the next version.
    install(&empty, "billing-rest", "0.2.0");
    empty.type_in(&["plugin", "activate", "billing-rest@0.2.0"]).good(&["is in service"]);
}

#[test]
fn a_file_in_the_drop_folder_is_installed_or_refused_with_the_reason() {
    let host = Setup::default().config("[registry]\ndrop_folder = \"drop\"").start();
    let folder = host.directory().join("drop");
    until("the folder", || folder.is_dir());
    let put = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    put("good.wasm", &versioned("noop", "0.3.0"));
    put("bad.wasm", b"no plugin");
    put("notes.txt", b"not looked at");
    until("the installation", || folder.join("installed/good.wasm").exists());
    until("the refusal", || folder.join("refused/bad.txt").exists());
    let why = fs::read_to_string(folder.join("refused/bad.txt")).unwrap();
    assert!(why.contains("the file is not webassembly"), "{why}");
    let left = |path: &Path| fs::read_dir(path).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_file()).count();
    assert_eq!(left(&folder), 1, "only what is no plugin by its name is left");
    let list = host.type_in(&["plugin", "list", "--json"]).json();
    assert_eq!((list["plugins"][0]["version"].as_str(), list["plugins"][0]["by"].as_str()), (Some("0.3.0"), Some("drop-folder")));
    assert_eq!(standing(&host, list["plugins"][0]["digest"].as_str().unwrap()), "installed");
    let _same = file(&host, "noop", "0.3.0");
    host.type_in(&["plugin", "install", "noop-0.3.0.wasm"]).good(&["was installed before"]);
}
