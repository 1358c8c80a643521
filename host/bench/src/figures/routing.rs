//! `routing_us`: which plugin answers a step, of a table with 50 rules for its contract, by the selectors of its input and the weights of the versions.

use std::{collections::BTreeMap, hint::black_box, sync::Arc, time::Instant};

use anyhow::{Context, Result};
use engine::{Binding, BindingTable, Choice};
use pipeline::{Pin, Provider, RunId, Verbs};

use crate::{
    harness::{report::Measured, statistics::median},
    setup::Setup,
};

/// Rules for the contract: a selector each, and one that fits everything.
const RULES: usize = 50;

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let contract = "jackfield:order/inventory@1".parse()?;
    let pin = |name: String| {
        Arc::new(Pin {
            provider: Provider::Native { name },
            contract: "jackfield:order/inventory@1.1.0".to_owned(),
            verbs: Verbs::default(),
            idempotent: true,
        })
    };
    let rule = |number: usize| {
        let when = match number {
            0 => BTreeMap::new(),
            _ => BTreeMap::from([("region".to_owned(), vec![format!("region-{number}")]), ("resource-type".to_owned(), vec!["port".to_owned()])]),
        };
        let choices = vec![Choice { pin: pin(format!("old-{number}")), weight: 95 }, Choice { pin: pin(format!("new-{number}")), weight: 5 }];
        Binding { contract: "jackfield:order/inventory@1".parse().expect("a track"), when, choices }
    };
    let table = BindingTable { rules: (0..RULES).map(rule).collect(), ..BindingTable::default() };
    let run = RunId::new("01890a5d-ac96-774b-bcce-b302099a8057")?;
    let selectors = [("resource-type", "port".to_owned()), ("region", format!("region-{}", RULES - 1)), ("customer", "c-1".to_owned())];
    let mut times = Vec::new();
    for _ in 0..=setup.counts.rounds {
        let begun = Instant::now();
        for _ in 0..setup.counts.calls {
            black_box(table.resolve(black_box(&contract), black_box(&selectors), black_box(&run))).ok().context("nothing answers the contract")?;
        }
        #[allow(clippy::cast_precision_loss, reason = "some thousands of calls")]
        times.push(begun.elapsed().as_secs_f64() * 1e6 / setup.counts.calls as f64);
    }
    let values = vec![("routing_us", median(&times[1..]).context("nothing was measured")?)];
    Ok(Measured { values, note: Some(format!("routing: {RULES} rules for the contract")), facts: Vec::new() })
}
