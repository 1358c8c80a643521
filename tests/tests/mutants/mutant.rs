//! A plugin that ships, with one function broken.

use std::{fs, path::Path};

use end_to_end_tests::harness;

/// What the broken function begins with. A fresh page of memory is all zeros, which is how `ok(absent)` lies there; the answer of a function is where it
/// lies.
const ABSENT: &str = "(return (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))";

/// A plugin whose `observe` answers `absent`.
#[derive(Debug)]
pub(crate) struct Mutant {
    /// The plugin that it takes the place of.
    pub(crate) plugin: &'static str,
    bytes: Vec<u8>,
    file: tempfile::NamedTempFile,
}

impl Mutant {
    /// Breaks a plugin that was built.
    pub(crate) fn of(plugin: &'static str, contract: &str) -> Self {
        let built = fs::read(harness::plugin(plugin)).unwrap();
        let bytes = wat::parse_str(broken(&wasmprinter::print_bytes(&built).unwrap(), contract)).unwrap();
        let file = tempfile::Builder::new().suffix(".wasm").tempfile().unwrap();
        fs::write(file.path(), &bytes).unwrap();
        Self { plugin, bytes, file }
    }

    /// Where a host finds it.
    pub(crate) fn file(&self) -> &Path {
        self.file.path()
    }

    /// The component.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes.clone()
    }
}

/// The text of a component with an early return in the exported function.
fn broken(text: &str, contract: &str) -> String {
    let function = format!("(func $jackfield:order/{contract}@");
    let (mut lines, mut entered, mut times) = (Vec::new(), false, 0);
    for line in text.lines() {
        let instruction = line.trim_start();
        if entered && !instruction.starts_with("(local ") {
            lines.push(ABSENT);
            times += 1;
        }
        entered = (entered && instruction.starts_with("(local ")) || (instruction.starts_with(&function) && instruction.contains("#observe (;"));
        lines.push(line);
    }
    assert_eq!(times, 1, "the component of {contract} has {times} functions `observe`");
    lines.join("\n")
}
