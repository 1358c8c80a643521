//! `install_ms`, `activation_ms_cold`, `activation_ms_cached`: how long a plugin takes to be installed and to be put into service, over the interface of the
//! real binary.
//!
//! The plugin is the largest that ships, in Rust, of some 300 KB. Each activation meets a host that has just been started and has the version neither in
//! service nor in memory. Cold: the compiled code is not on disk either.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use http::Method;

use crate::{
    harness::{report::Measured, statistics::median},
    served::{Configured, Served, configuration},
    setup::Setup,
    variants::version,
};

/// How often each is measured.
const TIMES: usize = 5;
const NAME: &str = "catalog-tmf633";
const GRANT: &str = "http.catalog = { url = \"http://127.0.0.1:9\", methods = [\"GET\"] }";

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let database = setup.fresh("swapping")?;
    let directory = database.parent().context("the database has a directory")?.to_owned();
    let file = setup.plugins.join(NAME).with_extension("wasm");
    let component = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let plugins = [Configured::write(&directory, NAME, &component, GRANT)?];
    fs::write(directory.join("jackfield.toml"), configuration(&plugins, ""))?;
    let (mut installs, mut cold, mut cached) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..=TIMES {
        let other = format!("0.1.{number}");
        let host = Served::start(&directory)?;
        let (_, took) = host.ask(Method::POST, "/api/v1/plugins", version(&component, &other)?).await?;
        installs.push(took.as_secs_f64() * 1e3);
        drop(host);
        cached.push(activated(&directory, &other, false).await?);
        cold.push(activated(&directory, &other, true).await?);
    }
    setup.remove(&database)?;
    let ms = |times: &[f64]| median(times).context("nothing was measured");
    Ok(Measured {
        values: vec![("install_ms", ms(&installs)?), ("activation_ms_cold", ms(&cold)?), ("activation_ms_cached", ms(&cached)?)],
        note: Some(format!("swapping: a component of {} KB", component.len() / 1000)),
        facts: Vec::new(),
    })
}

/// Starts the host, puts a version into service, and takes it out again.
async fn activated(directory: &Path, version: &str, cold: bool) -> Result<f64> {
    let host = Served::start(directory)?;
    if cold {
        // The directory itself stays: the host has made sure that nobody else can write there.
        for entry in fs::read_dir(directory.join("data/compiled"))? {
            let path = entry?.path();
            if path.is_file() && fs::metadata(&path)?.len() > 10_000 {
                fs::remove_file(path)?;
            }
        }
    }
    let took = host.activate(&format!("{NAME}@{version}")).await?;
    host.activate(&format!("{NAME}@0.1.0")).await?;
    Ok(took.as_secs_f64() * 1e3)
}
