//! `js_plugin_call_us`: the same call of a plugin in JavaScript. Null without one; only a machine without Node.js, which cannot build one, is excused.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::Result;

use crate::{
    guest::{Guest, Unobserved},
    harness::{
        report::{Excused, Measured},
        rounds::interleave,
    },
    setup::Setup,
};

/// A call takes some hundred times longer than one of a plugin in Rust.
const FEWER_CALLS: usize = 100;

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let mut folders = fs::read_dir(&fixtures)?.filter_map(|entry| Some(entry.ok()?.path())).filter(|folder| folder.join("package.json").is_file());
    let built = |folder: PathBuf| Some((fs::read(setup.plugins.join(folder.file_name()?).with_extension("wasm")).ok()?, folder));
    let Some((component, folder)) = folders.find_map(built) else { return Err(missing()) };
    // What the tools of JavaScript make has no manifest yet.
    let component = package::pack(&component, &fs::read(folder.join("manifest.json"))?)?;
    let guest = Guest::load(setup, component).await?;
    let mut caller = guest.caller(Arc::new(Unobserved), true)?;
    let (rounds, calls) = (setup.counts.rounds, (setup.counts.calls / FEWER_CALLS).max(1));
    let measured = guest.runtime.spawn(async move { interleave(rounds, calls, &mut [&mut caller]).await }).await??;
    Ok(Measured { values: vec![("js_plugin_call_us", measured.time(0)?)], ..Measured::default() })
}

fn missing() -> anyhow::Error {
    let node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    if node {
        return anyhow::anyhow!("target/plugins holds no fixture in JavaScript");
    }
    Excused("target/plugins holds no fixture in JavaScript, and there is no Node.js to build one with".to_owned()).into()
}
