//! The plugin against the SDK's in-memory host.

use std::collections::HashSet;

use jackfield_plugin_sdk::{
    Failure, Inventory as _, Observed, Outcome, Resource, ServiceSpec, characteristic,
    inventory::Request,
    kv,
    testing::{self, Config, KeyValue},
};

use crate::InventoryPool;

fn request(resource_type: &str) -> Request {
    let service = ServiceSpec { name: "access".into(), resource_type: resource_type.into(), characteristics: Vec::new() };
    Request { order: "4711".into(), customer: None, location: None, service, preferred_element: None }
}

fn take(key: &str, request: Request) -> Result<Resource, Failure> {
    match InventoryPool::apply(&testing::call(key), request)? {
        Outcome::Done(resource) => Ok(resource),
        other @ (Outcome::Undone | Outcome::Pending(_)) => panic!("{other:?}"),
    }
}

fn release(resource: &Resource) {
    assert_eq!(InventoryPool::undo(&testing::call("another-key"), resource.clone()), Ok(Outcome::Undone));
}

fn ids(resource_type: &str, count: usize) -> HashSet<String> {
    (0..count).map(|at| take(&format!("key{at}"), request(resource_type)).unwrap().id).collect()
}

fn no_inventory(resource_type: &str) -> Failure {
    Failure::rejected("no_inventory", format!("No available {resource_type}"))
}

#[test]
fn a_pool_gives_out_each_resource_once_and_then_says_so() {
    Config::set("pools", r#"{"port": {"element": "olt-1", "count": 40}}"#);
    let all: HashSet<String> = (1..=40).map(|it| format!("olt-1/port/{it}")).collect();
    assert_eq!(ids("port", 40), all);
    assert_eq!(take("one-more", request("port")), Err(no_inventory("port")));
}

#[test]
fn a_repeated_call_gets_what_it_has_even_if_a_better_slot_became_free() {
    Config::set("pools", r#"{"port": {"element": "olt-1", "count": 8}}"#);
    let taken: Vec<Resource> = (0..8).map(|at| take(&format!("key{at}"), request("port")).unwrap()).collect();
    for other in &taken[..7] {
        release(other);
    }
    assert_eq!(take("key7", request("port")).unwrap(), taken[7]);
    let entries = KeyValue::entries();
    assert_eq!(entries.iter().filter(|(key, _)| key.starts_with("slot/")).count(), 1);
}

#[test]
fn observe_tells_absent_from_ours_and_drifted() {
    Config::set("pools", r#"{"vlan": {"element": "olt-1", "from": 100, "to": 199}}"#);
    let call = testing::call("key");
    assert_eq!(InventoryPool::observe(&call, request("vlan")), Ok(Observed::Absent));
    let taken = take("key", request("vlan")).unwrap();
    assert_eq!(InventoryPool::observe(&call, request("vlan")), Ok(Observed::Ours(taken.clone())));
    assert_eq!(InventoryPool::observe(&call, request("port")), Ok(Observed::Drifted(taken)));
    assert_eq!(InventoryPool::observe(&testing::call("other"), request("vlan")), Ok(Observed::Absent));
}

#[test]
fn undo_runs_twice_and_never_takes_what_became_somebody_elses() {
    Config::set("pools", r#"{"port": {"element": "olt-1", "count": 1}}"#);
    let first = take("first", request("port")).unwrap();
    release(&first);
    release(&first);
    assert_eq!(KeyValue::entries(), []);
    let second = take("second", request("port")).unwrap();
    assert_eq!(second.id, first.id);
    release(&first);
    assert_eq!(take("third", request("port")), Err(no_inventory("port")));
}

#[test]
fn a_retried_order_takes_anew_after_its_undo() {
    Config::set("pools", r#"{"port": {"element": "olt-1", "count": 64}}"#);
    let before = take("round0", request("port")).unwrap();
    release(&before);
    let after = take("round1", request("port")).unwrap();
    assert_ne!(characteristic(&before.characteristics, "allocation"), characteristic(&after.characteristics, "allocation"));
    assert_eq!(take("round1", request("port")).unwrap(), after);
}

#[test]
fn networks_leave_out_their_ends_and_the_gateway() {
    let pools = r#"{"ipv4": {"cidr": "198.51.100.0/29", "gateway": "198.51.100.1"},
        "ipv4_link": {"cidr": "198.51.100.8/31"},
        "ipv6": {"cidr": "2001:db8:100::/54", "prefix": 56}}"#;
    Config::set("pools", pools);
    let expected = ["198.51.100.2", "198.51.100.3", "198.51.100.4", "198.51.100.5", "198.51.100.6"];
    assert_eq!(ids("ipv4", 5), expected.map(str::to_owned).into());
    assert_eq!(take("more", request("ipv4")), Err(no_inventory("ipv4")));
    testing::reset();
    Config::set("pools", pools);
    assert_eq!(ids("ipv4_link", 2), ["198.51.100.8", "198.51.100.9"].map(str::to_owned).into());
    testing::reset();
    Config::set("pools", pools);
    let expected = ["2001:db8:100::/56", "2001:db8:100:100::/56", "2001:db8:100:200::/56", "2001:db8:100:300::/56"];
    assert_eq!(ids("ipv6", 4), expected.map(str::to_owned).into());
}

#[test]
fn a_pool_as_large_as_all_of_ipv6_still_gives_an_address() {
    Config::set("pools", r#"{"ipv6": {"cidr": "::/0"}}"#);
    assert_eq!(ids("ipv6", 100).len(), 100);
}

#[test]
fn equipment_is_given_out_by_serial_number() {
    Config::set("pools", r#"{"equipment": {"element": "store", "serials": ["ONT-1"]}}"#);
    let taken = take("key", request("equipment")).unwrap();
    assert_eq!((taken.id.as_str(), taken.network_element.as_str()), ("store/equipment/ONT-1", "store"));
    assert_eq!(characteristic(&taken.characteristics, "serial"), Some("ONT-1"));
}

#[test]
fn place_and_preferred_element_choose_the_pool() {
    let pools = r#"{"port": [{"element": "olt-1", "count": 9}, {"element": "olt-2", "count": 1, "location": "North"},
        {"element": "olt-3", "count": 9}]}"#;
    Config::set("pools", pools);
    let element = |key: &str, location: Option<&str>, preferred: Option<&str>| {
        let location = location.map(str::to_owned);
        let request = Request { location, preferred_element: preferred.map(str::to_owned), ..request("port") };
        take(key, request).unwrap().network_element
    };
    assert_eq!(element("a", None, None), "olt-1");
    assert_eq!(element("b", Some(" north "), None), "olt-2");
    assert_eq!(element("c", Some("north"), None), "olt-1");
    assert_eq!(element("d", Some("south"), Some("olt-3")), "olt-3");
    assert_eq!(element("e", Some("south"), Some("olt-2")), "olt-1");
}

#[test]
fn bad_settings_are_refused_with_the_place() {
    let check = |pools: Option<&str>, expected: &str| {
        testing::reset();
        if let Some(pools) = pools {
            Config::set("pools", pools);
        }
        let failure = take("key", request("port")).unwrap_err();
        assert_eq!(failure.reason().code, "bad_config", "{failure}");
        assert!(failure.reason().message.contains(expected), "{failure}");
    };
    check(None, "the setting pools is missing");
    check(Some("[]"), "the setting pools is not as expected");
    check(Some(r#"{"port": {"count": 1, "cidr": "10.0.0.0/8"}}"#), "type port: expected exactly one of");
    check(Some(r#"{"port": {"from": 2, "to": 1}}"#), "from not above to");
    check(Some(r#"{"port": {"cidr": "10.0.0.0"}}"#), "expected address/length");
    check(Some(r#"{"port": {"cidr": "10.0.0.0/33"}}"#), "expected address/length");
    check(Some(r#"{"port": {"cidr": "10.0.0.1/8"}}"#), "bits set beyond its length");
    check(Some(r#"{"port": {"cidr": "10.0.0.0/24", "prefix": 8}}"#), "prefix must lie between");
}

#[test]
fn a_type_without_a_pool_has_none_available() {
    Config::set("pools", "{}");
    assert_eq!(take("key", request("fax")), Err(no_inventory("fax")));
}

#[test]
fn a_store_that_cannot_serve_is_a_retry() {
    Config::set("pools", r#"{"port": {"count": 1}}"#);
    KeyValue::fail(Some(kv::Error::Unavailable("busy".into())));
    let failure = take("key", request("port"));
    assert_eq!(failure, Err(Failure::unavailable("store", "the store cannot serve: busy")));
}
