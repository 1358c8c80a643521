//! A function of a contract, prepared at load: its export index, how its parameters are built and how its result is read.

use std::time::Duration;

use engine::port::{Answer, Call, Signal, Verb};
use wasmtime::component::{ComponentExportIndex, Val};

use super::{answer::AnswerShape, failure::Ended};
use crate::shape::{CodecError, Field, FunctionShape, Shape, UnknownFields};

/// A function of a contract as one plugin exports it.
#[derive(Debug)]
pub(crate) struct Function {
    index: ComponentExportIndex,
    call: Vec<(String, CallField)>,
    arguments: Arguments,
    answer: AnswerShape,
}

/// What comes after the `call` record.
#[derive(Debug)]
enum Arguments {
    Request(Shape),
    Resume { signal: Shape },
    Undo(Shape),
}

/// The fields of `jackfield:step/types.call`.
#[derive(Debug, Clone, Copy)]
enum CallField {
    Run,
    Pipeline,
    Step,
    Item,
    Attempt,
    Round,
    IdempotencyKey,
    DeadlineMs,
    Callback,
    /// An optional field that a newer version has and this host does not know.
    Newer,
}

impl Function {
    /// Prepares a function; `None` where it is not one of a step contract.
    pub(crate) fn new(name: &str, index: ComponentExportIndex, shape: FunctionShape) -> Option<Self> {
        let FunctionShape { params, result } = shape;
        let mut params = params.into_iter().map(|param| param.shape);
        let Shape::Record(fields) = params.next()? else { return None };
        let call = fields.iter().map(|field| Some((field.name.clone(), call_field(field)?))).collect::<Option<Vec<_>>>()?;
        let first = params.next()?;
        let arguments = match name {
            "apply" | "observe" => Arguments::Request(first),
            "resume" if first == Shape::String => Arguments::Resume { signal: params.next()? },
            "undo" => Arguments::Undo(first),
            _ => return None,
        };
        if params.next().is_some() {
            return None;
        }
        Some(Self { index, call, arguments, answer: AnswerShape::of(name, result?)? })
    }

    pub(crate) fn index(&self) -> &ComponentExportIndex {
        &self.index
    }

    /// Builds the parameters of a call. Fields that the plugin does not know are left out, but not those that it must understand.
    pub(super) fn params(&self, call: &Call, left: Duration) -> Result<Vec<Val>, CodecError> {
        let record = self.call.iter().map(|(name, field)| (name.clone(), field.of(call, left))).collect();
        let mut params = Vec::with_capacity(3);
        params.push(Val::Record(record));
        match (&self.arguments, &call.verb) {
            (Arguments::Request(shape), Verb::Apply | Verb::Observe) => {
                understood(shape, call)?;
                params.push(shape.encode(&call.request, UnknownFields::Drop)?);
            }
            (Arguments::Resume { signal: shape }, Verb::Resume { checkpoint, signal }) => {
                params.push(Val::String(checkpoint.clone()));
                params.push(encode_signal(shape, signal)?);
            }
            // A receipt goes back whole: to a plugin that would lose a part of it, it does not go at all.
            (Arguments::Undo(shape), Verb::Undo { receipt }) => params.push(shape.encode(receipt, UnknownFields::Refuse)?),
            (Arguments::Request(_) | Arguments::Resume { .. } | Arguments::Undo(_), _) => {
                return Err(CodecError::new(format!("`{}` is not the function for this", call.verb.function())));
            }
        }
        Ok(params)
    }

    pub(super) fn answer(&self, result: Val) -> Result<Answer, Ended> {
        self.answer.read(result)
    }
}

fn call_field(field: &Field) -> Option<CallField> {
    Some(match (field.name.as_str(), &field.shape) {
        ("run", Shape::String) => CallField::Run,
        ("pipeline", Shape::String) => CallField::Pipeline,
        ("step", Shape::String) => CallField::Step,
        ("item", Shape::String) => CallField::Item,
        ("attempt", Shape::U32) => CallField::Attempt,
        ("round", Shape::U32) => CallField::Round,
        ("idempotency-key", Shape::String) => CallField::IdempotencyKey,
        ("deadline-ms", Shape::U64) => CallField::DeadlineMs,
        ("callback", Shape::Option(_)) => CallField::Callback,
        (_, Shape::Option(_)) => CallField::Newer,
        _ => return None,
    })
}

impl CallField {
    fn of(self, call: &Call, left: Duration) -> Val {
        let text = |text: &str| Val::String(text.to_owned());
        match self {
            Self::Run => text(call.run.as_str()),
            Self::Pipeline => text(call.pipeline.as_str()),
            Self::Step => text(call.attempt.item.step.as_str()),
            Self::Item => text(&call.label),
            Self::Attempt => Val::U32(call.attempt.attempt),
            // Plugins count rounds from 0, the journal from 1.
            Self::Round => Val::U32(call.attempt.item.round.saturating_sub(1)),
            Self::IdempotencyKey => text(call.key.as_str()),
            Self::DeadlineMs => Val::U64(u64::try_from(left.as_millis()).unwrap_or(u64::MAX)),
            Self::Newer => Val::Option(None),
            Self::Callback => Val::Option(call.callback.as_ref().map(|callback| {
                let fields = [("operation", &callback.operation), ("url", &callback.url)];
                Box::new(Val::Record(fields.map(|(name, value)| (name.to_owned(), text(value))).into()))
            })),
        }
    }
}

/// Whether the plugin knows every field of the request that must not be dropped.
fn understood(shape: &Shape, call: &Call) -> Result<(), CodecError> {
    for name in call.must_understand {
        let set = call.request.get(name).is_some_and(|value| !value.is_null());
        if set && shape.field(name).is_none() {
            return Err(
                CodecError::new("the plugin was built from a version of the contract without this field, and it must not be ignored").in_field(name)
            );
        }
    }
    Ok(())
}

fn encode_signal(shape: &Shape, signal: &Signal) -> Result<Val, CodecError> {
    let json = match signal {
        Signal::Timer => "timer".into(),
        Signal::Cancel => "cancel".into(),
        Signal::Callback(body) => serde_json::json!({ "callback": body }),
    };
    shape.encode(&json, UnknownFields::Refuse)
}
