//! How a session begins: who the device is, and what it came for.

use std::{sync::Arc, time::Duration};

use http::{StatusCode, request::Parts};

use super::{Connection, unwritten};
use crate::{
    acs::{
        Contact, Live, Proof, SessionEnd, Shared,
        auth::{Shown, Verdict},
        body::Sent,
        reply::{self, Reply},
        session::{Session, Turn},
    },
    device::DeviceKey,
    soap::{AcsReply, Envelope, Inform, Message, Namespace, write},
};

/// After so many challenges in a row, the first one included, the connection is closed.
const CHALLENGES: u8 = 2;

impl Connection {
    /// A device begins a session.
    pub(super) async fn inform(&self, head: &Parts, sent: Sent, envelope: Envelope) -> Reply {
        let Envelope { id, namespace, session_timeout, supported_versions, message: Message::Inform(mut inform), .. } = envelope else {
            return reply::refused(StatusCode::BAD_REQUEST, "no Inform");
        };
        let device = inform.device.key();
        let proof = match self.proof(head, &sent.bytes, &device, &inform).await {
            Ok(proof) => proof,
            Err(reply) => return reply,
        };
        drop(sent);
        let Ok(place) = self.shared().informs.clone().try_acquire_owned() else { return self.busy() };
        // It is kept as long as the session is.
        inform.parameters.shrink_to_fit();
        inform.events.shrink_to_fit();
        let quirks = self.intake.quirks(&inform);
        let namespace = quirks.namespace.unwrap_or(namespace);
        let live = Live { session: self.shared().next_session(), inform: Arc::from(inform), namespace, proof, quirks, exchanges: 0 };
        let Some(turn) = self.open(live, device, session_timeout) else { return self.busy() };
        let session = turn.session.clone();
        let contact = Contact {
            device: session.device.clone(),
            inform: session.inform.clone(),
            quirks: session.quirks.clone(),
            namespace,
            session: session.id,
            proof,
            peer: self.peer,
            at: self.shared().clock.now(),
        };
        let unadmitted = Unadmitted(self, &session);
        let limit = Duration::from_millis(self.shared().options.inform_ms);
        let Ok(Ok(admission)) = tokio::time::timeout(limit, self.intake.inform(contact)).await else { return self.busy() };
        drop(place);
        let over = session.admit(admission.work);
        drop(unadmitted);
        if let Some(end) = over {
            // The device began another session meanwhile. Nobody has told the intake of this one's end.
            self.intake.ended(&session.device, session.id, end);
            return self.busy();
        }
        let response =
            Envelope { id, use_version: version(namespace, &supported_versions), ..Envelope::new(namespace, "", Message::Reply(AcsReply::Inform)) };
        match write(&response, &session.quirks.style()) {
            Ok(body) => reply::opened(body, self.shared().cookies.set(session.id, &session.quirks.cookie_path)),
            Err(error) => unwritten(&error),
        }
    }

    /// What proves that the device is who it says, or what it is answered instead.
    async fn proof(&self, head: &Parts, sent: &[u8], device: &DeviceKey, inform: &Inform) -> Result<Proof, Reply> {
        let Shared { options, gate, clock, .. } = self.shared();
        let shown = Shown { headers: &head.headers, uri: &head.uri, body: sent, secure: self.secure, names: &self.names, peer: self.peer.ip() };
        let now = clock.now();
        let (stale, last) = match gate.check(&shown, device, inform, options, &*self.credentials, now).await {
            Verdict::Known(proof) => {
                self.bound().challenged = 0;
                return Ok(proof);
            }
            Verdict::Unavailable | Verdict::Barred => return Err(self.busy()),
            Verdict::Other => (false, true),
            Verdict::Challenge { stale } => (stale, false),
        };
        let mut bound = self.bound();
        bound.challenged += 1;
        let close = last || bound.challenged >= CHALLENGES;
        Err(reply::challenge(gate.challenges(options, self.secure, stale, now), close))
    }

    /// Opens a session, in place of any other one of the device.
    fn open(&self, live: Live, device: DeviceKey, asked_s: Option<u32>) -> Option<Turn> {
        let Shared { options, table, .. } = self.shared();
        let session = Arc::new(Session::new(live, device, options.limits(asked_s)));
        let turn = Turn::new(session.clone(), self.number)?;
        let before = table.open(&session).ok()?;
        if let Some(before) = before {
            self.end(&before, SessionEnd::Superseded);
        }
        let mut bound = self.bound();
        bound.over = false;
        bound.session = Some(session);
        Some(turn)
    }
}

/// Closes a session that the intake did not take in, also where the connection broke before it answered.
struct Unadmitted<'a>(&'a Connection, &'a Arc<Session>);

impl Drop for Unadmitted<'_> {
    fn drop(&mut self) {
        if !self.1.is_admitted() {
            self.0.end(self.1, SessionEnd::DeviceLeft);
        }
    }
}

/// The version that a device is told to speak, if it told which ones it can: the newest one that is known here.
fn version(namespace: Namespace, supported: &[String]) -> Option<String> {
    const KNOWN: [&str; 5] = ["1.4", "1.3", "1.2", "1.1", "1.0"];
    if namespace < Namespace::V1_2 {
        return None;
    }
    KNOWN.into_iter().find(|known| supported.iter().any(|version| version.trim() == *known)).map(str::to_owned)
}
