//! Goes through a document once, counting what it sees.

use std::borrow::Cow;

use quick_xml::{
    Error, Reader,
    errors::IllFormedError,
    events::{BytesRef, BytesStart, Event},
};

use super::{Limits, SoapError, SoapProblem};

/// How much of what a device sent is repeated in an error.
const SHOWN: usize = 60;

/// A position in a document.
pub(super) struct Cursor<'a> {
    reader: Reader<&'a [u8]>,
    /// Bytes before the document.
    skipped: u64,
    depth: usize,
    elements: usize,
    limits: Limits,
}

/// What comes next.
pub(super) enum Step<'a> {
    Open(BytesStart<'a>),
    Close,
    Text(Cow<'a, str>),
    End,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, skipped: u64, limits: &Limits) -> Self {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.allow_dangling_amp = true;
        Self { reader, skipped, depth: 0, elements: 0, limits: *limits }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// The next tag or piece of text. Comments and processing instructions are passed over.
    pub(super) fn step(&mut self) -> Result<Step<'a>, SoapError> {
        loop {
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(error) => return Err(self.malformed(&error)),
            };
            return Ok(match event {
                Event::Start(start) | Event::Empty(start) => Step::Open(self.opened(start)?),
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    Step::Close
                }
                Event::Text(text) => Step::Text(self.utf8(text.xml10_content())?),
                Event::CData(text) => Step::Text(self.utf8(text.xml10_content())?),
                Event::GeneralRef(reference) => Step::Text(self.resolved(&reference)?),
                Event::Eof => Step::End,
                Event::DocType(_) => return Err(self.error(SoapProblem::DocType, "none: messages declare no entities")),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
            });
        }
    }

    fn opened(&mut self, start: BytesStart<'a>) -> Result<BytesStart<'a>, SoapError> {
        self.depth += 1;
        self.elements += 1;
        self.bound("elements within each other", self.depth, self.limits.depth)?;
        self.bound("the number of elements", self.elements, self.limits.elements)?;
        Ok(start)
    }

    /// A character reference or one of the five entities that XML has of itself. Any other stays as it was written: there is no declaration to look it up in.
    fn resolved(&self, reference: &BytesRef<'a>) -> Result<Cow<'a, str>, SoapError> {
        let name = self.utf8(reference.decode())?;
        if reference.is_char_ref() {
            let character = reference.resolve_char_ref().ok().flatten().unwrap_or(char::REPLACEMENT_CHARACTER);
            return Ok(Cow::Owned(character.to_string()));
        }
        Ok(match &*name {
            "amp" => "&".into(),
            "lt" => "<".into(),
            "gt" => ">".into(),
            "quot" => "\"".into(),
            "apos" => "'".into(),
            _ => format!("&{name};").into(),
        })
    }

    fn utf8<E: std::fmt::Display>(&self, text: Result<Cow<'a, str>, E>) -> Result<Cow<'a, str>, SoapError> {
        text.map_err(|error| self.error(SoapProblem::Xml(error.to_string()), "UTF-8"))
    }

    /// Calls `each` with the local name and the tag of every child of the element that is open. It must take the whole child.
    pub(super) fn children(&mut self, mut each: impl FnMut(&mut Self, &[u8], &BytesStart<'a>) -> Result<(), SoapError>) -> Result<(), SoapError> {
        loop {
            match self.step()? {
                Step::Open(start) => each(self, start.local_name().as_ref(), &start)?,
                Step::Close => return Ok(()),
                Step::Text(_) => {}
                Step::End => return Err(self.truncated()),
            }
        }
    }

    /// The text of the element that is open, without that of elements within.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, SoapError> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.step()? {
                Step::Open(_) => self.skip()?,
                Step::Close => return Ok(text),
                Step::Text(more) if text.is_empty() => text = more,
                Step::Text(more) => text.to_mut().push_str(&more),
                Step::End => return Err(self.truncated()),
            }
            self.bound("a text", text.len(), self.limits.text)?;
        }
    }

    /// Passes over the rest of the element that is open.
    pub(super) fn skip(&mut self) -> Result<(), SoapError> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if matches!(self.step()?, Step::End) {
                return Err(self.truncated());
            }
        }
        Ok(())
    }

    /// Adds the children of the element that is open to a list that has a limit: those named `of`, or all.
    pub(super) fn list<T>(
        &mut self,
        list: &mut Vec<T>,
        of: Option<&[u8]>,
        what: &'static str,
        limit: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, SoapError>,
    ) -> Result<(), SoapError> {
        self.children(|cursor, name, _| {
            if of.is_some_and(|of| of != name) {
                return cursor.skip();
            }
            let entry = read(cursor)?;
            cursor.push(list, what, limit, entry)
        })
    }

    /// Adds to a list that has a limit.
    pub(super) fn push<T>(&self, list: &mut Vec<T>, what: &'static str, limit: usize, entry: T) -> Result<(), SoapError> {
        self.bound(what, list.len() + 1, limit)?;
        list.push(entry);
        Ok(())
    }

    fn bound(&self, what: &'static str, found: usize, limit: usize) -> Result<(), SoapError> {
        if found > limit { Err(self.error(SoapProblem::TooMuch { what, limit }, "less")) } else { Ok(()) }
    }

    pub(super) fn error(&self, problem: SoapProblem, expected: &'static str) -> SoapError {
        SoapError { problem, at: self.skipped + self.reader.buffer_position(), expected }
    }

    pub(super) fn field(&self, field: &'static str, found: &str, expected: &'static str) -> SoapError {
        self.error(SoapProblem::Field { field, found: shown(found) }, expected)
    }

    pub(super) fn truncated(&self) -> SoapError {
        self.error(SoapProblem::Truncated, "the rest of the message")
    }

    fn malformed(&self, error: &Error) -> SoapError {
        let at = self.skipped + self.reader.error_position();
        let cut = matches!(error, Error::Syntax(_) | Error::IllFormed(IllFormedError::MissingEndTag(_) | IllFormedError::UnclosedReference));
        let (problem, expected) = match cut {
            true => (SoapProblem::Truncated, "the rest of the message"),
            false => (SoapProblem::Xml(shown(&error.to_string())), "well-formed XML"),
        };
        SoapError { problem, at, expected }
    }
}

/// The start of a text, on one line.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN).map(|character| if character.is_control() { ' ' } else { character }).collect()
}
