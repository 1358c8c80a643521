//! The metrics of provisioning, computed from one committed event at a time. A provisioning is counted once, with its result and how long it took: when it is
//! over, or when it is held for a person for the first time. What a person makes of it later is not counted again.

use engine::port::RunState;
use pipeline::{
    Definition, Event, Failure, Measurement, Outcome, Phase, Run, Standing, StepName, StepState, StepStatus, Timestamp, Transition, View,
};

use super::{
    command::COMMAND_PIPELINE,
    options::Options,
    provision::{AUTHENTICATE, BUILD, FETCH_PROFILE, PIPELINE, PUSH, READ, VERIFY, device_steps, text},
};

/// What a provisioning can come to.
pub const RESULTS: [&str; 7] = ["success", "unknown_device", "no_profile", "config_push_failed", "verification_failed", "error", "timeout"];

const COUNT: &str = "cpe.provision.count";
const DURATION: &str = "cpe.provision.duration";
const STEP_DURATION: &str = "cpe.provision.step_duration";
const RUNS_UNDER_WAY: &str = "pipeline.run.active";

const STEPS: [&str; 6] = [AUTHENTICATE, FETCH_PROFILE, READ, BUILD, PUSH, VERIFY];

/// The value of a label that is not in the operator's catalogue, or not known.
pub(crate) const OTHER: &str = "_other";

/// What one committed event adds to the metrics.
pub(super) fn measure(transition: &Transition<'_>) -> Vec<Measurement> {
    let Transition { definition, before: Some(before), after, record } = transition else { return Vec::new() };
    // A step that a person skips has not run: it has no duration.
    let skipped = matches!(record.event, Event::FalloutResolved { .. });
    let mut measurements = if skipped { Vec::new() } else { steps(definition, before, after, record.at) };
    if let Some(failure) = first_outcome(before, after, &record.event) {
        let view = View::new(definition, after);
        let error = failure.map(|(failure, step)| (result(failure, step), failure.error_type.clone()));
        let (result, error) = error.map_or(("success", None), |(result, error)| (result, Some(error)));
        measurements.push(counted(result, 1.0));
        let plan = device_steps::plan(&view).unwrap_or_else(|| OTHER.to_owned());
        let mut duration = duration(after.input()["model-label"].as_str().unwrap_or(OTHER), plan);
        duration.value = milliseconds(after.started_at(), record.at);
        duration.labels.extend(error.map(|error| ("error.type", error)));
        measurements.push(duration);
    }
    measurements
}

/// Whether this event decides how the provisioning is counted, and what failed.
fn first_outcome<'a>(before: &Run, after: &'a Run, event: &'a Event) -> Option<Option<(&'a Failure, Option<&'a StepName>)>> {
    if before.outcome().is_some() || !before.fallouts().is_empty() {
        return None;
    }
    match (event, after.outcome()) {
        (Event::FalloutOpened(opened), _) => Some(Some((&opened.failure, Some(&opened.step)))),
        (_, Some(Outcome::Completed)) => Some(None),
        (_, Some(Outcome::Failed { failure, step })) => Some(Some((failure, step.as_ref()))),
        // Only what was held before can be cancelled, and then it is counted.
        (_, Some(Outcome::Cancelled) | None) => None,
    }
}

/// The result that a failure comes to.
pub(crate) fn result(failure: &Failure, step: Option<&StepName>) -> &'static str {
    match step.map(StepName::as_str) {
        Some(BUILD | PUSH | READ) => text::push_reason(failure),
        Some(VERIFY) => text::verify_reason(failure),
        Some(_) | None => text::lookup_reason(failure),
    }
}

/// Every series whose labels are known beforehand, with the value 0: so that a rate sees the first increase, and nothing under way is a 0 and no gap.
pub fn initial_series(options: &Options) -> Vec<Measurement> {
    let results = RESULTS.map(|result| counted(result, 0.0));
    // The counts of histograms are counters too: alerts divide by them.
    let models = options.models.iter().map(String::as_str).chain([OTHER]);
    let durations = models.map(|model| duration(model, OTHER.to_owned()));
    let steps = STEPS.map(|step| Measurement { instrument: STEP_DURATION, value: 0.0, labels: vec![("step", step.to_owned())] });
    let runs = [PIPELINE, COMMAND_PIPELINE].into_iter().flat_map(|pipeline| {
        [RunState::Active, RunState::Waiting, RunState::Held].map(|state| Measurement {
            instrument: RUNS_UNDER_WAY,
            value: 0.0,
            labels: vec![("pipeline.name", pipeline.to_owned()), ("state", state.as_str().to_owned())],
        })
    });
    results.into_iter().chain(durations).chain(steps).chain(runs).collect()
}

fn counted(result: &str, value: f64) -> Measurement {
    Measurement { instrument: COUNT, value, labels: vec![("result", result.to_owned())] }
}

fn duration(model: &str, plan: String) -> Measurement {
    Measurement { instrument: DURATION, value: 0.0, labels: vec![("cpe.model", model.to_owned()), ("cpe.service_plan", plan)] }
}

fn milliseconds(since: Timestamp, at: Timestamp) -> f64 {
    at.since(since).as_secs_f64() * 1000.0
}

/// The durations of the steps that ended with this event, well or badly. A step that a person sends on again ends again.
fn steps(definition: &Definition, before: &Run, after: &Run, at: Timestamp) -> Vec<Measurement> {
    if *before.phase() != Phase::Forward {
        return Vec::new();
    }
    let steps = definition.steps.iter().zip(before.steps().iter().zip(after.steps()));
    let ended = steps.filter_map(|(step, (before, state))| {
        let ended = ended(state).filter(|_| self::ended(before).is_none())?;
        // Nothing was read from the device.
        if state.items.is_empty() && ended.error.is_none() {
            return None;
        }
        let mut labels = vec![("step", step.telemetry.metric_step.to_owned())];
        labels.extend(ended.error.map(|error| ("error.type", error)));
        let resolved = after.fallouts().iter().filter(|fallout| fallout.opened.step == step.name).filter_map(|fallout| fallout.resolved.as_ref());
        // The time that a person took to decide is not the step's.
        let since = resolved.map(|(at, _)| *at).chain(ended.since).max().unwrap_or(at);
        Some(Measurement { instrument: STEP_DURATION, value: milliseconds(since, at), labels })
    });
    ended.collect()
}

struct Ended {
    since: Option<Timestamp>,
    error: Option<String>,
}

fn ended(state: &StepState) -> Option<Ended> {
    match &state.status {
        StepStatus::Waiting => None,
        StepStatus::Refused(failure) => Some(Ended { since: None, error: Some(failure.error_type.clone()) }),
        StepStatus::Done { scheduled, .. } => Some(Ended { since: Some(*scheduled), error: None }),
        StepStatus::Scheduled(since) => {
            let failed = state.items.iter().find(|item| matches!(item.standing, Standing::Failed { .. }))?;
            let error = failed.last_failure.as_ref().map_or("_OTHER", |failure| &failure.error_type);
            Some(Ended { since: Some(*since), error: Some(error.to_owned()) })
        }
    }
}
