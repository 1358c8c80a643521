//! A plugin that was written in JavaScript from the contracts alone: packed by the command line, signed by its vendor, and then treated like any other, by the
//! real runtime and by the real host.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use end_to_end_tests::{
    harness::{
        self, Lab,
        orders::{all_plugins_but_inventory, order},
    },
    runtime::{Bench, call, failed, inventory_request, receipt},
};
use engine::port::{Answer, Call, CallReport, Observed, Verb};
use package::{Package, PrivateKey, Question, Refusal, TrustList, TrustOptions};
use pipeline::{Direction, FailureClass, IdempotencyKey, Provider, Verbs};
use plugin_runtime::{Grant, Options, Plugin};
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// Held while the plugin is loaded: its engine is large, and compiled once for all tests.
static LOADING: Mutex<()> = Mutex::const_new(());

/// The key of whoever wrote it.
fn vendor() -> PrivateKey {
    PrivateKey::from_seed([11; 32])
}

/// The file that the vendor ships: the component with its manifest, in which the version is another, and the vendor's signature; made on the command line.
fn ship(directory: &Path, version: &str) -> PathBuf {
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/javascript/manifest.json");
    let manifest = fs::read_to_string(manifest).unwrap().replace("\"1.0.0\"", &format!("{version:?}"));
    fs::write(path("manifest.json"), manifest).unwrap();
    // Not by `plugin keygen`: a file that is the same in every run is compiled in the first one only.
    fs::write(path("acme.key"), vendor().to_text()).unwrap();
    let (component, packed, shipped) = (harness::plugin("javascript"), path("packed.wasm"), path(&format!("javascript-{version}.wasm")));
    let pack = ["plugin", "pack", component.to_str().unwrap(), "--manifest", &path("manifest.json"), "--output", &packed];
    harness::jackfield(directory, &pack).good(&[&format!("wrote javascript {version}")]);
    let sign = ["plugin", "sign", &packed, "--key", &path("acme.key"), "--output", &shipped];
    harness::jackfield(directory, &sign).good(&[&format!("signed javascript {version}")]);
    shipped.into()
}

fn shipped() -> &'static [u8] {
    static SHIPPED: OnceLock<Vec<u8>> = OnceLock::new();
    SHIPPED.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        fs::read(ship(directory.path(), "1.0.0")).unwrap()
    })
}

async fn javascript(bench: &Bench) -> Plugin {
    let _alone = LOADING.lock().await;
    bench.load(shipped().to_vec(), &grant()).await.unwrap()
}

/// Has a file compiled into the cache that the host of these tests uses too: on a busy machine it takes longer than a command may take in tests.
fn compile(file: &Path) {
    let tokio = tokio::runtime::Runtime::new().unwrap();
    tokio.block_on(async {
        let _alone = LOADING.lock().await;
        Bench::new(Bench::options()).load(fs::read(file).unwrap(), &grant()).await.unwrap();
    });
}

fn grant() -> Grant {
    Grant { keyvalue: true, ..Grant::default() }
}

/// Makes a call for an item of the step, whose number makes the idempotency key, and keeps what it wrote.
async fn made(bench: &Bench, plugin: &Plugin, verb: Verb, item: u32) -> CallReport {
    let mut call = call(plugin, verb, request());
    call.attempt.item.item = item;
    let key = IdempotencyKey::derive(&call.tenant, &call.run, &call.attempt.item, Direction::Do);
    let report = bench.call(Call { key, ..call }).await;
    bench.keys.commit(&report.writes);
    report
}

fn request() -> Value {
    let mut request = inventory_request("access");
    request["service"]["characteristics"] = json!([{ "name": "bandwidth", "value": "100 Mbit/s ⇅" }]);
    request["preferred-element"] = json!("olt-7");
    request
}

fn port(number: u32) -> Value {
    json!({
        "id": format!("port/{number}"), "resource-type": "port", "service": "access", "network-element": "olt-7",
        "characteristics": [{ "name": "bandwidth", "value": "100 Mbit/s ⇅" }],
    })
}

#[tokio::test]
async fn its_manifest_says_what_it_is() {
    let bench = Bench::new(Bench::options());
    let plugin = javascript(&bench).await;
    let pin = plugin.pin(&"jackfield:order/inventory@1".parse().unwrap()).unwrap();
    let provider = Provider::Plugin { name: "javascript".to_owned(), version: "1.0.0".to_owned(), digest: plugin.digest().clone() };
    assert_eq!((pin.provider, pin.contract.as_str()), (provider, "jackfield:order/inventory@1.1.0"));
    assert_eq!((pin.verbs, pin.idempotent), (Verbs { observe: true, resume: false, undo: true }, true));
}

#[test]
fn whoever_trusts_its_vendor_takes_it_and_nothing_that_was_made_of_it() {
    let bound = Options::default().max_component_bytes;
    let package = Package::read(shipped(), bound).unwrap();
    let ask = |options: TrustOptions, package: &Package| {
        TrustList::new(options).unwrap().admit(&Question { package, now: None, newest: None }).map(|admission| admission.publisher)
    };
    let mut acme = TrustOptions::default();
    acme.trust_with_everything("acme", vendor().public());
    assert_eq!(ask(acme.clone(), &package), Ok(Some("acme".to_owned())));
    assert!(matches!(ask(TrustOptions::default(), &package), Err(Refusal::NotTrusted { .. })));
    // A byte of the program, far behind the head of the file and far before its end.
    let mut changed = shipped().to_vec();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    assert_ne!(Package::read(&changed, bound).map(|package| ask(acme, &package)), Ok(Ok(Some("acme".to_owned()))));
}

#[tokio::test]
async fn what_it_imports_must_be_granted() {
    let _alone = LOADING.lock().await;
    let error = Bench::new(Bench::options()).load(shipped().to_vec(), &Grant::default()).await.unwrap_err().to_string();
    assert!(error.contains("the key-value store") && error.contains("keyvalue = true"), "{error}");
}

#[tokio::test]
async fn it_takes_ports_finds_them_again_and_gives_them_back() {
    let bench = Bench::new(Bench::options());
    let plugin = javascript(&bench).await;
    let observed = made(&bench, &plugin, Verb::Observe, 0).await.answer;
    assert_eq!(observed, Ok(Answer::Observed(Observed::Absent)));
    for item in 0..4 {
        assert_eq!(receipt(&made(&bench, &plugin, Verb::Apply, item).await), &port(item + 1));
    }
    // A repetition gets its own port again.
    assert_eq!(receipt(&made(&bench, &plugin, Verb::Apply, 1).await), &port(2));
    let observed = made(&bench, &plugin, Verb::Observe, 2).await.answer;
    assert_eq!(observed, Ok(Answer::Observed(Observed::Ours(port(3)))));
    let report = made(&bench, &plugin, Verb::Apply, 4).await;
    assert_eq!(failed(&report), (FailureClass::Rejected, "no_inventory", "All 4 ports are taken"));
    for _ in 0..2 {
        assert_eq!(made(&bench, &plugin, Verb::Undo { receipt: port(2).into() }, 1).await.answer, Ok(Answer::Undone));
    }
    assert_eq!(receipt(&made(&bench, &plugin, Verb::Apply, 4).await), &port(2));
}

#[tokio::test]
async fn an_exception_that_is_no_failure_is_a_trap_with_its_message() {
    let bench = Bench::new(Bench::options());
    let plugin = javascript(&bench).await;
    let mut request = request();
    request["order"] = json!("throw");
    let report = bench.call(call(&plugin, Verb::Apply, request)).await;
    let (class, error_type, message) = failed(&report);
    assert_eq!((class, error_type), (FailureClass::Unavailable, "plugin.trap"));
    assert!(message.contains("the pool is not open"), "{message}");
    receipt(&made(&bench, &plugin, Verb::Apply, 0).await);
}

#[tokio::test]
async fn it_is_stopped_by_the_limits_that_stop_any_other() {
    let bench = Bench::new(Bench::options());
    let plugin = javascript(&bench).await;
    for (order, error_type, says) in [("spin", "plugin.cpu_limit", "(cpu_ms)"), ("hoard", "plugin.out_of_memory", "(memory_bytes)")] {
        let mut request = request();
        request["order"] = json!(order);
        let report = bench.call(call(&plugin, Verb::Apply, request)).await;
        let (class, kind, message) = failed(&report);
        assert_eq!((class, kind), (FailureClass::Unavailable, error_type), "{message}");
        assert!(message.contains(says) && report.writes.is_empty(), "{message}");
        receipt(&made(&bench, &plugin, Verb::Apply, 0).await);
    }
}

#[test]
fn orders_run_over_it_and_over_the_version_that_is_swapped_in() {
    let (lab, directory) = (Lab::start(), tempfile::tempdir().unwrap());
    let trust = format!("allow_unsigned = true\n[trust.publishers.acme]\nkey = \"{}\"\nplugins = [\"javascript\"]", vendor().public());
    let host = all_plugins_but_inventory(&lab).trust(&trust).start();
    let put_into_service = |version: &str, ports: u32| {
        let (file, grant) = (ship(directory.path(), version), directory.path().join("grant.toml"));
        compile(&file);
        fs::write(&grant, format!("keyvalue = true\nconfig = {{ ports = \"{ports}\" }}\n")).unwrap();
        host.type_in(&["plugin", "install", file.to_str().unwrap()]).good(&[&format!("javascript@{version} installed")]);
        let activate = ["plugin", "activate", &format!("javascript@{version}"), "--grant", grant.to_str().unwrap()];
        host.type_in(&activate).good(&[&format!("javascript@{version}"), "is in service"]);
    };
    let provider = |id: &str| {
        let records = host.run(id)["records"].to_string();
        ["1.0.0", "1.1.0"].into_iter().find(|version| records.contains(&format!("\"name\":\"javascript\",\"version\":\"{version}\"")))
    };
    put_into_service("1.0.0", 3);
    assert!(!host.log().contains("has signed plugin `javascript`"), "its vendor is trusted");
    let first = host.submit(&order("fibre-100"));
    host.wait(&first, &["completed"]);
    assert_eq!(provider(&first), Some("1.0.0"));
    // Two of its three ports are taken: the next order gets one, then none, and is held.
    let second = host.submit(&order("fibre-100"));
    host.wait(&second, &["held"]);
    assert_eq!(host.run(&second)["open_fallouts"][0]["reason"], "no_inventory");

    put_into_service("1.1.0", 8);
    let third = host.submit(&order("fibre-100"));
    host.wait(&third, &["completed"]);
    assert_eq!(provider(&third), Some("1.1.0"));
    host.type_in(&["plugin", "rollback", "javascript"]).good(&["javascript@1.0.0"]);
    let fourth = host.submit(&order("fibre-100"));
    host.wait(&fourth, &["held"]);
    assert_eq!(provider(&fourth), Some("1.0.0"));
}
