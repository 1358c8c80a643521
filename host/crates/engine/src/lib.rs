//! Drives runs: obeys the commands of the pure reducer, records results as events, owns timers, callbacks and recovery.
//!
//! The engine knows the world through its [`port`]s only. What it promises rests on one rule: an effect is begun after the append that decided on it is
//! durable, and its result is recorded before anything follows from it.
//!
//! ```
//! use std::sync::Arc;
//!
//! use engine::{
//!     Driver, Options, Pack, Ports,
//!     api::{Engine, Start},
//!     port::{Answer, SystemClock},
//!     testing::{MemoryStore, Providers, pin, table},
//! };
//! use pipeline::{Outcome, PipelineName, TenantName};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! // The world: a store in memory, and one provider that does its work at once.
//! let store = Arc::new(MemoryStore::default());
//! let opening = store.open();
//! let ports = Ports {
//!     journal: store.clone(),
//!     timers: store.clone(),
//!     blobs: store.clone(),
//!     runner: Arc::new(Providers::default().with("printer", |call| async move { Ok(Answer::Done(call.key.as_str().into())) })),
//!     clock: Arc::new(SystemClock),
//!     observers: Vec::new(),
//! };
//! // A pipeline `test` of two steps, whose contract the provider answers.
//! let packs = vec![Pack { definition: Arc::new(pipeline::testing::linear(&["print", "send"])), document: None }];
//! let options = Options { packs, table: table([("jackfield:test/effect@1", pin("printer"))]), ..Options::default() };
//! let engine = Driver::open(ports, &opening, options).await.unwrap();
//!
//! let start = Start {
//!     tenant: TenantName::new("default").unwrap(),
//!     pipeline: PipelineName::new("test").unwrap(),
//!     input: serde_json::json!({"letter": 1}),
//!     idempotency_key: Some("letter-1".to_owned()),
//!     trace: None,
//! };
//! let run = engine.start(start).await.unwrap().run;
//! let outcome = loop {
//!     if let Some(outcome) = engine.query(&run).await.unwrap().unwrap().run.outcome() {
//!         break outcome.clone();
//!     }
//!     tokio::task::yield_now().await;
//! };
//! assert_eq!(outcome, Outcome::Completed);
//! # });
//! ```

pub mod api;
mod attempt;
mod awaited;
mod bindings;
mod definitions;
mod driver;
mod exclusive;
mod feed;
mod fold;
mod holds;
mod ids;
mod intervene;
pub mod port;
mod preview;
mod recovery;
mod routed;
mod row;
mod shared;
mod start;
mod tail;
mod task;
mod tasks;
pub mod testing;
mod timers;
mod token;

pub use self::{
    awaited::Awaited,
    bindings::{Binding, BindingProblem, BindingTable, BoundPlugin, Choice, Explained, Fit, Misfit, PinPolicy, SelectorNames},
    definitions::Pack,
    driver::{Driver, OpenError, Options, Ports},
    exclusive::{Exclusive, KeyOf},
    intervene::{Repin, RepinError, UndoError},
    preview::{ChoicePreview, RulePreview, StepPreview},
    routed::Routed,
    shared::Sampler,
};
