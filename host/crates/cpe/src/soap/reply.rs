//! What devices are answered.

/// The answer to a request of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcsReply {
    /// To `Inform`. It allows one envelope at once, as the standard demands.
    Inform,
    /// To `TransferComplete`.
    TransferComplete,
    /// To `AutonomousTransferComplete`.
    AutonomousTransferComplete,
    /// To `GetRPCMethods`.
    GetRpcMethods(Vec<String>),
    /// To `RequestDownload`.
    RequestDownload,
    /// To `Kicked`.
    Kicked {
        /// Where the user is sent.
        next_url: String,
    },
    /// To `DUStateChangeComplete`.
    DuStateChangeComplete,
    /// To `AutonomousDUStateChangeComplete`.
    AutonomousDuStateChangeComplete,
}

impl AcsReply {
    /// The local name of the element.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Inform => "InformResponse",
            Self::TransferComplete => "TransferCompleteResponse",
            Self::AutonomousTransferComplete => "AutonomousTransferCompleteResponse",
            Self::GetRpcMethods(_) => "GetRPCMethodsResponse",
            Self::RequestDownload => "RequestDownloadResponse",
            Self::Kicked { .. } => "KickedResponse",
            Self::DuStateChangeComplete => "DUStateChangeCompleteResponse",
            Self::AutonomousDuStateChangeComplete => "AutonomousDUStateChangeCompleteResponse",
        }
    }
}
