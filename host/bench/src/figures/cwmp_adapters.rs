//! `cwmp_provision_http_per_s`: provisionings in a second where plugins ask for the inventory and the profiles over HTTP.
//!
//! The systems that they ask are those of the lab, in this process. No device lies.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use lab::storm::Storm;
use serde_json::{Value, json};

use crate::{
    devices_served::{DevicesServed, check},
    harness::report::Measured,
    setup::Setup,
};

/// Sessions that are under way at a time.
const CONCURRENCY: usize = 128;
/// The plan that the business system knows.
const PLAN: &str = "plan-fibre-100";

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let database = setup.fresh("cwmp-http")?;
    let directory = database.parent().context("the database has a directory")?.to_owned();
    let lab = lab::Lab::start(lab::Options::default()).await?;
    let get = |name: &str, url: &str| format!("http.{name} = {{ url = \"{url}\", methods = [\"GET\"] }}");
    let plugins = [
        ("device-inventory-rest", get("inventory", &lab.urls().device_inventory)),
        ("profile-rest", format!("secrets.bss-key = \"file:bss.key\"\n{}", get("bss", &lab.urls().profiles))),
    ];
    let served = DevicesServed::start_with(setup, &directory, "", &plugins).await?;
    let count = setup.counts.devices.min(3_000);
    let storm = served.devices("H", count, |options| options.concurrency = CONCURRENCY).await?;
    sell(&lab.urls().device_inventory, &storm).await?;
    let report = storm.run(&["0 BOOTSTRAP", "1 BOOT"]).await?;
    check(&report)?;
    served.provisioned(count as u64, 0).await?;
    drop(served);
    setup.remove(&database)?;
    let note = format!("cwmp over HTTP adapters: {count} devices, answers p50 {} us, p99 {} us", report.answers.p50_us, report.answers.p99_us);
    Ok(Measured { values: vec![("cwmp_provision_http_per_s", report.per_second())], note: Some(note), facts: Vec::new() })
}

/// Tells the inventory whose the devices are.
async fn sell(inventory: &str, storm: &Storm) -> Result<()> {
    let sold = storm.devices().iter().zip(1_u32..).map(|(device, number)| {
        let options = device.options();
        json!({"oui": options.oui, "productClass": options.product_class, "serial": options.serial, "customer": format!("C-{number}"), "plan": PLAN})
    });
    let body = Value::Array(sold.collect()).to_string();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::post(format!("{inventory}/devices")).header(header::CONTENT_TYPE, "application/json").body(Full::new(body.into()))?;
    let answer = client.request(request).await?;
    ensure!(answer.status().is_success(), "the inventory answered {}", answer.status());
    Ok(())
}
