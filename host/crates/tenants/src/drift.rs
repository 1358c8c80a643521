//! Compares what a tenant's run made with what is there, by asking the providers that made it. Nothing is changed and nothing is journaled.

use std::sync::Arc;

use engine::port::{Answer, Call, Observed, Runner, SpanContext, Verb};
use futures_util::{StreamExt as _, stream};
use pipeline::{AttemptId, Definition, Direction, ItemState, Pin, Run, Standing, StepDefinition, Undo, Work};
use serde_json::{Value, json};

/// How many providers are asked at a time.
const AT_ONCE: usize = 4;

/// What was found of one thing that a run made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// The step that made it.
    pub(crate) step: String,
    /// What a person calls it.
    pub(crate) label: String,
    /// The request that it was made with.
    pub(crate) request: Value,
    contract: String,
    provider: String,
    state: State,
}

/// How a thing is.
#[derive(Debug, Clone, PartialEq)]
enum State {
    /// As it was made.
    Ours,
    /// It is gone.
    Absent,
    /// It is there and looks different.
    Drifted,
    /// Something is there that somebody else made.
    Foreign(String),
    /// It is still being made.
    Pending,
    /// The provider cannot tell.
    Unsupported,
    /// The provider did not answer.
    Unknown(String),
}

impl Found {
    /// Whether it is not as it was made.
    pub(crate) fn differs(&self) -> bool {
        match self.state {
            State::Absent | State::Drifted | State::Foreign(_) => true,
            State::Ours | State::Pending | State::Unsupported | State::Unknown(_) => false,
        }
    }

    /// Whether making it again mends it. What is somebody else's is left alone.
    pub(crate) fn can_be_made_again(&self) -> bool {
        matches!(self.state, State::Absent | State::Drifted)
    }

    /// As people see it.
    pub(crate) fn shown(&self) -> Value {
        let (state, detail) = match &self.state {
            State::Ours => ("ours", None),
            State::Absent => ("absent", None),
            State::Drifted => ("drifted", None),
            State::Foreign(whose) => ("foreign", Some(whose)),
            State::Pending => ("pending", None),
            State::Unsupported => ("unsupported", None),
            State::Unknown(why) => ("unknown", Some(why)),
        };
        let mut shown = json!({ "step": self.step, "contract": self.contract, "provider": self.provider, "found": state });
        if !self.label.is_empty() {
            shown["label"] = self.label.as_str().into();
        }
        if let Some(detail) = detail {
            shown["detail"] = detail.as_str().into();
        }
        shown
    }
}

/// Looks at everything that a run made and that is meant to be there.
pub(crate) async fn drift(runner: &dyn Runner, definition: &Definition, run: &Run) -> Vec<Found> {
    let steps = definition.steps.iter().enumerate().filter(|(_, step)| is_lasting(step));
    let mut looks = Vec::new();
    for (position, step) in steps {
        let items = run.steps().get(position).map_or(&[][..], |state| &state.items);
        for (number, item) in items.iter().enumerate().filter(|(_, item)| is_there(item)) {
            if let Some(pin) = &item.pin {
                let call = call(definition, run, (position, number), step, item, pin);
                looks.push(look(runner, call));
            }
        }
    }
    stream::iter(looks).buffered(AT_ONCE).collect().await
}

/// Whether what a step makes stays for as long as the tenant. What proves a name to an authority does not.
fn is_lasting(step: &StepDefinition) -> bool {
    step.undo == Undo::OnUnwind && matches!(step.work, Work::Effect { .. })
}

/// Whether something is, or may be, there.
fn is_there(item: &ItemState) -> bool {
    match &item.standing {
        Standing::Done { by_hand, .. } => !by_hand,
        Standing::Failed { doubt, receipt } => *doubt || receipt.is_some(),
        Standing::UndoFailed { .. } => true,
        Standing::Open | Standing::Forgiven | Standing::Undone => false,
    }
}

fn call(definition: &Definition, run: &Run, (step, number): (usize, usize), of: &StepDefinition, item: &ItemState, pin: &Arc<Pin>) -> Call {
    let id = run.item_id(definition, step, number);
    let started = run.started();
    let attempt = AttemptId { item: id.clone(), direction: Direction::Do, attempt: item.attempts[0].max(1) };
    let trace = &started.trace;
    Call {
        tenant: started.tenant.clone(),
        run: run.id().clone(),
        pipeline: started.pipeline.clone(),
        revision: run.revision(item).clone(),
        label: item.label.clone(),
        key: run.key(&id, Direction::Do),
        pin: pin.clone(),
        verb: Verb::Observe,
        request: item.request.clone(),
        must_understand: &[],
        timeout: of.timeout,
        callback: None,
        // Whoever looks belongs to no run: its spans would be orphans there.
        span: SpanContext { trace_id: trace.trace_id.clone(), span_id: trace.attempt_span(&attempt), sampled: false, trace_state: String::new() },
        attempt,
    }
}

async fn look(runner: &dyn Runner, call: Call) -> Found {
    let (step, label, request) = (call.attempt.item.step.to_string(), call.label.clone(), (*call.request).clone());
    let (contract, provider) = (call.pin.contract.clone(), call.pin.provider.name().to_owned());
    let state = if call.pin.verbs.observe { state(runner.call(call).await.answer) } else { State::Unsupported };
    Found { step, label, request, contract, provider, state }
}

fn state(answer: Result<Answer, pipeline::Failure>) -> State {
    match answer {
        Ok(Answer::Observed(Observed::Absent)) => State::Absent,
        Ok(Answer::Observed(Observed::Ours(_))) => State::Ours,
        Ok(Answer::Observed(Observed::Pending(_))) => State::Pending,
        Ok(Answer::Observed(Observed::Foreign(whose))) => State::Foreign(whose),
        Ok(Answer::Observed(Observed::Drifted(_))) => State::Drifted,
        Ok(Answer::Observed(Observed::Unsupported)) => State::Unsupported,
        Ok(Answer::Done(_) | Answer::Undone | Answer::Pending(_)) => State::Unknown("the provider answered something else than was asked".to_owned()),
        Err(failure) => State::Unknown(failure.error_type),
    }
}
