//! CWMP messages in SOAP envelopes.

mod answer;
mod error;
mod limits;
mod message;
mod namespace;
mod read;
mod rpc;
mod write;

pub use answer::{AccessAttributes, Answer, ParameterInfo, Transfer};
pub use error::{SoapError, SoapProblem, WriteError, WriteProblem};
pub use limits::Limits;
pub use message::{
    AcsReply, AutonomousTransferComplete, DeviceRpc, DuResult, Envelope, EventCode, Fault, Inform, Message, ParameterFault, ParameterValue,
    TransferComplete,
};
pub use namespace::Namespace;
pub use read::read;
pub use rpc::{Attributes, Download, Rpc, SetValue, Upload};
pub use write::write;

use crate::quirks::BooleanForm;

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
        Self { prolog: true, boolean: BooleanForm::Digit }
    }
}
