//! `lab devices`: virtual devices that live by themselves. Prints lines of JSON: what each device is, then every session as the device saw it.
//!
//! Lines on standard input say what happens to a device, by its serial number: `reboot R0000001`, `factory-reset R0000001`,
//! `change R0000001 NAME VALUE`, `faults R0000001 JSON`, `value R0000001 NAME` (which prints the value that the parameter really has).

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, bail};
use clap::Args;
use lab::device::{Device, DeviceOptions, Faults, Lie, Login, Model};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, stdin},
    task::JoinSet,
};

/// Which devices.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where the auto-configuration server is: `http://HOST:PORT/`.
    #[arg(long, value_name = "URL")]
    acs: String,
    /// How many routers (TR-181), with the serial numbers R0000001 and so on.
    #[arg(long, default_value_t = 0)]
    tr181: u32,
    /// How many optical terminals (TR-098), with the serial numbers F0000001 and so on.
    #[arg(long, default_value_t = 0)]
    tr098: u32,
    /// How many of all these, from the last one, say that they apply what they do not apply.
    #[arg(long, default_value_t = 0)]
    liar: usize,
    /// The first serial number.
    #[arg(long, default_value_t = 1)]
    first: u32,
    /// The password that the devices left the factory with.
    #[arg(long, default_value = "factory")]
    password: String,
    /// The firmware of the devices, if it is not the model's.
    #[arg(long)]
    firmware: Option<String>,
    /// How they prove who they are: digest, digest-md5, digest-sha256, basic or nothing.
    #[arg(long, value_parser = named::<Login>, default_value = "digest")]
    login: Login,
    /// What is wrong with all of them, as JSON: `{"slow-ms": 100}`.
    #[arg(long, value_parser = faults, default_value = "{}")]
    faults: Faults,
    /// How long a device waits before it repeats a session that failed, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 5_000)]
    retry_ms: u64,
    /// How long a device takes to boot, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 200)]
    reboot_ms: u64,
}

/// A value by its name.
pub(crate) fn named<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

/// Faults as JSON.
pub(crate) fn faults(text: &str) -> Result<Faults, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Lives until standard input is closed, or a device cannot live any longer.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let devices = devices(&arguments);
    let mut lives = JoinSet::new();
    for device in devices.values() {
        let options = device.options();
        let what = json!({ "device": options.username(), "oui": options.oui, "product_class": options.product_class, "serial": options.serial });
        println!("{what}");
        let (device, name) = (device.clone(), options.username());
        lives.spawn(async move { device.run(|session| println!("{}", json!({ "device": name, "session": session }))).await });
    }
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => obey(&devices, &line),
                None => return Ok(()),
            },
            // A device that cannot live is no device.
            Some(ended) = lives.join_next() => ended??,
        }
    }
}

/// Does what a line says and prints what there is to say about it.
fn obey(devices: &BTreeMap<String, Device>, line: &str) {
    match command(devices, line) {
        Ok(Some(said)) => println!("{said}"),
        Ok(None) => {}
        Err(error) => println!("{}", json!({ "error": format!("{error:#}"), "line": line })),
    }
}

/// The devices by their serial number.
fn devices(arguments: &Arguments) -> BTreeMap<String, Device> {
    let serials = |letter: char, count: u32| (arguments.first..arguments.first + count).map(move |number| format!("{letter}{number:07}"));
    let routers = serials('R', arguments.tr181).map(|serial| (Model::Tr181Router, serial));
    let terminals = serials('F', arguments.tr098).map(|serial| (Model::Tr098Ont, serial));
    let all: Vec<_> = routers.chain(terminals).collect();
    let honest = all.len().saturating_sub(arguments.liar);
    let made = all.into_iter().enumerate().map(|(at, (model, serial))| {
        let lie = if at >= honest { Some(Lie::Everything) } else { arguments.faults.lie.clone() };
        let options = DeviceOptions {
            acs_url: arguments.acs.clone(),
            password: arguments.password.clone(),
            firmware: arguments.firmware.clone(),
            login: arguments.login,
            retry: Duration::from_millis(arguments.retry_ms),
            reboot: Duration::from_millis(arguments.reboot_ms),
            faults: Faults { lie, ..arguments.faults.clone() },
            ..DeviceOptions::of(model, serial.clone())
        };
        (serial, Device::new(options))
    });
    made.collect()
}

/// Does what a line says; what there is to say about it.
fn command(devices: &BTreeMap<String, Device>, line: &str) -> anyhow::Result<Option<Value>> {
    let mut words = line.splitn(4, ' ');
    let (verb, serial) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let device = devices.get(serial).with_context(|| format!("there is no device {serial:?}"))?;
    let (name, value) = (words.next(), words.next());
    match (verb, name, value) {
        ("reboot", None, None) => device.reboot(),
        ("factory-reset", None, None) => device.factory_reset(),
        ("change", Some(name), value) => device.change(name, value.unwrap_or_default()),
        ("faults", Some(json), rest) => {
            let text = rest.map_or_else(|| json.to_owned(), |rest| format!("{json} {rest}"));
            device.set_faults(faults(&text).map_err(anyhow::Error::msg)?);
        }
        ("value", Some(name), None) => {
            return Ok(Some(
                json!({ "device": device.options().username(), "name": name, "value": device.value(name), "writes": device.writes(name) }),
            ));
        }
        _ => bail!("expected `reboot SERIAL`, `factory-reset SERIAL`, `change SERIAL NAME VALUE`, `faults SERIAL JSON` or `value SERIAL NAME`"),
    }
    Ok(None)
}
