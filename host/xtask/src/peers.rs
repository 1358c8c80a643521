//! What the benchmarks are measured beside: programs with a lock file of their own, built into `target/peers` when they are wanted.

use crate::{command, workspace};

/// Where they are, and where they are put.
const FOLDER: &str = "host/bench/peers/extism";
/// The figures that need them begin with it.
const FIGURES: &str = "extism";
/// The oldest Rust that compiles them, as their manifest says.
const OLDEST: (u32, u32) = (1, 96);
/// A core module: the linker that would make a component of it is passed by.
const CORE_MODULE: &str = "-Clinker=rust-lld -Clinker-flavor=wasm-ld";

/// Whether a figure is to be measured that needs them.
pub(crate) fn are_wanted(arguments: &[&str]) -> bool {
    let mut only = arguments.iter().zip(arguments.iter().skip(1)).filter(|(flag, _)| **flag == "--only").map(|(_, name)| *name).peekable();
    only.peek().is_none() || only.any(|name| name.starts_with(FIGURES))
}

/// Builds them. Without them their figures are null, which is no reason to measure nothing.
pub(crate) fn build() {
    let Some(toolchain) = toolchain() else {
        eprintln!(
            "no Rust of {}.{} or newer is installed (`rustup toolchain install nightly`): nothing is measured beside Extism",
            OLDEST.0, OLDEST.1
        );
        return;
    };
    let target = workspace::target().join("peers");
    let target = target.to_string_lossy();
    let manifest = |path: &str| format!("{FOLDER}/{path}Cargo.toml");
    let arguments = |manifest: &str| ["build", "--release", "--locked", "--target-dir", &*target, "--manifest-path", manifest].map(str::to_owned);
    let mut peer = command::program("rustup", &["run", &toolchain, "cargo"]);
    peer.args(arguments(&manifest("")));
    let mut guest = command::cargo(&[]);
    guest.args(arguments(&manifest("guest/"))).args(["--target", "wasm32-wasip2"]).env("RUSTFLAGS", CORE_MODULE);
    for command in [&mut peer, &mut guest] {
        if let Err(error) = command::run(command) {
            eprintln!("nothing is measured beside Extism: {error:#}");
        }
    }
}

/// The first installed toolchain that is new enough.
fn toolchain() -> Option<String> {
    let list = command::answer("rustup", &["toolchain", "list"])?;
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).find(|name| command::answer("rustup", &["run", name, "rustc", "--version"]).as_deref().and_then(version) >= Some(OLDEST))
}

/// The version in `rustc 1.97.0-nightly (...)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(1)?.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_wanted_for_everything_and_for_their_own_figures() {
        for (arguments, expected) in [
            (&[][..], true),
            (&["--check"], true),
            (&["--only", "extism_ratio"], true),
            (&["--only", "floor_us"], false),
            (&["--only", "floor_us", "--json", "--only", "extism_new_us"], true),
        ] {
            assert_eq!(are_wanted(arguments), expected, "{arguments:?}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("rustc 1.97.0-nightly (e50aa6fba 2026-05-19)"), Some((1, 97)));
        assert!(version("rustc 1.100.0 (x)") > Some(OLDEST) && version("rustc 1.95.0 (x)") < Some(OLDEST) && version("nonsense") < Some(OLDEST));
    }
}
