//! Changes that a plugin of another version may bring.

use end_to_end_tests::runtime::{Bench, call, failed, inventory_request};
use engine::port::Verb;
use pipeline::FailureClass;
use plugin_runtime::Grant;

use crate::{NEXT, built_from};

#[tokio::test]
async fn optional_fields_more_results_and_more_functions_are_compatible() {
    let compatible: [&[(&str, &str)]; 5] = [
        &[],
        &[("location: option<string>,", "location: option<string>,\n        zone: option<string>,")],
        &[("location: option<string>,", "")],
        &[(
            "type receipt = %resource;",
            "record receipt { id: string, resource-type: string, service: string, network-element: string, characteristics: list<characteristic>, zone: string }",
        )],
        &[("/// Takes a resource. If none", "/// How many are left.\n    count: func() -> u64;\n\n    /// Takes a resource. If none")],
    ];
    let bench = Bench::new(Bench::options());
    for changes in compatible {
        let plugin = bench.load(built_from(changes), &Grant::default()).await.unwrap_or_else(|error| panic!("{changes:?}: {error}"));
        assert_eq!(plugin.contracts()[0].exact, format!("jackfield:order/inventory@{NEXT}"));
        // The functions of these components trap, which they can only do when they are called.
        let report = bench.call(call(&plugin, Verb::Apply, inventory_request("access"))).await;
        let (class, error_type, message) = failed(&report);
        assert_eq!((class, error_type), (FailureClass::Unavailable, "plugin.trap"), "{message}");
    }
}
