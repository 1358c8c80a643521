//! What bindings may choose a provider by, step by step. A value that a request does not have, or has in more than one form, is left out.
//!
//! | selector | value |
//! |---|---|
//! | `product` | the product offering: of the order item that the request is for; of the order in `activate` and `billing_setup` |
//! | `customer` | `relatedParty[].id` of the customer |
//! | `customer-class` | `relatedParty[].@referredType` of the customer in lower case: `individual`, `organization` |
//! | `region` | the location: of the request, or the one that all items of the order have |
//! | `resource-type` | the type of resource that the service needs |
//! | `service` | the name of the service in the catalogue |
//! | `network-element` | the element that the resource was taken from |
//! | `plan` | the plan that the catalogue named |

use pipeline::{Selectors, View};
use serde_json::Value;

const PRODUCT: &str = "product";
const CUSTOMER: &str = "customer";
const CUSTOMER_CLASS: &str = "customer-class";
const REGION: &str = "region";
const RESOURCE_TYPE: &str = "resource-type";
const SERVICE: &str = "service";
const NETWORK_ELEMENT: &str = "network-element";
const PLAN: &str = "plan";

/// Values by name.
type Values = Vec<(&'static str, String)>;

pub(super) const DECOMPOSE: Selectors = Selectors {
    names: &[PRODUCT, CUSTOMER, CUSTOMER_CLASS, REGION],
    of: |view, request| {
        let mut values = of_order(view);
        put(&mut values, PRODUCT, request["offering"].as_str());
        put(&mut values, REGION, common_location(view));
        values
    },
};

pub(super) const ALLOCATE: Selectors =
    Selectors { names: &[PRODUCT, CUSTOMER, CUSTOMER_CLASS, REGION, RESOURCE_TYPE, SERVICE], of: |view, request| of_service(view, request) };

pub(super) const PROVISION: Selectors = Selectors {
    names: &[PRODUCT, CUSTOMER, CUSTOMER_CLASS, REGION, RESOURCE_TYPE, SERVICE, NETWORK_ELEMENT],
    of: |view, request| {
        let mut values = of_service(view, request);
        put(&mut values, NETWORK_ELEMENT, request["resource"]["network-element"].as_str());
        values
    },
};

pub(super) const ACTIVATE: Selectors = Selectors {
    names: &[PRODUCT, CUSTOMER, CUSTOMER_CLASS, REGION, RESOURCE_TYPE],
    of: |view, request| {
        let mut values = of_order(view);
        put(&mut values, PRODUCT, view.input()["offering"].as_str());
        put(&mut values, REGION, common_location(view));
        put(&mut values, RESOURCE_TYPE, common(list(&request["services"]).map(|service| service["resource-type"].as_str())));
        values
    },
};

pub(super) const BILLING: Selectors = Selectors {
    names: &[PRODUCT, CUSTOMER, CUSTOMER_CLASS, REGION, PLAN],
    of: |view, request| {
        let mut values = of_order(view);
        put(&mut values, PRODUCT, request["offering"].as_str());
        put(&mut values, REGION, common_location(view));
        put(&mut values, PLAN, request["plan"].as_str());
        values
    },
};

/// What a request about one service of the decomposition has.
fn of_service(view: &View<'_>, request: &Value) -> Values {
    let name = request["service"]["name"].as_str().unwrap_or_default();
    let (item, service) = item_of(view, name);
    let mut values = of_order(view);
    put(&mut values, PRODUCT, item.and_then(|item| item["offering"].as_str()));
    put(&mut values, REGION, request["location"].as_str());
    put(&mut values, RESOURCE_TYPE, request["service"]["resource-type"].as_str());
    put(&mut values, SERVICE, Some(service).filter(|name| !name.is_empty()));
    values
}

/// The order item of a service and the service's own name: in an order of several items it begins with the item's id.
fn item_of<'a>(view: &View<'a>, service: &'a str) -> (Option<&'a Value>, &'a str) {
    let items: Vec<&Value> = list(&view.input()["items"]).collect();
    if let [only] = items.as_slice() {
        return (Some(only), service);
    }
    let own = |item: &&'a Value| Some((*item, service.strip_prefix(item["id"].as_str()?)?.strip_prefix('/')?));
    // One id may begin with another; the longer one is meant.
    let found = items.iter().filter_map(own).min_by_key(|(_, name)| name.len());
    found.map_or((None, service), |(item, name)| (Some(item), name))
}

/// What every request of an order has.
fn of_order(view: &View<'_>) -> Values {
    let mut values = Values::new();
    let customer = view.input()["customer"].as_str();
    put(&mut values, CUSTOMER, customer);
    let mut parties = list(&view.input()["order"]["relatedParty"]);
    let party = customer.and_then(|customer| parties.find(|party| party["id"].as_str() == Some(customer)));
    let class = party.and_then(|party| party["@referredType"].as_str()).map(str::to_lowercase);
    put(&mut values, CUSTOMER_CLASS, class.as_deref());
    values
}

fn common_location<'a>(view: &View<'a>) -> Option<&'a str> {
    common(list(&view.input()["items"]).map(|item| item["location"].as_str()))
}

/// The value that all have.
fn common<'a>(mut values: impl Iterator<Item = Option<&'a str>>) -> Option<&'a str> {
    let first = values.next()??;
    values.all(|value| value == Some(first)).then_some(first)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn put(values: &mut Values, name: &'static str, value: Option<&str>) {
    values.extend(value.map(|value| (name, value.to_owned())));
}
