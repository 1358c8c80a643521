//! What stands behind the server: what an Inform starts, and who is told of a session.

use std::{fmt, net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use pipeline::Timestamp;

use super::SessionId;
use crate::{
    device::DeviceKey,
    quirks::Quirks,
    soap::{DeviceRpc, Inform, Namespace},
};

/// Decides what devices are contacted for.
#[async_trait]
pub trait Intake: fmt::Debug + Send + Sync {
    /// An authenticated Inform. Answers when what it started is durable; the device has no answer before. An error tells the device to come again later.
    /// It may be dropped before it answers, where the connection breaks or it takes too long: what it started goes on, and the device comes again.
    async fn inform(&self, contact: Contact) -> Result<Admission, Busy>;

    /// A request of the device other than Inform, answered after this returns. An error makes the device repeat it (fault 8005).
    async fn event(&self, device: &DeviceKey, rpc: &DeviceRpc) -> Result<(), Busy>;

    /// The session is over. Told once for each session whose Inform was admitted.
    fn ended(&self, device: &DeviceKey, session: SessionId, end: SessionEnd);

    /// How a device differs from the standard, asked before its session is.
    fn quirks(&self, inform: &Inform) -> Arc<Quirks>;
}

/// An Inform, and what is known about who sent it.
#[derive(Debug, Clone)]
pub struct Contact {
    /// The device.
    pub device: DeviceKey,
    /// What it sent.
    pub inform: Arc<Inform>,
    /// How it differs from the standard, as [`Intake::quirks`] said.
    pub quirks: Arc<Quirks>,
    /// The namespace that it speaks.
    pub namespace: Namespace,
    /// The session that begins. The device is in session while [`Intake::inform`] is asked: what is put into its mailbox then is kept.
    pub session: SessionId,
    /// What proves that it is this device.
    pub proof: Proof,
    /// Where the connection comes from.
    pub peer: SocketAddr,
    /// When the Inform came.
    pub at: Timestamp,
}

/// What proves that a device is what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proof {
    /// A secret that no other device has.
    Own,
    /// A certificate in its name.
    Certificate,
    /// A secret that a fleet shares.
    Shared,
    /// Nothing.
    None,
}

impl Proof {
    /// Whether it can be no other device.
    #[must_use]
    pub fn is_own(self) -> bool {
        matches!(self, Self::Own | Self::Certificate)
    }
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// Whether requests to the device may come.
    pub work: Work,
}

/// Whether requests to the device may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// None: the session ends when the device has said what it has to say.
    None,
    /// Some may: the device is kept waiting for a while.
    Expected,
}

/// Not now: the device is told to come again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this cannot be taken in now")]
pub struct Busy;

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionEnd {
    /// As it should.
    Done,
    /// The device closed its connection and did not come back in time.
    DeviceLeft,
    /// The device began another session.
    Superseded,
    /// The device kept its connection and said nothing for too long, or had all that one session may take.
    TimedOut,
    /// The host stops.
    Stopped,
}
