//! Extism, measured from the outside: reads `new N` or `warm N` from standard input, makes so many calls, and prints how many nanoseconds they took.
//!
//! `new`: a new plugin of the compiled form for every call, which is what a call of this host is compared with. `warm`: one plugin for all calls.

use std::{
    error::Error,
    hint::black_box,
    io::{self, BufRead as _, Write as _},
    time::Instant,
};

use extism::{CompiledPlugin, Manifest, Plugin, PluginBuilder, Wasm};

const INPUT: &str = include_str!("request.json");

fn main() -> Result<(), Box<dyn Error>> {
    let guest = std::fs::read(std::env::args().nth(1).ok_or("expected the guest as an argument")?)?;
    let compiled = CompiledPlugin::new(PluginBuilder::new(Manifest::new([Wasm::data(guest)])).with_wasi(false))?;
    let mut warm = Plugin::new_from_compiled(&compiled)?;
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (kind, calls) = line.split_once(' ').ok_or("expected `new N` or `warm N`")?;
        let calls: usize = calls.parse()?;
        let begun = Instant::now();
        for _ in 0..calls {
            match kind {
                "new" => call(&mut Plugin::new_from_compiled(&compiled)?)?,
                "warm" => call(&mut warm)?,
                other => return Err(format!("`{other}` is neither `new` nor `warm`").into()),
            }
        }
        writeln!(out, "{}", begun.elapsed().as_nanos())?;
        out.flush()?;
    }
    Ok(())
}

fn call(plugin: &mut Plugin) -> Result<(), Box<dyn Error>> {
    let answer: &str = plugin.call("apply", INPUT)?;
    if !black_box(answer).contains("network-element") {
        return Err(format!("the plugin answered {answer}, expected a receipt").into());
    }
    Ok(())
}
