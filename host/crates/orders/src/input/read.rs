//! Reading a validated TMF622 product order. Total: what validation guarantees is read with a harmless default, never checked again.

use serde_json::Value;

use super::{ItemAction, ItemInput, OrderInput};
use crate::contract::Characteristic;

pub(super) fn read(order: Value, categories: &[String]) -> OrderInput {
    let mut items = Vec::new();
    collect(&order, &mut items);
    let common = items.iter().find_map(|item| item.location.clone());
    for item in &mut items {
        item.location = item.location.take().or_else(|| common.clone());
    }
    OrderInput {
        r#type: order_type(&order, &items, categories),
        offering: items.first().map(|item| item.offering.clone()).unwrap_or_default(),
        customer: customer(&order),
        channel: text(&order["channel"][0]["name"]).unwrap_or_else(|| "web".to_owned()),
        priority: text(&order["priority"]).unwrap_or_else(|| "normal".to_owned()),
        requested_date: text(&order["requestedCompletionDate"]).or_else(|| text(&order["requestedStartDate"])).map(|date| day(&date)),
        items,
        order,
    }
}

/// Leaves of the tree of items, without those that change nothing.
fn collect(parent: &Value, items: &mut Vec<ItemInput>) {
    for item in list(&parent["productOrderItem"]) {
        if list(&item["productOrderItem"]).next().is_some() {
            collect(item, items);
        } else if let Some(action) = action(item) {
            items.push(read_item(item, action));
        }
    }
}

fn action(item: &Value) -> Option<ItemAction> {
    match item["action"].as_str()? {
        "add" => Some(ItemAction::Add),
        "modify" => Some(ItemAction::Modify),
        "delete" => Some(ItemAction::Delete),
        _ => None,
    }
}

fn read_item(item: &Value, action: ItemAction) -> ItemInput {
    let product = &item["product"];
    ItemInput {
        id: text(&item["id"]).unwrap_or_default(),
        action,
        offering: text(&item["productOffering"]["id"]).unwrap_or_default(),
        quantity: item["quantity"].as_u64().and_then(|quantity| u32::try_from(quantity).ok()).unwrap_or(1),
        location: list(&product["place"]).find_map(place),
        characteristics: list(&product["productCharacteristic"]).map(characteristic).collect(),
    }
}

/// Contracts carry characteristics as text; anything that is not text is written as JSON.
fn characteristic(given: &Value) -> Characteristic {
    let value = text(&given["value"]).unwrap_or_else(|| given["value"].to_string());
    Characteristic { name: text(&given["name"]).unwrap_or_default(), value }
}

fn place(place: &Value) -> Option<String> {
    let parts = ["streetNr", "streetName", "postcode", "city"];
    let address: Vec<String> = parts.iter().filter_map(|part| text(&place[part])).collect();
    text(&place["name"]).or_else(|| (!address.is_empty()).then(|| address.join(" "))).or_else(|| text(&place["id"]))
}

fn customer(order: &Value) -> Option<String> {
    let is_customer = |party: &&Value| party["role"].as_str().is_some_and(|role| role.eq_ignore_ascii_case("customer"));
    list(&order["relatedParty"]).find(is_customer).and_then(|party| text(&party["id"]))
}

fn order_type(order: &Value, items: &[ItemInput], categories: &[String]) -> String {
    let category = order["category"].as_str().unwrap_or_default();
    if categories.iter().any(|known| known == category) {
        return category.to_owned();
    }
    match items {
        [] => "_other".to_owned(),
        [first, rest @ ..] if rest.iter().all(|item| item.action == first.action) => first.action.as_str().to_owned(),
        _ => "mixed".to_owned(),
    }
}

/// The date part of an RFC 3339 timestamp.
fn day(timestamp: &str) -> String {
    timestamp.chars().take("YYYY-MM-DD".len()).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    fn check(order: Value, expected: &Expect) {
        let mut input = read(order, &["residential".to_owned()]);
        input.order = Value::Null;
        expected.assert_eq(&serde_json::to_string(&input).unwrap());
    }

    #[test]
    fn a_bare_order_gets_the_defaults() {
        let order = json!({"productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": "fibre"}}]});
        check(
            order,
            &expect![[
                r#"{"order":null,"type":"add","offering":"fibre","channel":"web","priority":"normal","items":[{"id":"1","action":"add","offering":"fibre","quantity":1,"characteristics":[]}]}"#
            ]],
        );
    }

    #[test]
    fn everything_that_is_said_is_used() {
        let order = json!({
            "category": "residential", "priority": "1", "channel": [{"id": "9", "name": "retail"}, {"id": "8", "name": "web"}],
            "requestedCompletionDate": "2031-05-01T10:00:00+02:00", "requestedStartDate": "2031-04-01T10:00:00Z",
            "relatedParty": [{"id": "s", "role": "seller"}, {"id": "c-1", "role": "Customer"}],
            "productOrderItem": [
                {"id": "0", "action": "noChange"},
                {"id": "1", "action": "add", "quantity": 2, "productOffering": {"id": "fibre"}, "product": {
                    "place": [{"role": "installation", "streetName": "Main", "streetNr": "7", "city": "Town"}],
                    "productCharacteristic": [{"name": "speed", "value": 100}, {"name": "tv", "value": true}, {"name": "name", "value": "x"}]}},
                {"id": "2", "action": "modify", "productOffering": {"id": "tv"}},
            ],
        });
        check(
            order,
            &expect![[
                r#"{"order":null,"type":"residential","offering":"fibre","customer":"c-1","channel":"retail","priority":"1","requested-date":"2031-05-01","items":[{"id":"1","action":"add","offering":"fibre","quantity":2,"location":"7 Main Town","characteristics":[{"name":"speed","value":"100"},{"name":"tv","value":"true"},{"name":"name","value":"x"}]},{"id":"2","action":"modify","offering":"tv","quantity":1,"location":"7 Main Town","characteristics":[]}]}"#
            ]],
        );
    }

    #[test]
    fn the_components_of_a_bundle_take_its_place() {
        let order = json!({"category": "unheard of", "productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": "bundle"}, "productOrderItem": [
            {"id": "1.1", "action": "add", "productOffering": {"id": "fibre"}},
            {"id": "1.2", "action": "delete", "productOffering": {"id": "tv"}, "product": {"place": [{"role": "x", "id": "north"}]}}]}]});
        check(
            order,
            &expect![[
                r#"{"order":null,"type":"mixed","offering":"fibre","channel":"web","priority":"normal","items":[{"id":"1.1","action":"add","offering":"fibre","quantity":1,"location":"north","characteristics":[]},{"id":"1.2","action":"delete","offering":"tv","quantity":1,"location":"north","characteristics":[]}]}"#
            ]],
        );
    }
}
