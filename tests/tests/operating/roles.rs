//! What each role of a token opens, over the real binary: every route with every role.

use std::fmt::Write as _;

use end_to_end_tests::harness::{self, Answer, Host, Setup};
use serde_json::json;

use super::held;

const ROLES: [&str; 5] = ["viewer", "orders", "operator", "publisher", "admin"];

/// Each route with a body that does no harm, and the roles that open it beside `admin`.
const ROUTES: [(&str, &str, &str, &str); 40] = [
    ("POST", "/tmf-api/productOrderingManagement/v4/productOrder", "{}", "orders"),
    ("GET", "/tmf-api/productOrderingManagement/v4/productOrder", "", "viewer orders operator"),
    ("GET", "/tmf-api/productOrderingManagement/v4/productOrder/x", "", "viewer orders operator"),
    ("GET", "/tmf-api/productOrderingManagement/v4/openapi.json", "", "viewer orders operator publisher"),
    ("GET", "/api/v1/runs", "", "viewer operator"),
    ("HEAD", "/api/v1/runs", "", "viewer operator"),
    ("GET", "/api/v1/runs?state=held", "", "viewer operator"),
    ("GET", "/api/v1/runs/x", "", "viewer operator"),
    ("GET", "/api/v1/runs/x/summary", "", "viewer operator"),
    ("GET", "/api/v1/runs/x/trace", "", "viewer operator"),
    ("POST", "/api/v1/runs/x/resolve", "{}", "operator"),
    ("POST", "/api/v1/runs/x/undo", "{}", "operator"),
    ("POST", "/api/v1/backup", "{}", "operator"),
    ("GET", "/api/v1/plugins", "", "viewer operator"),
    ("POST", "/api/v1/plugins", "no plugin", "publisher"),
    ("POST", "/api/v1/plugins?allow_downgrade=true", "no plugin", ""),
    ("POST", "/api/v1/plugins/repin", "{}", "operator"),
    ("POST", "/api/v1/plugins/activate", "{}", ""),
    ("POST", "/api/v1/plugins/rollback", "{}", ""),
    ("POST", "/api/v1/plugins/quarantine", "{}", ""),
    ("POST", "/api/v1/plugins/gc", "{}", ""),
    ("POST", "/api/v1/plugins/remove", "{}", ""),
    ("GET", "/api/v1/bindings", "", "viewer operator"),
    ("PUT", "/api/v1/bindings", "{}", ""),
    ("POST", "/api/v1/bindings/explain", "{}", "viewer operator"),
    ("GET", "/api/v1/audit", "", "viewer operator"),
    ("GET", "/api/v1/cpe/openapi.json", "", "viewer orders operator publisher"),
    ("GET", "/api/v1/cpe/devices", "", "viewer operator"),
    ("GET", "/api/v1/cpe/devices/x", "", "viewer operator"),
    ("POST", "/api/v1/cpe/devices", "{}", "operator"),
    ("DELETE", "/api/v1/cpe/devices/x", "", "operator"),
    ("POST", "/api/v1/cpe/devices/x/provision", "", "operator"),
    ("POST", "/api/v1/cpe/devices/x/wake", "", "operator"),
    ("POST", "/api/v1/cpe/devices/x/reboot", "", "operator"),
    ("POST", "/api/v1/cpe/plans", "{}", "operator"),
    ("POST", "/api/v1/cpe/credentials", "{}", "operator"),
    ("GET", "/api/v1/cpe/quirks", "", "viewer operator"),
    ("GET", "/api/v1/cpe/quirks/x", "", "viewer operator"),
    ("PUT", "/api/v1/cpe/quirks/x", "[]", "operator"),
    ("DELETE", "/api/v1/cpe/quirks/x", "", "operator"),
];

/// Makes a token with these roles: its owner's line of the configuration.
fn token(name: &str, roles: &[&str]) -> (String, String) {
    let directory = tempfile::tempdir().unwrap();
    let roles: Vec<&str> = roles.iter().flat_map(|role| ["--role", *role]).collect();
    let made = harness::jackfield(directory.path(), &[&["token", "new", name, "--json"], &roles[..]].concat()).json();
    assert_eq!(made["name"], name);
    let line = format!("{name} = {{ blake3 = {}, roles = {} }}\n", made["blake3"], made["roles"]);
    (made["token"].as_str().unwrap().to_owned(), line)
}

fn ask(host: &Host, token: &str, method: &str, path: &str, body: &str) -> Answer {
    host.request_with(token, method, path, &[("content-type", "application/json")], body)
}

#[test]
fn every_route_is_open_to_its_roles_and_to_no_other() {
    let tokens = ROLES.map(|role| token(role.replace("admin", "root").as_str(), &[role]));
    let config = tokens.iter().fold("[tokens]\n".to_owned(), |mut config, (_, line)| {
        config.write_str(line).unwrap();
        config
    });
    let host = Setup::default().config(&format!("{config}[cpe]\nlisten = \"127.0.0.1:0\"\n")).start();
    for (method, path, body, open_to) in ROUTES {
        for ((token, _), role) in tokens.iter().zip(ROLES) {
            let answer = ask(&host, token, method, path, body);
            let open = role == "admin" || open_to.split(' ').any(|open| open == role);
            assert_eq!(answer.status == 403, !open, "{method} {path} with {role}: {answer:?}");
            assert!(![401, 405].contains(&answer.status), "{method} {path} with {role}: {answer:?}");
        }
        assert_eq!(ask(&host, "guess", method, path, body).status, 401, "{method} {path}");
    }
    // What there is not is not there for anybody, and a token of one role is told which it wants.
    let refused = ask(&host, &tokens[1].0, "POST", "/api/v1/plugins/activate", "{}").body;
    assert_eq!((&refused["reason"], &refused["status"]), (&json!("forbidden"), &json!("403")));
    assert_eq!(refused["message"], "POST /api/v1/plugins/activate needs the role admin; the token `orders` has orders");
    assert_eq!(ask(&host, &tokens[1].0, "GET", "/api/v1/nothing", "").status, 404);
    assert_eq!(ask(&host, &tokens[0].0, "DELETE", "/api/v1/runs", "").status, 405);
}

#[test]
fn a_token_does_what_its_roles_together_open_and_signs_it() {
    let (sells, sells_line) = token("shop", &["orders", "publisher"]);
    let (decides, decides_line) = token("night", &["operator"]);
    let host = Setup::default().config(&format!("[tokens]\n{sells_line}{decides_line}")).start();
    std::fs::write(host.directory().join("shop"), &sells).unwrap();
    std::fs::write(host.directory().join("night"), &decides).unwrap();
    let id = held(&host, "a");
    host.type_in(&["order", "show", &id, "--token-file", "shop"]).good(&[&id]);
    host.type_in(&["run", "show", &id, "--token-file", "shop"])
        .bad(5, &["forbidden: GET /api/v1/runs/{id}/summary needs the role viewer or operator or admin; the token `shop` has orders, publisher"]);
    let noop = harness::plugin("noop");
    host.type_in(&["plugin", "install", noop.to_str().unwrap(), "--token-file", "shop"]).good(&["installed"]);
    host.type_in(&["plugin", "activate", "noop@0.1.0", "--token-file", "shop"]).bad(5, &["needs the role admin"]);
    host.type_in(&["run", "resolve", &id, "fail", "--by", "bob", "--note", "n", "--token-file", "night"]).good(&[]);
    let last = host.run(&id)["records"].as_array().unwrap().last().unwrap()["event"]["by"].clone();
    assert_eq!(last, "bob (token of night)");
    let audit = host.type_in(&["audit", "list", "--json"]).json();
    let installed = audit.as_array().unwrap().iter().find(|entry| entry["action"] == "install").unwrap();
    assert_eq!(installed["by"], "shop");
    assert!(host.log().contains("the token `shop` has orders, publisher"), "{}", host.log());
}

#[test]
fn a_token_of_which_only_the_hash_is_written_may_do_everything_and_the_start_says_so() {
    let (token, line) = token("ann", &[]);
    assert!(line.ends_with("roles = [\"viewer\"] }\n"), "{line}");
    let hash = line.split('"').nth(1).unwrap();
    let host = Setup::default().config(&format!("[tokens]\nann = \"{hash}\"")).start();
    assert!(host.log().contains("tokens.ann has no roles, so it may do everything: expected ann = { blake3 = "), "{}", host.log());
    assert_eq!(ask(&host, &token, "POST", "/api/v1/plugins/gc", "{}").status, 200);
}
