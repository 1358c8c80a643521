//! The metrics of orders, computed from one committed event at a time. Each is counted where the state changes, so nothing is counted twice or forgotten.

use engine::port::RunState;
use pipeline::{Definition, Event, Measurement, Outcome, Phase, Run, Standing, StepState, StepStatus, Timestamp, Transition};

use crate::order_pipeline::{PIPELINE, RESOURCE_TYPES, known_type, resource_type};

/// The reasons under which an order can be held.
pub const REASONS: [&str; 8] =
    ["no_inventory", "provisioning_failed", "decomposition_failed", "activation_failed", "billing_failed", "plugin_error", "timeout", "undo_failed"];

const ORDERS: &str = "bss.order.count";
const DURATION: &str = "bss.order.duration";
const STEP_DURATION: &str = "bss.order.step_duration";
const FALLOUTS: &str = "bss.order.fallout";
const IN_PROGRESS: &str = "bss.order.in_progress";
const RUNS_UNDER_WAY: &str = "pipeline.run.active";

const STATUSES: [&str; 5] = ["submitted", "completed", "fallout", "failed", "cancelled"];
const TYPES: [&str; 5] = ["add", "modify", "delete", "mixed", "_other"];
/// What the steps are called in metrics.
const STEPS: [&str; 5] = ["decomposition", "inventory", "provisioning", "activation", "billing"];
/// Labels of the number of orders that telemetry leaves out unless the operator wants them, and the fields of the input that have their values.
pub(crate) const OPT_IN: [(&str, &str); 2] = [("product_offering", "offering"), ("channel", "channel")];

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
    // An order that was reopened was counted when it was over for the first time.
    if let (None, Some(outcome), None) = (before.outcome(), after.outcome(), after.reopened()) {
        measurements.extend(end(after, outcome, record.at));
    }
    measurements
}

/// Every series of a counter, of a histogram or of a figure of what is under way whose labels are known beforehand, with the value 0: so that a rate sees the first increase, and
/// nothing under way is a 0 and no gap. `categories` are the order types that the operator configured. Labels that are opt-in are not among them.
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
    let in_progress = ["submitted", "fallout"].map(|state| under_way(IN_PROGRESS, vec![("state", state.to_owned())]));
    let runs = [RunState::Active, RunState::Waiting, RunState::Held].map(|state| {
        let labels = vec![("pipeline.name", PIPELINE.to_owned()), ("state", state.as_str().to_owned())];
        under_way(RUNS_UNDER_WAY, labels)
    });
    // The counts of histograms are counters too: alerts divide by them.
    let durations = types().map(|order_type| Measurement { instrument: DURATION, value: 0.0, labels: vec![("type", order_type.to_owned())] });
    let steps = STEPS.map(|step| Measurement { instrument: STEP_DURATION, value: 0.0, labels: vec![("step", step.to_owned())] });
    orders.chain(fallouts).chain(in_progress).chain(runs).chain(durations).chain(steps).collect()
}

fn under_way(instrument: &'static str, labels: Vec<(&'static str, String)>) -> Measurement {
    Measurement { instrument, value: 0.0, labels }
}

fn order(run: &Run, status: &str) -> Measurement {
    let mut labels = vec![("type", order_type(run)), ("status", status.to_owned())];
    labels.extend(OPT_IN.iter().filter_map(|(label, field)| Some((*label, run.input()[field].as_str()?.to_owned()))));
    Measurement { instrument: ORDERS, value: 1.0, labels }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_counted_with_its_first_offering_and_its_channel_for_those_who_want_them() {
        let item = |id: &str, offering: &str| serde_json::json!({"id": id, "action": "add", "productOffering": {"id": offering}});
        let order = serde_json::json!({"channel": [{"id": "7", "name": "retail"}], "productOrderItem": [item("1", "fibre"), item("2", "tv")]});
        let simulation = crate::simulation::Simulation::new(&crate::Options::default(), order);
        let (definition, run, record) = (&simulation.definition, &simulation.run, &simulation.records[0]);
        let counted = measure(&Transition { definition, before: None, record, after: run }).remove(0);
        let label = |key: &str| counted.labels.iter().find(|(label, _)| *label == key).map(|(_, value)| value.as_str());
        assert_eq!((label("product_offering"), label("channel"), label("status")), (Some("fibre"), Some("retail"), Some("submitted")));
    }

    #[test]
    fn every_series_is_there_before_the_first_order() {
        let series = initial_series(&["wholesale".to_owned()]);
        assert!(series.iter().all(|series| series.value == 0.0));
        let of = |instrument: &str| series.iter().filter(|series| series.instrument == instrument).map(|series| &series.labels).collect::<Vec<_>>();
        assert_eq!((of(ORDERS).len(), of(DURATION).len()), ((TYPES.len() + 1) * STATUSES.len(), TYPES.len() + 1));
        let definition = crate::definition(&crate::Options::default());
        let steps: Vec<_> = definition.steps.iter().map(|step| vec![("step", step.telemetry.metric_step.to_owned())]).collect();
        assert_eq!(of(STEP_DURATION), steps.iter().collect::<Vec<_>>());
        assert_eq!(of(IN_PROGRESS), [&vec![("state", "submitted".to_owned())], &vec![("state", "fallout".to_owned())]]);
        for reason in REASONS {
            assert!(of(FALLOUTS).contains(&&vec![("reason", reason.to_owned())]), "{reason}");
        }
        for (reason, resource) in
            ["no_inventory", "provisioning_failed"].into_iter().flat_map(|reason| RESOURCE_TYPES.map(|resource| (reason, resource)))
        {
            assert!(of(FALLOUTS).contains(&&vec![("reason", reason.to_owned()), ("resource_type", resource.to_owned())]), "{reason} {resource}");
        }
    }
}
