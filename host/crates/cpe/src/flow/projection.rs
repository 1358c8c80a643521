//! What a user sees of the provisioning of a device: one document per device, written with the event that changes it.

use std::sync::Arc;

use engine::port::Document;
use pipeline::{Definition, Event, Failure, ItemState, Outcome, Provider, Run, Standing, StepStatus, Transition, View};
use serde_json::{Value, json};

use super::{
    book::Standing as BookStanding,
    facts::digest_of,
    inventory::EMBEDDED,
    measure,
    provision::{BUILD, FETCH_PROFILE, PUSH, VERIFY, device_steps},
    watcher::BY,
};

/// The collection of the documents; their ids are the text forms of the keys of devices.
pub const STATE_COLLECTION: &str = "cpe-device-state";

/// The `error.type` of a run that ended because a newer one provisions its device.
pub(crate) const SUPERSEDED: &str = "host.cancelled";

/// Where the provisioning of a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DeviceState {
    /// It is being provisioned, or waited for.
    Provisioning,
    /// It has everything that it is to have: all of it was read back.
    Provisioned,
    /// It was sent everything, and a person said that it need not be read back, or not all of it.
    Unverified,
    /// A person is needed.
    Held,
    /// It was not provisioned; its next contact after a while tries again.
    Failed,
    /// A person gave it up.
    Cancelled,
}

impl DeviceState {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Provisioning, Self::Provisioned, Self::Held, Self::Failed, Self::Cancelled, Self::Unverified];

    /// The name in documents and interfaces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Provisioned => "provisioned",
            Self::Unverified => "unverified",
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// The device after an event, if the event changed what a user sees of it.
pub fn document(transition: &Transition<'_>) -> Option<Document> {
    let (state, failure) = shown(transition)?;
    Some(project(transition.definition, transition.after, state, failure))
}

/// What went wrong, and in which step.
type Failed<'a> = Option<(&'a Failure, Option<&'a pipeline::StepName>)>;

/// Where a device stands after an event, if the event changed what a user sees of it.
fn shown<'a>(transition: &Transition<'a>) -> Option<(DeviceState, Failed<'a>)> {
    let Transition { definition, record, after, .. } = *transition;
    if !may_show(&record.event) {
        return None;
    }
    // What a run makes of itself after a newer one has taken over says nothing about the device.
    let failure = failure(after);
    let ended_for_another = after.fallouts().last().and_then(|fallout| fallout.resolved.as_ref()).is_some_and(|(_, by)| by == BY);
    if ended_for_another || failure.is_some_and(|(failure, _)| failure.error_type == SUPERSEDED) {
        return None;
    }
    Some((state(definition, after), failure))
}

impl BookStanding {
    /// What the document of a device would say after an event, without the document.
    pub(crate) fn of(transition: &Transition<'_>) -> Option<Self> {
        let (state, failure) = shown(transition)?;
        let Transition { definition, after: run, .. } = *transition;
        let view = &View::new(definition, run);
        let profile = view.outputs(FETCH_PROFILE).next().and_then(|profile| profile["version"].as_str());
        Some(Self {
            run: run.id().clone(),
            state,
            since: run.last_at(),
            bootstrap: run.input()["trigger"] == "bootstrap",
            plan: device_steps::plan(view).map(Arc::from),
            plugin: builder(definition, run).as_deref().map(digest_of),
            profile: profile.map(digest_of),
            embedded: profile.is_some_and(|version| version.starts_with(EMBEDDED)),
            timed_out: failure.is_some_and(|(failure, step)| measure::result(failure, step) == "timeout"),
            trace: None,
        })
    }
}

/// Whether an event can change what a user sees.
pub(crate) fn may_show(event: &Event) -> bool {
    matches!(
        event,
        Event::RunStarted(_) | Event::FalloutOpened(_) | Event::FalloutResolved { .. } | Event::RunEnded { .. } | Event::RunReopened { .. }
    )
}

/// Where a run stands.
pub(crate) fn state(definition: &Definition, run: &Run) -> DeviceState {
    let by_hand = |item: &ItemState| matches!(item.standing, Standing::Done { by_hand: true, .. });
    match run.outcome() {
        // What a person says of a device is not what was read back from it.
        Some(Outcome::Completed) if View::new(definition, run).items(VERIFY).any(by_hand) => DeviceState::Unverified,
        Some(Outcome::Completed) => DeviceState::Provisioned,
        Some(Outcome::Cancelled) => DeviceState::Cancelled,
        // A person said that it is to fail: nothing else tries again.
        Some(Outcome::Failed { .. }) if !run.fallouts().is_empty() => DeviceState::Cancelled,
        Some(Outcome::Failed { .. }) => DeviceState::Failed,
        None if run.open_fallouts().next().is_some() => DeviceState::Held,
        None => DeviceState::Provisioning,
    }
}

/// What went wrong last, if the run is held or failed.
pub(crate) fn failure(run: &Run) -> Failed<'_> {
    match run.outcome() {
        Some(Outcome::Failed { failure, step }) => Some((failure, step.as_ref())),
        Some(Outcome::Completed | Outcome::Cancelled) => None,
        None => run.open_fallouts().last().map(|fallout| (&fallout.opened.failure, Some(&fallout.opened.step))),
    }
}

fn project(definition: &Definition, run: &Run, state: DeviceState, failure: Failed<'_>) -> Document {
    let view = &View::new(definition, run);
    let input = run.input();
    let id = input["id"].as_str().unwrap_or_default().to_owned();
    let device = &input["device"];
    let plan = device_steps::plan(view);
    let mut body = json!({
        "device": id,
        "run": run.id().as_str(),
        "state": state.as_str(),
        "since": run.last_at().0,
        "trigger": input["trigger"],
        "model": device["model"],
        "serial": device["serial"],
        "oui": device["oui"],
    });
    let mut set = |key: &str, value: Option<Value>| body[key] = value.unwrap_or_default();
    set("plan", plan.clone().map(Value::from));
    set("plugin", builder(definition, run).map(Value::from));
    set("profile", view.outputs(FETCH_PROFILE).next().map(|profile| profile["version"].clone()));
    set("key", view.outputs(PUSH).next().map(|pushed| pushed["key"].clone()));
    set("checked", view.outputs(VERIFY).next().map(|verified| verified["checked"].clone()));
    set("result", failure.map(|(failure, step)| measure::result(failure, step).into()));
    set("message", failure.map(|(failure, _)| failure.message.as_str().into()));
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    let texts = ["model", "serial", "oui", "state"].into_iter().filter_map(|key| Some((key, body[key].as_str()?.to_owned())));
    let attributes = texts.chain(plan.map(|plan| ("plan", plan))).filter(|(_, value)| (1..=256).contains(&value.len())).collect();
    Document { collection: STATE_COLLECTION, id, rank: run.started_at().0, body, attributes }
}

/// What nothing built has for a builder.
const NOBODY: &str = "none";

/// The digest of the plugin that was to build the configuration, well or badly; the name of an implementation inside the host. Where there was none, another one
/// than nobody is news for the device.
fn builder(definition: &Definition, run: &Run) -> Option<String> {
    let (position, _) = definition.steps.iter().enumerate().find(|(_, step)| step.name.as_str() == BUILD)?;
    let state = run.steps().get(position)?;
    if let StepStatus::Refused(_) = &state.status {
        return Some(NOBODY.to_owned());
    }
    Some(match &state.items.first()?.pin.as_ref()?.provider {
        Provider::Plugin { digest, .. } => digest.as_str().to_owned(),
        Provider::Native { name } => format!("native:{name}"),
    })
}
