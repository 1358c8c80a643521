//! One change of each kind that makes a plugin and the host incompatible. What the operator gets to read is in `refused/NAME.txt`, whole.

use end_to_end_tests::runtime::Bench;
use expect_test::{ExpectFile, expect_file};
use plugin_runtime::Grant;

use crate::built_from;

async fn refused(changes: &[(&str, &str)], expected: ExpectFile) {
    let bench = Bench::new(Bench::options());
    let error = bench.load(built_from(changes), &Grant::default()).await.unwrap_err();
    expected.assert_eq(&format!("{error}\n"));
}

/// A test for each name: the contract with these replacements is refused with the words of the file of that name.
macro_rules! refused {
    ($($name:ident: [$($change:expr),+];)+) => {
        $(#[tokio::test]
        async fn $name() {
            refused(&[$($change),+], expect_file![concat!("refused/", stringify!($name), ".txt")]).await;
        })+

        #[test]
        fn no_text_is_without_its_change() {
            let mut kept: Vec<_> = [$(stringify!($name)),+].map(|name| format!("{name}.txt")).into();
            let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/evolution/refused")).unwrap();
            let mut found: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
            kept.sort();
            found.sort();
            assert_eq!(found, kept);
        }
    };
}

const OBSERVE: &str = "observe: func(call: call, request: request) -> result<observed, failure>;";
const SPEC: &str = "record spec { name: string, resource-type: string, characteristics: list<tuple<string, string>> }\n\n    /// What is needed.";
const RECEIPT: &str = "record receipt { id: string, resource-type: string, service: string, characteristics: list<characteristic> }";

refused! {
    a_changed_type: [("order: string,", "order: u64,")];
    a_changed_type_deep_inside: [("/// What is needed.", SPEC), ("service: service-spec,", "service: spec,")];
    a_removed_function: [(OBSERVE, "")];
    a_new_required_field: [("location: option<string>,", "location: option<string>,\n        zone: string,")];
    a_field_that_became_required: [("customer: option<string>,", "customer: string,")];
    a_renamed_field: [("service: service-spec,", "wanted: service-spec,")];
    a_case_that_the_host_does_not_know: [("done(receipt),", "done(receipt),\n        partly(string),")];
    a_case_with_another_payload: [("foreign(string),", "foreign,")];
    a_receipt_without_a_field: [("type receipt = %resource;", RECEIPT)];
    a_new_parameter: [("undo: func(call: call, receipt: receipt)", "undo: func(call: call, receipt: receipt, why: string)")];
    several_changes_at_once_are_all_told:
        [("order: string,", "order: u64,"), ("unsupported,", "unsupported,\n        unsure,"), ("signal: signal)", "signal: string)")];
}
