//! Devices of native tests, and configurations as lists that can be compared with a golden one.

use std::fmt::Write as _;

use crate::{
    configuration::{Assignment, DeviceConfiguration},
    cpe::{Device, SettingValue},
};

/// The device `00D09E-RX-S1` of the model `RX-500`, with a data model of that root.
pub fn device(root: &str) -> Device {
    let [oui, product_class, serial, manufacturer, model, hardware_version, software_version, root] =
        ["00D09E", "RX", "S1", "Acme", "RX-500", "1", "1.0", root].map(str::to_owned);
    Device { oui, product_class, serial, manufacturer, model, hardware_version, software_version, root }
}

/// A configuration as text, one line for each thing that the host is to do, in its order.
pub fn listing(configuration: &DeviceConfiguration) -> String {
    let DeviceConfiguration { removals, objects, assignments, notifications, hidden, quirks, reboot } = configuration;
    let mut lines: Vec<String> = removals.iter().map(|path| format!("remove {path}")).collect();
    for object in objects {
        let key: Vec<String> = object.key.iter().map(assignment).collect();
        lines.push(format!("object {} = {}{}", object.label, object.path, key.iter().fold(String::new(), |text, key| text + ", " + key)));
    }
    lines.extend(assignments.iter().map(assignment));
    lines.extend(notifications.iter().map(|it| format!("notify {} {}", it.name, it.level)));
    lines.extend(hidden.iter().map(|path| format!("hidden {path}")));
    lines.extend(quirks.iter().map(|quirk| format!("quirk {} = {}", quirk.name, quirk.value)));
    lines.extend(reboot.then(|| "reboot".to_owned()));
    lines.into_iter().fold(String::new(), |mut text, line| {
        let _never_fails = writeln!(text, "{line}");
        text
    })
}

fn assignment(Assignment { name, value, kind }: &Assignment) -> String {
    match value {
        SettingValue::Text(text) => format!("{name} = {text} ({kind:?})"),
        SettingValue::Secret(handle) => format!("{name} = secret {handle} ({kind:?})"),
    }
}
