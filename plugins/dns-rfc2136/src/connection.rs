//! A connection to the server: signed messages, each with its length in front (RFC 1035, section 4.2.2).

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hickory_proto::op::Message;
use jackfield_plugin_sdk::{Failure, http};

use crate::tsig::{Key, Signed, too_long};

/// Messages that are sent before the first answer is read: less than what fits into the buffers of both sides.
const AHEAD: usize = 32;
/// How long an answer may take. The host ends the call at its deadline in any case.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection.
pub(crate) struct Connection {
    stream: TcpStream,
    key: Key,
    server: SocketAddr,
    sent: u16,
}

impl Connection {
    pub(crate) fn open(server: SocketAddr, key: Key) -> Result<Self, Failure> {
        let unreachable = |error: io::Error| Failure::unavailable(http::UNREACHABLE, format!("{server} cannot be reached: {error}"));
        let stream = TcpStream::connect(server).map_err(unreachable)?;
        // Not every system can; then only the deadline of the call ends the waiting.
        let _best_effort = stream.set_read_timeout(Some(PATIENCE));
        Ok(Self { stream, key, server, sent: 0 })
    }

    /// The number of the next message. What is signed needs none that cannot be guessed.
    pub(crate) fn next_id(&mut self) -> u16 {
        self.sent = self.sent.wrapping_add(1);
        self.sent
    }

    /// Sends messages and returns their answers in the order of the messages. Failures are true as long as the messages change nothing.
    pub(crate) fn exchange(&mut self, messages: Vec<Message>) -> Result<Vec<Message>, Failure> {
        let mut answers = Vec::with_capacity(messages.len());
        let mut messages = messages.into_iter().peekable();
        while messages.peek().is_some() {
            let (mut sent, mut framed) = (Vec::new(), Vec::new());
            for message in messages.by_ref().take(AHEAD) {
                let id = message.metadata.id;
                let Signed { bytes, mac } = self.key.sign(message, now())?;
                framed.extend(u16::try_from(bytes.len()).map_err(|_| too_long())?.to_be_bytes());
                framed.extend(bytes);
                sent.push((id, mac));
            }
            self.stream.write_all(&framed).map_err(|error| self.no_answer(&error))?;
            answers.extend(self.answers(&sent)?);
        }
        Ok(answers)
    }

    /// A server answers in any order.
    fn answers(&mut self, sent: &[(u16, Vec<u8>)]) -> Result<Vec<Message>, Failure> {
        let mut answers: Vec<Option<Message>> = vec![None; sent.len()];
        for _ in sent {
            let bytes = self.receive().map_err(|error| self.no_answer(&error))?;
            let id = bytes.first_chunk().map(|id| u16::from_be_bytes(*id));
            let at = sent.iter().position(|(sent, _)| Some(*sent) == id).filter(|at| answers[*at].is_none());
            let at = at.ok_or_else(|| Failure::unavailable(http::BAD_ANSWER, format!("{} answered what was not asked", self.server)))?;
            answers[at] = Some(self.key.verify(&bytes, &sent[at].1)?);
        }
        Ok(answers.into_iter().flatten().collect())
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 2];
        self.stream.read_exact(&mut length)?;
        let mut bytes = vec![0; u16::from_be_bytes(length).into()];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn no_answer(&self, error: &io::Error) -> Failure {
        Failure::unavailable(http::NO_ANSWER, format!("{} did not answer: {error}", self.server))
    }
}

#[expect(clippy::disallowed_methods, reason = "a signature says when it was made, and no host function does")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
