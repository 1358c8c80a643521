//! Comparison with third-party material: the TMF622 v4 document of TM Forum, the telemetry contract, the articles it was made from,
//! messages of devices. None of it is part of this repository; the variable `JACKFIELD_FIXTURES` names the directory that has it.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "third_party/answers.rs"]
mod answers;
#[path = "third_party/attributes.rs"]
mod attributes;
#[path = "third_party/cwmp.rs"]
mod cwmp;
#[path = "third_party/names.rs"]
mod names;
#[path = "third_party/official.rs"]
mod official;

use std::path::{Path, PathBuf};

const BASE: &str = "/tmf-api/productOrderingManagement/v4";
const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";

/// A file of the third-party material.
fn fixture(path: &str) -> String {
    read(&fixtures().join(path))
}

/// The directory of the third-party material.
#[expect(clippy::disallowed_methods, reason = "where the material is, is the business of whoever runs this suite, not configuration of the product")]
fn fixtures() -> PathBuf {
    let directory = std::env::var_os("JACKFIELD_FIXTURES").map(PathBuf::from).filter(|directory| directory.is_dir());
    directory.expect("JACKFIELD_FIXTURES names the directory of third-party material")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
