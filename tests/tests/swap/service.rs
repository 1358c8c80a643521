//! A version is put into service and taken out of it: runs that have begun stay with what they began with, and a restart takes nothing back.

use end_to_end_tests::harness::{Lab, orders::STEPS, until};
use serde_json::json;

use super::{audit, digest_of, file, install, order, setup, standing};

#[test]
fn an_activation_is_for_runs_that_begin_after_it_and_survives_restarts() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    lab.switch("activation", "outcome", json!({"result": "active", "ms": 600_000}));
    let before = host.submit(&order());
    until("the activation", || lab.effects("activation", "created") == 1);

    let new = install(&host, "billing-rest", "0.2.0");
    assert_eq!(standing(&host, &new), "installed");
    // The same file again is the same plugin.
    let again = host.type_in(&["plugin", "install", file(&host, "billing-rest", "0.2.0").to_str().unwrap()]);
    again.good(&["billing-rest@0.2.0 was installed before", "in place of 0.1.0", "jackfield plugin activate billing-rest@0.2.0"]);
    let activated = ["plugin", "activate", "billing-rest@0.2.0", "--by", "ann", "--note", "change 4711"];
    host.type_in(&activated).good(&["billing-rest@0.2.0", "is in service (binding revision 2)"]);
    host.type_in(&activated).good(&["already: nothing has changed"]);
    assert_eq!(standing(&host, &new), "active");

    host.kill_and_restart();
    assert!(host.log().contains("binding revision 2 is current, by ann"), "{}", host.log());
    let after = host.submit(&order());
    lab.switch("activation", "outcome", json!({"result": "active", "ms": 0, "count": 0}));
    lab.switch("activation", "finish", json!({}));
    host.wait(&before, &["completed"]);
    host.wait(&after, &["completed"]);
    let old = digest_of(&host, &before, STEPS[4]);
    assert_eq!(digest_of(&host, &after, STEPS[4]), new);
    assert_ne!(old, new);
    assert_eq!((lab.effects("billing", "created"), lab.effects("activation", "created")), (2, 2));

    host.type_in(&["plugin", "rollback", "billing-rest"]).good(&["billing-rest@0.1.0", "(binding revision 3)"]);
    let back = host.submit(&order());
    host.wait(&back, &["completed"]);
    assert_eq!(digest_of(&host, &back, STEPS[4]), old);
    host.type_in(&["plugin", "rollback", "--note", "all of it"]).good(&["the table of revision 2 is current again (binding revision 4)"]);
    let by = |name: &str, action: &str| (name.to_owned(), action.to_owned());
    let expected =
        [by("configuration", "configure"), by("admin", "install"), by("ann", "activate"), by("admin", "rollback"), by("admin", "rollback")];
    assert_eq!(audit(&host), expected);
    let entries = host.type_in(&["audit", "list", "--json"]).json();
    assert_eq!(entries[2]["note"], "change 4711");
    let billing = |side: &serde_json::Value| side["contracts"]["jackfield:order/billing@1"][0]["choices"][0]["version"].clone();
    assert_eq!((billing(&entries[2]["before"]), billing(&entries[2]["after"]["bindings"])), (json!("0.1.0"), json!("0.2.0")));
    assert_eq!(host.type_in(&["binding", "list", "--json"]).json()["history"].as_array().unwrap().len(), 4);
}

#[test]
fn the_configuration_is_applied_when_it_changes_and_not_at_every_start() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    let new = install(&host, "billing-rest", "0.2.0");
    host.type_in(&["plugin", "activate", "billing-rest@0.2.0"]).good(&[]);
    let config = host.directory().join("jackfield.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    // What is neither a plugin nor a binding is no reason.
    std::fs::write(&config, text.replace("[http]", "[engine]\nmax_driven = 64\n[http]")).unwrap();
    host.terminate();
    host.restart();
    assert_eq!(standing(&host, &new), "active");
    std::fs::write(&config, text.replace("\"100\"", "\"120\"")).unwrap();
    host.terminate();
    host.restart();
    assert_eq!(standing(&host, &new), "installed");
    assert!(host.log().contains("[plugins] or [bindings] have changed: they replace the current bindings"), "{}", host.log());
    assert_eq!(audit(&host).last().unwrap().1, "configure");
}

#[test]
fn bindings_select_by_what_is_ordered_and_are_checked() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    let new = install(&host, "billing-rest", "0.2.0");
    let set = |text: &str| {
        std::fs::write(host.directory().join("b.toml"), text).unwrap();
        host.type_in(&["binding", "set", "b.toml", "--by", "ann"])
    };
    let by_region = r#"[bindings]
"jackfield:order/billing@1" = [{ plugin = "billing-rest" }, { when = { product = ["copper-50"] }, plugin = "billing-rest@0.2.0" }]"#;
    set(by_region).good(&["the bindings are set (binding revision 2)"]);
    host.type_in(&["binding", "list"]).good(&["product = copper-50", "billing-rest@0.2.0", "policy pin-run"]);
    let fibre = host.submit(&order());
    host.wait(&fibre, &["completed"]);
    assert_ne!(digest_of(&host, &fibre, STEPS[4]), new);
    for (text, code, expected) in [
        (r#""jackfield:order/billing@1" = "nobody""#, 5, "`nobody` names no version: expected NAME@VERSION or a digest"),
        (r#""jackfield:order/billing@1" = "nobody@1.0.0""#, 5, "no plugin `nobody@1.0.0` is installed"),
        (r#""jackfield:order/billing@1" = "inventory-pool""#, 5, "names plugin `inventory-pool`, which does not answer it"),
        (r#""jackfield:order/billing@1" = [{ when = { colour = "red" }, plugin = "billing-rest@0.1.0" }]"#, 5, "selects by `colour`"),
        (
            r#""jackfield:order/billing@1" = [{ plugin = "billing-rest@0.1.0" }, { plugin = "billing-rest@0.2.0" }]"#,
            5,
            "are ambiguous: both fit every input",
        ),
        (r#""billing" = "billing-rest""#, 5, "contract `billing` is not valid"),
        ("x = [", 2, "b.toml"),
    ] {
        let code = if expected.starts_with("no plugin") { 4 } else { code };
        set(text).bad(code, &[expected]);
    }
    host.type_in(&["binding", "list"]).good(&["revision 2 since"]);
}
