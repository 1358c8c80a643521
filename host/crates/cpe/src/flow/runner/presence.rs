//! When a run may speak with its device, and what becomes of a device that is not there.

use std::time::Duration;

use engine::port::{Call, ReadError};
use pipeline::{Failure, FailureClass};
use tracing::debug;

use super::DeviceRunner;
use crate::{
    acs::{Live, SessionId},
    device::DeviceKey,
    flow::{
        book::Turn,
        caller::PAUSES,
        command::COMMAND_PIPELINE,
        facts::DEVICE_COLLECTION,
        input::Trigger,
        projection::{STATE_COLLECTION, SUPERSEDED},
        requests::DeviceRequest,
    },
};

impl DeviceRunner {
    /// The run has nothing more to say in this session; when none has, the session can end.
    pub(super) fn rest(&self, call: &Call, device: &DeviceKey, session: SessionId) {
        if let Some(session) = self.book.rest(device, Some(session), &call.run, call.pipeline.as_str() != COMMAND_PIPELINE) {
            self.sessions.expect(device, session, false);
        }
    }

    /// The session in which the run may speak with its device now, if there is one.
    pub(super) async fn turn(&self, call: &Call, device: &DeviceKey) -> Result<Option<Live>, Failure> {
        let live = self.sessions.in_session(device);
        let commands = call.pipeline.as_str() == COMMAND_PIPELINE;
        if self.book.is_unknown(device) && self.is_forgotten(device, if commands { DEVICE_COLLECTION } else { STATE_COLLECTION }).await? {
            return Err(Failure::new(FailureClass::Rejected, SUPERSEDED, "the device was forgotten"));
        }
        if commands {
            return Ok(live.filter(|live| self.book.is_open(device, live.session)));
        }
        if let Some(newer) = self.book.superseded(device, &call.run) {
            return Err(Failure::new(FailureClass::Rejected, SUPERSEDED, format!("run {newer} provisions the device now")));
        }
        let Some(live) = live else { return Ok(None) };
        match self.book.turn(device, live.session, &call.run) {
            Turn::Now => Ok(Some(live)),
            Turn::Later => Ok(None),
        }
    }

    /// Whether a device that the book does not know has no document either: one that contacts the host now may be in the store only.
    async fn is_forgotten(&self, device: &DeviceKey, collection: &str) -> Result<bool, Failure> {
        let unreadable = |error: ReadError| Failure::new(FailureClass::Unavailable, "host.internal", error.to_string());
        Ok(self.documents.get(collection, device.as_str()).await.map_err(unreadable)?.is_none())
    }

    /// Asks a device to come that is to be sent a configuration and is not there, and says when to look again. Where a person asked for the configuration, the
    /// person said whether the device is to be called.
    pub(super) async fn call_in(&self, call: &Call, request: &DeviceRequest, device: &DeviceKey) -> Duration {
        let poll = self.options.poll();
        let (DeviceRequest::Push(push), Some(caller)) = (request, &self.caller) else { return poll };
        if push.trigger == Trigger::Operator || self.sessions.in_session(device).is_some() {
            return poll;
        }
        let Ok(facts) = caller.find(device).await else { return poll };
        let Some(calls) = self.book.calls(device, &call.run) else { return poll };
        if let Err(why) = caller.call(&call.tenant, device, &facts).await {
            debug!(%device, "the device does not come: {why}");
        }
        PAUSES.get(calls).map_or(poll, |pause| poll.min(*pause))
    }
}
