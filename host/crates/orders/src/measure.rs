//! The metrics of orders, computed from one committed event at a time. Each is counted where the state changes, so nothing is counted twice or forgotten.

use pipeline::{Definition, Event, Measurement, Outcome, Phase, Run, Standing, StepState, StepStatus, Timestamp, Transition};

use crate::order_pipeline::{RESOURCE_TYPES, known_type, resource_type};

/// The reasons under which an order can be held.
pub const REASONS: [&str; 8] =
    ["no_inventory", "provisioning_failed", "decomposition_failed", "activation_failed", "billing_failed", "plugin_error", "timeout", "undo_failed"];

const ORDERS: &str = "bss.order.count";
const DURATION: &str = "bss.order.duration";
const STEP_DURATION: &str = "bss.order.step_duration";
const FALLOUTS: &str = "bss.order.fallout";

const STATUSES: [&str; 5] = ["submitted", "completed", "fallout", "failed", "cancelled"];
const TYPES: [&str; 5] = ["add", "modify", "delete", "mixed", "_other"];

/// What one committed event adds to the metrics.
pub fn measure(transition: &Transition<'_>) -> Vec<Measurement> {
    let mut measurements = Vec::new();
    let Transition { before: Some(before), after, record, .. } = transition else {
        measurements.push(order(transition.after, "submitted"));
        return measurements;
    };
    // A step that a person skips has not run: it has no duration.
    if !matches!(record.event, Event::FalloutResolved { .. }) {
        measurements.extend(steps(transition.definition, before, after, record.at));
    }
    if let Event::FalloutOpened(opened) = &record.event {
        if opened.id == 1 {
            measurements.push(order(after, "fallout"));
        }
        // Several items may be held at once: the order entered fallout with the first of them.
        if before.open_fallouts().next().is_none() {
            measurements.push(fallout(transition.definition, after, opened));
        }
    }
    if let (None, Some(outcome)) = (before.outcome(), after.outcome()) {
        measurements.extend(end(after, outcome, record.at));
    }
    measurements
}

/// Every counter series whose labels are known beforehand, with the value 0, so that a rate sees the first increase. `categories` are the order types that
/// the operator configured.
pub fn initial_series(categories: &[String]) -> Vec<Measurement> {
    let types = || TYPES.into_iter().chain(categories.iter().map(String::as_str));
    let orders = types().flat_map(|order_type| {
        STATUSES.map(|status| Measurement {
            instrument: ORDERS,
            value: 0.0,
            labels: vec![("type", order_type.to_owned()), ("status", status.to_owned())],
        })
    });
    let fallouts = REASONS.into_iter().flat_map(|reason| {
        let about_resources = !matches!(reason, "decomposition_failed" | "activation_failed" | "billing_failed");
        let types = RESOURCE_TYPES.into_iter().chain(["_other"]).filter(move |_| about_resources).map(Some);
        types.chain([None]).map(move |resource| {
            let labels = [("reason", Some(reason)), ("resource_type", resource)];
            let labels = labels.into_iter().filter_map(|(key, value)| Some((key, value?.to_owned()))).collect();
            Measurement { instrument: FALLOUTS, value: 0.0, labels }
        })
    });
    orders.chain(fallouts).collect()
}

fn order(run: &Run, status: &str) -> Measurement {
    Measurement { instrument: ORDERS, value: 1.0, labels: vec![("type", order_type(run)), ("status", status.to_owned())] }
}

fn order_type(run: &Run) -> String {
    run.input()["type"].as_str().unwrap_or("_other").to_owned()
}

fn fallout(definition: &Definition, run: &Run, opened: &pipeline::FalloutOpened) -> Measurement {
    let mut labels = vec![("reason", opened.reason.clone())];
    let resource = opened.item.and_then(|item| {
        let (step, _) = definition.step(&opened.step)?;
        let given = resource_type(&run.steps()[step].items.get(item as usize)?.request);
        (!given.is_empty()).then(|| known_type(given))
    });
    labels.extend(resource.map(|resource| ("resource_type", resource.to_owned())));
    Measurement { instrument: FALLOUTS, value: 1.0, labels }
}

fn end(run: &Run, outcome: &Outcome, at: Timestamp) -> [Measurement; 2] {
    let (status, error) = match outcome {
        Outcome::Completed => ("completed", None),
        Outcome::Failed { failure, .. } => ("failed", Some(failure.error_type.clone())),
        Outcome::Cancelled => ("cancelled", Some("host.cancelled".to_owned())),
    };
    let mut labels = vec![("type", order_type(run))];
    labels.extend(error.map(|error| ("error.type", error)));
    let duration = Measurement { instrument: DURATION, value: at.since(run.started_at()).as_secs_f64(), labels };
    [order(run, status), duration]
}

/// The durations of the steps that ended with this event, well or badly. A step that a person sends on again ends again.
fn steps(definition: &Definition, before: &Run, after: &Run, at: Timestamp) -> Vec<Measurement> {
    if *before.phase() != Phase::Forward {
        return Vec::new();
    }
    let steps = definition.steps.iter().zip(before.steps().iter().zip(after.steps()));
    let ended = steps.filter_map(|(step, (before, state))| {
        let ended = ended(state).filter(|_| self::ended(before).is_none())?;
        let mut labels = vec![("step", step.telemetry.metric_step.to_owned())];
        labels.extend(ended.error.map(|error| ("error.type", error)));
        let resolved = after.fallouts().iter().filter(|fallout| fallout.opened.step == step.name).filter_map(|fallout| fallout.resolved.as_ref());
        // The time that a person took to decide is not the step's.
        let since = resolved.map(|(at, _)| *at).chain(ended.since).max().unwrap_or(at);
        Some(Measurement { instrument: STEP_DURATION, value: at.since(since).as_secs_f64() * 1000.0, labels })
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
