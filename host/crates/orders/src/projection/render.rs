//! The TMF622 representation: what was sent, with what the server adds.

use pipeline::{RunId, Timestamp};
use serde_json::{Map, Value};

use super::{
    date_time,
    state::{OrderState, Snapshot},
};

/// The base path of the interface.
pub(crate) const BASE: &str = "/tmf-api/productOrderingManagement/v4";

/// The address of an order.
pub(crate) fn href(id: &RunId) -> String {
    format!("{BASE}/productOrder/{id}")
}

/// Adds to what was sent what the server knows.
pub(crate) fn render(sent: &Value, id: &RunId, accepted: Option<Timestamp>, snapshot: &Snapshot) -> Value {
    let mut order = sent.as_object().cloned().unwrap_or_default();
    let mut set = |key: &str, value: String| order.insert(key.to_owned(), value.into());
    set("id", id.to_string());
    set("href", href(id));
    set("state", snapshot.state.to_string());
    accepted.map(|at| set("orderDate", date_time(at)));
    match (snapshot.state, snapshot.ended) {
        (OrderState::Completed, Some(at)) => drop(set("completionDate", date_time(at))),
        (OrderState::Cancelled, Some(at)) => drop(set("cancellationDate", date_time(at))),
        _ => {}
    }
    set_item_states(&mut order, snapshot);
    Value::Object(order)
}

/// Gives every item of a level its state and returns them.
fn set_item_states(parent: &mut Map<String, Value>, snapshot: &Snapshot) -> Vec<OrderState> {
    let items = parent.get_mut("productOrderItem").and_then(Value::as_array_mut).into_iter().flatten();
    let objects = items.filter_map(Value::as_object_mut);
    objects
        .map(|item| {
            let nested = set_item_states(item, snapshot);
            let own = item.get("id").and_then(Value::as_str).and_then(|id| snapshot.items.get(id).copied());
            let state = of_parts(&nested).or(own).unwrap_or_else(|| without_work(snapshot.state));
            item.insert("state".to_owned(), state.as_str().into());
            state
        })
        .collect()
}

/// The state of a bundle: that of its components where they agree, else the one that needs attention most.
fn of_parts(parts: &[OrderState]) -> Option<OrderState> {
    let (first, rest) = parts.split_first()?;
    if rest.iter().all(|other| other == first) {
        return Some(*first);
    }
    let ended = [OrderState::Failed, OrderState::Cancelled];
    let attention = [OrderState::Held].into_iter().chain(ended).find(|state| parts.contains(state));
    Some(attention.unwrap_or(OrderState::InProgress))
}

/// An item that changes nothing is done as soon as work on the order begins.
fn without_work(order: OrderState) -> OrderState {
    match order {
        OrderState::Acknowledged => OrderState::Acknowledged,
        OrderState::InProgress | OrderState::Held | OrderState::Completed | OrderState::Failed | OrderState::Cancelled => OrderState::Completed,
    }
}

/// The order with only these first-level attributes, beside `id` and `href`.
pub(crate) fn select(order: Value, fields: &[String]) -> Value {
    let Value::Object(order) = order else { return order };
    let keep = |key: &String| key == "id" || key == "href" || fields.contains(key);
    Value::Object(order.into_iter().filter(|(key, _)| keep(key)).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selected_attributes_come_with_the_identity() {
        let order = json!({"id": "1", "href": "/1", "state": "held", "note": []});
        assert_eq!(select(order, &["state".to_owned(), "unheard-of".to_owned()]), json!({"id": "1", "href": "/1", "state": "held"}));
    }

    #[test]
    fn a_bundle_shows_the_component_that_needs_attention() {
        use OrderState::{Completed, Held, InProgress};
        assert_eq!(of_parts(&[]), None);
        assert_eq!(of_parts(&[Completed, Completed]), Some(Completed));
        assert_eq!(of_parts(&[InProgress, Held]), Some(Held));
        assert_eq!(of_parts(&[InProgress, Completed]), Some(InProgress));
    }
}
