//! The rows of devices and plans, and what they are made of.

use engine::{api::InboundTrace, port::Document};
use pipeline::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{INVENTORY_COLLECTION, InventoryError, PLAN_COLLECTION};
use crate::{
    device::DeviceKey,
    flow::{
        contract::{Characteristic, Setting},
        facts::digest_of,
    },
};

/// The longest text of a row.
const MAX_TEXT: usize = 256;

/// How many settings or characteristics there are at most.
const MAX_LIST: usize = 512;

/// A device as an operator gives it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NewDevice {
    /// The organisation of the manufacturer: six hexadecimal digits.
    pub oui: String,
    /// The class of products.
    #[serde(default)]
    pub product_class: String,
    /// The serial number.
    pub serial: String,
    /// The user name with which it proves who it is. Default: its key.
    #[serde(default)]
    pub username: Option<String>,
    /// The password with which it proves who it is.
    #[serde(default)]
    pub password: Option<String>,
    /// Whose it is.
    #[serde(default)]
    pub customer: Option<String>,
    /// The plan.
    #[serde(default)]
    pub plan: Option<String>,
    /// Where it is.
    #[serde(default)]
    pub location: Option<String>,
    /// What else a configuration may need to know.
    #[serde(default)]
    pub characteristics: Vec<Characteristic>,
    /// What is set on this device and no other.
    #[serde(default)]
    pub settings: Vec<NewSetting>,
}

/// Something that is set.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NewSetting {
    /// The name that configurations know it by.
    pub name: String,
    /// The value.
    #[serde(default)]
    pub value: Option<String>,
    /// The value, which nobody is to see.
    #[serde(default)]
    pub secret: Option<String>,
}

/// A plan as an operator gives it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NewPlan {
    /// Its name.
    pub name: String,
    /// The services.
    #[serde(default)]
    pub services: Vec<String>,
    /// The Wi-Fi bands.
    #[serde(default)]
    pub wifi_bands: Vec<String>,
    /// What is set on every device that has it.
    #[serde(default)]
    pub settings: Vec<NewSetting>,
}

// None of these is printed: they have passwords in them.
impl std::fmt::Debug for NewDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewDevice").field("oui", &self.oui).field("serial", &self.serial).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for NewSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSetting").field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for NewPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewPlan").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Whose a device is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The customer.
    pub customer: String,
    /// The plan.
    pub plan: String,
    /// Where the device is.
    pub location: Option<String>,
    /// What else a configuration may need to know.
    pub characteristics: Vec<Characteristic>,
}

/// The trace that the first provisioning of a device belongs to, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Trace {
    trace_id: String,
    span_id: String,
    sampled: bool,
    state: String,
}

/// A device as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Row {
    pub(super) id: String,
    pub(super) customer: String,
    pub(super) plan: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) characteristics: Vec<Characteristic>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) settings: Vec<Setting>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trace: Option<Trace>,
    pub(super) revision: u64,
}

/// A plan as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Plan {
    /// Its name.
    pub(super) name: String,
    /// The services.
    pub(super) services: Vec<String>,
    /// The Wi-Fi bands.
    pub(super) wifi_bands: Vec<String>,
    /// What is set on every device that has it.
    pub(super) settings: Vec<Setting>,
    /// Another number when anything of it changes.
    pub(super) revision: u64,
}

impl NewDevice {
    /// The key of the device.
    pub(super) fn key(&self) -> Result<DeviceKey, InventoryError> {
        if self.oui.len() != 6 || !self.oui.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InventoryError::Invalid(format!("oui is `{}`: expected six hexadecimal digits", shown(&self.oui))));
        }
        text("serial", &self.serial)?;
        if self.product_class.len() > 64 || self.serial.len() > 64 {
            return Err(InventoryError::Invalid("product-class and serial have at most 64 bytes each".to_owned()));
        }
        settings(&self.settings)?;
        match (&self.customer, &self.plan) {
            (Some(_), Some(_)) | (None, None) => Ok(DeviceKey::new(&self.oui, &self.product_class, &self.serial)),
            (Some(_), None) | (None, Some(_)) => Err(InventoryError::Invalid("expected both `customer` and `plan`, or neither".to_owned())),
        }
    }

    /// Whose it is, if the operator says so.
    pub(super) fn owner(&self) -> Option<Owner> {
        let (customer, plan) = (self.customer.clone()?, self.plan.clone()?);
        Some(Owner { customer, plan, location: self.location.clone(), characteristics: self.characteristics.clone() })
    }
}

impl NewPlan {
    pub(super) fn check(&self) -> Result<(), InventoryError> {
        text("name", &self.name)?;
        settings(&self.settings)?;
        for (name, list) in [("services", &self.services), ("wifi-bands", &self.wifi_bands)] {
            if list.len() > MAX_LIST {
                return Err(InventoryError::Invalid(format!("{name} has {} entries: expected at most {MAX_LIST}", list.len())));
            }
            list.iter().try_for_each(|entry| text(name, entry))?;
        }
        Ok(())
    }
}

impl Owner {
    pub(super) fn check(&self) -> Result<(), InventoryError> {
        text("customer", &self.customer)?;
        text("plan", &self.plan)?;
        if self.characteristics.len() > MAX_LIST {
            return Err(InventoryError::Invalid(format!("characteristics: {}, more than the {MAX_LIST} allowed", self.characteristics.len())));
        }
        self.location.iter().try_for_each(|location| text("location", location))
    }
}

impl Row {
    pub(super) fn new(device: &DeviceKey, owner: Owner, settings: Vec<Setting>, trace: Option<Trace>) -> Self {
        let Owner { customer, plan, location, characteristics } = owner;
        let content = json!([customer, plan, location, characteristics, settings]).to_string();
        Self { id: device.to_string(), customer, plan, location, characteristics, settings, trace, revision: digest_of(&content) }
    }

    pub(super) fn document(&self, now: Timestamp) -> Document {
        let attributes = vec![("customer", self.customer.clone()), ("plan", self.plan.clone())];
        Document { collection: INVENTORY_COLLECTION, id: self.id.clone(), rank: now.0, body: json!(self), attributes }
    }
}

impl Plan {
    pub(super) fn new(name: String, services: Vec<String>, wifi_bands: Vec<String>, settings: Vec<Setting>) -> Self {
        let content = json!([name, services, wifi_bands, settings]).to_string();
        Self { name, services, wifi_bands, settings, revision: digest_of(&content) }
    }

    pub(super) fn document(&self, now: Timestamp) -> Document {
        Document { collection: PLAN_COLLECTION, id: self.name.clone(), rank: now.0, body: json!(self), attributes: Vec::new() }
    }
}

impl From<InboundTrace> for Trace {
    fn from(InboundTrace { trace_id, parent_span_id, sampled, trace_state }: InboundTrace) -> Self {
        Self { trace_id, span_id: parent_span_id, sampled, state: trace_state }
    }
}

impl From<&Trace> for InboundTrace {
    fn from(Trace { trace_id, span_id, sampled, state }: &Trace) -> Self {
        Self { trace_id: trace_id.clone(), parent_span_id: span_id.clone(), sampled: *sampled, trace_state: state.clone() }
    }
}

fn text(field: &str, given: &str) -> Result<(), InventoryError> {
    let valid = (1..=MAX_TEXT).contains(&given.len()) && !given.chars().any(char::is_control);
    let refused = || InventoryError::Invalid(format!("{field} is `{}`: expected 1 to {MAX_TEXT} bytes without control characters", shown(given)));
    valid.then_some(()).ok_or_else(refused)
}

fn settings(given: &[NewSetting]) -> Result<(), InventoryError> {
    if given.len() > MAX_LIST {
        return Err(InventoryError::Invalid(format!("settings: {}, more than the {MAX_LIST} allowed", given.len())));
    }
    let mut names = std::collections::HashSet::new();
    given.iter().try_for_each(|setting| {
        text("the name of a setting", &setting.name)?;
        if names.insert(&setting.name) { Ok(()) } else { Err(InventoryError::Invalid(format!("setting `{}` is given twice", setting.name))) }
    })
}

fn shown(given: &str) -> String {
    given.chars().take(64).collect()
}
