//! What a user sees of tenants, projected from committed events into documents: the tenant with how far its sign-up is and what exists of it where, the newest
//! certificate that a run of its own has fetched, and the repairs.

mod ledger;
mod progress;
mod state;

use engine::port::Document;
use pipeline::{Definition, Event, Failure, Outcome, Phase, Run, StepName, Transition, View};
use serde_json::{Value, json};

pub use self::state::TenantState;
use self::{ledger::ledger, progress::progress, state::tenant_state};
use crate::{
    measure::{cause, continued_since},
    tenant_pipeline::{CERTIFICATE, certificate::is_issued},
};

/// The collection of the documents of tenants; their ids are those of the tenants.
pub const TENANT_COLLECTION: &str = "tenant";

/// The collection of the documents of certificates that runs of their own have fetched; their ids are those of the tenants.
pub const CERTIFICATE_COLLECTION: &str = "tenant-certificate";

/// The collection of the documents of repairs; their ids are those of the runs.
pub const REPAIR_COLLECTION: &str = "tenant-repair";

/// The tenant after an event, if the event can have changed what a user sees of it.
pub fn document(transition: &Transition<'_>) -> Option<Document> {
    // An authority that is asked again says nothing new.
    let again = |attempt| continued_since(transition, attempt).is_some();
    if !may_show(&transition.record.event) || matches!(&transition.record.event, Event::AttemptPended { attempt, .. } if again(attempt)) {
        return None;
    }
    project(transition.definition, transition.before, transition.after)
}

/// The tenant of a run.
pub(crate) fn project(definition: &Definition, before: Option<&Run>, after: &Run) -> Option<Document> {
    let input = after.input();
    let id = input["id"].as_str()?.to_owned();
    let resources = ledger(definition, after);
    let state = tenant_state(definition, after, &resources);
    let active = state::is_active(definition, after);
    let mut body = json!({
        "id": id,
        "run": after.id().as_str(),
        "state": state.as_str(),
        "active": active,
        "since": after.started_at().0,
        "changed": after.last_at().0,
        "certificate": certificate(&View::new(definition, after)),
        "steps": progress(definition, after),
        "left": resources.iter().filter(|resource| resource["state"] == ledger::LEFT).collect::<Vec<_>>(),
        "resources": resources,
    });
    for field in ["slug", "name", "plan", "region", "domain", "zone"] {
        body[field] = input[field].clone();
    }
    set_error(&mut body, before, after);
    let open = if state.is_open() { "true" } else { "false" };
    let texts = ["slug", "state", "plan", "region"].into_iter().filter_map(|key| Some((key, body[key].as_str()?.to_owned())));
    let failed = body["error"]["step"].as_str().map(|step| ("failed_step", step.to_owned()));
    let attributes = texts.chain([("open", open.to_owned()), ("active", active.to_string())]).chain(failed).collect();
    Some(Document { collection: TENANT_COLLECTION, id, rank: after.started_at().0, body, attributes })
}

/// The certificate that a run of `tenant_certificate` fetches, for its tenant.
pub fn certificate_document(transition: &Transition<'_>) -> Option<Document> {
    let Transition { definition, before, record, after } = transition;
    if !is_turn(&record.event) {
        return None;
    }
    let id = after.input()["id"].as_str()?.to_owned();
    let certificate = certificate(&View::new(definition, after));
    let state = run_state(after);
    let mut body = json!({ "tenant": id, "domain": after.input()["domain"], "run": after.id().as_str(), "state": state, "certificate": certificate });
    set_error(&mut body, *before, after);
    let attributes = vec![("state", state.to_owned()), ("run", after.id().to_string())];
    Some(Document { collection: CERTIFICATE_COLLECTION, id, rank: after.started_at().0, body, attributes })
}

/// What a run of `tenant_repair` makes again.
pub fn repair_document(transition: &Transition<'_>) -> Option<Document> {
    let Transition { definition, before, record, after } = transition;
    if !is_turn(&record.event) {
        return None;
    }
    let tenant = after.input()["id"].as_str()?.to_owned();
    let state = run_state(after);
    let mut body = json!({ "tenant": tenant, "run": after.id().as_str(), "state": state, "steps": progress(definition, after) });
    set_error(&mut body, *before, after);
    let attributes = vec![("tenant", tenant), ("state", state.to_owned())];
    Some(Document { collection: REPAIR_COLLECTION, id: after.id().to_string(), rank: after.started_at().0, body, attributes })
}

/// Whether an event can change what a user sees of a sign-up. That a step is scheduled is seen beforehand: its predecessors are done.
fn may_show(event: &Event) -> bool {
    match event {
        // A step without items is skipped.
        Event::StepScheduled { items, .. } => items.is_empty(),
        Event::AttemptPended { .. }
        | Event::AttemptFinished { .. }
        | Event::AttemptLost { .. }
        | Event::ResumeFailed { .. }
        | Event::ResumeHeld { .. }
        | Event::RetryAbandoned { .. }
        | Event::ItemForgiven { .. }
        | Event::StepRefused { .. }
        | Event::CancelRequested { .. }
        | Event::UnwindStarted { .. }
        | Event::UndoScheduled { .. }
        | Event::PinChanged(_) => true,
        Event::AttemptStarted { .. }
        | Event::TimerFired { .. }
        | Event::CallbackReceived { .. }
        | Event::ChildStarted { .. }
        | Event::ChildEnded { .. }
        | Event::ParentNotified => false,
        Event::RunStarted(_) | Event::FalloutOpened(_) | Event::FalloutResolved { .. } | Event::RunEnded { .. } | Event::RunReopened { .. } => true,
    }
}

/// Whether an event begins, holds, sends on or ends a run.
fn is_turn(event: &Event) -> bool {
    matches!(
        event,
        Event::RunStarted(_) | Event::FalloutOpened(_) | Event::FalloutResolved { .. } | Event::RunEnded { .. } | Event::RunReopened { .. }
    )
}

/// Where a run that is no sign-up stands.
fn run_state(run: &Run) -> &'static str {
    match run.outcome() {
        Some(Outcome::Completed) => "done",
        Some(Outcome::Failed { .. }) => "failed",
        Some(Outcome::Cancelled) => "cancelled",
        None if run.open_fallouts().next().is_some() => "held",
        None => "running",
    }
}

/// What is known of the certificate, without the certificate itself: it is `issued`, `waiting`, `later` where a run of its own fetches it, or `none`.
fn certificate(view: &View<'_>) -> Value {
    let (run, input) = (view.run(), view.input());
    if let Some(receipt) = view.outputs(CERTIFICATE).find(|receipt| is_issued(receipt)) {
        return ledger::picked(receipt, &["issuer", "serial", "not-after"], json!({ "state": "issued" }));
    }
    let given_up =
        run.reopened().is_some() || matches!(run.phase(), Phase::Unwinding { .. } | Phase::Ended(Outcome::Failed { .. } | Outcome::Cancelled));
    let state = match (input["certificate"] == false, input["ready-without-tls"] == true) {
        (false, true) => "later",
        (false, false) if !given_up => "waiting",
        (_, _) => "none",
    };
    json!({ "state": state })
}

fn set_error(body: &mut Value, before: Option<&Run>, run: &Run) {
    if let Some((failure, step)) = failure(before, run) {
        body["error"] = json!({ "step": step.map(StepName::as_str), "type": failure.error_type, "message": failure.message });
    }
}

/// What went wrong: why the run failed, else what it is held for, else why it takes everything back, else what it failed of before a person gave it up.
fn failure<'a>(before: Option<&'a Run>, run: &'a Run) -> Option<(&'a Failure, Option<&'a StepName>)> {
    let held = || run.open_fallouts().next().map(|fallout| (&fallout.opened.failure, Some(&fallout.opened.step)));
    match run.phase() {
        Phase::Ended(Outcome::Failed { failure, step }) => Some(before.and_then(cause).unwrap_or((failure, step.as_ref()))),
        Phase::Ended(Outcome::Completed) => None,
        Phase::Ended(Outcome::Cancelled) if run.reopened().is_some() => None,
        Phase::Ended(Outcome::Cancelled) => run.fallouts().first().map(|fallout| (&fallout.opened.failure, Some(&fallout.opened.step))),
        Phase::Unwinding { cause: Some(_), .. } => cause(run),
        Phase::Forward | Phase::Unwinding { cause: None, .. } => held(),
    }
}
