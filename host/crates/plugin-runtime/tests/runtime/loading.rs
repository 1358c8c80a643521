//! The gates at installation: every refusal says what, where and what to do.

use engine::port::{Runner as _, Verb};
use plugin_runtime::{Crossing, Grant, HttpRule, Options};
use serde_json::{Value, json};

use crate::support::{Bench, WORK, call, component, done, manifest, module, options, worker, working};

const HTTP: &str = "import wasi:http/outgoing-handler@0.2.12;";

fn plain(change: Value) -> Vec<u8> {
    working(&worker(&done(0, 0)), "", change)
}

async fn check(bytes: Vec<u8>, grant: &Grant, expected: &str) {
    let bench = Bench::new(options());
    let found = match bench.load(bytes, grant).await {
        Ok(plugin) => {
            let contracts: Vec<_> = plugin.contracts().iter().map(|contract| contract.exact.as_str()).collect();
            format!("{} {} {}", plugin.name(), plugin.version(), contracts.join(" "))
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_plugin_that_fits_is_loaded() {
    check(plain(json!({})), &Grant::default(), "worker 1.2.3 acme:test/work@1.0.0").await;
    let contracts = json!([{ "contract": "acme:test/work", "verbs": ["apply"], "idempotent": false }]);
    check(plain(json!({ "contracts": contracts })), &Grant::default(), "worker 1.2.3 acme:test/work@1.0.0").await;
}

#[tokio::test]
async fn what_is_no_plugin_is_refused() {
    let none = Grant::default();
    check(b"MZ\x90\x00".to_vec(), &none, "the file is not webassembly: it begins with 4d 5a 90 00, expected 00 61 73 6d").await;
    let core = "the file is a core module, expected a component: build it with --target wasm32-wasip2 or wrap it with a component tool";
    check(wat::parse_str("(module)").unwrap(), &none, core).await;
    let whole = plain(json!({}));
    let bench = Bench::new(options());
    for length in [whole.len() - 1, whole.len() / 2, 9] {
        let error = bench.load(whole[..length].to_vec(), &none).await.unwrap_err().to_string();
        assert!(error.starts_with("the component is damaged at byte"), "{length}: {error}");
    }
    let anonymous = wat::parse_str("(component)").unwrap();
    check(anonymous, &none, "the component has no manifest: expected JSON in exactly one custom section `jackfield.manifest`, found 0").await;
}

#[tokio::test]
async fn a_contract_must_be_known_and_exported() {
    let of = |contract: &str| json!({ "contracts": [{ "contract": contract, "verbs": ["apply"], "idempotent": false }] });
    let known = "acme:test/work@1.0.0, jackfield:cpe/configuration@1.0.0, jackfield:cpe/inventory@1.0.0, jackfield:cpe/profile@1.0.0, jackfield:order/activation@1.1.0, jackfield:order/billing@1.1.0, jackfield:order/catalog@1.1.0, \
                 jackfield:order/inventory@1.1.0, jackfield:order/provisioning@1.1.0, jackfield:tenant/certificate@1.0.0, \
                 jackfield:tenant/certificate-order@1.0.0, jackfield:tenant/dns@1.0.0, jackfield:tenant/integration@1.0.0, jackfield:tenant/mail@1.0.0, \
                 jackfield:tenant/seed@1.0.0, jackfield:tenant/storage@1.0.0";
    check(plain(of("acme:other/x")), &Grant::default(), &format!("contract `acme:other/x` is not known to this host, expected one of: {known}"))
        .await;
    let exports = "the manifest lists `jackfield:order/billing@1` but the component does not export it; its exports are: acme:test/work@1.0.0";
    check(plain(of("jackfield:order/billing@1")), &Grant::default(), exports).await;
    let track = "the manifest lists `acme:test/work@2` but the component does not export it; its exports are: acme:test/work@1.0.0";
    check(plain(of("acme:test/work@2")), &Grant::default(), track).await;
}

/// Builds a component from a changed WIT of the contract of most tests.
fn changed(from: &str, to: &str) -> Vec<u8> {
    let wit = WORK.replace(from, to);
    assert_ne!(wit, WORK);
    component(&module(&worker(&done(0, 0))), "", "export work;", &manifest(json!({})), &wit)
}

#[tokio::test]
async fn a_contract_that_evolved_by_the_rules_is_loaded() {
    let fits = "worker 1.2.3 acme:test/work@1.0.0";
    for (from, to) in [
        ("note: option<string> }", "note: option<string>, colour: option<string> }"),
        ("text: string, note: option<string> }", "text: string }"),
        ("record receipt { text: string }", "record receipt { text: string, weight: u8 }"),
        ("done(receipt), undone, pending(pending)", "done(receipt), undone"),
        ("ours(receipt), pending(pending)", "ours(receipt)"),
    ] {
        check(changed(from, to), &Grant::default(), fits).await;
    }
}

#[tokio::test]
async fn a_contract_that_changed_otherwise_is_refused_with_a_diff() {
    let head = "`acme:test/work@1.0.0` does not go together with version 1.0.0 of this host:\n";
    let refused = |from: &str, to: &str, diff: &str| {
        let (bytes, expected) = (changed(from, to), format!("{head}{diff}"));
        async move { check(bytes, &Grant::default(), &expected).await }
    };
    refused(
        "record request { text: string",
        "record request { text: u32",
        "apply.request.text: the type changed\n  host:   string\n  plugin: u32\n\
         observe.request.text: the type changed\n  host:   string\n  plugin: u32",
    )
    .await;
    refused(
        "note: option<string> }",
        "note: option<string>, must: u8 }",
        "apply.request.must: the plugin requires a field that the host does not send\n  host:   (absent)\n  plugin: u8\n\
         observe.request.must: the plugin requires a field that the host does not send\n  host:   (absent)\n  plugin: u8",
    )
    .await;
    refused(
        "pending(pending), foreign(string)",
        "pending(pending), stolen(string), foreign(string)",
        "observe.result.ok.stolen: the host does not know this case\n  host:   (absent)\n  plugin: stolen(string)",
    )
    .await;
}

#[tokio::test]
async fn a_missing_function_is_refused_with_a_diff() {
    let start = WORK.find("    undo: func").unwrap();
    let wit = format!("{}}}\n", &WORK[..start]);
    let text = worker(&done(0, 0)).lines().filter(|line| !line.contains("#undo")).collect::<Vec<_>>().join("\n");
    let bytes = component(&module(&text), "", "export work;", &manifest(json!({})), &wit);
    let error = Bench::new(options()).load(bytes, &Grant::default()).await.unwrap_err().to_string();
    let expected =
        "`acme:test/work@1.0.0` does not go together with version 1.0.0 of this host:\nundo: the function is missing\n  host:   func(call: record {";
    assert!(error.starts_with(expected) && error.ends_with("\n  plugin: (absent)"), "{error}");
}

/// A component that imports `wasi:http` as text: what counts is the import, not its use.
fn importing(import: &str, change: Value) -> Vec<u8> {
    let package = format!(
        "package wasi:http@0.2.12 {{ interface outgoing-handler {{ go: func(); }} }}\npackage acme:gadget@1.0.0 {{ interface drill {{ go: func(); }} }}\npackage wasi:sockets@0.2.12 {{ interface tcp {{ go: func(); }} }}\n{WORK}"
    );
    let (name, _) = import.trim_start_matches("import ").trim_end_matches(';').split_once('@').unwrap();
    let version = import.trim_end_matches(';').rsplit('@').next().unwrap();
    let text = format!("(import \"{name}@{version}\" \"go\" (func $go))\n{}", worker(&format!("(call $go) {}", done(0, 0))));
    component(&module(&text), import, "export work;", &manifest(change), &nested_last(&package))
}

/// Nested packages follow the package of the file.
fn nested_last(text: &str) -> String {
    let at = text.find("/// A step contract").unwrap();
    format!("{}\n{}", &text[at..], &text[..at])
}

#[tokio::test]
async fn an_import_must_be_asked_for_and_granted() {
    let http = |names: Value| json!({ "capabilities": { "http": names } });
    check(
        importing(HTTP, json!({})),
        &Grant::default(),
        "the component imports `wasi:http/outgoing-handler@0.2.12`, which its manifest does not ask for: list the logical names of its endpoints in `capabilities.http`",
    )
    .await;
    check(
        importing(HTTP, http(json!(["printer"]))),
        &Grant::default(),
        "the plugin asks for the HTTP endpoint `printer`, which is not granted; to grant it, add to the configuration:\nhttp.printer = { url = \"https://...\", methods = [\"GET\"] }",
    )
    .await;
    check(
        importing("import acme:gadget/drill@1.0.0;", json!({})),
        &Grant::default(),
        "the component imports `acme:gadget/drill@1.0.0`, which this host does not offer",
    )
    .await;
    check(
        importing("import wasi:sockets/tcp@0.2.12;", json!({})),
        &Grant::default(),
        "the component imports `wasi:sockets/tcp@0.2.12`, which its manifest does not ask for: use wasi:http/outgoing-handler, or say in `capabilities.tcp` what it opens connections for",
    )
    .await;
}

#[tokio::test]
async fn a_capability_must_be_granted_and_a_grant_must_fit() {
    let asks = |capabilities: Value| plain(json!({ "capabilities": capabilities }));
    check(
        asks(json!({ "keyvalue": true })),
        &Grant::default(),
        "the plugin asks for the key-value store, which is not granted; to grant it, add to the configuration:\nkeyvalue = true",
    )
    .await;
    let config = Grant { config: [("colour".to_owned(), "red".to_owned())].into(), ..Grant::default() };
    check(asks(json!({ "config": ["size"] })), &config, "grant of `worker`: config.colour: the plugin does not read this setting, it reads size")
        .await;
    let bad = Grant { http: [("printer".to_owned(), HttpRule::to("printer.local"))].into(), ..Grant::default() };
    check(asks(json!({ "http": ["printer"] })), &bad, "grant of `worker`: http.printer: url: `printer.local`: expected http:// or https://").await;
}

#[tokio::test]
async fn a_report_says_what_a_plugin_needs() {
    let bench = Bench::new(options());
    let bytes = plain(json!({ "capabilities": { "http": ["printer"], "keyvalue": true, "config": ["size"] } }));
    let report = bench.runtime.check(bytes.clone()).await.unwrap();
    let lines: Vec<&str> = report.grants.iter().map(|ask| ask.line.as_str()).collect();
    assert_eq!(lines, ["http.printer = { url = \"https://...\", methods = [\"GET\"] }", "keyvalue = true", "config.\"size\" = \"...\""]);
    assert_eq!((report.size, report.contracts[0].exact.as_str()), (bytes.len(), "acme:test/work@1.0.0"));
    assert_eq!(report.digest.as_str().len(), 64);
}

#[tokio::test]
async fn code_is_compiled_once_and_taken_from_the_disk_by_the_next_runtime() {
    let directory = tempfile::tempdir().unwrap();
    let cached = || Options { cache_dir: Some(directory.path().to_owned()), ..options() };
    let bytes = plain(json!({}));
    let files = || std::fs::read_dir(directory.path()).unwrap().flatten().filter(|entry| entry.path().extension().is_some_and(|it| it == "aot"));
    let first = Bench::new(cached());
    first.load(bytes.clone(), &Grant::default()).await.unwrap();
    let file = files().next().unwrap().path();
    // Code that is spoiled is compiled again, and what is compiled works.
    for spoiled in [false, true] {
        if spoiled {
            let mut code = std::fs::read(&file).unwrap();
            let middle = code.len() / 2;
            code[middle] ^= 1;
            std::fs::write(&file, code).unwrap();
        }
        // Nothing compiles within this bound: what is loaded was taken from the disk.
        let mut strict = cached();
        strict.compile.max_functions = 0;
        let refused = Bench::new(strict).load(bytes.clone(), &Grant::default()).await.err().map(|error| error.to_string());
        assert_eq!(refused.is_some(), spoiled, "{refused:?}");
        let next = Bench::new(cached());
        let plugin = next.load(bytes.clone(), &Grant::default()).await.unwrap();
        assert!(next.runner.call(call(&plugin, Verb::Apply, json!({ "text": "" }))).await.answer.is_ok());
        assert_eq!(files().count(), 1);
    }
}

#[tokio::test]
async fn a_component_that_is_too_large_to_compile_is_refused() {
    let bench = Bench::new(options());
    let refused = |functions: usize| working(&format!("{}\n{}", "(func)".repeat(functions), worker(&done(0, 0))), "", json!({}));
    bench.load(refused(10_000), &Grant::default()).await.unwrap();
    let error = bench.load(refused(100_000), &Grant::default()).await.unwrap_err().to_string();
    assert!(error.starts_with("the component cannot be compiled within bounds: the component has 1000"), "{error}");
    let mut long = options();
    long.compile.max_function_bytes = 1_000;
    let text = worker(&format!("{} {}", "nop ".repeat(1_000), done(0, 0)));
    let error = Bench::new(long).load(working(&text, "", json!({})), &Grant::default()).await.unwrap_err().to_string();
    assert!(error.contains("expected at most 1000 (runtime.compile.max_function_bytes)"), "{error}");
}

#[tokio::test]
async fn an_instance_is_tried_under_the_limits_of_a_call() {
    let mut tight = options();
    tight.limits.cpu_ms = 20;
    let bench = Bench::new(tight);
    let check = async |start: &str, expected: &str| {
        let text = format!("(func $at_start {start}) (start $at_start)\n{}", worker(&done(0, 0)));
        let plugin = bench.runtime.load(working(&text, "", json!({})), &Grant::default()).await.unwrap();
        let found = bench.runtime.try_instantiate(&plugin).await.map_or_else(|error| error.to_string(), |()| "works".to_owned());
        let first = found.lines().next().unwrap();
        assert_eq!(first.rsplit_once(" (").map_or(first, |(text, _)| text), expected);
        let called = bench.runner.call(call(&plugin, Verb::Apply, json!({ "text": "" }))).await;
        assert!(called.answer.is_err(), "it was not made callable by being tried");
    };
    check("", "works").await;
    check("unreachable", "the component cannot be instantiated: `worker` was stopped: wasm trap: wasm `unreachable` instruction executed").await;
    let budget = "the component cannot be instantiated: `worker` was stopped: it used 20 ms of CPU time, the limit";
    check("(loop $for_ever (br $for_ever))", budget).await;
}

#[tokio::test]
async fn what_an_older_version_made_fits_when_every_field_is_declared() {
    let bench = Bench::new(options());
    let plugin = bench.load(plain(json!({})), &Grant::default()).await.unwrap();
    for (contract, what, value, expected) in [
        ("acme:test/work@1", Crossing::Request, json!({ "text": "a" }), Ok(())),
        ("acme:test/work@1.0.0", Crossing::Request, json!({ "text": "a", "note": "b" }), Ok(())),
        ("acme:test/work@1", Crossing::Request, json!({ "text": "a", "colour": "red" }), Err("$.colour")),
        ("acme:test/work@1", Crossing::Receipt, json!({ "text": "a" }), Ok(())),
        ("acme:test/work@1", Crossing::Receipt, json!({ "text": "a", "port": 1 }), Err("$.port")),
        ("acme:test/work@1", Crossing::Receipt, json!({}), Err("$.text")),
        ("acme:test/work@1", Crossing::Output, json!({ "text": 7 }), Err("$.text: expected a string")),
        ("acme:test/work@2", Crossing::Output, json!({ "text": "" }), Err("`worker` does not answer `acme:test/work@2`")),
    ] {
        match (plugin.fits(contract, what, &value), expected) {
            (Ok(()), Ok(())) => {}
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
            (found, _) => panic!("{what:?} {value}: {found:?}"),
        }
    }
}
