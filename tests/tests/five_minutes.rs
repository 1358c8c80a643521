//! The README's first plugin, followed to the letter in a directory that knows nothing of this workspace: its files are written, its commands are run, and
//! what they print is what the README says.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{fmt::Write as _, fs, path::Path, process::Command};

use end_to_end_tests::harness;
use serde_json::Value;

const README: &str = include_str!("../../README.md");
const SECTION: &str = "## A first plugin in five minutes";

/// A new home directory, except for what Cargo and rustup keep in it.
const NEW_HOME: &str = r#"set -eu
export CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}"
export HOME="$JACKFIELD_HOME"
"#;

/// A fenced block of the section.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    language: String,
    text: String,
    /// What the sentence before it last names in backticks: the file that it is the content of.
    file: Option<String>,
}

#[test]
fn the_readme_s_first_plugin_works_as_described() {
    let directory = tempfile::tempdir().unwrap();
    let expected: Value = serde_json::from_str(&blocks(README).pop().unwrap().text).unwrap();
    let output = shell(&script(&blocks(README)), directory.path()).output().unwrap();
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("test result: ok. 1 passed"), "{stdout}\n{stderr}");
    assert!(stdout.contains("acme-offerings 0.1.0 by Acme: good"), "{stdout}");
    let printed = &stdout[stdout.rfind("\n{").expect("the outcome is printed last")..];
    assert_eq!(serde_json::from_str::<Value>(printed).unwrap(), expected);
}

#[test]
fn every_block_of_the_section_is_followed() {
    let languages: Vec<_> = blocks(README).iter().map(|block| block.language.clone()).collect();
    assert_eq!(languages, ["sh", "rust", "toml", "sh", "json"]);
    let files: Vec<_> = blocks(README).into_iter().filter_map(|block| block.file.filter(|_| block.language != "sh")).collect();
    assert_eq!(files, ["src/lib.rs", "grant.toml"]);
}

/// The blocks of the section, in order.
fn blocks(readme: &str) -> Vec<Block> {
    let section = readme.split_once(SECTION).expect("the section is there").1;
    let section = section.split("\n## ").next().unwrap();
    // Text and blocks take turns.
    let parts: Vec<&str> = section.split("```").collect();
    let (texts, fenced) = (parts.iter().step_by(2), parts.iter().skip(1).step_by(2));
    let block = |(before, fenced): (&&str, &&str)| {
        let (language, text) = fenced.split_once('\n').unwrap();
        let sentence = before.trim().rsplit(". ").next().unwrap_or_default();
        let file = sentence.split('`').skip(1).step_by(2).last();
        Block { language: language.to_owned(), text: text.to_owned(), file: file.map(str::to_owned) }
    };
    texts.zip(fenced).map(block).collect()
}

/// The section as a shell script. Between its commands nothing is added but what lets it use what is built already: the versions and the target directory
/// of the other tests.
fn script(blocks: &[Block]) -> String {
    let mut script = String::from(NEW_HOME);
    for (index, Block { language, text, file }) in blocks.iter().enumerate() {
        let _infallible = match (language.as_str(), file) {
            ("sh", _) => script.write_str(text),
            ("rust" | "toml", Some(file)) => write!(script, "cat > {file} <<'END OF FILE'\n{text}END OF FILE\n"),
            ("json", _) => Ok(()),
            _ => panic!("what is to be done with block {index}? {language}, {file:?}"),
        };
        if index == 0 {
            script.push_str("cp \"$JACKFIELD_ROOT/Cargo.lock\" .\nln -s \"$JACKFIELD_TARGET\" target\n");
        }
    }
    script
}

/// A shell at the root of the repository whose home is a new directory.
fn shell(script: &str, home: &Path) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    // The README tells how to build it; here it is built already.
    assert!(harness::binary("jackfield").starts_with(root.join("target/debug")), "the README names target/debug");
    let target = harness::target_directory().join("plugin-new");
    fs::create_dir_all(&target).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).current_dir(&root).env("JACKFIELD_HOME", home).env("JACKFIELD_ROOT", &root).env("JACKFIELD_TARGET", target);
    // Everything that it needs was fetched for this workspace.
    shell.env("CARGO_NET_OFFLINE", "true").env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS");
    shell
}
