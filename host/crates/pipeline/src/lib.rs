//! The pure core of Jackfield: what a pipeline is, what can happen to a run of it, and what is to be done next.
//!
//! A [`Run`] is the fold of its journal: [`begin`] and [`apply`] are the only functions that change one, [`decide`] says what to do next, [`settle`]
//! turns what came of a call into the event that records it. Nothing here reads a clock, draws a random number, waits or performs I/O: time enters
//! through the timestamps of records, jitter is a hash. The same journal therefore always folds to the same state, on any machine and after any crash.
//!
//! ```
//! use pipeline::{testing, begin, apply, decide, Command, Event, Outcome, Verdict};
//!
//! // Two steps in sequence, `a` then `b`, each calling a contract with effects.
//! let definition = testing::linear(&["a", "b"]);
//! let mut run = begin(&definition, testing::run_id(1), &testing::started(&definition)).unwrap();
//!
//! // The driver's loop: obey the first command, record what came of it, ask again.
//! let mut clock = 0;
//! while let Some(command) = decide(&definition, &run).into_iter().next() {
//!     let event = match command {
//!         Command::Record(event) => event,
//!         Command::Schedule { step, round, items, .. } => testing::scheduled(step, round, items),
//!         Command::Attempt { attempt, .. } => testing::finished(attempt, Verdict::Done(std::sync::Arc::new("receipt".into()))),
//!         Command::StartChild { .. } | Command::NotifyParent { .. } => unreachable!("no child runs here"),
//!     };
//!     clock += 1;
//!     run = apply(&definition, run.clone(), &testing::record(&run, clock, event)).unwrap();
//! }
//! assert_eq!(run.outcome(), Some(&Outcome::Completed));
//! ```

mod apply;
mod contract;
mod decide;
mod definition;
mod event;
mod failure;
mod holds;
mod id;
mod key;
mod measure;
mod probe;
mod recover;
mod retry;
mod run;
mod settle;
pub mod testing;
mod trace;
mod view;

pub use self::{
    apply::{
        IllegalEvent, NotAtRest, ReopenRefused, Repin, RepinItem, RepinRefused, ResolutionRefused, apply, apply_in_place, begin, check_reopen,
        check_resolution, repin, repinnable, replay,
    },
    contract::{ContractTrack, Pin, Provider, Verbs},
    decide::{Command, decide},
    definition::{
        AfterFailure, Completion, Counted, Criticality, Definition, InvalidDefinition, Mapped, OnFailure, Phase as SpanPhase, RunTelemetry,
        Selectors, StepDefinition, StepTelemetry, Undo, Work,
    },
    event::{
        AfterUnwind, Event, FalloutOpened, FalloutSubject, Outcome, Parent, Pended, PinChanged, Record, Resolution, RunStarted, ScheduledItem, Timer,
        Verdict,
    },
    failure::{Failure, FailureClass},
    holds::Hold,
    id::{Digest, Epoch, InvalidId, PipelineName, Revision, RunId, Seq, StepName, TenantName, Timestamp},
    key::{AttemptId, Direction, IdempotencyKey, ItemId},
    measure::{AttributeValue, Attributes, Measurement, Transition},
    probe::{AfterObserve, Observed, PendingAnswer, after_cancel, after_observe, observe_failed},
    recover::{lost_attempts, needs_start_record},
    retry::RetryPolicy,
    run::{Activity, Fallout, ItemState, Parked, PendingState, Phase, Ready, ResumeSignal, ResumeState, Run, Standing, StepState, StepStatus, Wake},
    settle::{CallAnswer, CallResult, MAX_CROSSING_BYTES, MIN_POLL, settle},
    trace::TraceIdentity,
    view::{MappingError, View},
};
