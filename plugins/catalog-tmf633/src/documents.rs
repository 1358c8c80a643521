//! The documents of the catalogue, as far as they are read, and how they are fetched. Unknown attributes are ignored:
//! TMF catalogues are extended by everybody.

use jackfield_plugin_sdk::{Failure, http};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::codes::{BAD_CATALOG, UNKNOWN_OFFERING};

const PRODUCTS: &str = "http://catalog/tmf-api/productCatalogManagement/v4";
const SERVICES: &str = "http://catalog/tmf-api/serviceCatalogManagement/v4";

/// TMF620 `ProductOffering`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProductOffering {
    pub(crate) lifecycle_status: Option<String>,
    pub(crate) is_sellable: Option<bool>,
    #[serde(default)]
    pub(crate) bundled_product_offering: Vec<Reference>,
    pub(crate) product_specification: Option<Reference>,
    #[serde(default)]
    pub(crate) prod_spec_char_value_use: Vec<ValueUse>,
    #[serde(default)]
    pub(crate) product_offering_price: Vec<Reference>,
}

/// TMF620 `ProductSpecification`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProductSpecification {
    #[serde(default)]
    pub(crate) service_specification: Vec<Reference>,
}

/// TMF633 `ServiceSpecification`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceSpecification {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) is_bundle: bool,
    #[serde(default)]
    pub(crate) service_spec_relationship: Vec<Reference>,
    #[serde(default)]
    pub(crate) resource_specification: Vec<NamedReference>,
    #[serde(default)]
    pub(crate) spec_characteristic: Vec<CharacteristicSpecification>,
}

/// A reference to another document.
#[derive(Debug, Deserialize)]
pub(crate) struct Reference {
    pub(crate) id: String,
}

/// A reference to a resource specification; the name is the resource type.
#[derive(Debug, Deserialize)]
pub(crate) struct NamedReference {
    pub(crate) name: String,
}

/// TMF633 `CharacteristicSpecification`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CharacteristicSpecification {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) characteristic_value_specification: Vec<ValueSpecification>,
}

/// TMF620 `ProductSpecificationCharacteristicValueUse`: what an offering sets of its specification.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ValueUse {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) product_spec_characteristic_value: Vec<ValueSpecification>,
}

/// One possible value.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ValueSpecification {
    #[serde(default)]
    is_default: bool,
    value: Option<Value>,
}

/// The value that holds when the customer chose none: the default, or the only one.
pub(crate) fn preset(values: &[ValueSpecification]) -> Option<String> {
    let only = if values.len() == 1 { values.first() } else { None };
    let value = values.iter().find(|it| it.is_default).or(only)?.value.as_ref()?;
    Some(match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    })
}

/// The offering that the customer ordered.
pub(crate) fn ordered_offering(id: &str) -> Result<ProductOffering, Failure> {
    fetch(&format!("{PRODUCTS}/productOffering"), id, UNKNOWN_OFFERING, || format!("the catalogue has no product offering {id:?}"))
}

/// An offering that a bundle refers to.
pub(crate) fn bundled_offering(id: &str) -> Result<ProductOffering, Failure> {
    fetch(&format!("{PRODUCTS}/productOffering"), id, BAD_CATALOG, || dangling("product offering", id))
}

/// A product specification that an offering refers to.
pub(crate) fn product_specification(id: &str) -> Result<ProductSpecification, Failure> {
    fetch(&format!("{PRODUCTS}/productSpecification"), id, BAD_CATALOG, || dangling("product specification", id))
}

/// A service specification that something refers to.
pub(crate) fn service_specification(id: &str) -> Result<ServiceSpecification, Failure> {
    fetch(&format!("{SERVICES}/serviceSpecification"), id, BAD_CATALOG, || dangling("service specification", id))
}

fn dangling(kind: &str, id: &str) -> String {
    format!("the catalogue refers to a {kind} {id:?} that it does not have")
}

fn fetch<T: DeserializeOwned>(collection: &str, id: &str, missing: &str, message: impl Fn() -> String) -> Result<T, Failure> {
    let url = format!("{collection}/{}", http::encode(id));
    let answer = http::Request::get(url).header("accept", "application/json").send()?;
    if answer.status() == 404 {
        return Err(Failure::rejected(missing, message()));
    }
    Ok(answer.require_success(BAD_CATALOG)?.json()?)
}
