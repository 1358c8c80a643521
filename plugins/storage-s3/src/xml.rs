//! The XML of S3: small documents, read into a tree within limits, and written as text.

use quick_xml::{
    Reader,
    events::{BytesRef, Event},
};

/// Elements within each other: the deepest answer of S3 has five.
const DEPTH: usize = 16;
/// Elements of a document: a page has 1000 entries of about ten.
const ELEMENTS: usize = 40_000;

/// The namespace of S3.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// An element without its attributes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    /// Whether it declares the namespace of S3.
    pub(crate) of_s3: bool,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// The children with that name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element on a path of names below this one.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.children.iter().find(|child| child.name == *name))
    }

    /// The text of a child; empty without one.
    pub(crate) fn text_of(&self, name: &str) -> &str {
        self.at(&[name]).map_or("", |child| child.text.as_str())
    }
}

/// Reads a document. Says what is wrong if it is none.
pub(crate) fn read(document: &[u8]) -> Result<Element, String> {
    let text = std::str::from_utf8(document).map_err(|error| format!("it is not UTF-8: {error}"))?;
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    // The elements that are open, below a root that holds the document.
    let mut open = vec![Element::default()];
    let mut elements = 0;
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(tag) | Event::Empty(tag) => {
                elements += 1;
                if elements > ELEMENTS || open.len() > DEPTH {
                    return Err(format!("it has more than {ELEMENTS} elements, or {DEPTH} within each other"));
                }
                let name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
                let of_s3 = tag.attributes().flatten().any(|it| it.key.as_ref() == b"xmlns" && *it.value == *NAMESPACE.as_bytes());
                open.push(Element { name, of_s3, ..Element::default() });
            }
            Event::End(_) => {
                // The reader has matched the tags: the root stays.
                let closed = open.pop().unwrap_or_default();
                if let Some(parent) = open.last_mut() {
                    parent.children.push(closed);
                }
            }
            Event::Text(text) => append(&mut open, &text.xml10_content().map_err(|error| error.to_string())?),
            Event::CData(text) => append(&mut open, &text.xml10_content().map_err(|error| error.to_string())?),
            Event::GeneralRef(reference) => append(&mut open, &resolved(&reference)?),
            Event::DocType(_) => return Err("it declares a document type; expected none".into()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    match (open.len(), open.pop()) {
        (1, Some(mut document)) if document.children.len() == 1 && document.text.trim().is_empty() => Ok(document.children.remove(0)),
        _ => Err("it is not one element".into()),
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn resolved(reference: &BytesRef<'_>) -> Result<String, String> {
    let name = reference.decode().map_err(|error| error.to_string())?;
    if let Some(character) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
        return Ok(character.to_string());
    }
    let character = quick_xml::escape::resolve_predefined_entity(&name);
    character.map(str::to_owned).ok_or_else(|| format!("it has the entity {name:?}, which is not declared"))
}

/// An element that holds markup.
pub(crate) fn element(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>")
}

/// An element that holds text.
pub(crate) fn leaf(name: &str, text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // As references: a reader would otherwise make spaces and line ends of them.
            control if control.is_control() => escaped.push_str(&format!("&#x{:X};", u32::from(control))),
            other => escaped.push(other),
        }
    }
    element(name, &escaped)
}

/// A document of S3.
pub(crate) fn document(name: &str, inner: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><{name} xmlns=\"{NAMESPACE}\">{inner}</{name}>")
}
