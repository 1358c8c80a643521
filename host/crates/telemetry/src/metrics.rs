//! Metrics: instruments made from the registry, fed with what pipelines say about committed events.

mod census;
pub(crate) mod instruments;
mod observer;
pub(crate) mod prometheus;
mod push;
mod reader;
mod tallies;

pub use self::census::{Census, Gauge};
pub(crate) use self::{
    census::Figures,
    instruments::Instruments,
    observer::{Counting, MetricObserver},
    push::push,
    reader::{SharedReader, collect},
    tallies::{Tallies, sign_of_life, signs_of_life},
};
