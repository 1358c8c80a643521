//! The HTTP interface: the TM Forum API, the admin API, callbacks, health.

mod access;
mod auth;
mod backup;
mod body;
pub(crate) mod callbacks;
mod health;
mod inspect;
mod problem;
mod registry;
mod runs;
mod trace_context;

use std::{collections::BTreeMap, future::ready, sync::Arc, time::Duration};

use axum::{Router, extract::Request, middleware, routing::get};
use engine::api::Engine;

use crate::{
    config::Config,
    serve::{Host, Tokens, packs, tenant},
};

/// All routes. Everything but health and callbacks asks for a token; `access` has the roles that open each.
pub(crate) fn router(host: &Host, tokens: Tokens, config: &Config, callback_keys: BTreeMap<String, callbacks::Keys>) -> Router {
    let engine: Arc<dyn Engine> = host.driver.clone();
    let tenant = tenant(config);
    let intake = orders::tmf622::Intake {
        engine: engine.clone(),
        documents: host.store.clone(),
        tenant: tenant.clone(),
        categories: config.orders.categories.clone(),
    };
    let mut definitions = vec![Arc::new(orders::definition(&config.orders))];
    definitions.extend(packs(config).into_iter().map(|pack| pack.definition));
    let devices = host.devices.as_ref().map(|devices| {
        let routes = cpe::api::router(devices.api.clone()).layer(middleware::map_request(auth::by));
        routes.layer(middleware::from_fn_with_state(host.registry.clone(), registry::carry_out))
    });
    let tenants = host.tenants.as_ref().map(|tenants| tenants::api::router(tenants.api.clone()).layer(middleware::map_request(auth::by_tenants)));
    let open = auth::OpenSignUp::of(host);
    let guarded = Router::new()
        .merge(devices.unwrap_or_default())
        .merge(tenants.unwrap_or_default())
        .merge(orders::tmf622::router(intake))
        .merge(runs::router(host.driver.clone(), host.store.clone(), definitions.clone()))
        .merge(inspect::router(host.driver.clone(), host.store.clone(), definitions))
        .merge(backup::router(host.store.clone()))
        .merge(registry::router(host.registry.clone(), tenant.clone(), config.orders.categories.clone()))
        .layer(middleware::from_fn_with_state(Arc::new(auth::Guard { tokens, open }), auth::require));
    let takes_over = host.telemetry.propagates();
    let receive = Duration::from_millis(config.http.receive_ms);
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .with_state(health::State::new(host))
        .merge(callbacks::router(host.driver.clone(), host.store.clone(), callback_keys))
        .merge(guarded)
        .layer(middleware::map_request(move |request: Request| ready(if takes_over { request } else { trace_context::forget(request) })))
        .layer(middleware::map_request(move |request: Request| ready(body::timely(request, receive))))
}
