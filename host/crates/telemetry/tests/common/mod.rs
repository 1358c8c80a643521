//! What the tests share: a pipeline with the contract's names, histories of runs, a store in memory, and receivers that speak OTLP.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::type_complexity,
    reason = "each test uses a part of it"
)]

pub mod call;
pub mod definition;
pub mod history;
pub mod receiver;
pub mod shown;
pub mod sign_up;
pub mod store;

use std::sync::Arc;

use engine::port::RunState;
use pipeline::{Epoch, Measurement, PipelineName, Timestamp};
use telemetry::{Census, ExporterOptions, Labels, Options, Units, policy::Policy};

/// Two orders in work, one held; and as many devices.
#[derive(Debug)]
pub struct ThreeOrders;

impl Census for ThreeOrders {
    fn runs(&self) -> Option<Vec<(PipelineName, RunState, u64)>> {
        let order = || PipelineName::new("order").unwrap();
        let orders = [RunState::Active, RunState::Waiting, RunState::Held].map(|state| (order(), state, 1));
        let devices = [RunState::Active, RunState::Waiting, RunState::Held].map(|state| (PipelineName::new("cpe").unwrap(), state, 1));
        Some([orders, devices].concat())
    }
}

/// Options with short delays.
pub fn options(store: &Arc<store::MemoryStore>, exporters: Vec<ExporterOptions>) -> Options {
    Options {
        service_name: "jackfield".to_owned(),
        service_version: "0.0.0".to_owned(),
        instance_id: "test".to_owned(),
        exporters,
        units: Units::Seed,
        policy: Policy::default(),
        labels: Labels::default(),
        propagates: true,
        zero_series: vec![
            zero("bss.order.count", &[("type", "add"), ("status", "completed")]),
            zero("bss.order.in_progress", &[("state", "submitted")]),
        ],
        census: Arc::new(ThreeOrders),
        cursors: store.clone(),
        epoch: Epoch(1),
        last_sign_of_life: Timestamp(0),
        delivery: telemetry::DeliveryOptions {
            delay: std::time::Duration::from_millis(10),
            retry_pause: std::time::Duration::from_millis(10),
            tally_delay: std::time::Duration::from_millis(5),
            ..telemetry::DeliveryOptions::default()
        },
    }
}

fn zero(instrument: &'static str, labels: &[(&'static str, &str)]) -> Measurement {
    Measurement { instrument, value: 0.0, labels: labels.iter().map(|(key, value)| (*key, (*value).to_owned())).collect() }
}
