//! What a plugin says about its call, without secrets: one place for spans, events, log records, answers and keys.

use std::{borrow::Cow, cell::OnceCell, fmt, sync::Arc};

use engine::port::{
    Answer, CallEnd, CallReport, CallSpan, ChildSpan, Children, KeyValueWrite, NewSpan, Observed, PendingAnswer, SpanContext, SpanItem,
};
use pipeline::{AttributeValue, Attributes};
use serde_json::Value;

use super::{handles::CallSecrets, mask::Mask};

/// A span that is told nothing secret.
pub(crate) struct MaskedSpan {
    inner: Box<dyn CallSpan>,
    secrets: Arc<CallSecrets>,
    /// Made when the first span below it begins.
    children: OnceCell<Option<Arc<MaskedChildren>>>,
}

impl MaskedSpan {
    pub(crate) fn new(inner: Box<dyn CallSpan>, secrets: Arc<CallSecrets>) -> Self {
        Self { inner, secrets, children: OnceCell::new() }
    }
}

impl CallSpan for MaskedSpan {
    fn context(&self) -> &SpanContext {
        self.inner.context()
    }

    fn outbound(&self) -> Option<&SpanContext> {
        self.inner.outbound()
    }

    fn children(&self) -> Option<Arc<dyn Children>> {
        let make = |inner| Arc::new(MaskedChildren { inner, secrets: Arc::clone(&self.secrets) });
        let children = self.children.get_or_init(|| self.inner.children().map(make)).as_ref()?;
        Some(Arc::<MaskedChildren>::clone(children))
    }

    fn record(&mut self, mut item: SpanItem) {
        self.secrets.mask().item(&mut item);
        self.inner.record(item);
    }

    fn end(self: Box<Self>, mut end: CallEnd) {
        let mask = self.secrets.mask();
        end.error_type.iter_mut().chain(&mut end.error_message).for_each(|text| mask.hide(text));
        self.inner.end(end);
    }
}

/// Begins spans that are told nothing secret.
struct MaskedChildren {
    inner: Arc<dyn Children>,
    secrets: Arc<CallSecrets>,
}

impl fmt::Debug for MaskedChildren {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskedChildren").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl Children for MaskedChildren {
    fn begin(&self, under: &SpanContext, mut span: NewSpan) -> Box<dyn ChildSpan> {
        let mask = self.secrets.mask();
        if let Cow::Owned(name) = &mut span.name {
            mask.hide(name);
        }
        mask.attributes(&mut span.attributes);
        Box::new(MaskedChild { inner: self.inner.begin(under, span), secrets: Arc::clone(&self.secrets) })
    }
}

struct MaskedChild {
    inner: Box<dyn ChildSpan>,
    secrets: Arc<CallSecrets>,
}

impl ChildSpan for MaskedChild {
    fn context(&self) -> &SpanContext {
        self.inner.context()
    }

    fn record(&mut self, mut item: SpanItem) {
        self.secrets.mask().item(&mut item);
        self.inner.record(item);
    }

    fn end(self: Box<Self>, failed: Option<(String, String)>) {
        let mask = self.secrets.mask();
        self.inner.end(failed.map(|(mut kind, mut message)| {
            mask.hide(&mut kind);
            mask.hide(&mut message);
            (kind, message)
        }));
    }
}

impl Mask {
    fn item(&self, item: &mut SpanItem) {
        match item {
            SpanItem::Attributes(attributes) => self.attributes(attributes),
            SpanItem::Event { name, attributes } => {
                self.hide(name);
                self.attributes(attributes);
            }
            SpanItem::Log { level: _, message, attributes } => {
                self.hide(message);
                self.attributes(attributes);
            }
            SpanItem::Measured(measurement) => measurement.labels.iter_mut().for_each(|(_, value)| self.hide(value)),
            SpanItem::Dropped { signal: _, reason: _, count: _ } => {}
        }
    }

    /// Everything of a call that enters the journal.
    pub(crate) fn report(&self, report: &mut CallReport) {
        if self.is_empty() {
            return;
        }
        let CallReport { answer, sent: _, attributes, writes } = report;
        self.attributes(attributes);
        for KeyValueWrite { namespace: _, key, expected_version: _, value } in writes {
            self.hide(key);
            value.iter_mut().for_each(|value| self.hide(value));
        }
        match answer {
            Ok(Answer::Done(value) | Answer::Observed(Observed::Ours(value) | Observed::Drifted(value))) => self.value(value),
            Ok(Answer::Pending(pending) | Answer::Observed(Observed::Pending(pending))) => {
                let PendingAnswer { operation, checkpoint, poll_after: _, give_up_after: _ } = pending;
                self.hide(operation);
                self.hide(checkpoint);
            }
            Ok(Answer::Observed(Observed::Foreign(text))) => self.hide(text),
            Ok(Answer::Undone | Answer::Observed(Observed::Absent | Observed::Unsupported)) => {}
            Err(failure) => {
                self.hide(&mut failure.message);
                self.hide(&mut failure.error_type);
            }
        }
    }

    fn attributes(&self, attributes: &mut Attributes) {
        for (key, value) in attributes {
            self.hide(key);
            match value {
                AttributeValue::Text(text) => self.hide(text),
                AttributeValue::Texts(texts) => texts.iter_mut().for_each(|text| self.hide(text)),
                AttributeValue::Flag(_) | AttributeValue::Int(_) | AttributeValue::Float(_) => {}
            }
        }
    }

    /// All texts in a value. Names of fields are those of the contract.
    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.hide(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.value(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
