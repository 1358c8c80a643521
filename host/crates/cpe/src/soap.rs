//! CWMP messages in SOAP envelopes.
//!
//! [`read`] goes through what a device sent once, without a tree, and forgives whatever does not change its meaning; [`write`](fn@write) forgives nothing.
//!
//! ```
//! use cpe::soap::{AcsReply, Envelope, Limits, Message, Style, read, write};
//!
//! // No header, no prefix that anybody declared, no types, and the last tag cut off.
//! let sent = "<s:Envelope><s:Body><c:Inform><DeviceId><SerialNumber>7</SerialNumber></DeviceId></c:Inform></s:Body></s:Envelop";
//! let envelope = read(sent.as_bytes(), None, &Limits::default())?;
//! assert!(matches!(&envelope.message, Message::Inform(inform) if inform.device.serial == "7"));
//!
//! let reply = Envelope { id: envelope.id, ..Envelope::new(envelope.namespace, "", Message::Reply(AcsReply::Inform)) };
//! assert!(write(&reply, &Style::default())?.contains("<cwmp:InformResponse><MaxEnvelopes>1</MaxEnvelopes></cwmp:InformResponse>"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is refused, each with the byte where it was noticed ([`SoapError`]):
//!
//! | what | because |
//! |---|---|
//! | a document type | it is where entities are declared; none is ever expanded but the five of XML and references to characters |
//! | more bytes, elements, depth, entries or text than [`Limits`] has | a device is not trusted with memory |
//! | a body that ends before its message did | half a list looks like a list |
//! | a second envelope or message | nobody could say which one is meant |
//! | an `Inform` without a serial number, an answer whose status is no number | nothing could be done with it |
//!
//! What the server itself says is checked against the schema of the version that it says it in ([`WriteError`]): lengths, forms of names and types of files,
//! literals of values, and which messages there are. The suite `cwmp-schema` has libxml2 judge thousands of them.

mod answer;
mod error;
mod event;
mod limits;
mod message;
mod namespace;
mod read;
mod reply;
mod rpc;
mod write;

pub use answer::{AccessAttributes, Answer, ParameterInfo, Transfer};
pub use error::{SoapError, SoapProblem, WriteError, WriteProblem};
pub use event::{AutonomousTransferComplete, DeviceRpc, DuResult, TransferComplete};
pub use limits::Limits;
pub use message::{Envelope, EventCode, Fault, Inform, Message, ParameterFault, ParameterValue};
pub use namespace::Namespace;
pub use read::read;
pub use reply::AcsReply;
pub use rpc::{Attributes, Download, Rpc, SetValue, Upload};
pub use write::write;

use crate::quirks::{BooleanForm, Quirks};

/// How an envelope is written for one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether the document begins with an XML declaration.
    pub prolog: bool,
    /// How the booleans of the protocol itself are written; values of parameters are written as they are given.
    pub boolean: BooleanForm,
}

impl Default for Style {
    fn default() -> Self {
        Quirks::default().style()
    }
}
