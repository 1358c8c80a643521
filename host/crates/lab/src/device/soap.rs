//! SOAP as a device reads it: one pass, no tree, only what a request of an auto-configuration server can say.

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

/// The elements that carry something.
const LEAVES: [&str; 19] = [
    "ID",
    "HoldRequests",
    "Name",
    "Value",
    "ParameterKey",
    "string",
    "ParameterPath",
    "NextLevel",
    "ObjectName",
    "CommandKey",
    "FileType",
    "URL",
    "Username",
    "Password",
    "FileSize",
    "DelaySeconds",
    "NotificationChange",
    "Notification",
    "FaultCode",
];

/// The namespaces that CWMP has.
const NAMESPACE: &str = "urn:dslforum-org:cwmp-1-";

/// What a server said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// `cwmp:ID`.
    pub(super) id: Option<String>,
    /// The device is to keep its own requests to itself.
    pub(super) hold: bool,
    /// The element in the body.
    pub(super) method: String,
    /// The namespace of CWMP that it declares.
    pub(super) namespace: String,
    pub(super) fields: Vec<Field>,
}

/// An element with text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// The local part of its `xsi:type`.
    pub(super) kind: Option<String>,
    pub(super) text: String,
}

impl Message {
    /// Reads an envelope; says what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut message = Self::default();
        let (mut depth, mut in_header, mut leaf) = (0, false, None);
        loop {
            match reader.read_event().map_err(|error| format!("not well-formed at byte {}: {error}", reader.buffer_position()))? {
                Event::Start(element) => {
                    depth += 1;
                    in_header = if depth == 2 { element.local_name().as_ref() == b"Header" } else { in_header };
                    leaf = message.start(depth, in_header, &element);
                }
                Event::End(_) => {
                    depth -= 1;
                    if let Some(field) = leaf.take() {
                        message.end(in_header, field);
                    }
                }
                Event::Text(part) => push(&mut leaf, &part.decode().map_err(|error| error.to_string())?),
                Event::CData(part) => push(&mut leaf, &part.decode().map_err(|error| error.to_string())?),
                Event::GeneralRef(reference) => {
                    let name = reference.decode().map_err(|error| error.to_string())?;
                    let character = reference.resolve_char_ref().map_err(|error| error.to_string())?;
                    let text = character.map(String::from).or_else(|| resolve_predefined_entity(&name).map(str::to_owned));
                    push(&mut leaf, &text.ok_or_else(|| format!("an entity that nobody knows: {name}"))?);
                }
                Event::Eof if depth == 0 && !message.method.is_empty() => return Ok(message),
                Event::Eof => return Err("it ends before its body does".to_owned()),
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }

    fn start(&mut self, depth: u32, in_header: bool, element: &BytesStart<'_>) -> Option<Field> {
        let local = element.local_name();
        let mut kind = None;
        for attribute in element.attributes().flatten() {
            if attribute.key.as_ref().starts_with(b"xmlns") && attribute.value.starts_with(NAMESPACE.as_bytes()) {
                self.namespace = String::from_utf8_lossy(&attribute.value).into_owned();
            } else if attribute.key.local_name().as_ref() == b"type" {
                let value = String::from_utf8_lossy(&attribute.value);
                kind = Some(value.rsplit(':').next().unwrap_or_default().to_owned());
            }
        }
        if depth == 3 && !in_header && self.method.is_empty() {
            self.method = String::from_utf8_lossy(local.as_ref()).into_owned();
            return None;
        }
        let name = LEAVES.iter().find(|name| name.as_bytes() == local.as_ref())?;
        Some(Field { name, kind, text: String::new() })
    }

    fn end(&mut self, in_header: bool, field: Field) {
        match field.name {
            "ID" if in_header => self.id = Some(field.text),
            "HoldRequests" if in_header => self.hold = matches!(field.text.trim(), "1" | "true"),
            _ => self.fields.push(field),
        }
    }

    /// The first field of this name; empty if there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|field| field.name == name).map_or("", |field| field.text.as_str())
    }

    /// All fields of this name.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |field| field.name == name).map(|field| field.text.as_str())
    }
}

fn push(leaf: &mut Option<Field>, text: &str) {
    if let Some(field) = leaf {
        field.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::Message;

    #[test]
    fn a_request_is_read_whatever_its_prefixes() {
        let text = r#"<?xml version="1.0"?><S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/" xmlns:c="urn:dslforum-org:cwmp-1-0">
            <S:Header><c:ID S:mustUnderstand="1">a&amp;b</c:ID><c:HoldRequests>1</c:HoldRequests></S:Header><S:Body><c:SetParameterValues><ParameterList>
            <ParameterValueStruct><Name>A.B</Name><Value xsi:type="xsd:string">x &lt;<![CDATA[y]]>&#33;</Value></ParameterValueStruct>
            <ParameterValueStruct><Name>A.C</Name><Value/></ParameterValueStruct></ParameterList><ParameterKey>k</ParameterKey>
            </c:SetParameterValues></S:Body></S:Envelope>"#;
        let message = Message::read(text).unwrap();
        assert_eq!((message.id.as_deref(), message.hold, message.method.as_str()), (Some("a&b"), true, "SetParameterValues"));
        assert_eq!((message.namespace.as_str(), message.text("ParameterKey")), ("urn:dslforum-org:cwmp-1-0", "k"));
        assert_eq!((message.texts("Value").collect::<Vec<_>>(), message.fields[1].kind.as_deref()), (vec!["x <y!", ""], Some("string")));
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        for text in ["", "<a>", "<a><b></a>", "<E><Body></Body></E>", "<E><Body><c:X>&nobody;<ID>&nobody;</ID></c:X></Body></E>"] {
            assert!(Message::read(text).is_err(), "{text}");
        }
    }
}
