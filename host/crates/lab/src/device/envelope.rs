//! SOAP as a device writes it: text, put together by hand.

use std::{borrow::Cow, fmt::Write as _};

use quick_xml::escape::escape;

use super::{options::DeviceOptions, tree::Parameter};

/// How a device writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style<'a> {
    pub(super) namespace: &'a str,
    /// As odd as XML may be.
    pub(super) odd: bool,
    /// Without `cwmp:ID`.
    pub(super) anonymous: bool,
}

/// An event of an Inform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) code: String,
    pub(super) key: String,
}

impl Event {
    /// Whether it is told of until a transfer's own message is answered.
    pub(super) fn is_of_transfer(&self) -> bool {
        matches!(self.code.as_str(), "7 TRANSFER COMPLETE" | "M Download" | "M Upload")
    }
}

/// A parameter that was refused, with a code.
pub(super) type Refused = (String, u32);

impl Style<'_> {
    /// The prefixes of SOAP and CWMP.
    fn prefixes(self) -> (&'static str, &'static str) {
        if self.odd { ("SOAP_ENV-2", "ns.1") } else { ("soap-env", "cwmp") }
    }

    /// An envelope around a method with this content.
    pub(super) fn envelope(self, id: &str, method: &str, content: &str) -> String {
        self.around(id, &format!("{}:{method}", self.prefixes().1), content)
    }

    fn around(self, id: &str, element: &str, content: &str) -> String {
        let (soap, cwmp) = self.prefixes();
        let start = if self.odd {
            "\u{feff}<?xml version='1.0' encoding=\"utf-8\" standalone=\"no\"?>\n<!-- - -->"
        } else {
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
        };
        let must = if self.odd { "mustUnderstand=\"1\"".to_owned() } else { format!("{soap}:mustUnderstand=\"1\"") };
        let header = if self.anonymous { String::new() } else { format!("<{cwmp}:ID {must}>{}</{cwmp}:ID>", escape(id)) };
        format!(
            "{start}<{soap}:Envelope xmlns:{soap}=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:soap-enc=\"http://schemas.xmlsoap.org/soap/encoding/\" \
             xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:{cwmp}=\"{}\">\
             <{soap}:Header>{header}</{soap}:Header><{soap}:Body><{element}>{content}</{element}></{soap}:Body></{soap}:Envelope>",
            self.namespace
        )
    }

    /// A fault: of the request, or of parameters of it.
    pub(super) fn fault(self, id: &str, code: u32, refused: &[Refused]) -> String {
        let mut details = String::new();
        for (name, code) in refused {
            let name = self.text(name);
            let _ = write!(
                details,
                "<SetParameterValuesFault><ParameterName>{name}</ParameterName><FaultCode>{code}</FaultCode><FaultString>{}</FaultString></SetParameterValuesFault>",
                meaning(*code)
            );
        }
        let (soap, cwmp) = self.prefixes();
        let detail = format!(
            "<detail><{cwmp}:Fault><FaultCode>{code}</FaultCode><FaultString>{}</FaultString>{details}</{cwmp}:Fault></detail>",
            meaning(code)
        );
        self.around(id, &format!("{soap}:Fault"), &format!("<faultcode>Client</faultcode><faultstring>CWMP fault</faultstring>{detail}"))
    }

    /// Text between tags.
    pub(super) fn text(self, text: &str) -> Cow<'_, str> {
        match text {
            text if self.odd && !text.is_empty() && !text.contains("]]>") => Cow::Owned(format!("<![CDATA[{text}]]>")),
            text => Cow::Owned(escape(text).into_owned()),
        }
    }

    /// A list of parameters with their values.
    pub(super) fn parameters(self, parameters: &[Parameter]) -> String {
        let mut list = format!("<ParameterList soap-enc:arrayType=\"cwmp:ParameterValueStruct[{}]\">", self.count(parameters.len()));
        for parameter in parameters {
            let Parameter { name, xsd, value } = parameter;
            let on_name = if self.odd { " xsi:type=\"xsd:string\"" } else { "" };
            let value = self.text(value);
            let _ = write!(
                list,
                "<ParameterValueStruct><Name{on_name}>{name}</Name><Value xsi:type=\"xsd:{xsd}\">{value}</Value></ParameterValueStruct>"
            );
        }
        list.push_str("</ParameterList>");
        list
    }

    /// How many entries an array has, by its own word.
    pub(super) fn count(self, count: usize) -> usize {
        if self.odd { count + 9 } else { count }
    }

    /// The content of an Inform.
    pub(super) fn inform(self, of: &DeviceOptions, serial: &str, events: &[Event], retries: u32, now: &str, parameters: &[Parameter]) -> String {
        let mut listed = String::new();
        for Event { code, key } in events {
            let _ =
                write!(listed, "<EventStruct><EventCode>{}</EventCode><CommandKey>{}</CommandKey></EventStruct>", self.text(code), self.text(key));
        }
        format!(
            "<DeviceId><Manufacturer>{}</Manufacturer><OUI>{}</OUI><ProductClass>{}</ProductClass><SerialNumber>{}</SerialNumber></DeviceId>\
             <Event soap-enc:arrayType=\"cwmp:EventStruct[{}]\">{listed}</Event><MaxEnvelopes>1</MaxEnvelopes><CurrentTime>{now}</CurrentTime>\
             <RetryCount>{retries}</RetryCount>{}",
            self.text(of.model.manufacturer()),
            self.text(&of.oui),
            self.text(&of.product_class),
            self.text(serial),
            self.count(events.len()),
            self.parameters(parameters)
        )
    }
}

/// What a fault code means.
pub(super) fn meaning(code: u32) -> &'static str {
    match code {
        9000 => "Method not supported",
        9001 => "Request denied",
        9002 => "Internal error",
        9003 => "Invalid arguments",
        9004 => "Resources exceeded",
        9005 => "Invalid parameter name",
        9006 => "Invalid parameter type",
        9007 => "Invalid parameter value",
        9008 => "Attempt to set a non-writable parameter",
        9009 => "Notification request rejected",
        9010 => "File transfer failure",
        9011 => "Upload failure",
        9012 => "File transfer server authentication failure",
        9013 => "Unsupported protocol for file transfer",
        9015 => "File transfer failure: unable to contact file server",
        9016 => "File transfer failure: unable to access file",
        9018 => "File transfer failure: file corrupted",
        9021 => "Cancelation of file transfer not permitted in current transfer state",
        _ => "Vendor specific fault",
    }
}
