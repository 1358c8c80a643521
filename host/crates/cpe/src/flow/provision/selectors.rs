//! What bindings may choose a provider by: who made the device, what it is, and what its customer has.

use pipeline::{Selectors, View};

use crate::flow::contract::Device;

const DEVICE: [(&str, &str); 4] = [("manufacturer", "manufacturer"), ("oui", "oui"), ("model", "model"), ("root", "root")];

/// Of every step: the device.
pub(super) const OF_DEVICE: Selectors = Selectors { names: &["manufacturer", "oui", "model", "root"], of: |view, _| device(view) };

/// Of steps after the inventory answered: the plan as well.
pub(super) const WITH_PLAN: Selectors = Selectors {
    names: &["manufacturer", "oui", "model", "root", "plan"],
    of: |view, request| {
        let plan = request["plan"].as_str().or_else(|| request["service-plan"].as_str());
        device(view).into_iter().chain(plan.map(|plan| ("plan", plan.to_owned()))).collect()
    },
};

fn device(view: &View<'_>) -> Vec<(&'static str, String)> {
    let of = |field: &str| view.input()["device"][field].as_str().filter(|text| !text.is_empty());
    DEVICE.iter().filter_map(|(name, field)| Some((*name, value(name, of(field)?)))).collect()
}

/// A root is known without its dot, as people say it.
fn value(name: &str, text: &str) -> String {
    if name == "root" { text.trim_end_matches('.').to_owned() } else { text.to_owned() }
}

/// The values of the step that builds the configuration, for a device that is not being provisioned.
pub(crate) fn of_configuration(device: &Device, plan: &str) -> Vec<(&'static str, String)> {
    let all = [("manufacturer", &device.manufacturer), ("oui", &device.oui), ("model", &device.model), ("root", &device.root)];
    let known = all.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, value(name, text)));
    known.chain([("plan", plan.to_owned())]).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_device_that_is_provisioned_and_one_that_may_be_are_told_apart_by_the_same() {
        let definition = crate::flow::definition(&crate::flow::Options::default());
        let device = Device { manufacturer: "Acme".to_owned(), oui: "00D09E".to_owned(), root: "Device.".to_owned(), ..Device::default() };
        let first = pipeline::testing::started_with(&definition, json!({ "device": device }));
        let run = pipeline::begin(&definition, pipeline::testing::run_id(1), &first).unwrap();
        let view = View::new(&definition, &run);
        let expected = [("manufacturer", "Acme"), ("oui", "00D09E"), ("root", "Device"), ("plan", "p")].map(|(name, value)| (name, value.to_owned()));
        assert_eq!((WITH_PLAN.of)(&view, &json!({ "plan": "p" })), expected);
        assert_eq!((WITH_PLAN.of)(&view, &json!({ "service-plan": "p" })), expected);
        assert_eq!(of_configuration(&device, "p"), expected);
        assert!(expected.iter().all(|(name, _)| WITH_PLAN.names.contains(name)));
    }
}
