//! The interface over a host in memory: what it answers, and what is wrong with what it refuses.

mod schema;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::{body::Body, http::Request};
use engine::port::{SystemClock, registry::Deed};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower_service::Service;

use super::{Api, By, Trail, router};
use crate::{
    flow::testing::{Device, Setup, World},
    wake::{WakeOptions, Waker},
};

/// A trail in memory, or one that is full.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<Deed>>, bool);

#[async_trait]
impl Trail for Told {
    async fn tell(&self, deed: Deed) -> Result<(), String> {
        if self.1 {
            return Err("the disk is full".to_owned());
        }
        self.0.lock().unwrap().push(deed);
        Ok(())
    }
}

async fn world() -> (World, axum::Router) {
    told(Arc::default()).await
}

async fn told(trail: Arc<Told>) -> (World, axum::Router) {
    let world = World::new(Setup::default()).await;
    let api = Api {
        intake: Arc::new(world.intake.clone()),
        inventory: world.inventory.clone(),
        quirks: world.quirks.clone(),
        documents: world.ground.store.clone(),
        secrets: world.ground.secrets.clone(),
        waker: Arc::new(Waker::new(WakeOptions::default(), Arc::new(SystemClock))),
        sessions: world.lines.clone(),
        tenant: pipeline::TenantName::new("default").unwrap(),
        trail,
    };
    (world, router(api).layer(axum::Extension(By("ann".to_owned()))))
}

async fn ask(router: &mut axum::Router, method: &str, path: &str, body: Value) -> (u16, Value) {
    let (status, answer) = exchange(router, method, path, body.clone()).await;
    schema::check(method, path, &body, status, &answer);
    (status, answer)
}

async fn exchange(router: &mut axum::Router, method: &str, path: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let request = Request::builder().method(method).uri(format!("/api/v1/cpe{path}")).body(body).unwrap();
    let response = router.call(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test]
async fn devices_are_taken_in_provisioned_shown_and_forgotten() {
    let (world, mut router) = world().await;
    let devices = json!([{"oui": "00d09e", "product-class": "R", "serial": "S7", "password": "p-w", "customer": "c-7", "plan": "fibre-100"}]);
    assert_eq!(ask(&mut router, "POST", "/devices", devices).await, (201, json!({"devices": ["00D09E-R-S7"]})));
    let (status, shown) = ask(&mut router, "GET", "/devices/00D09E-R-S7", Value::Null).await;
    assert_eq!((status, &shown["state"], &shown["assigned-plan"]), (200, &json!("new"), &json!("fibre-100")));
    let mut device = Device::new("S7", "Device.");
    device.values.insert("Device.ManagementServer.ConnectionRequestURL".to_owned(), "http://203.0.113.9/".to_owned());
    world.provision(&mut device).await;
    let (_, shown) = ask(&mut router, "GET", "/devices/00D09E-R-S7", Value::Null).await;
    assert_eq!((&shown["state"], &shown["model"], &shown["checked"]), (&json!("provisioned"), &json!("R-1"), &json!(10)));
    for text in ["p-w", "kept-secret", "jackfield-sealed"] {
        assert!(!shown.to_string().contains(text), "{shown}");
    }
    for (query, total) in [("", 1), ("?state=provisioned&plan=fibre-100", 1), ("?state=held", 0), ("?manufacturer=Acme&serial=S7", 1)] {
        let (status, page) = ask(&mut router, "GET", &format!("/devices{query}"), Value::Null).await;
        assert_eq!((status, &page["total"]), (200, &json!(total)), "{query} {page}");
    }
    let (status, begun) = ask(&mut router, "POST", "/devices/00D09E-R-S7/provision", Value::Null).await;
    // The device says that it listens at another address than it comes from: nothing is sent there.
    let refused = begun["woken"].as_str().unwrap();
    assert!(status == 202 && begun["run"].is_string() && refused.contains("203.0.113.9 may not be reached"), "{begun}");
    assert_eq!(ask(&mut router, "DELETE", "/devices/00D09E-R-S7", Value::Null).await.0, 204);
    assert_eq!(ask(&mut router, "GET", "/devices/00D09E-R-S7", Value::Null).await.0, 404);
}

#[tokio::test]
async fn commands_are_kept_for_the_next_session() {
    let (world, mut router) = world().await;
    let mut device = Device::new("S1", "Device.");
    world.provision(&mut device).await;
    let values = json!({"values": [{"name": "Device.Config.P8", "value": "new"}, {"name": "Device.Config.P9", "secret": "hush"}]});
    let (status, begun) = ask(&mut router, "POST", "/devices/00D09E-R-S1/set?wake=false", values).await;
    assert_eq!((status, &begun["woken"]), (202, &Value::Null), "{begun}");
    let run = pipeline::RunId::new(begun["run"].as_str().unwrap()).unwrap();
    device.events = vec![("6 CONNECTION REQUEST".to_owned(), String::new())];
    world.session(&mut device).await;
    assert_eq!(world.rest(&run).await, Some(pipeline::Outcome::Completed));
    assert_eq!((device.value("Config.P8"), device.value("Config.P9")), ("new", "hush"));
    let (_, shown) = ask(&mut router, "GET", "/devices/00D09E-R-S1", Value::Null).await;
    assert_eq!((&shown["commands"][0]["command"], &shown["commands"][0]["state"]), (&json!("set"), &json!("done")));
    assert!(!shown.to_string().contains("hush"), "{shown}");
}

#[tokio::test]
async fn every_change_is_told_with_who_made_it() {
    let trail: Arc<Told> = Arc::default();
    let (world, mut router) = told(trail.clone()).await;
    world.provision(&mut Device::new("S1", "Device.")).await;
    let device = |serial: &str| json!({"oui": "00D09E", "product-class": "R", "serial": serial, "customer": "c", "plan": "p", "password": "hush"});
    for (method, path, body, status) in [
        ("POST", "/devices", json!([device("S7")]), 201),
        ("POST", "/devices", json!([device("S7"), device("S8")]), 201),
        ("POST", "/plans", json!({"name": "p", "settings": [{"name": "a", "secret": "hush"}]}), 201),
        ("POST", "/credentials", json!({"username": "fleet", "password": "hush", "oui": "00D09E"}), 201),
        ("POST", "/devices/00D09E-R-S1/provision?wake=false", Value::Null, 202),
        ("DELETE", "/devices/00D09E-R-S7", Value::Null, 204),
        ("PUT", "/quirks/acme", json!({"manufacturer": "Acme", "set": {"set_batch": 4}}), 200),
        ("PUT", "/quirks/acme", json!({"manufacturer": "Acme", "set": {"set_batch": 2}}), 200),
        ("DELETE", "/quirks/acme", Value::Null, 204),
        // Nothing was done, so there is nothing to tell.
        ("POST", "/plans", json!({"name": ""}), 400),
        ("POST", "/devices", json!([]), 201),
        ("GET", "/devices", Value::Null, 200),
    ] {
        let (found, answer) = ask(&mut router, method, path, body).await;
        assert_eq!(found, status, "{method} {path}: {answer}");
    }
    let deeds = std::mem::take(&mut *trail.0.lock().unwrap());
    let run = world.run_of(&Device::new("S1", "Device.")).await;
    let lines: Vec<(&str, &str, Value)> = deeds.iter().map(|deed| (&*deed.action, &*deed.subject, deed.after.clone())).collect();
    assert_eq!(
        lines,
        [
            ("import-devices", "00D09E-R-S7", Value::Null),
            ("import-devices", "2 devices", json!({"devices": ["00D09E-R-S7", "00D09E-R-S8"], "count": 2})),
            ("put-plan", "p", Value::Null),
            ("put-credential", "fleet", json!({"oui": "00D09E"})),
            ("provision-device", "00D09E-R-S1", json!({"run": run})),
            ("forget-device", "00D09E-R-S7", Value::Null),
            ("put-quirk", "acme", json!({"manufacturer": "Acme", "set": {"set_batch": 4}})),
            ("put-quirk", "acme", json!({"manufacturer": "Acme", "set": {"set_batch": 2}})),
            ("remove-quirk", "acme", Value::Null),
        ]
    );
    let before: Vec<&Value> = deeds[6..].iter().map(|deed| &deed.before["set"]["set_batch"]).collect();
    assert_eq!(before, [&Value::Null, &json!(4), &json!(2)]);
    assert!(deeds.iter().all(|deed| deed.by == "ann") && !format!("{deeds:?}").contains("hush"), "{deeds:?}");
}

#[tokio::test]
async fn a_change_of_which_the_trail_does_not_tell_is_not_called_done() {
    let (_world, mut router) = told(Arc::new(Told(Mutex::default(), true))).await;
    let (status, answer) = ask(&mut router, "POST", "/plans", json!({"name": "p"})).await;
    let message = answer["error"].as_str().unwrap_or_default();
    assert!(status == 503 && message.contains("the audit trail does not tell of it: the disk is full; repeat it"), "{status} {answer}");
}

#[tokio::test]
async fn a_quirk_that_an_operator_adds_applies_from_the_next_session_on() {
    let (world, mut router) = world().await;
    let mut device = Device::new("S1", "Device.");
    let quirk = json!({"note": "Takes few values at once.", "oui": "00D09E", "set": {"set_batch": 4}});
    assert_eq!(ask(&mut router, "PUT", "/quirks/few", quirk.clone()).await, (200, json!({"quirk": "few"})));
    assert_eq!(ask(&mut router, "GET", "/quirks/few", Value::Null).await, (200, quirk.clone()));
    let (_, all) = ask(&mut router, "GET", "/quirks", Value::Null).await;
    assert!(all["kept"] == json!({"few": quirk}) && !all["built-in"].as_array().unwrap().is_empty() && all["configured"] == json!([]), "{all}");
    world.provision(&mut device).await;
    assert_eq!(device.asked.iter().filter(|name| *name == "SetParameterValues").count(), 3, "ten values by four: {:?}", device.asked);
    assert_eq!(ask(&mut router, "DELETE", "/quirks/few", Value::Null).await.0, 204);
    for (method, path, body, status, expected) in [
        ("GET", "/quirks/few", Value::Null, 404, "no quirk record `few` is kept"),
        ("DELETE", "/quirks/few", Value::Null, 404, "no quirk record `few` is kept"),
        ("PUT", "/quirks/a%2Fb", json!({}), 400, "`a/b` is no name of a quirk record"),
        ("PUT", "/quirks/a", json!({"oui": "zz"}), 400, "quirk record a: `oui` is `zz`; expected six hexadecimal digits"),
        ("PUT", "/quirks/a", json!({"set": {"colour": 1}}), 400, "unknown field `colour`"),
    ] {
        let (found, answer) = ask(&mut router, method, path, body).await;
        assert!(found == status && answer["error"].as_str().unwrap_or_default().contains(expected), "{method} {path}: {found} {answer}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let (_world, mut router) = world().await;
    for (method, path, body, status, expected) in [
        ("GET", "/devices/nonsense", Value::Null, 400, "`nonsense` is no device"),
        ("GET", "/devices/00D09E-R-S9", Value::Null, 404, "there is no device 00D09E-R-S9"),
        ("GET", "/devices?colour=red", Value::Null, 400, "parameter `colour` is not known"),
        ("GET", "/devices?state=sleepy", Value::Null, 400, "expected one of provisioning, provisioned, held"),
        ("GET", "/devices?limit=0", Value::Null, 400, "parameter limit is `0`"),
        ("GET", "/devices?state=held&manufacturer=x", Value::Null, 400, "`state` and `plan` go together"),
        ("POST", "/devices", json!([{"oui": "zz", "serial": "1"}]), 400, "[0]: oui is `zz`: expected six hexadecimal digits"),
        ("POST", "/devices", json!([{"oui": "00D09E", "serial": "1", "plan": "x"}]), 400, "expected both `customer` and `plan`"),
        ("POST", "/devices", json!([{"oui": "00D09E", "serial": "1", "colour": 1}]), 400, "unknown field `colour`"),
        ("POST", "/plans", json!({"name": "p", "settings": [{"name": "a"}]}), 400, "expected either `value` or `secret`"),
        ("POST", "/plans", json!({"name": "p", "settings": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}), 400, "given twice"),
        ("POST", "/credentials", json!({"username": "a:b", "password": "x"}), 400, "without `:`"),
        ("POST", "/devices/00D09E-R-S9/provision", Value::Null, 404, "has not contacted the host yet"),
        ("POST", "/devices/00D09E-R-S9/reboot", Value::Null, 404, "has not contacted the host yet"),
        ("POST", "/devices/00D09E-R-S9/dance", Value::Null, 404, "there is no such command"),
        ("POST", "/devices/00D09E-R-S9/get", json!({"names": []}), 400, "0 parameters: expected 1 to 1024"),
        ("POST", "/devices/00D09E-R-S9/get", json!({"names": ["a b"]}), 400, "`a b` is no name of a parameter"),
        ("POST", "/devices/00D09E-R-S9/set", json!({"values": [{"name": "A.B"}]}), 400, "expected either `value` or `secret`"),
        ("POST", "/devices/00D09E-R-S9/add-object", json!({"object": "A.B"}), 400, "expected a path with a dot at its end"),
        ("POST", "/devices/00D09E-R-S9/download", json!({"url": ""}), 400, "expected an address of 1 to 256 bytes"),
        ("POST", "/devices/00D09E-R-S9/reboot?wake=perhaps", Value::Null, 400, "expected the parameter `wake`"),
        ("POST", "/devices/00D09E-R-S9/wake", Value::Null, 404, "there is no device"),
        ("PUT", "/devices", Value::Null, 405, "no such method"),
        ("GET", "/nothing", Value::Null, 404, "no such path"),
    ] {
        let (found, answer) = ask(&mut router, method, path, body.clone()).await;
        let message = answer["error"].as_str().unwrap_or_default();
        assert!(found == status && message.contains(expected), "{method} {path} {body}: {found} {answer}");
    }
}
