//! What a device says within its session.

use std::time::Duration;

use http::HeaderMap;

use super::{Connection, unwritten};
use crate::{
    acs::{
        reply::{self, Reply},
        session::Session,
    },
    soap::{AcsReply, DeviceRpc, Envelope, Fault, Message, Namespace, write},
};

impl Connection {
    /// Anything but an Inform.
    pub(super) async fn message(&self, headers: &HeaderMap, envelope: Envelope) -> Reply {
        let Some(turn) = self.turn(headers) else { return self.no_session() };
        // `HoldRequests` is for a server to send: from a device it means nothing.
        let Envelope { id, message, .. } = envelope;
        let answer = match message {
            Message::Event(event) => self.event(&turn.session, event).await,
            Message::Answer(_) | Message::Fault(_) | Message::Reply(_) => {
                turn.answered(message);
                return self.ours(&turn).await;
            }
            Message::Unknown { ref name } if name.ends_with("Response") => {
                turn.answered(message);
                return self.ours(&turn).await;
            }
            Message::Unknown { .. } | Message::Rpc(_) | Message::Inform(_) => Message::Fault(Fault::new(8000, "Method not supported")),
        };
        let response = Envelope { id, ..Envelope::new(turn.session.namespace, "", answer) };
        match write(&response, &turn.session.quirks.style()) {
            Ok(body) => reply::envelope(body),
            Err(error) => unwritten(&error),
        }
    }

    /// A request of the device other than Inform.
    async fn event(&self, session: &Session, event: DeviceRpc) -> Message {
        let limit = Duration::from_millis(self.shared().options.inform_ms);
        if event != DeviceRpc::GetRpcMethods && !matches!(tokio::time::timeout(limit, self.intake.event(&session.device, &event)).await, Ok(Ok(()))) {
            return Message::Fault(Fault::new(8005, "Retry request"));
        }
        Message::Reply(match event {
            DeviceRpc::TransferComplete(_) => AcsReply::TransferComplete,
            DeviceRpc::AutonomousTransferComplete(_) => AcsReply::AutonomousTransferComplete,
            DeviceRpc::GetRpcMethods => AcsReply::GetRpcMethods(methods(session.namespace)),
            DeviceRpc::RequestDownload { .. } => AcsReply::RequestDownload,
            DeviceRpc::Kicked { next, .. } => AcsReply::Kicked { next_url: next },
            DeviceRpc::DuStateChangeComplete { .. } => AcsReply::DuStateChangeComplete,
            DeviceRpc::AutonomousDuStateChangeComplete { .. } => AcsReply::AutonomousDuStateChangeComplete,
        })
    }
}

/// What a device of this version may ask of us.
fn methods(namespace: Namespace) -> Vec<String> {
    const ALWAYS: &[&str] = &["Inform", "GetRPCMethods", "TransferComplete", "RequestDownload", "Kicked"];
    const SINCE_1_1: &[&str] = &["AutonomousTransferComplete"];
    const SINCE_1_2: &[&str] = &["DUStateChangeComplete", "AutonomousDUStateChangeComplete"];
    let since = |oldest, methods: &'static [&str]| if namespace >= oldest { methods } else { &[] };
    [ALWAYS, since(Namespace::V1_1, SINCE_1_1), since(Namespace::V1_2, SINCE_1_2)].concat().into_iter().map(str::to_owned).collect()
}
