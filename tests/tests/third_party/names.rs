//! Telemetry's registry keeps the rows of the contract, and has every name that the articles use from which the contract was made.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_yaml_ng::Value;

const ARTICLES: [&str; 3] = ["000-orders.txt", "001-cpe.txt", "002-tenants.txt"];

/// A name that comes with the pipeline for tenants, which is not there yet: the scope of what it does in the background.
const LATER: &str = "tenant.provisioning.async";

fn registry() -> String {
    crate::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/crates/telemetry/registry.yaml"))
}

#[test]
fn the_registry_begins_with_the_rows_of_the_contract_and_only_adds_to_them() {
    let (ours, contract) = (registry(), crate::fixture("telemetry/registry.yaml"));
    assert!(ours.starts_with(&contract), "the rows of the contract are not to be changed");
    let rows = |text: &str| serde_yaml_ng::from_str::<BTreeMap<String, Value>>(text).unwrap();
    let (mut ours, contract) = (rows(&ours), rows(&contract));
    assert!(ours.remove("ours").is_some());
    assert_eq!(ours, contract);
    for (section, rows) in [("attributes", 74), ("spans", 22), ("metrics", 13)] {
        assert_eq!(ours[section].as_sequence().unwrap().len(), rows, "{section}");
    }
}

#[test]
fn every_name_in_the_code_of_the_articles_is_in_the_registry() {
    let mut known = BTreeSet::new();
    collect(&serde_yaml_ng::from_str(&registry()).unwrap(), &mut known);
    let names: BTreeSet<String> = ARTICLES.iter().flat_map(|article| quoted_names(&crate::fixture(&format!("seeds/{article}")))).collect();
    assert!(names.len() >= 90, "{names:?}");
    let unknown: Vec<&String> = names.iter().filter(|name| !known.contains(*name)).collect();
    assert_eq!(unknown, [LATER]);
}

/// Every text of a document; where data is part of a name, the name up to there.
fn collect(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(texts.insert(constant_part(text))),
        Value::Sequence(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Mapping(members) => members.values().for_each(|value| collect(value, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Tagged(_) => {}
    }
}

fn constant_part(name: &str) -> String {
    name.split('{').next().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// The dotted names between quotes in the code of an article.
fn quoted_names(article: &str) -> Vec<String> {
    let code = article.split("```python\n").skip(1).map(|block| block.split("```").next().unwrap_or_default());
    let quoted = code.flat_map(|block| block.lines()).flat_map(|line| line.split('"').skip(1).step_by(2));
    quoted.filter(|text| is_name(text)).map(constant_part).collect()
}

fn is_name(text: &str) -> bool {
    let word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c == '{') && part.chars().all(|c| c.is_ascii_lowercase() || "_{}".contains(c))
    };
    text.contains('.') && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('.').all(word)
}
