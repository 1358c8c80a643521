//! The document that is being written.

use std::fmt::Write;

use super::form;
use crate::{
    quirks::BooleanForm,
    soap::{Namespace, ParameterValue, Style, WriteError, WriteProblem},
    value::ValueType,
};

/// What a short message takes, so that most are written without growing.
const USUAL: usize = 1_024;

const PROLOG: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const ENVELOPE: &str = "<soap-env:Envelope xmlns:soap-env=\"http://schemas.xmlsoap.org/soap/envelope/\" \
                        xmlns:soap-enc=\"http://schemas.xmlsoap.org/soap/encoding/\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
                        xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:cwmp=\"";

/// An envelope of which the end is open.
pub(super) struct Sheet {
    out: String,
    namespace: Namespace,
    boolean: BooleanForm,
}

impl Sheet {
    pub(super) fn new(namespace: Namespace, style: &Style) -> Self {
        let mut out = String::with_capacity(USUAL);
        if style.prolog {
            out.push_str(PROLOG);
        }
        out.push_str(ENVELOPE);
        out.push_str(namespace.uri());
        out.push_str("\">");
        Self { out, namespace, boolean: style.boolean }
    }

    pub(super) fn end(mut self) -> String {
        self.out.push_str("</soap-env:Envelope>");
        self.out
    }

    pub(super) fn namespace(&self) -> Namespace {
        self.namespace
    }

    pub(super) fn open(&mut self, name: &str) {
        self.push(&["<", name, ">"]);
    }

    pub(super) fn close(&mut self, name: &str) {
        self.push(&["</", name, ">"]);
    }

    /// The element of a message, in the namespace of the version.
    pub(super) fn message(&mut self, name: &str, fields: impl FnOnce(&mut Self) -> Result<(), WriteError>) -> Result<(), WriteError> {
        self.push(&["<cwmp:", name, ">"]);
        fields(self)?;
        self.push(&["</cwmp:", name, ">"]);
        Ok(())
    }

    /// A message without fields.
    pub(super) fn empty(&mut self, name: &str) {
        self.push(&["<cwmp:", name, "/>"]);
    }

    /// A message that came with a later version than the first.
    pub(super) fn since(&self, first: Namespace, name: &str) -> Result<(), WriteError> {
        if self.namespace < first { Err(problem(name, WriteProblem::Version(self.namespace))) } else { Ok(()) }
    }

    pub(super) fn header(&mut self, name: &str, must_understand: bool, text: &str) -> Result<(), WriteError> {
        let must_understand = if must_understand { "1" } else { "0" };
        self.push(&["<cwmp:", name, " soap-env:mustUnderstand=\"", must_understand, "\">"]);
        self.escaped(name, text)?;
        self.push(&["</cwmp:", name, ">"]);
        Ok(())
    }

    /// An element with a text.
    pub(super) fn text(&mut self, name: &str, text: &str) -> Result<(), WriteError> {
        self.open(name);
        self.escaped(name, text)?;
        self.close(name);
        Ok(())
    }

    /// An element with a text of which the schema bounds the length.
    pub(super) fn short(&mut self, name: &str, text: &str, limit: usize) -> Result<(), WriteError> {
        let length = text.chars().count();
        if length > limit {
            return Err(problem(name, WriteProblem::TooLong { length, limit }));
        }
        self.text(name, text)
    }

    pub(super) fn number(&mut self, name: &str, number: u32) {
        self.open(name);
        write!(self.out, "{number}").expect("writing to a string cannot go wrong");
        self.close(name);
    }

    pub(super) fn boolean(&mut self, name: &str, value: bool) {
        self.push(&["<", name, ">", self.literal(value), "</", name, ">"]);
    }

    /// A boolean as the device wants it.
    pub(super) fn literal(&self, value: bool) -> &'static str {
        self.boolean.literal(value)
    }

    /// A list with its length, as SOAP wants it.
    pub(super) fn array<T>(
        &mut self,
        name: &str,
        of: &str,
        entries: &[T],
        mut each: impl FnMut(&mut Self, &T) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        write!(self.out, "<{name} soap-enc:arrayType=\"{of}[{}]\">", entries.len()).expect("writing to a string cannot go wrong");
        for entry in entries {
            each(self, entry)?;
        }
        self.close(name);
        Ok(())
    }

    /// A list of `string`.
    pub(super) fn strings(&mut self, name: &str, entries: &[String], limit: usize) -> Result<(), WriteError> {
        self.array(name, "xsd:string", entries, |sheet, entry| sheet.short("string", entry, limit))
    }

    /// A list of parameters, whose values are written with the types that they are said to have.
    pub(super) fn parameters(&mut self, entries: &[ParameterValue]) -> Result<(), WriteError> {
        self.array("ParameterList", "cwmp:ParameterValueStruct", entries, |sheet, entry| {
            let xsd = ValueType::of_name(&entry.xsd).map_or(entry.xsd.as_str(), |kind| form::xsd(kind));
            sheet.parameter(&entry.name, xsd, &entry.value)
        })
    }

    /// One parameter. An error about its value says its name.
    pub(super) fn parameter(&mut self, name: &str, xsd: &str, value: &str) -> Result<(), WriteError> {
        self.open("ParameterValueStruct");
        self.short("Name", name, form::NAME)?;
        self.push(&["<Value xsi:type=\"xsd:"]);
        self.escaped(name, xsd)?;
        self.push(&["\">"]);
        self.escaped(name, value)?;
        self.push(&["</Value></ParameterValueStruct>"]);
        Ok(())
    }

    fn push(&mut self, parts: &[&str]) {
        parts.iter().for_each(|part| self.out.push_str(part));
    }

    /// A text in which nothing can be taken for markup. A carriage return is written as a reference, because a reader makes a line feed of it.
    fn escaped(&mut self, field: &str, text: &str) -> Result<(), WriteError> {
        if let Some(found) = text.chars().find(|&character| form::forbidden(character)) {
            return Err(problem(field, WriteProblem::Character(found.into())));
        }
        let mut rest = text;
        while let Some(at) = rest.find(['<', '>', '&', '"', '\'', '\r']) {
            let (plain, special) = rest.split_at(at);
            let reference = match special.as_bytes()[0] {
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'&' => "&amp;",
                b'"' => "&quot;",
                b'\'' => "&apos;",
                _ => "&#13;",
            };
            self.push(&[plain, reference]);
            rest = &special[1..];
        }
        self.out.push_str(rest);
        Ok(())
    }
}

pub(super) fn problem(field: impl Into<String>, problem: WriteProblem) -> WriteError {
    WriteError { field: field.into(), problem }
}
