//! From the result of a function to the answer that the engine records.

use std::time::Duration;

use engine::port::{Answer, Observed, PendingAnswer};
use pipeline::FailureClass;
use serde_json::Value;
use wasmtime::component::Val;

use super::failure::{Ended, Reported};
use crate::shape::{CodecError, Shape};

/// Limits of `jackfield:step/types.pending`, in bytes.
const MAX_OPERATION: usize = 256;
const MAX_CHECKPOINT: usize = 16_384;

/// How the result of a function is read.
#[derive(Debug)]
pub(super) enum AnswerShape {
    /// `outcome`, over the receipt.
    Outcome(Shape),
    /// `observed`, over the receipt.
    Observed(Shape),
    /// The output of a pure contract.
    Pure(Shape),
}

impl AnswerShape {
    /// How the result of a function of this name and type is read; `None` where it is not one of a step contract.
    pub(super) fn of(function: &str, result: Shape) -> Option<Self> {
        let Shape::Result { ok: Some(ok), err: Some(_) } = result else { return None };
        let payload = |name: &str| {
            let Shape::Variant(cases) = &*ok else { return None };
            cases.iter().find(|case| case.name == name).and_then(|case| case.payload.clone())
        };
        match function {
            "observe" => payload("ours").map(Self::Observed),
            "apply" => Some(payload("done").map_or(Self::Pure(*ok), Self::Outcome)),
            _ => payload("done").map(Self::Outcome),
        }
    }

    /// What is returned when the work is done.
    pub(super) fn done(&self) -> &Shape {
        match self {
            Self::Outcome(shape) | Self::Observed(shape) | Self::Pure(shape) => shape,
        }
    }

    /// Reads a result.
    pub(super) fn read(&self, result: Val) -> Result<Answer, Ended> {
        let Val::Result(result) = result else { return Err(Ended::Answer("it is no result".to_owned())) };
        match result {
            Ok(Some(ok)) => self.read_ok(*ok),
            Err(Some(failure)) => Err(read_failure(*failure).map_or_else(Ended::Answer, Ended::Reported)),
            Ok(None) | Err(None) => Err(Ended::Answer("the result is empty".to_owned())),
        }
    }

    fn read_ok(&self, ok: Val) -> Result<Answer, Ended> {
        match (self, ok) {
            (Self::Pure(shape), output) => decode(shape, output).map(Answer::Done),
            (Self::Outcome(receipt), Val::Variant(case, payload)) => match (case.as_str(), payload) {
                ("done", Some(payload)) => decode(receipt, *payload).map(Answer::Done),
                ("undone", None) => Ok(Answer::Undone),
                ("pending", Some(payload)) => read_pending(*payload).map(Answer::Pending),
                _ => Err(Ended::Answer(format!("outcome `{case}` is not known"))),
            },
            (Self::Observed(receipt), Val::Variant(case, payload)) => match (case.as_str(), payload) {
                ("absent", None) => Ok(Answer::Observed(Observed::Absent)),
                ("ours", Some(payload)) => decode(receipt, *payload).map(|value| Answer::Observed(Observed::Ours(value))),
                ("pending", Some(payload)) => read_pending(*payload).map(|pending| Answer::Observed(Observed::Pending(pending))),
                ("drifted", Some(payload)) => decode(receipt, *payload).map(|value| Answer::Observed(Observed::Drifted(value))),
                ("foreign", Some(payload)) => Ok(Answer::Observed(Observed::Foreign(text(*payload).map_err(Ended::Answer)?))),
                ("unsupported", None) => Ok(Answer::Observed(Observed::Unsupported)),
                _ => Err(Ended::Answer(format!("observed `{case}` is not known"))),
            },
            (Self::Outcome(_) | Self::Observed(_), _) => Err(Ended::Answer("it is no variant".to_owned())),
        }
    }
}

fn decode(shape: &Shape, val: Val) -> Result<Value, Ended> {
    shape.decode(val).map_err(|error: CodecError| Ended::Answer(error.to_string()))
}

fn read_pending(val: Val) -> Result<PendingAnswer, Ended> {
    let mut fields = Fields::of(val).map_err(Ended::Answer)?;
    let mut read = || {
        Ok(PendingAnswer {
            operation: text(fields.take("operation")?)?,
            checkpoint: text(fields.take("checkpoint")?)?,
            poll_after: optional_number(fields.take("poll-after-ms")?)?.map(Duration::from_millis),
            give_up_after: Duration::from_millis(number(fields.take("give-up-after-ms")?)?),
        })
    };
    let pending = read().map_err(Ended::Answer)?;
    for (name, given, most) in [("operation", pending.operation.len(), MAX_OPERATION), ("checkpoint", pending.checkpoint.len(), MAX_CHECKPOINT)] {
        if given > most {
            return Err(Ended::TooLong(format!("pending.{name} has {given} bytes, expected at most {most}")));
        }
    }
    Ok(pending)
}

fn read_failure(val: Val) -> Result<Reported, String> {
    let Val::Variant(case, Some(payload)) = val else { return Err("the failure is no variant with a payload".to_owned()) };
    let (class, reason, retry_after_ms) = match case.as_str() {
        "rejected" => (FailureClass::Rejected, *payload, None),
        "unknown-outcome" => (FailureClass::Unknown, *payload, None),
        "unavailable" => {
            let mut fields = Fields::of(*payload)?;
            (FailureClass::Unavailable, fields.take("reason")?, optional_number(fields.take("retry-after-ms")?)?)
        }
        other => return Err(format!("failure `{other}` is not known")),
    };
    let mut reason = Fields::of(reason)?;
    Ok(Reported { class, code: text(reason.take("code")?)?, message: text(reason.take("message")?)?, retry_after_ms })
}

/// The fields of a record, taken by name.
struct Fields(Vec<(String, Val)>);

impl Fields {
    fn of(val: Val) -> Result<Self, String> {
        let Val::Record(fields) = val else { return Err("what should be a record is none".to_owned()) };
        Ok(Self(fields))
    }

    fn take(&mut self, name: &str) -> Result<Val, String> {
        let at = self.0.iter().position(|(field, _)| field == name).ok_or_else(|| format!("the field `{name}` is missing"))?;
        Ok(self.0.swap_remove(at).1)
    }
}

fn text(val: Val) -> Result<String, String> {
    let Val::String(text) = val else { return Err("what should be a string is none".to_owned()) };
    Ok(text)
}

fn number(val: Val) -> Result<u64, String> {
    let Val::U64(number) = val else { return Err("what should be a u64 is none".to_owned()) };
    Ok(number)
}

fn optional_number(val: Val) -> Result<Option<u64>, String> {
    let Val::Option(val) = val else { return Err("what should be an option is none".to_owned()) };
    val.map(|inner| number(*inner)).transpose()
}
