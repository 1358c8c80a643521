//! Devices as they are shown: what they say of themselves, whose they are, and where their provisioning stands. No secret is among it.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use engine::port::{Document, DocumentPage, DocumentQuery};
use serde_json::{Value, json};

use super::{Api, ApiError, copy, device, shown};
use crate::flow::{COMMAND_COLLECTION, DEVICE_COLLECTION, DeviceState, INVENTORY_COLLECTION, STATE_COLLECTION, answers::with_values};

/// How many devices a page has unless the client says otherwise, and at most.
const DEFAULT_LIMIT: u64 = 20;
const MAX_LIMIT: u64 = 200;

/// The deepest offset. The store counts through skipped rows.
const MAX_OFFSET: u64 = 1_000_000;

/// How many of its last commands are shown with a device.
const COMMANDS: u64 = 20;

/// What a list of devices can be filtered by, and whether devices that were never provisioned have it.
const FILTERS: [(&str, bool, bool); 9] = [
    // name, of what a device says of itself, of its provisioning
    ("serial", true, true),
    ("oui", true, true),
    ("model", true, true),
    ("manufacturer", true, false),
    ("product-class", true, false),
    ("software-version", true, false),
    ("root", true, false),
    ("state", false, true),
    ("plan", false, true),
];

pub(super) async fn list(State(api): State<Arc<Api>>, Query(query): Query<BTreeMap<String, String>>) -> Result<Response, ApiError> {
    let Wanted { collection, equal, offset, limit } = wanted(query)?;
    let DocumentPage { documents, total } = api.documents.find(DocumentQuery { collection, equal, offset, limit }).await?;
    let mut devices = Vec::with_capacity(documents.len());
    for document in documents {
        devices.push(api.listed(document).await?);
    }
    Ok(Json(json!({ "devices": devices, "total": total, "offset": offset, "limit": limit })).into_response())
}

struct Wanted {
    collection: &'static str,
    equal: Vec<(String, String)>,
    offset: u64,
    limit: u64,
}

fn wanted(query: BTreeMap<String, String>) -> Result<Wanted, ApiError> {
    let mut wanted = Wanted { collection: DEVICE_COLLECTION, equal: Vec::new(), offset: 0, limit: DEFAULT_LIMIT };
    for (name, value) in query {
        match name.as_str() {
            "offset" => wanted.offset = number(&name, &value, 0, MAX_OFFSET)?,
            "limit" => wanted.limit = number(&name, &value, 1, u64::MAX)?.min(MAX_LIMIT),
            "state" if DeviceState::of_name(&value).is_none() => {
                let names: Vec<_> = DeviceState::ALL.map(DeviceState::as_str).into();
                return Err(ApiError::bad(format!("parameter state is `{}`: expected one of {}", shown(&value), names.join(", "))));
            }
            _ if !FILTERS.iter().any(|(known, ..)| *known == name) => {
                let names: Vec<_> = FILTERS.map(|(known, ..)| known).into();
                return Err(ApiError::bad(format!("parameter `{}` is not known: expected offset, limit, {}", shown(&name), names.join(", "))));
            }
            _ => wanted.equal.push((name, value)),
        }
    }
    let all = |of: fn(&(&str, bool, bool)) -> bool| {
        wanted.equal.iter().all(|(name, _)| FILTERS.iter().any(|filter| filter.0 == name.as_str() && of(filter)))
    };
    wanted.collection = if all(|filter| filter.1) {
        DEVICE_COLLECTION
    } else if all(|filter| filter.2) {
        STATE_COLLECTION
    } else {
        let of_state: Vec<_> = FILTERS.iter().filter(|filter| filter.2).map(|filter| filter.0).collect();
        return Err(ApiError::bad(format!("`state` and `plan` go together with each other and with these only: {}", of_state.join(", "))));
    };
    Ok(wanted)
}

fn number(name: &str, value: &str, least: u64, most: u64) -> Result<u64, ApiError> {
    let number = value.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| ApiError::bad(format!("parameter {name} is `{}`: expected a whole number from {least}", shown(value))))
}

pub(super) async fn show(State(api): State<Arc<Api>>, Path(key): Path<String>) -> Result<Response, ApiError> {
    let device = device(&key)?;
    let id = device.as_str();
    let facts = api.documents.get(DEVICE_COLLECTION, id).await?;
    let owner = api.documents.get(INVENTORY_COLLECTION, id).await?;
    if facts.is_none() && owner.is_none() {
        return Err(ApiError::unknown_device(&device));
    }
    let mut shown = json!({ "device": id, "in-session": api.sessions.in_session(&device).is_some() });
    if let Some(facts) = &facts {
        of_facts(&facts.body, &mut shown);
    }
    if let Some(owner) = &owner {
        copy(&owner.body, &mut shown, &[("customer", "customer"), ("location", "location"), ("plan", "assigned-plan")]);
    }
    let state = api.documents.get(STATE_COLLECTION, id).await?;
    of_state(state.as_ref(), &mut shown);
    let query = DocumentQuery { collection: COMMAND_COLLECTION, equal: vec![("device".to_owned(), id.to_owned())], offset: 0, limit: COMMANDS };
    let mut commands: Vec<Value> = api.documents.find(query).await?.documents.into_iter().map(|document| document.body).collect();
    for command in &mut commands {
        let run = command["run"].as_str().unwrap_or_default().to_owned();
        if let Some(output) = command.get_mut("output") {
            with_values(&*api.documents, &run, output).await?;
        }
    }
    shown["commands"] = commands.into();
    Ok(Json(shown).into_response())
}

impl Api {
    /// A device in a list, whichever of its documents was found.
    async fn listed(&self, found: Document) -> Result<Value, ApiError> {
        let mut shown = json!({ "device": found.id });
        let (facts, state) = if found.collection == DEVICE_COLLECTION {
            let state = self.documents.get(STATE_COLLECTION, &found.id).await?;
            (Some(found), state)
        } else {
            (self.documents.get(DEVICE_COLLECTION, &found.id).await?, Some(found))
        };
        if let Some(facts) = facts {
            of_facts(&facts.body, &mut shown);
        }
        of_state(state.as_ref(), &mut shown);
        Ok(shown)
    }
}

fn of_facts(body: &Value, shown: &mut Value) {
    let of_device = ["oui", "product-class", "serial", "manufacturer", "model", "hardware-version", "software-version", "root"];
    copy(&body["device"], shown, &of_device.map(|field| (field, field)));
    let of_contact = ["connection-request-url", "peer", "proven", "first-seen"];
    copy(body, shown, &of_contact.map(|field| (field, field)));
    shown["wakeable"] = (!body["connection-request"].is_null() && !body["connection-request-url"].is_null()).into();
}

fn of_state(document: Option<&Document>, shown: &mut Value) {
    let Some(document) = document else {
        shown["state"] = "new".into();
        return;
    };
    let fields = ["state", "run", "since", "trigger", "plan", "plugin", "profile", "checked", "result", "message"];
    copy(&document.body, shown, &fields.map(|field| (field, field)));
}
