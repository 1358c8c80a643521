//! `startup_ms_50_plugins`: from the start of the real binary until it serves, with 50 different plugins whose compiled code is on disk.

use std::fs;

use anyhow::{Context, Result};

use crate::{
    harness::{report::Measured, statistics::median},
    served::{Configured, Served, configuration},
    setup::Setup,
    variants::variants,
};

const PLUGINS: usize = 50;
/// Starts that are measured; the first one fills the cache.
const TIMES: usize = 5;

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let database = setup.fresh("startup")?;
    let directory = database.parent().context("the database has a directory")?.to_owned();
    let plugins = variants(&setup.noop, PLUGINS)?;
    let plugins = plugins.iter().map(|(name, component)| Configured::write(&directory, name, component, "")).collect::<Result<Vec<_>>>()?;
    // Every one is bound, so that none is left for later.
    let shares: Vec<String> = plugins.iter().map(|plugin| format!("{} = 1", plugin.name)).collect();
    let mut bindings = format!("\"jackfield:order/inventory@1\" = [{{ weights = {{ {} }} }}]\n", shares.join(", "));
    for contract in ["catalog", "provisioning", "activation", "billing"] {
        bindings.push_str(&format!("\"jackfield:order/{contract}@1\" = \"p000\"\n"));
    }
    fs::write(directory.join("jackfield.toml"), configuration(&plugins, &bindings))?;
    let mut times = Vec::new();
    for start in 0..=TIMES {
        let host = Served::start(&directory)?;
        let (_, _) = host.ask(http::Method::GET, "/readyz", "").await?;
        if start > 0 {
            times.push(host.started_in.as_secs_f64() * 1e3);
        }
    }
    setup.remove(&database)?;
    Ok(Measured { values: vec![("startup_ms_50_plugins", median(&times).context("nothing was started")?)], ..Measured::default() })
}
