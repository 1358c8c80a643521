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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Options, simulation::Simulation};

    /// The values of every item that is there when an order is over, step by step.
    fn selected(order: Value) -> Vec<String> {
        let simulation = Simulation::new(&Options::default(), order).go();
        let (definition, run) = (&simulation.definition, &simulation.run);
        let view = View::new(definition, run);
        let mut selected = Vec::new();
        for (step, state) in definition.steps.iter().zip(run.steps()) {
            for item in &state.items {
                let values = (step.selectors.of)(&view, &item.request);
                assert!(values.iter().all(|(name, _)| step.selectors.names.contains(name)), "{}: {values:?}", step.name);
                let values: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
                selected.push(format!("{}: {}", step.name, values.join(" ")));
            }
        }
        selected
    }

    #[test]
    fn an_order_of_one_item_is_told_apart_by_all_that_it_says() {
        let order = json!({
            "relatedParty": [{"id": "c-1", "role": "customer", "@referredType": "Individual"}],
            "productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": "fibre"}, "product": {"place": [{"id": "north", "role": "x"}]}}],
        });
        expect_test::expect![[r#"
            decompose: customer=c-1 customer-class=individual product=fibre region=north
            allocate_inventory: customer=c-1 customer-class=individual product=fibre region=north resource-type=port service=access
            allocate_inventory: customer=c-1 customer-class=individual product=fibre region=north resource-type=ipv4 service=address
            provision: customer=c-1 customer-class=individual product=fibre region=north resource-type=port service=access network-element=olt-1
            provision: customer=c-1 customer-class=individual product=fibre region=north resource-type=ipv4 service=address network-element=olt-1
            activate: customer=c-1 customer-class=individual product=fibre region=north
            billing_setup: customer=c-1 customer-class=individual product=fibre region=north plan=fibre-30"#]]
        .assert_eq(&selected(order).join("\n"));
    }

    #[test]
    fn an_order_of_several_items_gives_each_service_what_its_own_item_says() {
        let item = |id: &str, offering: &str, place: &str| json!({"id": id, "action": "add", "productOffering": {"id": offering}, "product": {"place": [{"id": place, "role": "x"}]}});
        let order = json!({"productOrderItem": [item("1", "fibre", "north"), item("1/2", "tv", "south")]});
        expect_test::expect![[r#"
            decompose: product=fibre
            decompose: product=tv
            allocate_inventory: product=fibre region=north resource-type=port service=access
            allocate_inventory: product=fibre region=north resource-type=ipv4 service=address
            allocate_inventory: product=tv region=south resource-type=equipment service=box
            provision: product=fibre region=north resource-type=port service=access network-element=olt-1
            provision: product=fibre region=north resource-type=ipv4 service=address network-element=olt-1
            provision: product=tv region=south resource-type=equipment service=box network-element=olt-1
            activate: product=fibre
            billing_setup: product=fibre plan=fibre-30"#]]
        .assert_eq(&selected(order).join("\n"));
    }
}
