//! `cargo package` carries the WIT that the SDK was built from: the vendor gets what the bindings were made of.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeMap, fs, path::Path, process::Command};

type Files = BTreeMap<String, Vec<u8>>;

#[test]
fn the_package_holds_the_contracts_as_they_are() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let packed = Command::new(env!("CARGO"))
        .args(["package", "--package", "jackfield-plugin-sdk", "--no-verify", "--allow-dirty", "--offline", "--quiet"])
        .arg("--target-dir")
        .arg(target)
        .current_dir(here)
        .output()
        .unwrap();
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));

    let name = concat!(env!("CARGO_PKG_NAME"), "-", env!("CARGO_PKG_VERSION"));
    let unpacked = target.join("unpacked");
    if unpacked.exists() {
        fs::remove_dir_all(&unpacked).unwrap();
    }
    fs::create_dir_all(&unpacked).unwrap();
    let archive = target.join("package").join(format!("{name}.crate"));
    let tar = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&unpacked).status().unwrap();
    assert!(tar.success(), "tar cannot unpack {}", archive.display());

    let expected = files(&here.join("../wit"));
    assert!(expected.keys().any(|it| it == "order/inventory.wit"), "{:?}", expected.keys());
    assert_eq!(files(&unpacked.join(name).join("wit")), expected);
}

/// Every file below a folder by its path there, links followed.
fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    collect(folder, "", &mut found);
    found
}

fn collect(folder: &Path, prefix: &str, found: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), found);
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
}
