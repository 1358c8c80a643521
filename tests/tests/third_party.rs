//! Comparison with third-party material: the TMF622 v4 document of TM Forum, the telemetry contract, the articles it was made from,
//! messages of devices. None of it is part of this repository; the variable `JACKFIELD_FIXTURES` names the directory that has it.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "third_party/answers.rs"]
mod answers;
#[path = "third_party/attributes.rs"]
mod attributes;
#[path = "third_party/cwmp.rs"]
mod cwmp;
#[path = "third_party/material.rs"]
mod material;
#[path = "third_party/names.rs"]
mod names;
#[path = "third_party/official.rs"]
mod official;

use std::path::Path;

use material::fixtures;

const BASE: &str = "/tmf-api/productOrderingManagement/v4";
const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";

/// A file of the third-party material.
fn fixture(path: &str) -> String {
    read(&fixtures().join(path))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
