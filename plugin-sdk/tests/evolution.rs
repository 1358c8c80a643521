//! 1.1 of the order contracts differs from the frozen 1.0 by one optional request field, and its worlds by two imports, and nothing else.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path};

#[test]
fn the_new_version_adds_one_optional_request_field_and_two_imports() {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("wit");
    let mut added = Vec::new();
    let mut names: Vec<_> = fs::read_dir(wit.join("order")).unwrap().map(|it| it.unwrap().file_name()).collect();
    names.retain(|it| it.to_string_lossy().ends_with(".wit"));
    assert_eq!(names.len(), 7);
    for name in names {
        let new = fs::read_to_string(wit.join("order").join(&name)).unwrap().replace("jackfield:order@1.1.0", "jackfield:order@1.0.0");
        let old = fs::read_to_string(wit.join("order-1.0").join(&name)).unwrap();
        let mut old = old.lines().peekable();
        for line in new.lines() {
            match old.next_if_eq(&line) {
                Some(_) => {}
                None => added.push(line.trim().to_owned()),
            }
        }
        assert_eq!(old.next(), None, "a line of 1.0 is missing in 1.1 {name:?}");
    }
    let mut added: Vec<_> = added.into_iter().filter(|it| !it.starts_with("///")).collect();
    added.sort_unstable();
    assert_eq!(added, ["import jackfield:host/metrics@1.0.0;", "import jackfield:host/spans@1.0.0;", "preferred-element: option<string>,"]);
}
