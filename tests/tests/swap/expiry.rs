//! The time of a publisher's key is over: nothing of it is put into service any more, and what is in service or pinned goes on.

use std::fs;

use end_to_end_tests::harness::{Host, Lab, orders::STEPS, plugin, until};
use package::{PrivateKey, sign};
use serde_json::json;

use super::{audit, digest_of, order, setup, standing, versioned};

/// The plugins of the host.
const PLUGINS: [&str; 5] = ["catalog-tmf633", "inventory-pool", "provisioning-restconf", "activation-tmf640", "billing-rest"];

/// Installs a version of `billing-rest` that the publisher has signed; its digest.
fn install_signed(host: &Host, key: &PrivateKey, version: &str) -> String {
    let file = format!("billing-rest-{version}.wasm");
    fs::write(host.directory().join(&file), sign(&versioned("billing-rest", version), key).unwrap()).unwrap();
    host.type_in(&["plugin", "install", &file, "--json"]).json()["plugin"]["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_version_whose_key_has_expired_since_its_installation_is_not_activated_and_pinned_runs_go_on() {
    let lab = Lab::start();
    let key = PrivateKey::from_seed([1; 32]);
    let publisher = format!("[trust.publishers.acme]\nkey = \"{}\"\nplugins = [\"*\"]", key.public());
    let files = tempfile::tempdir().unwrap();
    let signed = PLUGINS.iter().fold(setup(&lab).trust(&publisher), |setup, name| {
        let file = files.path().join(format!("{name}.wasm"));
        fs::write(&file, sign(&fs::read(plugin(name)).unwrap(), &key).unwrap()).unwrap();
        setup.instead(name, &file)
    });
    let mut host = signed.start();
    lab.switch("activation", "outcome", json!({"result": "active", "ms": 600_000}));
    let before = host.submit(&order());
    until("the activation", || lab.effects("activation", "created") == 1);
    let current = install_signed(&host, &key, "0.2.0");
    host.type_in(&["plugin", "activate", "billing-rest@0.2.0"]).good(&["is in service"]);
    let next = install_signed(&host, &key, "0.3.0");

    assert_eq!(host.terminate(), Some(0));
    let config = host.directory().join("jackfield.toml");
    let text = fs::read_to_string(&config).unwrap().replace("plugins = [\"*\"]", "plugins = [\"*\"]\nexpires = \"2020-01-01\"");
    fs::write(&config, text).unwrap();
    host.restart();
    let reasons = ["it is refused (expired_key)", "the key of publisher `acme` expired at 2020-01-01T00:00:00Z"];
    host.type_in(&["plugin", "activate", "billing-rest@0.3.0"]).bad(5, &reasons);
    host.type_in(&["plugin", "activate", &next, "--canary", "5%"]).bad(5, &reasons);
    fs::write(host.directory().join("b.toml"), "\"jackfield:order/billing@1\" = \"billing-rest@0.3.0\"").unwrap();
    host.type_in(&["binding", "set", "b.toml"]).bad(5, &reasons);
    assert_eq!((standing(&host, &current), standing(&host, &next)), (json!("active"), json!("installed")));
    assert_eq!(audit(&host).last().unwrap().1, "install", "nothing has changed since");

    // The pinned run has its billing yet to come: the version that it began with is not bound any more and is loaded for it.
    lab.switch("activation", "outcome", json!({"result": "active", "ms": 0, "count": 0}));
    lab.switch("activation", "finish", json!({}));
    host.wait(&before, &["completed"]);
    let old = digest_of(&host, &before, STEPS[4]);
    let after = host.submit(&order());
    host.wait(&after, &["completed"]);
    assert_eq!(digest_of(&host, &after, STEPS[4]), current);
    assert_eq!((old != current, lab.effects("billing", "created")), (true, 2));
    // What has served before may be gone back to; the way forward is closed.
    host.type_in(&["plugin", "rollback", "billing-rest"]).good(&["billing-rest@0.1.0"]);
    assert_eq!(standing(&host, &old), "active");
    host.type_in(&["plugin", "activate", "billing-rest@0.2.0"]).bad(5, &reasons);
}
