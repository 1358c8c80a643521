//! The metrics of sign-ups, computed from one committed event at a time. A sign-up is counted when it is over, once; a step for each of its attempts, with the
//! names and the durations of the attempts' spans.

use engine::port::RunState;
use pipeline::{
    Activity, AttemptId, Direction, Event, Failure, FalloutSubject, ItemState, Measurement, Outcome, Phase, Run, StepDefinition, StepName, Timestamp,
    Transition, Verdict,
};

use crate::{
    certificate_pipeline::CERTIFICATE_PIPELINE,
    options::Options,
    repair_pipeline::REPAIR_PIPELINE,
    tenant_pipeline::{PIPELINE, definition},
};

const DURATION: &str = "tenant.provision.duration";
const STEP_DURATION: &str = "tenant.provision.step_duration";
const FAILURES: &str = "tenant.provision.failures";
const RUNS_UNDER_WAY: &str = "pipeline.run.active";

/// What precedes the label `step` in the names of spans.
const PREFIX: &str = "tenant.provision.";

/// The errors whose series are there before the first failure. Others begin with theirs: what plugins declare has no bound that is known here.
const ERRORS: [&str; 5] = ["_OTHER", "timeout", "plugin.timeout", "plugin.guest_error", "host.internal"];

/// What one committed event adds to the metrics.
pub fn measure(transition: &Transition<'_>) -> Vec<Measurement> {
    let mut measurements = attempts(transition);
    let Transition { before: Some(before), after, record, .. } = transition else { return measurements };
    // A sign-up that was reopened was counted when it was over for the first time.
    if let (None, Some(outcome), None) = (before.outcome(), after.outcome(), after.reopened()) {
        measurements.extend(end(transition, outcome, record.at));
    }
    measurements
}

/// Every series whose labels are known beforehand, with the value 0: so that a rate sees the first increase, and nothing under way is a 0 and no gap.
pub fn initial_series(options: &Options) -> Vec<Measurement> {
    let definition = definition(options);
    let labels = || definition.steps.iter().flat_map(labels_of);
    let steps = labels().map(|step| Measurement { instrument: STEP_DURATION, value: 0.0, labels: vec![("step", step)] });
    let failing = definition.steps.iter().map(failing_label);
    let failures = failing.flat_map(|step| ERRORS.map(|error| failure(&step, error, 0.0)));
    let plans = options.plans.iter().flat_map(|(plan, options)| options.regions.iter().map(move |region| (plan, region)));
    let durations = plans.map(|(plan, region)| duration(Some(plan), Some(region), None, 0.0));
    let runs = [PIPELINE, CERTIFICATE_PIPELINE, REPAIR_PIPELINE].into_iter().flat_map(|pipeline| {
        [RunState::Active, RunState::Waiting, RunState::Held].map(|state| Measurement {
            instrument: RUNS_UNDER_WAY,
            value: 0.0,
            labels: vec![("pipeline.name", pipeline.to_owned()), ("state", state.as_str().to_owned())],
        })
    });
    steps.chain(failures).chain(durations).chain(runs).collect()
}

/// What a step's spans are called in metrics: one label, or one for the request and one for the completion.
fn labels_of(step: &StepDefinition) -> Vec<String> {
    let completion = step.telemetry.completion.map(|completion| completion.span.trim_start_matches(PREFIX).to_owned());
    std::iter::once(step.telemetry.metric_step.to_owned()).chain(completion).collect()
}

/// The label under which a run fails because of the step: the span that says that what was wanted did not come.
fn failing_label(step: &StepDefinition) -> String {
    labels_of(step).pop().unwrap_or_default()
}

/// The duration of the span of an attempt, or of each of its two, that ended with this event.
fn attempts(transition: &Transition<'_>) -> Vec<Measurement> {
    match &transition.record.event {
        Event::AttemptPended { attempt, started_at, .. } => handed_over(transition, attempt, *started_at),
        Event::AttemptFinished { attempt, started_at, verdict, .. } => {
            let completes = transition.definition.step(&attempt.item.step).is_some_and(|(_, step)| step.telemetry.completion.is_some());
            let error = match verdict {
                // A completion says whether what was asked for has come.
                Verdict::Undone => completes.then_some("host.cancelled"),
                Verdict::Done(_) => None,
                Verdict::Refused { failure, .. } | Verdict::Failed(failure) => Some(failure.error_type.as_str()),
            };
            ended(transition, attempt, *started_at, transition.record.at, error)
        }
        Event::AttemptLost { attempt, started_at } => {
            let last = transition.before.map_or(*started_at, Run::last_at);
            ended(transition, attempt, *started_at, last, Some("host.restarted"))
        }
        Event::StepRefused { step, failure } => {
            let label = transition.definition.step(step).map(|(_, step)| step.telemetry.metric_step);
            label.map(|label| step_duration(label, 0.0, Some(&failure.error_type))).into_iter().collect()
        }
        Event::RunStarted(_)
        | Event::StepScheduled { .. }
        | Event::AttemptStarted { .. }
        | Event::ResumeFailed { .. }
        | Event::ResumeHeld { .. }
        | Event::RetryAbandoned { .. }
        | Event::TimerFired { .. }
        | Event::CancelRequested { .. }
        | Event::CallbackReceived { .. }
        | Event::ChildStarted { .. }
        | Event::ChildEnded { .. }
        | Event::ItemForgiven { .. }
        | Event::UnwindStarted { .. }
        | Event::UndoScheduled { .. }
        | Event::PinChanged(_)
        | Event::FalloutOpened(_)
        | Event::FalloutResolved { .. }
        | Event::RunEnded { .. }
        | Event::ParentNotified
        | Event::RunReopened { .. } => Vec::new(),
    }
}

/// An attempt was handed over for the first time: where its completion is a span of its own, the first span ends here.
fn handed_over(transition: &Transition<'_>, attempt: &AttemptId, started_at: Timestamp) -> Vec<Measurement> {
    let step = transition.definition.step(&attempt.item.step).map(|(_, step)| step);
    let Some(step) = step.filter(|step| step.telemetry.completion.is_some() && attempt.direction == Direction::Do) else { return Vec::new() };
    if continued_since(transition, attempt).is_some() {
        return Vec::new();
    }
    vec![step_duration(step.telemetry.metric_step, seconds(started_at, transition.record.at), None)]
}

fn ended(transition: &Transition<'_>, attempt: &AttemptId, started_at: Timestamp, at: Timestamp, error: Option<&str>) -> Vec<Measurement> {
    let step = transition.definition.step(&attempt.item.step).map(|(_, step)| step);
    let Some(step) = step.filter(|_| attempt.direction == Direction::Do) else { return Vec::new() };
    let whole = |error| step_duration(step.telemetry.metric_step, seconds(started_at, at), error);
    let Some(completion) = step.telemetry.completion else { return vec![whole(error)] };
    let completed = |since| step_duration(completion.span.trim_start_matches(PREFIX), seconds(since, at), error);
    match (continued_since(transition, attempt), error) {
        (Some(since), _) => vec![completed(since)],
        (None, Some(_)) => vec![whole(error)],
        (None, None) => vec![whole(None), completed(at)],
    }
}

/// Since when an attempt that had been handed over is being continued.
pub(crate) fn continued_since(transition: &Transition<'_>, attempt: &AttemptId) -> Option<Timestamp> {
    let item: &ItemState = transition.before?.item(transition.definition, &attempt.item)?;
    match &item.activity {
        Activity::Ready(ready) => ready.resume.as_ref().map(|_| ready.since),
        Activity::Pending(pending) => Some(pending.started_at),
        Activity::Queued | Activity::Backoff { .. } | Activity::Child { .. } | Activity::Idle => None,
    }
}

/// How long the sign-up took, and why it failed if it did.
fn end(transition: &Transition<'_>, outcome: &Outcome, at: Timestamp) -> Vec<Measurement> {
    let run = transition.after;
    // A sign-up that a person gives up after it failed has failed; one that nothing was wrong with has not.
    let (error, failed) = match outcome {
        Outcome::Completed => (None, None),
        Outcome::Failed { failure, step } => {
            let (failure, step) = transition.before.and_then(cause).unwrap_or((failure, step.as_ref()));
            (Some(failure.error_type.as_str()), step.map(|step| (step, failure.error_type.as_str())))
        }
        Outcome::Cancelled => {
            let held = run.fallouts().iter().map(|fallout| &fallout.opened).find(|opened| opened.subject != FalloutSubject::UndoFailed);
            (Some("host.cancelled"), held.map(|opened| (&opened.step, opened.failure.error_type.as_str())))
        }
    };
    let text = |field: &str| run.input()[field].as_str();
    let duration = duration(text("plan"), text("region"), error, seconds(run.started_at(), at));
    let label = |step: &StepName| transition.definition.step(step).map(|(_, step)| failing_label(step));
    let failure = failed.and_then(|(step, error)| Some(failure(&label(step)?, error, 1.0)));
    std::iter::once(duration).chain(failure).collect()
}

/// What a run is taken back for. It stays the run's error, whatever goes wrong on the way back.
pub(crate) fn cause(run: &Run) -> Option<(&Failure, Option<&StepName>)> {
    match run.phase() {
        Phase::Unwinding { cause, step, .. } => Some((cause.as_ref()?, step.as_ref())),
        Phase::Forward | Phase::Ended(_) => None,
    }
}

fn seconds(since: Timestamp, at: Timestamp) -> f64 {
    at.since(since).as_secs_f64()
}

fn duration(plan: Option<&str>, region: Option<&str>, error: Option<&str>, value: f64) -> Measurement {
    let labels = [("tenant.plan", plan), ("tenant.region", region), ("error.type", error)];
    Measurement { instrument: DURATION, value, labels: labels.into_iter().filter_map(|(key, value)| Some((key, value?.to_owned()))).collect() }
}

fn step_duration(step: &str, value: f64, error: Option<&str>) -> Measurement {
    let mut labels = vec![("step", step.to_owned())];
    labels.extend(error.map(|error| ("error.type", error.to_owned())));
    Measurement { instrument: STEP_DURATION, value, labels }
}

fn failure(step: &str, error: &str, value: f64) -> Measurement {
    Measurement { instrument: FAILURES, value, labels: vec![("step", step.to_owned()), ("error.type", error.to_owned())] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_its_series_before_the_first_sign_up() {
        let options: Options = serde_json::from_str(r#"{"plans": {"pro": {"regions": ["eu", "us"]}}}"#).unwrap();
        let series = initial_series(&options);
        assert!(series.iter().all(|series| series.value == 0.0));
        let of = |instrument: &str| series.iter().filter(|series| series.instrument == instrument).count();
        let steps = definition(&options).steps.len();
        // The request and the completion of the certificate.
        assert_eq!((of(STEP_DURATION), of(FAILURES), of(DURATION), of(RUNS_UNDER_WAY)), (steps + 1, steps * ERRORS.len(), 2, 9));
    }
}
