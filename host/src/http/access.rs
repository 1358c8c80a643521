//! Who may do what: each route that asks for a token, with the roles that open it. What does not stand here is open to nobody.

use std::collections::BTreeSet;

use axum::http::Method;

use crate::config::Role::{self, Admin, Operator, Orders, Publisher, Tenants, Viewer};

/// Whoever may look at everything.
const LOOK: &[Role] = &[Viewer, Operator];
/// Whoever may look at orders.
const LOOK_AT_ORDERS: &[Role] = &[Orders, Viewer, Operator];
/// Whoever decides about runs.
const OPERATE: &[Role] = &[Operator];
/// What decides which plugin runs with which grant.
const ADMINISTER: &[Role] = &[];
/// Whoever may look at tenants.
const LOOK_AT_TENANTS: &[Role] = &[Tenants, Viewer, Operator];
/// Whoever decides about tenants.
const MANAGE_TENANTS: &[Role] = &[Tenants, Operator];
/// What says nothing about anybody.
const ANYBODY: &[Role] = &[Viewer, Orders, Operator, Tenants, Publisher];

/// A method of a path, as the router has it, and the roles that open it beside `admin`, which opens everything. Whoever may GET may HEAD.
type Route = (&'static str, &'static str, &'static [Role]);

const ROUTES: &[Route] = &[
    ("POST", "/tmf-api/productOrderingManagement/v4/productOrder", &[Orders]),
    ("GET", "/tmf-api/productOrderingManagement/v4/productOrder", LOOK_AT_ORDERS),
    ("GET", "/tmf-api/productOrderingManagement/v4/productOrder/{id}", LOOK_AT_ORDERS),
    ("GET", "/tmf-api/productOrderingManagement/v4/openapi.json", ANYBODY),
    ("GET", "/api/v1/runs", LOOK),
    ("GET", "/api/v1/runs/{id}", LOOK),
    ("GET", "/api/v1/runs/{id}/summary", LOOK),
    ("GET", "/api/v1/runs/{id}/trace", LOOK),
    ("POST", "/api/v1/runs/{id}/resolve", OPERATE),
    ("POST", "/api/v1/runs/{id}/undo", OPERATE),
    ("POST", "/api/v1/backup", OPERATE),
    ("GET", "/api/v1/plugins", LOOK),
    ("POST", "/api/v1/plugins", &[Publisher]),
    ("POST", "/api/v1/plugins/repin", OPERATE),
    ("POST", "/api/v1/plugins/activate", ADMINISTER),
    ("POST", "/api/v1/plugins/rollback", ADMINISTER),
    ("POST", "/api/v1/plugins/quarantine", ADMINISTER),
    ("POST", "/api/v1/plugins/gc", ADMINISTER),
    ("POST", "/api/v1/plugins/remove", ADMINISTER),
    ("GET", "/api/v1/bindings", LOOK),
    ("PUT", "/api/v1/bindings", ADMINISTER),
    // It only looks: the order is computed with and not kept.
    ("POST", "/api/v1/bindings/explain", LOOK),
    ("GET", "/api/v1/audit", LOOK),
    ("GET", "/api/v1/cpe/openapi.json", ANYBODY),
    ("GET", "/api/v1/cpe/devices", LOOK),
    ("GET", "/api/v1/cpe/devices/{key}", LOOK),
    ("POST", "/api/v1/cpe/devices", OPERATE),
    ("DELETE", "/api/v1/cpe/devices/{key}", OPERATE),
    ("POST", "/api/v1/cpe/devices/{key}/provision", OPERATE),
    ("POST", "/api/v1/cpe/devices/{key}/wake", OPERATE),
    ("POST", "/api/v1/cpe/devices/{key}/{command}", OPERATE),
    ("POST", "/api/v1/cpe/plans", OPERATE),
    ("POST", "/api/v1/cpe/credentials", OPERATE),
    ("POST", "/api/v1/tenants", MANAGE_TENANTS),
    ("GET", "/api/v1/tenants", LOOK_AT_TENANTS),
    ("GET", "/api/v1/tenants/stats", LOOK_AT_TENANTS),
    ("GET", "/api/v1/tenants/openapi.json", ANYBODY),
    ("GET", "/api/v1/tenants/zone/{zone}", LOOK_AT_TENANTS),
    ("GET", "/api/v1/tenants/{id}", LOOK_AT_TENANTS),
    ("DELETE", "/api/v1/tenants/{id}", MANAGE_TENANTS),
    ("GET", "/api/v1/tenants/{id}/events", LOOK_AT_TENANTS),
    ("POST", "/api/v1/tenants/{id}/retry", MANAGE_TENANTS),
    ("GET", "/api/v1/tenants/{id}/drift", LOOK_AT_TENANTS),
    ("POST", "/api/v1/tenants/{id}/repair", MANAGE_TENANTS),
    // Passwords are for whoever serves the tenants, not for whoever runs the host.
    ("POST", "/api/v1/tenants/{id}/credentials", &[Tenants]),
    ("POST", "/api/v1/tenants/{id}/credentials/rotate", &[Tenants]),
    ("GET", "/api/v1/cpe/quirks", LOOK),
    ("GET", "/api/v1/cpe/quirks/{name}", LOOK),
    ("PUT", "/api/v1/cpe/quirks/{name}", OPERATE),
    ("DELETE", "/api/v1/cpe/quirks/{name}", OPERATE),
];

/// What is to become of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Open,
    /// The roles that would open the route.
    Closed(Vec<Role>),
    /// The path has no such method, but these.
    NoMethod(String),
}

/// Judges a request by the path of its route, which is absent where the router knows none.
pub(super) fn judge(method: &Method, path: Option<&str>, roles: &BTreeSet<Role>) -> Verdict {
    // What there is not is not found, by whomever.
    let Some(path) = path else { return Verdict::Open };
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let of_path: Vec<&Route> = ROUTES.iter().filter(|(_, known, _)| *known == path).collect();
    let Some((_, _, open_to)) = of_path.iter().find(|(known, _, _)| *known == method) else {
        let methods: Vec<&str> = of_path.iter().flat_map(|(known, _, _)| if *known == "GET" { vec!["GET", "HEAD"] } else { vec![*known] }).collect();
        return Verdict::NoMethod(methods.join(","));
    };
    let mut fitting: Vec<Role> = open_to.to_vec();
    fitting.push(Admin);
    if fitting.iter().any(|role| roles.contains(role)) { Verdict::Open } else { Verdict::Closed(fitting) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    const BASE: &str = "/tmf-api/productOrderingManagement/v4";

    /// The paths of routes in the sources below a directory, but for those that ask for no token.
    fn declared(directory: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                declared(&entry, found);
            } else if !entry.ends_with("callbacks.rs") && !entry.ends_with("access.rs") {
                found.extend(routes(&entry));
            }
        }
    }

    /// The paths of routes in a source.
    fn routes(file: &Path) -> Vec<String> {
        let text = std::fs::read_to_string(file).unwrap();
        text.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_route_has_an_entry_and_every_entry_a_route() {
        let mut found = BTreeSet::new();
        declared(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http"), &mut found);
        let of_devices = routes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/cpe/src/api.rs"));
        found.extend(of_devices.iter().map(|path| format!("{}{path}", cpe::api::BASE)));
        let mut operations = BTreeSet::new();
        found.extend(routes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/tenants/src/api.rs")));
        let documents = [(BASE, orders::tmf622::OPENAPI), (cpe::api::BASE, cpe::api::OPENAPI), (tenants::api::BASE, tenants::api::OPENAPI)];
        for (base, document) in documents {
            operations.insert(("GET".to_owned(), format!("{base}/openapi.json")));
            let document: Value = serde_json::from_str(document).unwrap();
            for (path, methods) in document["paths"].as_object().unwrap() {
                let methods = methods.as_object().unwrap().keys().filter(|key| ["get", "post", "put", "patch", "delete"].contains(&key.as_str()));
                operations.extend(methods.map(|method| (method.to_ascii_uppercase(), format!("{base}{}", path.trim_end_matches('/')))));
            }
        }
        found.extend(operations.iter().filter(|(_, path)| path.starts_with(BASE)).map(|(_, path)| path.clone()));
        let known: BTreeSet<String> = ROUTES.iter().map(|(_, path, _)| (*path).to_owned()).collect();
        assert_eq!(found, known);
        let described = |(_, path, _): &&Route| [BASE, cpe::api::BASE, tenants::api::BASE].iter().any(|base| path.starts_with(base));
        let entries: BTreeSet<_> = ROUTES.iter().filter(described).map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
        assert_eq!(operations, entries);
    }

    #[test]
    fn what_has_no_entry_is_open_to_nobody() {
        let judged = |method: Method, path, role| judge(&method, path, &BTreeSet::from([role]));
        assert_eq!(judged(Method::GET, Some("/api/v1/new"), Admin), Verdict::NoMethod(String::new()));
        assert_eq!(judged(Method::DELETE, Some("/api/v1/plugins"), Admin), Verdict::NoMethod("GET,HEAD,POST".to_owned()));
        assert_eq!(judged(Method::HEAD, Some("/api/v1/plugins"), Viewer), Verdict::Open);
        assert_eq!(judged(Method::POST, Some("/api/v1/plugins"), Viewer), Verdict::Closed(vec![Publisher, Admin]));
        assert_eq!(judged(Method::GET, None, Orders), Verdict::Open);
    }
}
