//! A function of a contract, prepared at load: its export index, how its parameters are built and how its result is read.

use std::time::Duration;

use engine::port::{Answer, Call, CallbackAddress, Signal, Verb};
use serde_json::Value;
use wasmtime::component::{ComponentExportIndex, Val};

use super::{
    answer::AnswerShape,
    failure::Ended,
    params::{Params, Spare},
};
use crate::{
    plugin::Crossing,
    shape::{BLANK, CodecError, Field, FunctionShape, Rules, Shape, UnknownFields, write_text},
};

/// A function of a contract as one plugin exports it.
#[derive(Debug)]
pub(crate) struct Function {
    index: ComponentExportIndex,
    call: Vec<(String, CallField)>,
    arguments: Arguments,
    answer: AnswerShape,
    /// Parameters of calls that are over.
    spare: Spare,
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
        Some(Self { index, call, arguments, answer: AnswerShape::of(name, result?)?, spare: Spare::default() })
    }

    pub(crate) fn index(&self) -> &ComponentExportIndex {
        &self.index
    }

    /// Builds the parameters of a call. Fields that the plugin does not know are left out, but not those that it must understand.
    pub(super) fn params(&self, call: &Call, left: Duration) -> Result<Params, CodecError> {
        let mut vals = self.spare.take().unwrap_or_else(|| self.blank());
        let rules = match (&self.arguments, &call.verb, vals.as_mut_slice()) {
            (Arguments::Request(shape), Verb::Apply | Verb::Observe, [record, request]) => {
                self.fill(record, call, left);
                let rules = Rules::understanding(call.must_understand);
                shape.write(&*call.request, request, &rules)?;
                rules
            }
            (Arguments::Resume { signal: shape }, Verb::Resume { checkpoint, signal }, [record, place, why]) => {
                self.fill(record, call, left);
                write_text(checkpoint, place);
                let rules = Rules::new(UnknownFields::Refuse);
                shape.write(signal_json(signal), why, &rules)?;
                rules.weigh(checkpoint.len());
                rules
            }
            (Arguments::Undo(shape), Verb::Undo { receipt }, [record, given]) => {
                self.fill(record, call, left);
                // A receipt goes back whole: to a plugin that would lose a part of it, it does not go at all.
                let rules = Rules::new(UnknownFields::Refuse);
                shape.write(&**receipt, given, &rules)?;
                rules
            }
            (_, verb, _) => return Err(CodecError::new(format!("`{}` is not the function for this", verb.function()))),
        };
        Ok(Params::new(vals, rules.weight()))
    }

    /// Takes parameters back when the call is over: those of the next call are written over them.
    pub(super) fn give_back(&self, params: Params) {
        self.spare.keep(params);
    }

    /// Parameters before anything is written.
    fn blank(&self) -> Vec<Val> {
        let record = Val::Record(self.call.iter().map(|(name, _)| (name.clone(), BLANK)).collect());
        match &self.arguments {
            Arguments::Request(_) | Arguments::Undo(_) => vec![record, BLANK],
            Arguments::Resume { .. } => vec![record, BLANK, BLANK],
        }
    }

    /// Writes the `call` record.
    fn fill(&self, record: &mut Val, call: &Call, left: Duration) {
        let Val::Record(fields) = record else { unreachable!("it is made by `blank`") };
        for ((_, val), (_, field)) in fields.iter_mut().zip(&self.call) {
            field.write(call, left, val);
        }
    }

    /// Whether a value is one of this function's, with every field of it declared.
    pub(crate) fn fits(&self, what: Crossing, value: &Value) -> Result<(), CodecError> {
        let shape = match (&self.arguments, what) {
            (Arguments::Request(shape), Crossing::Request) | (Arguments::Undo(shape), Crossing::Receipt) => shape,
            (_, Crossing::Output) => self.answer.done(),
            (Arguments::Request(_) | Arguments::Resume { .. } | Arguments::Undo(_), Crossing::Request | Crossing::Receipt) => {
                return Err(CodecError::new("the function takes no such value"));
            }
        };
        shape.encode(value, UnknownFields::Refuse).map(drop)
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
    fn write(self, call: &Call, left: Duration, over: &mut Val) {
        match self {
            Self::Run => write_text(call.run.as_str(), over),
            Self::Pipeline => write_text(call.pipeline.as_str(), over),
            Self::Step => write_text(call.attempt.item.step.as_str(), over),
            Self::Item => write_text(&call.label, over),
            Self::IdempotencyKey => write_text(call.key.as_str(), over),
            Self::Attempt => *over = Val::U32(call.attempt.attempt),
            // Plugins count rounds from 0, the journal from 1.
            Self::Round => *over = Val::U32(call.attempt.item.round.saturating_sub(1)),
            Self::DeadlineMs => *over = Val::U64(u64::try_from(left.as_millis()).unwrap_or(u64::MAX)),
            Self::Newer => *over = Val::Option(None),
            Self::Callback => *over = Val::Option(call.callback.as_ref().map(|callback| Box::new(address(callback)))),
        }
    }
}

fn address(callback: &CallbackAddress) -> Val {
    let fields = [("operation", &callback.operation), ("url", &callback.url)];
    Val::Record(fields.map(|(name, value)| (name.to_owned(), Val::String(value.clone()))).into())
}

fn signal_json(signal: &Signal) -> Value {
    match signal {
        Signal::Timer => "timer".into(),
        Signal::Cancel => "cancel".into(),
        Signal::Callback(body) => serde_json::json!({ "callback": body }),
    }
}
