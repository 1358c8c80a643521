//! The input of the pipeline `order`: what the steps and telemetry need of a product order, and the order itself as it was sent.
//!
//! | pipeline | TMF622 |
//! |---|---|
//! | `type` | `category` if the operator configured it, else the set of item actions: `add`, `modify`, `delete`, `mixed`; else `_other` |
//! | `offering` | `productOffering.id` of the first item with work |
//! | `customer` | `relatedParty[].id` of the first party whose role is `customer` |
//! | `location` | the place of an item's product: `name`, else its address, else `id`; for items without one, the first place of the order |
//! | `channel` | `channel[0].name`, default `web` |
//! | `priority` | `priority`, default `normal` |
//! | `requested-date` | the date of `requestedCompletionDate`, else of `requestedStartDate` |
//!
//! Intake takes items with `add` and `noChange` only; the other types are there for what a person gives to a run, which is then held.
//!
//! An item with nested items is a bundle of which the customer listed the components: the components are fulfilled, the bundle itself is not.

mod read;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::contract::Characteristic;

/// What a run of the pipeline begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct OrderInput {
    /// The order as it was sent.
    pub order: Value,
    /// The order type, a bounded set.
    pub r#type: String,
    /// The product offering under which the order is counted and billed.
    pub offering: String,
    /// The customer, if the order names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Where the order came in.
    pub channel: String,
    /// How urgent it is.
    pub priority: String,
    /// The day the customer wants the service, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_date: Option<String>,
    /// The items with work, in order.
    pub items: Vec<ItemInput>,
}

/// One item with work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ItemInput {
    /// The item's id within its order.
    pub id: String,
    /// What is to be done with the product.
    pub action: ItemAction,
    /// The product offering.
    pub offering: String,
    /// How many, from 1.
    pub quantity: u32,
    /// Where, if the order says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What the customer chose.
    pub(crate) characteristics: Vec<Characteristic>,
}

/// What is to be done with a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemAction {
    /// A new product.
    Add,
    /// A change of an existing product.
    Modify,
    /// The end of an existing product.
    Delete,
}

impl ItemAction {
    /// The name in TMF622, in the contracts and in telemetry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Modify => "modify",
            Self::Delete => "delete",
        }
    }
}

impl ItemInput {
    /// What the customer chose: names with values.
    pub fn characteristics(&self) -> impl Iterator<Item = (&str, &str)> {
        self.characteristics.iter().map(|chosen| (chosen.name.as_str(), chosen.value.as_str()))
    }
}

impl OrderInput {
    /// Reads an order that passed validation. `categories` are the order types of their own.
    pub fn read(order: Value, categories: &[String]) -> Self {
        read::read(order, categories)
    }
}
