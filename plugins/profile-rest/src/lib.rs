//! The `profile` contract of device provisioning over a business system that speaks JSON.
//!
//! `GET {bss}/customers/{id}/profile?plan=..` answers an object with `version`, `services`, `wifiBands` and `settings`, which maps names to texts or, where
//! a value is secret, to `{"secret": text}`. A secret is sealed as soon as it is read: only a handle for it leaves this plugin. The request carries the
//! operator's key as a bearer token, which the plugin does not know either.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use jackfield_plugin_sdk::{
    Call, Capabilities, Contract, Endpoint, Failure, Manifest, Profile, Secret,
    cpe::{ServiceProfile, Setting},
    http,
    profile::Request,
    secrets,
};
use serde::Deserialize;

const MANIFEST: Manifest = Manifest {
    name: "profile-rest",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract::pure("profile")],
    capabilities: Capabilities {
        http: &[Endpoint::new("bss", "fetches what customers bought")],
        secrets: &[Secret::new("bss-key", "proves to the business system who asks; also lets the plugin seal the passwords it fetches")],
        ..Capabilities::NONE
    },
    failure_codes: &[NO_PROFILE, BAD_PROFILE],
    ..Manifest::EMPTY
};

/// The business system has no profile for the customer and the plan.
const NO_PROFILE: &str = "no_profile";
/// The profile cannot be used.
const BAD_PROFILE: &str = "bad_profile";

/// The plugin.
#[derive(Debug)]
pub struct Rest;

/// A profile of the business system. What else it says is ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    version: String,
    #[serde(default)]
    services: Vec<String>,
    #[serde(default)]
    wifi_bands: Vec<String>,
    #[serde(default)]
    settings: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Secret { secret: String },
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Self::Secret { .. } => f.write_str("Secret(..)"),
        }
    }
}

impl Profile for Rest {
    fn apply(_: &Call, Request { customer_id, service_plan, .. }: Request) -> Result<ServiceProfile, Failure> {
        let url = format!("http://bss/customers/{}/profile?plan={}", http::encode(&customer_id), http::encode(&service_plan));
        let key = secrets::get("bss-key")?;
        let answer = http::Request::get(url).header("accept", "application/json").header("authorization", format!("Bearer {key}")).send()?;
        if answer.status() == 404 {
            return Err(Failure::rejected(NO_PROFILE, format!("customer {customer_id:?} has no profile for plan {service_plan:?}")));
        }
        let Document { version, services, wifi_bands, settings } = answer.require_success(BAD_PROFILE)?.json()?;
        if version.is_empty() || version.len() > 128 {
            let message = format!("the version of a profile has 1 to 128 bytes, this one {}", version.len());
            return Err(Failure::rejected(BAD_PROFILE, message));
        }
        let settings = settings.into_iter().map(|(name, value)| setting(name, value)).collect::<Result<_, Failure>>()?;
        Ok(ServiceProfile { version, services, wifi_bands, settings })
    }
}

fn setting(name: String, value: Value) -> Result<Setting, Failure> {
    Ok(match value {
        Value::Text(text) => Setting::text(name, text),
        Value::Secret { secret } => Setting::secret(name, secrets::seal(&secret)?.as_str()),
    })
}

jackfield_plugin_sdk::export!(Rest: profile; MANIFEST);
