//! What is provisioned in these tests, and what spans, metrics and documents say of a run.

use std::fmt::Write;

use pipeline::{Attributes, Definition, Event, Record, RunId, Transition, Verdict, View, apply, begin};
use serde_json::{Value, json};

use crate::flow::{book::Standing, document, initial_series, measure};

pub(super) fn plan() -> Value {
    json!({
        "name": "fibre-100", "services": ["internet", "voip"], "wifi-bands": ["2.4GHz", "5GHz"],
        "settings": [{"name": "wifi.ssid", "value": "home"}, {"name": "wifi.key", "secret": "kept-secret"}],
    })
}

pub(super) fn known_device() -> Value {
    json!({"oui": "00D09E", "product-class": "R", "serial": "S1", "password": "device-password", "customer": "c-1", "plan": "fibre-100", "location": "north"})
}

/// Ten parameters: text, a truth value, a MAC address and a key that nobody can read back.
pub(super) fn configuration(request: &Value) -> Value {
    let root = request["device"]["root"].as_str().unwrap();
    let key = request["profile"]["settings"].as_array().unwrap().iter().find(|setting| setting["name"] == "wifi.key").unwrap();
    let text = |name: &str, value: &str, kind: &str| json!({"name": format!("{root}{name}"), "value": {"text": value}, "kind": kind});
    let mut assignments: Vec<Value> = (1..=7).map(|number| text(&format!("Config.P{number}"), &format!("v{number}"), "string")).collect();
    assignments.push(text("Config.Enable", "1", "boolean"));
    assignments.push(text("Config.MAC", "aa:bb:cc:00:11:22", "string"));
    let hidden = if root == "Device." { "WiFi.AccessPoint.1.Security.KeyPassphrase" } else { "LANDevice.1.WLANConfiguration.1.KeyPassphrase" };
    assignments.push(json!({"name": format!("{root}{hidden}"), "value": key["value"], "kind": "string"}));
    json!({"removals": [], "objects": [], "assignments": assignments, "notifications": [], "hidden": [], "quirks": [], "reboot": false})
}

/// The spans, metrics and documents of a run, in the pack's words. Times are left out: they are not the same twice.
pub(super) fn tell(definition: &Definition, records: &[Record]) -> String {
    let mut told = String::new();
    let mut run = begin(definition, RunId::new("00000000-0000-7000-8000-000000000007").unwrap(), &records[0]).unwrap();
    let view = View::new(definition, &run);
    writeln!(told, "root {}", shown(&(definition.telemetry.root_attributes)(&view))).unwrap();
    for (position, record) in records.iter().enumerate() {
        let before = (position > 0).then(|| run.clone());
        if let Some(before) = &before {
            run = apply(definition, before.clone(), record).unwrap();
        }
        let transition = Transition { definition, before: before.as_ref(), record, after: &run };
        span(&mut told, definition, &transition);
        for measured in measure::measure(&transition) {
            let counter = measured.instrument == "cpe.provision.count";
            let known = initial_series(&crate::flow::Options::default()).into_iter().any(|series| series.labels == measured.labels);
            assert!(!counter || known, "{measured:?} begins with its first increase");
            let labels: Vec<String> = measured.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            writeln!(told, "    {}{{{}}}", measured.instrument, labels.join(",")).unwrap();
        }
        if let Event::FalloutOpened(opened) = &record.event {
            writeln!(told, "fallout: {} ({})", opened.reason, opened.failure.message).unwrap();
        }
        let document = document(&transition);
        let read = document.as_ref().and_then(|document| Standing::read(&document.body));
        assert_eq!(Standing::of(&transition), read, "the book and the document say the same");
        if let Some(document) = document {
            writeln!(told, "=> {}", document.body["state"].as_str().unwrap()).unwrap();
        }
    }
    told
}

fn span(told: &mut String, definition: &Definition, transition: &Transition<'_>) {
    let Event::AttemptFinished { attempt, verdict, attributes, .. } = &transition.record.event else { return };
    let step = definition.step(&attempt.item.step).unwrap().1;
    let request = &transition.after.item(definition, &attempt.item).unwrap().request;
    let (output, failure) = match verdict {
        Verdict::Done(output) => (Some(&**output), None),
        Verdict::Refused { output, failure } => (Some(&**output), Some(failure)),
        Verdict::Failed(failure) => (None, Some(failure)),
        Verdict::Undone => (None, None),
    };
    let mut all = (step.telemetry.attributes)(&View::new(definition, transition.after), request, output);
    all.extend(attributes.iter().filter(|(key, _)| !all.iter().any(|(known, _)| known == key)).cloned().collect::<Vec<_>>());
    let status = failure.map(|failure| format!(" ERROR {:?} {}", (step.telemetry.failure_text)(request, failure), failure.error_type));
    let text = format!("span {} {}", (step.telemetry.span)(request), shown(&all));
    writeln!(told, "{}{}", text.trim_end(), status.unwrap_or_default()).unwrap();
}

fn shown(attributes: &Attributes) -> String {
    attributes.iter().map(|(key, value)| format!("{key}={}", serde_json::to_string(value).unwrap())).collect::<Vec<_>>().join(" ")
}
