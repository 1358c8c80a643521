//! A business system that knows what each customer has bought, passwords included and in plain text, as such systems do.
//!
//! `GET /customers/C-1/profile?plan=plan-triple` answers `{customer, plan, version, services, wifiBands, settings}`; a setting is a text or
//! `{"secret": text}`. Every customer `C-` with a number exists, and every profile is made up from customer and plan until it is changed by
//! `PATCH` (a merge patch, which makes a new version).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use serde_json::{Value, json};

use crate::{control::Control, reply};

/// What a plan consists of: services, and bands of Wi-Fi.
const PLANS: [(&str, &[&str], &[&str]); 6] = [
    ("plan-fibre-100", &["internet"], &["2.4GHz"]),
    ("plan-fibre-1000", &["internet"], &["2.4GHz", "5GHz"]),
    ("plan-business", &["internet", "voip"], &["5GHz"]),
    ("plan-voice", &["internet", "voip"], &["2.4GHz", "5GHz"]),
    ("plan-home", &["internet", "iptv"], &["2.4GHz", "5GHz"]),
    ("plan-triple", &["internet", "voip", "iptv"], &["2.4GHz", "5GHz"]),
];

/// The routes of the business system.
pub(crate) fn profiles(control: Control) -> Router {
    let system = System { control, changed: Arc::default() };
    Router::new().route("/customers/{id}/profile", get(show).patch(change)).with_state(system)
}

#[derive(Clone)]
struct System {
    control: Control,
    changed: Arc<Mutex<Changed>>,
}

/// Profiles that are not as they were made up, each with its version, by customer and plan.
type Changed = BTreeMap<(String, String), (u32, Value)>;

impl System {
    fn changed(&self) -> MutexGuard<'_, Changed> {
        self.changed.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The profile that a customer has with a plan by now, with its version.
fn profile(changed: &Changed, customer: &str, plan: &str) -> Option<(u32, Value)> {
    let key = (customer.to_owned(), plan.to_owned());
    changed.get(&key).cloned().or_else(|| made_up(customer, plan).map(|profile| (1, profile)))
}

/// The profile that a customer has with a plan; `None` if there is no such customer or plan.
fn made_up(customer: &str, plan: &str) -> Option<Value> {
    let number: u32 = customer.strip_prefix("C-")?.parse().ok()?;
    let (_, services, bands) = PLANS.iter().find(|(name, ..)| *name == plan)?;
    let has = |service: &str| services.contains(&service);
    let secret = |kind: &str| json!({ "secret": format!("{kind}-{:08x}", number.wrapping_mul(0x9e37_79b9)) });
    let mut settings = json!({
        "internet.username": format!("c{number}@isp.example"), "internet.password": secret("ppp"), "acs.inform-interval": "3600",
    });
    let mut add = |name: &str, value: Value| settings[name] = value;
    for (band, short, suffix) in [("2.4GHz", "2.4", ""), ("5GHz", "5", "-5G")] {
        if bands.contains(&band) {
            add(&format!("wifi.{short}.ssid"), format!("Home-{number}{suffix}").into());
            add(&format!("wifi.{short}.key"), secret(&format!("wifi{short}")));
        }
    }
    if has("voip") {
        add("voip.proxy", "sip.isp.example".into());
        add("voip.1.number", format!("+49301{number:07}").into());
        add("voip.1.username", format!("sip{number}").into());
        add("voip.1.password", secret("sip"));
    }
    if has("iptv") {
        add("iptv.vlan", "30".into());
    }
    Some(json!({ "customer": customer, "plan": plan, "version": "1", "services": services, "wifiBands": bands, "settings": settings }))
}

async fn show(State(system): State<System>, Path(customer): Path<String>, RawQuery(query): RawQuery) -> Response {
    let plan = reply::query_value(query.as_deref(), "plan").unwrap_or_default();
    match profile(&system.changed(), &customer, &plan) {
        Some((_, profile)) => reply::json(StatusCode::OK, &profile),
        None => missing(&customer, &plan),
    }
}

async fn change(State(system): State<System>, Path(customer): Path<String>, RawQuery(query): RawQuery, body: String) -> Response {
    let plan = reply::query_value(query.as_deref(), "plan").unwrap_or_default();
    let patch = match reply::parse_object(&body, "merge patch of a profile") {
        Ok(patch) => patch,
        Err((status, message)) => return reply::error(status, message),
    };
    let mut changed = system.changed();
    let Some((version, mut profile)) = profile(&changed, &customer, &plan) else { return missing(&customer, &plan) };
    super::merge(&mut profile, &patch);
    let version = version + 1;
    profile["version"] = version.to_string().into();
    system.control.record("replaced", format!("profile {customer} {plan}"), "");
    changed.insert((customer, plan), (version, profile.clone()));
    reply::json(StatusCode::OK, &profile)
}

fn missing(customer: &str, plan: &str) -> Response {
    reply::error(StatusCode::NOT_FOUND, format!("the customer {customer} has no profile for the plan {plan:?}"))
}
