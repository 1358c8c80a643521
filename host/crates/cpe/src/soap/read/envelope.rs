//! The envelope: header, body, and which message it is.

use quick_xml::{
    events::BytesStart,
    name::{NamespaceResolver, ResolveResult},
};

use super::{
    SoapError, SoapProblem, answers,
    cursor::{Cursor, Step, shown},
    events,
    field::{boolean, fields, value, word},
    requests,
};
use crate::soap::{Envelope, Message, Namespace};

/// The longest `cwmp:ID` that is given back; the standard has no bound.
const LONGEST_ID: usize = 1_024;

const AN_ENVELOPE: &str = "a SOAP envelope with a CWMP message";

pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Envelope, SoapError> {
    let mut scope = Scope::default();
    let mut envelope = Envelope { id: None, ..Envelope::new(Namespace::default(), "", Message::Unknown { name: String::new() }) };
    let root = root(cursor)?;
    if root.local_name().as_ref() != b"Envelope" {
        return Err(not_cwmp(cursor, &root));
    }
    scope.enter(cursor, &root)?;
    loop {
        match cursor.step()? {
            Step::Open(start) => {
                scope.enter(cursor, &start)?;
                match start.local_name().as_ref() {
                    b"Header" => header(cursor, &mut envelope)?,
                    b"Body" => {
                        body(cursor, &mut scope, &mut envelope)?;
                        return rest(cursor).map(|()| envelope);
                    }
                    _ => cursor.skip()?,
                }
                scope.leave();
            }
            Step::Text(_) => {}
            Step::Close | Step::End => return Err(cursor.error(SoapProblem::NotCwmp("an envelope without a body".to_owned()), AN_ENVELOPE)),
        }
    }
}

fn root<'a>(cursor: &mut Cursor<'a>) -> Result<BytesStart<'a>, SoapError> {
    loop {
        match cursor.step()? {
            Step::Open(start) => return Ok(start),
            Step::Text(_) | Step::Close => {}
            Step::End => return Err(cursor.error(SoapProblem::NotCwmp("a body without elements".to_owned()), AN_ENVELOPE)),
        }
    }
}

fn not_cwmp(cursor: &Cursor<'_>, start: &BytesStart<'_>) -> SoapError {
    cursor.error(SoapProblem::NotCwmp(shown(&local(start))), AN_ENVELOPE)
}

fn local(start: &BytesStart<'_>) -> String {
    String::from_utf8_lossy(start.local_name().as_ref()).into_owned()
}

fn header(cursor: &mut Cursor<'_>, envelope: &mut Envelope) -> Result<(), SoapError> {
    fields!(cursor {
        b"ID" => envelope.id = Some(id(cursor)?),
        b"HoldRequests" => envelope.hold_requests = boolean(cursor)?,
        b"NoMoreRequests" => envelope.no_more_requests = boolean(cursor)?,
        b"SessionTimeout" | b"sessionTimeout" => envelope.session_timeout = cursor.text()?.trim().parse().ok(),
        b"SupportedCWMPVersions" => envelope.supported_versions = versions(&cursor.text()?),
        b"UseCWMPVersion" => envelope.use_version = Some(word(cursor)?),
    })
}

/// An ID is given back in the answer, so it must be one that can be written.
fn id(cursor: &mut Cursor<'_>) -> Result<String, SoapError> {
    let id = value(cursor)?;
    if id.len() > LONGEST_ID || id.contains(crate::soap::write::forbidden) {
        return Err(cursor.field("ID", &id, "at most 1,024 bytes that XML can carry"));
    }
    Ok(id)
}

fn versions(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|version| !version.is_empty()).take(16).map(str::to_owned).collect()
}

fn body(cursor: &mut Cursor<'_>, scope: &mut Scope, envelope: &mut Envelope) -> Result<(), SoapError> {
    loop {
        match cursor.step()? {
            Step::Open(start) => {
                scope.enter(cursor, &start)?;
                let spoken = scope.spoken(&start);
                envelope.message = match spoken {
                    Spoken::Ours => message(cursor, &start)?,
                    Spoken::Another => {
                        cursor.skip()?;
                        Message::Unknown { name: shown(&local(&start)) }
                    }
                };
                envelope.namespace = scope.cwmp.unwrap_or_default();
                return Ok(());
            }
            Step::Text(_) => {}
            Step::Close | Step::End => return Err(cursor.error(SoapProblem::NotCwmp("an empty body".to_owned()), AN_ENVELOPE)),
        }
    }
}

fn message(cursor: &mut Cursor<'_>, start: &BytesStart<'_>) -> Result<Message, SoapError> {
    let name = start.local_name();
    let name = name.as_ref();
    if let Some(message) = events::read(cursor, name)? {
        return Ok(message);
    }
    if let Some(message) = answers::read(cursor, name)? {
        return Ok(message);
    }
    if let Some(message) = requests::read(cursor, name)? {
        return Ok(message);
    }
    cursor.skip()?;
    Ok(Message::Unknown { name: shown(&local(start)) })
}

/// What follows a complete message may be cut off or garbage, but not another message.
fn rest(cursor: &mut Cursor<'_>) -> Result<(), SoapError> {
    let body = cursor.depth();
    let mut within = true;
    loop {
        match cursor.step() {
            Ok(Step::Open(start)) if start.local_name().as_ref() == b"Envelope" || (within && cursor.depth() == body + 1) => {
                return Err(cursor.error(SoapProblem::SecondMessage, "one message in one envelope"));
            }
            Ok(Step::End) => return Ok(()),
            Ok(Step::Close) => within &= cursor.depth() >= body,
            Ok(Step::Open(_) | Step::Text(_)) => {}
            Err(SoapError { problem: SoapProblem::Xml(_) | SoapProblem::Truncated, .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// The namespaces that are declared down to the message. Below it none matters.
#[derive(Default)]
struct Scope {
    resolver: NamespaceResolver,
    /// The first version that was declared, even under a prefix that is not used.
    cwmp: Option<Namespace>,
}

/// Whose message it is.
enum Spoken {
    Ours,
    Another,
}

const SOAP: [&[u8]; 2] = [b"http://schemas.xmlsoap.org/soap/envelope/", b"http://www.w3.org/2003/05/soap-envelope"];

impl Scope {
    fn enter(&mut self, cursor: &Cursor<'_>, start: &BytesStart<'_>) -> Result<(), SoapError> {
        self.resolver.push(start).map_err(|error| cursor.error(SoapProblem::Xml(shown(&error.to_string())), "well-formed XML"))?;
        // Only what this element declares: all that is in scope could be as long as the body, at every element.
        let mut attributes = start.attributes();
        let mut declared = attributes.with_checks(false).flatten().filter(|attribute| attribute.key.as_namespace_binding().is_some());
        if self.cwmp.is_none() {
            self.cwmp = declared.find_map(|attribute| version(&attribute.value));
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.resolver.pop();
    }

    /// A message in a namespace that is neither of CWMP nor of SOAP is another's. One without a namespace, or with a prefix that nobody declared, is ours.
    fn spoken(&mut self, start: &BytesStart<'_>) -> Spoken {
        let (resolved, _) = self.resolver.resolve_element(start.name());
        match resolved {
            ResolveResult::Bound(namespace) => match version(namespace.as_ref()) {
                Some(version) => {
                    self.cwmp = Some(version);
                    Spoken::Ours
                }
                None if SOAP.contains(&namespace.as_ref()) => Spoken::Ours,
                None => Spoken::Another,
            },
            ResolveResult::Unbound | ResolveResult::Unknown(_) => Spoken::Ours,
        }
    }
}

/// The version with a namespace; that of a version nobody knows is taken as the newest that there is.
fn version(uri: &[u8]) -> Option<Namespace> {
    const CWMP: &[u8] = b"urn:dslforum-org:cwmp-";
    let ours = uri.trim_ascii().get(..CWMP.len()).is_some_and(|start| start.eq_ignore_ascii_case(CWMP));
    Namespace::of_uri(uri).or(ours.then_some(Namespace::V1_2))
}
