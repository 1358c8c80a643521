//! `catalog-tmf633`: apply.

use end_to_end_tests::harness::Lab;
use engine::port::Verb;
use pipeline::FailureClass;
use serde_json::{Value, json};

use super::{Socket, endpoint};

fn offering(id: &str) -> Value {
    json!({"offering": id, "action": "add", "quantity": 1, "characteristics": []})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offering_becomes_services_and_what_cannot_be_delivered_is_refused() {
    let lab = Lab::start();
    let catalog = Socket::new("catalog-tmf633", endpoint("catalog", lab.url("catalogue"))).await;
    let names = |decomposition: &Value| -> Vec<String> {
        decomposition["services"].as_array().unwrap().iter().map(|service| service["name"].as_str().unwrap().to_owned()).collect()
    };
    let single = catalog.receipt(&offering("fibre-100")).await;
    assert_eq!((names(&single), &single["plan"]), (vec!["access".to_owned(), "internet".to_owned()], &json!("plan-fibre-100")));
    let bundle = catalog.receipt(&offering("triple-play")).await;
    assert_eq!(names(&bundle), ["access", "internet", "television", "telephony"]);
    for (id, code) in [("no-such", "unknown_offering"), ("round", "catalog_cycle"), ("nothing", "empty_decomposition"), ("dial-up", "not_sellable")] {
        assert_eq!(catalog.failure(Verb::Apply, &offering(id)).await, (FailureClass::Rejected, code.to_owned()), "{id}");
    }
    lab.switch("catalogue", "fail", json!({"status": 500}));
    let (class, _) = catalog.failure(Verb::Apply, &offering("fibre-100")).await;
    assert_eq!(class, FailureClass::Unavailable);
}
