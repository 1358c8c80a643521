//! Whose a device is, and what becomes of what is set on it alone.

use engine::port::Documents;
use serde_json::json;

use super::world::{Setup, World};
use crate::{
    device::DeviceKey,
    flow::{INVENTORY_COLLECTION, InventoryError, NewDevice, Owner},
};

fn owner(customer: &str, plan: &str) -> Owner {
    Owner { customer: customer.to_owned(), plan: plan.to_owned(), location: None, characteristics: Vec::new() }
}

/// The customer of a device and how many settings are on it alone, as the store has them.
async fn kept(world: &World, device: &DeviceKey) -> (String, usize) {
    let body = Documents::get(&*world.ground.store, INVENTORY_COLLECTION, device.as_str()).await.unwrap().unwrap().body;
    (body["customer"].as_str().unwrap().to_owned(), body["settings"].as_array().map_or(0, Vec::len))
}

#[tokio::test]
async fn a_device_does_not_change_hands_by_an_assignment_and_its_secrets_go_with_its_customer() {
    let world = World::new(Setup::default()).await;
    let mut first = json!({"oui": "00D09E", "product-class": "R", "serial": "S8", "customer": "c-1", "plan": "fibre-100",
                           "settings": [{"name": "internet.password", "secret": "of the first customer"}]});
    let device = world.inventory.import(vec![serde_json::from_value::<NewDevice>(first.clone()).unwrap()]).await.unwrap().remove(0);
    // The same customer's next order keeps what is set on the device.
    world.inventory.assign(&device, owner("c-1", "fibre-500"), None).await.unwrap();
    assert_eq!(kept(&world, &device).await, ("c-1".to_owned(), 1));
    // Another customer's order takes nothing away from the first, nor his secrets.
    let refused = world.inventory.assign(&device, owner("c-2", "fibre-100"), None).await.unwrap_err();
    assert!(matches!(refused, InventoryError::Taken { .. }) && refused.to_string().contains("release it first"), "{refused}");
    assert_eq!(kept(&world, &device).await, ("c-1".to_owned(), 1));
    // Once it is forgotten it is nobody's, and nothing of its customer's is left.
    world.inventory.forget(&device).await.unwrap();
    world.inventory.assign(&device, owner("c-2", "fibre-100"), None).await.unwrap();
    assert_eq!(kept(&world, &device).await, ("c-2".to_owned(), 0));
    // Whoever imports says what is set from now on.
    (first["customer"], first["settings"]) = (json!("c-3"), json!([]));
    world.inventory.import(vec![serde_json::from_value::<NewDevice>(first).unwrap()]).await.unwrap();
    assert_eq!(kept(&world, &device).await, ("c-3".to_owned(), 0));
}
