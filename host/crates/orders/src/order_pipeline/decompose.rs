//! Step `decompose`: what an order item consists of, one question to the catalogue per item.

use std::num::NonZeroU32;

use pipeline::{Attributes, Criticality, Failure, FailureClass, Mapped, MappingError, OnFailure, StepDefinition, Undo, View, Work};
use serde_json::{Value, json};

use super::{DECOMPOSE, contract, one_span, order_id, reason, selectors, word};
use crate::{
    contract::CatalogRequest,
    input::{ItemAction, OrderInput},
    options::Options,
};

/// The catalogue is only read: so many items may be looked up at once.
const PARALLEL: NonZeroU32 = NonZeroU32::new(4).expect("4 is not zero");

pub(super) fn step(options: &Options) -> StepDefinition {
    StepDefinition {
        name: word(DECOMPOSE),
        work: Work::Pure { contract: contract("catalog") },
        after: Vec::new(),
        fan_out: Some(PARALLEL),
        map,
        accept,
        retry: options.decompose.retry(),
        timeout: options.decompose.timeout(),
        undo: Undo::Never,
        criticality: Criticality::Required,
        on_failure: OnFailure { unwind: true, then: options.on_failure.into(), reason: reason::decomposition },
        selectors: selectors::DECOMPOSE,
        must_understand: &[],
        telemetry: one_span(|_| "bss.order.decompose".to_owned(), "decomposition", attributes),
    }
}

fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: OrderInput = view.input_as()?;
    let mapped = input.items.into_iter().map(|item| {
        let request = CatalogRequest { offering: item.offering, action: item.action, quantity: item.quantity, characteristics: item.characteristics };
        Mapped { label: item.id, request: json!(request) }
    });
    Ok(mapped.collect())
}

/// The steps after this one build what an item consists of, which is wrong for an item that asks for anything else; and an offering that consists of nothing
/// would sail through all of them and be billed.
fn accept(request: &Value, output: &Value) -> Result<(), Failure> {
    let services = output["services"].as_array().map_or(0, Vec::len);
    let message = match (request["action"] == ItemAction::Add.as_str(), services) {
        (true, 1..) => return Ok(()),
        (true, 0) => format!("offering {} was decomposed into no service: expected at least one", request["offering"]),
        (false, _) => format!("the action of the item is {}: expected \"add\", because this pipeline only builds", request["action"]),
    };
    Err(Failure::new(FailureClass::Rejected, "decomposition_failed", message))
}

/// What the item consists of is known once the answer was accepted.
fn attributes(view: &View<'_>, request: &Value, output: Option<&Value>) -> Attributes {
    let mut attributes = vec![order_id(view)];
    let output = output.filter(|output| accept(request, output).is_ok());
    if let Some(services) = output.and_then(|output| output["services"].as_array()) {
        let names: Vec<&str> = services.iter().filter_map(|service| service["name"].as_str()).collect();
        attributes.push(("bss.decomposition.service_count".to_owned(), i64::try_from(services.len()).unwrap_or(i64::MAX).into()));
        attributes.push(("bss.decomposition.services".to_owned(), names.join(",").into()));
    }
    attributes
}
