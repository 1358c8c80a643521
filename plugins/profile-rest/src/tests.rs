//! The plugin against a scripted business system.

use jackfield_plugin_sdk::{
    Failure, Profile as _,
    cpe::{ServiceProfile, SettingValue},
    profile::Request,
    testing::{self, Http, Reply, Secrets},
};
use serde_json::{Value, json};

use crate::Rest;

const URL: &str = "http://bss/customers/C%2F1/profile?plan=fibre-500";

fn request() -> Request {
    Request { device: testing::device("Device."), customer_id: "C/1".into(), service_plan: "fibre-500".into(), characteristics: Vec::new() }
}

fn apply(status: u16, answer: &Value) -> Result<ServiceProfile, Failure> {
    testing::reset();
    Secrets::grant("bss-key");
    Http::on("GET", URL, Reply::json(status, &answer.to_string()));
    Rest::apply(&testing::call("key"), request())
}

#[test]
fn secrets_are_sealed_and_nothing_else_is() {
    let answer = json!({"version": "7", "services": ["internet"], "wifiBands": ["5GHz"],
        "settings": {"wifi.5.ssid": "home", "wifi.5.key": {"secret": "correct horse"}}});
    let profile = apply(200, &answer).unwrap();
    assert_eq!(profile.setting("wifi.5.ssid"), Some(&SettingValue::Text("home".into())));
    assert_eq!(profile.setting("wifi.5.key"), Some(&SettingValue::Secret("jackfield-sealed.0.".into())));
    assert_eq!(Secrets::sealed(), ["correct horse"]);
    assert!(!format!("{profile:?}").contains("horse"));
    assert_eq!(Http::sent()[0].header("authorization"), Some("Bearer jackfield-secret.bss-key."));
}

#[test]
fn what_is_no_profile_has_a_code() {
    for (status, answer, code) in
        [(404, json!({}), "no_profile"), (200, json!({"version": ""}), "bad_profile"), (422, json!({"version": "1"}), "bad_profile")]
    {
        let reason = testing::rejected(apply(status, &answer));
        assert_eq!(reason.code, code, "{}", reason.message);
    }
    assert!(apply(200, &json!({"version": "1", "settings": {"a": 7}})).is_err());
    assert!(matches!(apply(504, &json!({})), Err(Failure::Unavailable(_))));
}
