//! Rules about the repository itself: how files begin, how long they are, what must have a test, what must not be said.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// No file is longer, in lines.
const LONGEST: usize = 500;

/// Half of all files are shorter, in lines.
const MEDIAN: usize = 150;

/// Folders that hold nothing of ours.
const SKIPPED: [&str; 3] = [".git", "target", "node_modules"];

/// What a newcomer looks for.
const DOCUMENTS: [&str; 5] = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "wit/README.md"];

// Put together so that this file does not contain what it looks for.
const IGNORED: &str = concat!("#[", "ignore");
const UNFINISHED: [&str; 2] = [concat!("todo", "!("), concat!("unimplemented", "!(")];
const OUTSIDE: [&str; 2] = [concat!("..", "/shared"), concat!("/work", "/")];

/// A text file of the repository.
#[derive(Debug, Clone)]
struct File {
    /// Relative to the root, with `/`.
    path: String,
    text: String,
}

impl File {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    fn lines(&self) -> usize {
        self.text.lines().count()
    }
}

type Check = fn(&[File]) -> Vec<String>;

#[test]
fn every_source_file_says_what_it_is_for() {
    holds(opens_with_its_purpose);
}

#[test]
fn files_are_short() {
    holds(is_short);
}

#[test]
fn no_test_is_left_out_and_nothing_is_left_unfinished() {
    holds(is_finished);
}

#[test]
fn every_plugin_and_every_fixture_has_a_test_that_names_it() {
    holds(is_tested);
}

#[test]
fn the_documents_that_a_newcomer_looks_for_are_there() {
    holds(is_documented);
}

#[test]
fn nothing_refers_to_places_outside_the_repository() {
    holds(is_self_contained);
}

#[test]
fn every_rule_catches_what_it_forbids() {
    let long = "//! x\n".repeat(LONGEST + 1);
    let cases: &[(Check, &str, &str, &str)] = &[
        (opens_with_its_purpose, "host/a.rs", "fn main() {}", "host/a.rs does not open with `//!`"),
        (is_short, "host/a.rs", &long, "host/a.rs has 501 lines; the limit is 500"),
        (is_finished, "host/a.rs", concat!("//! x\n#[", "ignore]"), "host/a.rs:2 leaves a test out"),
        (is_finished, "host/a.rs", concat!("//! x\nfn f() { todo", "!() }"), "host/a.rs:2 is unfinished"),
        (is_tested, "plugins/new-one/Cargo.toml", "", "plugins/new-one: no file of tests/tests names `new-one`"),
        (is_tested, "tests/fixtures/odd/Cargo.toml", "", "tests/fixtures/odd: no test names `odd`"),
        (is_tested, "tests/fixtures/script/package.json", "", "tests/fixtures/script: no test names `script`"),
        (is_self_contained, "host/docs/a.md", concat!("a\nsee ..", "/shared/b"), concat!("host/docs/a.md:2 refers to ..", "/shared")),
    ];
    for (check, path, text, message) in cases {
        let mut files = vec![File { path: (*path).to_owned(), text: (*text).to_owned() }];
        files.push(File { path: "host/short.rs".to_owned(), text: "//! x".to_owned() });
        assert_eq!(check(&files), [*message]);
    }
    assert_eq!(is_documented(&[]).len(), DOCUMENTS.len());
    let halves = [File { path: "host/a.rs".to_owned(), text: "//! x\n".repeat(MEDIAN) }];
    assert_eq!(is_short(&halves), ["half of the source files have 150 lines or more; the limit is 150"]);
}

/// A front page may be a text file of its own.
fn opens_with_its_purpose(files: &[File]) -> Vec<String> {
    let speaks = |text: &str| ["//!", "#![doc = include_str!("].iter().any(|opening| text.starts_with(opening));
    let silent = files.iter().filter(|file| file.is_rust() && !speaks(&file.text));
    silent.map(|file| format!("{} does not open with `//!`", file.path)).collect()
}

fn is_short(files: &[File]) -> Vec<String> {
    let rust: Vec<&File> = files.iter().filter(|file| file.is_rust()).collect();
    let long = rust.iter().filter(|file| file.lines() > LONGEST);
    let mut found: Vec<String> = long.map(|file| format!("{} has {} lines; the limit is {LONGEST}", file.path, file.lines())).collect();
    let mut lengths: Vec<usize> = rust.iter().map(|file| file.lines()).collect();
    lengths.sort_unstable();
    // The lower median: with two files, one long one does not decide.
    if let Some(median) = lengths.get(lengths.len().saturating_sub(1) / 2).filter(|median| **median >= MEDIAN) {
        found.push(format!("half of the source files have {median} lines or more; the limit is {MEDIAN}"));
    }
    found
}

fn is_finished(files: &[File]) -> Vec<String> {
    let rust: Vec<&File> = files.iter().filter(|file| file.is_rust()).collect();
    let mut found = places(&rust, IGNORED).map(|place| format!("{place} leaves a test out")).collect::<Vec<_>>();
    for mark in UNFINISHED {
        found.extend(places(&rust, mark).map(|place| format!("{place} is unfinished")));
    }
    found
}

/// A plugin must be named by an end-to-end test; a fixture by any test outside its own folder.
fn is_tested(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let Some(folder) = file.path.strip_suffix("/Cargo.toml").or_else(|| file.path.strip_suffix("/package.json")) else { continue };
        let (parent, name) = folder.rsplit_once('/').unwrap_or(("", folder));
        // As a whole string or as the file's name: the word alone may be in any comment.
        let (quoted, built) = (format!("\"{name}\""), format!("{name}.wasm"));
        let names = |text: &str| text.contains(&quoted) || text.contains(&built);
        let named = |within: &str| files.iter().any(|test| test.is_rust() && test.path.starts_with(within) && names(&test.text));
        match parent {
            "plugins" if !named("tests/tests/") => found.push(format!("{folder}: no file of tests/tests names `{name}`")),
            "tests/fixtures" if !named("tests/tests/") && !named("host/crates/") => found.push(format!("{folder}: no test names `{name}`")),
            _ => {}
        }
    }
    found
}

fn is_documented(files: &[File]) -> Vec<String> {
    let missing = DOCUMENTS.iter().filter(|document| !files.iter().any(|file| file.path == **document && !file.text.trim().is_empty()));
    missing.map(|document| format!("{document} is missing or empty")).collect()
}

fn is_self_contained(files: &[File]) -> Vec<String> {
    let ours: Vec<&File> = files.iter().filter(|file| file.path != ".ci/run").collect();
    OUTSIDE.iter().flat_map(|outside| places(&ours, outside).map(move |place| format!("{place} refers to {outside}"))).collect()
}

/// Where a text occurs: `path:line`.
fn places<'a>(files: &'a [&'a File], text: &'a str) -> impl Iterator<Item = String> + 'a {
    files.iter().flat_map(move |file| {
        let hits = file.text.lines().enumerate().filter(move |(_, line)| line.contains(text));
        hits.map(|(line, _)| format!("{}:{}", file.path, line + 1))
    })
}

fn holds(check: Check) {
    let files = files();
    assert!(files.len() > 50, "the repository was not found");
    let found = check(&files);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// Every text file of the repository.
fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !SKIPPED.contains(&name.as_str()) {
                folders.push(path);
            } else if path.is_file()
                && let Ok(text) = fs::read_to_string(&path)
            {
                files.push(File { path: path.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}
