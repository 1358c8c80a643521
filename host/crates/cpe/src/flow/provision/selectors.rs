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
