//! The ledger: for each tenant what exists at which vendor, made by which provider. Receipts are shown without what nobody needs to see.

use pipeline::{Definition, ItemState, Outcome, Phase, Run, Standing, StepDefinition, Undo, Work};
use serde_json::{Map, Value, json};

use crate::tenant_pipeline::{
    ACTIVATE, ADMIN_USER, CERTIFICATE, CERTIFICATE_ORDER, CHALLENGE, CREATE_RECORD, DATABASE, DNS, INTEGRATIONS, SEED_DATA, STORAGE,
};

/// The resource is there, and is meant to be.
const PRESENT: &str = "present";
/// It was taken away.
const REMOVED: &str = "removed";
/// It is there, or may be, and is not meant to be.
pub(super) const LEFT: &str = "left";

/// What exists, or existed, of the tenant of a run: one entry for each item of a step that leaves something behind.
pub(super) fn ledger(definition: &Definition, run: &Run) -> Vec<Value> {
    let steps = definition.steps.iter().zip(run.steps()).filter(|(step, _)| step.undo != Undo::Never && matches!(step.work, Work::Effect { .. }));
    let items = steps.flat_map(|(step, state)| state.items.iter().zip(0_u32..).map(move |(item, position)| (step, item, position)));
    let meant = is_meant(definition, run);
    items.filter_map(|(step, item, position)| entry(step, item, position, meant)).collect()
}

/// Whether what was made is meant to stay: until the run is over in another way than well, and the tenant was never active.
fn is_meant(definition: &Definition, run: &Run) -> bool {
    match run.phase() {
        Phase::Forward | Phase::Unwinding { .. } | Phase::Ended(Outcome::Completed) => true,
        Phase::Ended(Outcome::Failed { .. } | Outcome::Cancelled) => super::state::is_active(definition, run),
    }
}

fn entry(step: &StepDefinition, item: &ItemState, position: u32, meant: bool) -> Option<Value> {
    let state = match &item.standing {
        // What a person supplied is not the host's to take away.
        Standing::Open | Standing::Forgiven | Standing::Failed { doubt: false, receipt: None } | Standing::Done { by_hand: true, .. } => return None,
        Standing::Done { .. } | Standing::Failed { .. } if meant => PRESENT,
        Standing::Done { .. } | Standing::Failed { .. } | Standing::UndoFailed { .. } => LEFT,
        Standing::Undone => REMOVED,
    };
    let pin = item.pin.as_ref()?;
    let mut entry = json!({
        "step": step.name.as_str(),
        "item": position,
        "contract": pin.contract,
        "provider": pin.provider.name(),
        "state": state,
        "what": what(step.name.as_str(), item),
    });
    if !item.label.is_empty() {
        entry["label"] = item.label.as_str().into();
    }
    if let Some(digest) = pin.provider.digest() {
        entry["digest"] = digest.as_str().into();
    }
    // Nobody knows whether it is there.
    if matches!(item.standing, Standing::Failed { doubt: true, .. } | Standing::UndoFailed { output: None }) {
        entry["doubt"] = true.into();
    }
    if let (Some(failure), LEFT) = (&item.last_failure, state) {
        entry["error"] = json!({ "type": failure.error_type, "message": failure.message });
    }
    Some(entry)
}

/// Where a thing is found: from the receipt, or from the request where there is none any more. Never a secret, never a person.
fn what(step: &str, item: &ItemState) -> Value {
    let receipt = item.receipt().map(|receipt| &**receipt);
    let source = receipt.unwrap_or(&item.request);
    let fields: &[&str] = match step {
        CREATE_RECORD | ADMIN_USER | ACTIVATE => &["operation", "id"],
        DATABASE => &["system", "database", "schema", "role", "address", "tenant"],
        STORAGE => &["bucket", "region", "provider"],
        DNS | CHALLENGE => return records(source),
        CERTIFICATE_ORDER => &["order", "names"],
        CERTIFICATE => &["order", "issuer", "serial", "not-after"],
        SEED_DATA => &["template", "version", "rows"],
        INTEGRATIONS => &["integration", "id"],
        _ => &[],
    };
    picked(source, fields, json!({}))
}

/// Records as people write them. What proves a name to an authority is public.
fn records(source: &Value) -> Value {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |record: &Value| {
        let values: Vec<String> = record["values"].as_array().into_iter().flatten().map(text).collect();
        format!("{} {} {}", text(&record["name"]), text(&record["kind"]), values.join(" "))
    };
    let records: Vec<String> = source["records"].as_array().into_iter().flatten().map(one).collect();
    picked(source, &["zone", "provider"], json!({ "records": records }))
}

/// Fields of a value, added to those of another.
pub(super) fn picked(source: &Value, fields: &[&str], into: Value) -> Value {
    let mut picked: Map<String, Value> = if let Value::Object(fields) = into { fields } else { Map::new() };
    for field in fields {
        let value = source.get(field).filter(|value| !value.is_null() && **value != "");
        picked.extend(value.map(|value| ((*field).to_owned(), value.clone())));
    }
    Value::Object(picked)
}
