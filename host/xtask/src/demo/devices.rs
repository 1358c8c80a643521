//! Devices in the demo: routers and terminals boot, contact the host, and are provisioned; what came of each is compared with what was expected.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{
    server::Server,
    stage::{ORDERS, Stage},
    tree,
};

/// Everything has come to its end after this long.
const PATIENCE: Duration = Duration::from_secs(120);

/// A device, who has it, and what must come of it.
struct Expected {
    serial: &'static str,
    /// The customer and the plan, if the inventory is told before.
    owner: Option<(&'static str, &'static str)>,
    state: &'static str,
    /// What it failed with, if it did.
    result: Option<&'static str>,
    about: &'static str,
}

/// The device that an order is about: it belongs to nobody before.
const ORDERED: &str = "R0000002";

const DEVICES: [Expected; 5] = [
    Expected { serial: "R0000001", owner: Some(("C-1", "plan-triple")), state: "provisioned", result: None, about: "a router with everything" },
    Expected { serial: ORDERED, owner: None, state: "provisioned", result: None, about: "a router that an order is about" },
    Expected { serial: "R0000003", owner: None, state: "failed", result: Some("unknown_device"), about: "a router that nobody bought" },
    Expected { serial: "F0000001", owner: Some(("C-101", "plan-voice")), state: "provisioned", result: None, about: "a terminal of another vendor" },
    Expected {
        serial: "F0000002",
        owner: Some(("C-102", "plan-voice")),
        state: "held",
        result: Some("verification_failed"),
        about: "a terminal that lies",
    },
];

/// Plays all of it. The devices live as long as what is returned.
pub(super) fn play(stage: &Stage) -> Result<Server> {
    let known = DEVICES.iter().map(|device| known(stage, device)).collect::<Result<Vec<_>>>()?;
    let answer = stage.client().send("POST", "/api/v1/cpe/devices", Some(&Value::Array(known)))?;
    ensure!(answer.status == 201, "the devices were answered with {}: {}", answer.status, answer.body);
    let keys: Vec<String> = serde_json::from_value(answer.body["devices"].clone()).context("the keys of the devices")?;
    let ordered = DEVICES.iter().position(|device| device.serial == ORDERED).context("the device of the order")?;
    let order = order(stage, &keys[ordered])?;
    println!("\n{} devices boot; order {order} is about one of them", keys.len());
    let devices = stage.devices(3, 2)?;
    let found = wait(stage, &keys)?;
    println!("\n{}\n", table(&keys, &found));
    let shown = found[ordered]["run"].as_str().unwrap_or_default().to_owned();
    println!("the trace of order {order} goes on into the provisioning of its device:\n{}", trace(stage, &shown)?);
    println!("all {} devices came out as expected", keys.len());
    Ok(devices)
}

/// The device as the inventory is to know it. Which class and maker a serial number has, the lab says.
fn known(stage: &Stage, device: &Expected) -> Result<Value> {
    let list = stage.back_end("device_inventory", "GET", &format!("/devices?serial={}", device.serial), None)?.body;
    let entry = list.as_array().and_then(|list| list.first()).with_context(|| format!("the lab has no device {}", device.serial))?;
    let mut known = json!({"oui": entry["oui"], "product-class": entry["productClass"], "serial": device.serial, "password": "factory"});
    if let Some((customer, plan)) = device.owner {
        (known["customer"], known["plan"]) = (customer.into(), plan.into());
    }
    Ok(known)
}

/// An order of a line with the device in it.
fn order(stage: &Stage, device: &str) -> Result<String> {
    let characteristics = json!([{"name": "cpe", "value": device}, {"name": "cpe-plan", "value": "plan-triple"}]);
    let item = json!({"id": "1", "action": "add", "quantity": 1, "productOffering": {"id": "fibre-100"}, "product": {"productCharacteristic": characteristics}});
    let customer = json!({"id": "C-2", "role": "customer", "@referredType": "Individual"});
    let order = json!({"category": "residential", "relatedParty": [customer], "productOrderItem": [item]});
    let answer = stage.client().send("POST", ORDERS, Some(&order))?;
    ensure!(answer.status == 201, "the order was answered with {}: {}", answer.status, answer.body);
    let id = answer.body["id"].as_str().context("the order has no id")?.to_owned();
    let begun = Instant::now();
    while stage.client().send("GET", &format!("{ORDERS}/{id}"), None)?.body["state"] != "completed" {
        ensure!(begun.elapsed() < PATIENCE, "order {id} does not come to its end");
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(id)
}

/// Waits until every device is what it is expected to be.
fn wait(stage: &Stage, keys: &[String]) -> Result<Vec<Value>> {
    let begun = Instant::now();
    loop {
        // The parts of a key are percent-encoded, and a path is once more.
        let path = |key: &String| format!("/api/v1/cpe/devices/{}", key.replace('%', "%25"));
        let found = keys.iter().map(|key| Ok(stage.client().send("GET", &path(key), None)?.body));
        let found = found.collect::<Result<Vec<Value>>>()?;
        let wrong = DEVICES.iter().zip(&found).find(|(device, found)| found["state"] != device.state || found["result"].as_str() != device.result);
        match wrong {
            None => return Ok(found),
            Some((device, found)) if begun.elapsed() > PATIENCE => {
                bail!("{} is {} ({}), expected {} ({})", device.serial, found["state"], found["result"], device.state, device.result.unwrap_or("-"))
            }
            Some(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

fn table(keys: &[String], found: &[Value]) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let row = |((key, found), device): ((&String, &Value), &Expected)| {
        [key.clone(), text(&found["model"]), text(&found["state"]), text(&found["result"]), device.about.to_owned()]
    };
    let header = ["device", "model", "state", "result", "what it shows"].map(str::to_owned);
    super::table::columns(std::iter::once(header).chain(keys.iter().zip(found).zip(&DEVICES).map(row)).collect())
}

/// The trace that a run belongs to, when the run's own root and what was sent to the device are in it: these spans are exported apart.
fn trace(stage: &Stage, run: &str) -> Result<String> {
    let run = stage.client().send("GET", &format!("/api/v1/runs/{run}"), None)?.body;
    let trace = run["state"]["started"]["trace"]["trace_id"].as_str().unwrap_or_default().to_owned();
    let begun = Instant::now();
    loop {
        let tree = tree::render(&stage.spans(), &trace).unwrap_or_default();
        if ["bss.order.lifecycle", "cpe.inform", "cwmp SetParameterValues"].iter().all(|name| tree.contains(name)) {
            return Ok(tree);
        }
        ensure!(begun.elapsed() < PATIENCE, "the provisioning is not in the trace of its order; so far:\n{tree}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
