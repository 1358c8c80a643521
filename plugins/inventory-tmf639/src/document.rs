//! A TMF639 `Resource`: what is read from it, and what is changed.
//!
//! A reservation is `resourceStatus: reserved` and four characteristics that begin with `jackfield-`. A patch (RFC 7396) replaces a list as a whole, so
//! it brings the characteristics that are not ours along, unchanged.

use jackfield_plugin_sdk::{Call, Characteristic, Failure, Resource, inventory};
use serde_json::{Value, json};

use crate::{INVENTORY_REFUSED, settings::Settings, tmf639};

/// The characteristic that holds the idempotency key, in the inventory and in receipts.
pub(crate) const MARK: &str = "jackfield-reservation";
const ORDER: &str = "jackfield-order";
const SERVICE: &str = "jackfield-service";
const TYPE: &str = "jackfield-type";
const OURS: [&str; 4] = [MARK, ORDER, SERVICE, TYPE];

/// What a resource is reserved for.
#[derive(Debug)]
pub(crate) struct Reservation {
    pub(crate) key: String,
    order: String,
    service: String,
    resource_type: String,
}

/// A resource with an id, as the inventory has it.
#[derive(Debug)]
pub(crate) struct Document(Value);

impl Reservation {
    pub(crate) fn new(call: &Call, request: &inventory::Request) -> Self {
        Self {
            key: call.idempotency_key.clone(),
            order: request.order.clone(),
            service: request.service.name.clone(),
            resource_type: request.service.resource_type.clone(),
        }
    }
}

impl Document {
    /// None for what has no id.
    pub(crate) fn new(value: Value) -> Option<Self> {
        value["id"].is_string().then_some(Self(value))
    }

    pub(crate) fn id(&self) -> &str {
        self.0["id"].as_str().unwrap_or_default()
    }

    /// Whether an attribute, dotted below the first level, has a value; of a list, whether any element has.
    pub(crate) fn has(&self, attribute: &str, wanted: &str) -> bool {
        let path: Vec<&str> = attribute.split('.').collect();
        has(&self.0, &path, wanted)
    }

    pub(crate) fn is_free(&self) -> bool {
        self.status() == "available" && self.reserved_by().is_none()
    }

    /// The key of the reservation that it carries.
    pub(crate) fn reserved_by(&self) -> Option<&str> {
        self.characteristic(MARK)
    }

    /// Whether it is as this reservation made it.
    pub(crate) fn holds(&self, wanted: &Reservation) -> bool {
        let is = |name: &str, value: &str| self.characteristic(name) == Some(value);
        self.status() == "reserved" && is(MARK, &wanted.key) && is(SERVICE, &wanted.service) && is(TYPE, &wanted.resource_type)
    }

    /// The patch that reserves it.
    pub(crate) fn reserved(&self, it: &Reservation) -> Value {
        let ours = [(MARK, &it.key), (ORDER, &it.order), (SERVICE, &it.service), (TYPE, &it.resource_type)];
        let ours = ours.map(|(name, value)| json!({ "name": name, "valueType": "string", "value": value }));
        let all: Vec<Value> = self.others().cloned().chain(ours).collect();
        json!({ "resourceStatus": "reserved", "resourceCharacteristic": all })
    }

    /// The patch that releases it. A status that somebody else gave it since then stays.
    pub(crate) fn released(&self) -> Value {
        let mut patch = json!({ "resourceCharacteristic": self.others().collect::<Vec<_>>() });
        if self.status() == "reserved" {
            patch["resourceStatus"] = "available".into();
        }
        patch
    }

    /// The receipt of its reservation.
    pub(crate) fn receipt(&self, it: &Reservation, settings: &Settings) -> Result<Resource, Failure> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let named = |it: &Value| Some(Characteristic::new(it["name"].as_str()?, text(&it["value"])));
        let mut characteristics: Vec<Characteristic> = self.others().filter_map(named).collect();
        let href = self.0["href"].as_str().map_or_else(|| tmf639::path(self.id()), str::to_owned);
        characteristics.extend([Characteristic::new("href", href), Characteristic::new(MARK, &it.key)]);
        Ok(Resource {
            id: self.id().to_owned(),
            resource_type: it.resource_type.clone(),
            service: it.service.clone(),
            network_element: self.element(settings)?,
            characteristics,
        })
    }

    /// The network element, by relationship. Version 4 has been published with the id in the relationship and in a `resource` below it.
    fn element(&self, settings: &Settings) -> Result<String, Failure> {
        let mut relations = list(&self.0["resourceRelationship"]).filter(|it| it["relationshipType"] == settings.containment);
        let related = relations.find_map(|it| it["resource"]["id"].as_str().or(it["id"].as_str()));
        related.or(settings.element.as_deref()).map(str::to_owned).ok_or_else(|| {
            let message = format!("{} has no relationship {:?}, and the setting element is missing", self.id(), settings.containment);
            Failure::rejected(INVENTORY_REFUSED, message)
        })
    }

    fn status(&self) -> &str {
        self.0["resourceStatus"].as_str().unwrap_or("unknown")
    }

    fn characteristic(&self, name: &str) -> Option<&str> {
        list(&self.0["resourceCharacteristic"]).find(|it| it["name"] == name)?["value"].as_str()
    }

    /// The characteristics that are not ours.
    fn others(&self) -> impl Iterator<Item = &Value> {
        list(&self.0["resourceCharacteristic"]).filter(|it| !OURS.iter().any(|name| it["name"] == *name))
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn has(value: &Value, path: &[&str], wanted: &str) -> bool {
    match (value, path) {
        (Value::Array(all), _) => all.iter().any(|it| has(it, path, wanted)),
        (_, [name, rest @ ..]) => has(&value[*name], rest, wanted),
        (Value::String(text), []) => text == wanted,
        (other, []) => other.to_string().as_str() == wanted,
    }
}
