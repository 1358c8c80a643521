//! The generated constants are what `registry.yaml` says, and the customer's part of it was not touched. `UPDATE_EXPECT=1` regenerates them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod generator;

use expect_test::expect_file;

const REGISTRY: &str = include_str!("../registry.yaml");

#[test]
fn the_generated_module_is_what_the_registry_says() {
    expect_file!["../src/generated.rs"].assert_eq(&generator::generate(REGISTRY));
}

#[test]
fn the_customers_rows_were_not_changed() {
    let (seed, _) = REGISTRY.split_once("# -----").unwrap();
    let hash = blake3::hash(seed.as_bytes()).to_hex();
    assert_eq!(hash.as_str(), include_str!("seed_rows.blake3").trim(), "rows above the line `ours` are immutable");
}

#[test]
fn every_reference_names_an_attribute() {
    generator::check_references(REGISTRY);
}
