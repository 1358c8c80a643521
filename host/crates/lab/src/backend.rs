//! The back ends.

mod activation;
mod billing;
mod catalogue;
mod devices;
mod element;
mod inventory;
mod profiles;

use serde_json::{Value, json};

pub use self::catalogue::{Catalogue, CatalogueError};
pub(crate) use self::{
    activation::activation, billing::billing, catalogue::catalogue, devices::devices, element::element, inventory::inventory, profiles::profiles,
};

/// RFC 7396, section 2.
fn merge(target: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in fields {
        if value.is_null() {
            target.as_object_mut().map(|object| object.remove(name));
        } else {
            merge(&mut target[name.as_str()], value);
        }
    }
}
