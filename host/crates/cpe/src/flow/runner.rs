//! The provider that speaks with devices: answers `jackfield:cpe/device@1`.
//!
//! A call makes its requests while the device is in session. A device that is not, or leaves, is waited for: the answer is `pending`, with a checkpoint of what
//! was done, and the device's next Inform wakes the run. So a run that waits holds nothing. What a device was sent and did not acknowledge is in doubt until
//! its next Inform shows the parameter key.

mod command;
mod fault;
mod objects;
mod once;
mod presence;
mod push;
mod rpcs;
mod talk;
mod verify;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use engine::port::{Answer, Call, CallReport, Clock, Documents, Observed, PendingAnswer, Runner, Secrets, Signal, SpanContext, Verb};
use pipeline::{Failure, FailureClass, IdempotencyKey, Pin, Provider, Verbs};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

pub(crate) use self::command::run_of_command_key;
use self::{fault::Stop, talk::Talk};
use super::{
    book::Book,
    caller::Caller,
    contract::Parameter,
    facts::key,
    options::Options,
    requests::{DeviceRequest, Read, Readings},
};
use crate::{
    acs::{Acs, AskError, Live, SessionId},
    device::DeviceKey,
    soap::{self, Rpc},
    value::fits,
};

/// The name of the provider in bindings.
pub const DEVICE_PROVIDER: &str = "cwmp";

/// After so short a time a call goes on that was only interrupted to write down what it did.
const AT_ONCE: Duration = Duration::from_millis(10);

/// The longest time that a device in session is kept waiting on purpose.
const IN_SESSION: Duration = Duration::from_secs(15);

/// Devices in session, as the provider sees them.
#[async_trait]
pub trait Sessions: std::fmt::Debug + Send + Sync {
    /// The session of a device, if it is in one.
    fn in_session(&self, device: &DeviceKey) -> Option<Live>;

    /// Asks a device that is in this session, and waits for its answer.
    async fn ask(&self, device: &DeviceKey, session: SessionId, rpc: Rpc, span: Option<SpanContext>) -> Result<soap::Answer, AskError>;

    /// Whether more requests may come in this session.
    fn expect(&self, device: &DeviceKey, session: SessionId, more: bool);
}

#[async_trait]
impl Sessions for Acs {
    fn in_session(&self, device: &DeviceKey) -> Option<Live> {
        Self::in_session(self, device)
    }

    async fn ask(&self, device: &DeviceKey, session: SessionId, rpc: Rpc, span: Option<SpanContext>) -> Result<soap::Answer, AskError> {
        Self::ask(self, device, session, rpc, span).await
    }

    fn expect(&self, device: &DeviceKey, session: SessionId, more: bool) {
        Self::expect(self, device, session, more);
    }
}

/// The provider that speaks with devices.
#[derive(Debug, Clone)]
pub struct DeviceRunner {
    sessions: Arc<dyn Sessions>,
    book: Arc<Book>,
    documents: Arc<dyn Documents>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    options: Arc<Options>,
    caller: Option<Arc<Caller>>,
    /// Tells the sessions of this process from those of another.
    process: u64,
}

impl DeviceRunner {
    /// A provider over these sessions.
    pub fn new(
        sessions: Arc<dyn Sessions>,
        book: Arc<Book>,
        documents: Arc<dyn Documents>,
        secrets: Arc<dyn Secrets>,
        clock: Arc<dyn Clock>,
        options: &Options,
    ) -> Self {
        let process = clock.now().0;
        Self { sessions, book, documents, secrets, clock, options: Arc::new(options.clone()), caller: None, process }
    }

    /// The same provider, which asks devices to come that are to be sent something and are not there.
    #[must_use]
    pub fn with_caller(mut self, caller: Caller) -> Self {
        self.caller = Some(Arc::new(caller));
        self
    }

    /// What the steps of devices are bound to.
    pub fn pin() -> Pin {
        Pin {
            provider: Provider::Native { name: DEVICE_PROVIDER.to_owned() },
            contract: "jackfield:cpe/device@1.0.0".to_owned(),
            verbs: Verbs { observe: true, resume: true, undo: false },
            idempotent: false,
        }
    }

    async fn answer(&self, call: &Call, report: &mut CallReport) -> Result<Answer, Failure> {
        let request: DeviceRequest =
            serde::Deserialize::deserialize(&*call.request).map_err(|error| misfit(&format!("the request does not fit: {error}")))?;
        let checkpoint = match &call.verb {
            Verb::Apply => None,
            Verb::Resume { signal: Signal::Cancel, .. } | Verb::Undo { .. } => return Ok(Answer::Undone),
            Verb::Resume { checkpoint, .. } => Some(checkpoint.as_str()),
            // What was sent before the process died shows when the device contacts the host again. What must not be done twice is sent by `resume` only.
            Verb::Observe => {
                let checkpoint = json!(Empty {}).to_string();
                let here = key(request.device()).is_some_and(|device| self.sessions.in_session(&device).is_some());
                let poll = if here { AT_ONCE } else { self.options.poll() };
                return Ok(Answer::Observed(Observed::Pending(self.pending(&request, checkpoint, poll))));
            }
        };
        let device = key(request.device()).ok_or_else(|| misfit("the request names no device"))?;
        let at = At { runner: self, call, device: &device, report };
        match &request {
            DeviceRequest::Read(read) => at.work(&request, checkpoint, async |talk, state: &mut Empty| read_values(talk, read, state).await).await,
            DeviceRequest::Push(push) => at.work(&request, checkpoint, async |talk, state| push::push(talk, push, state).await).await,
            DeviceRequest::Verify(verify) => at.work(&request, checkpoint, async |talk, state| verify::verify(talk, verify, state).await).await,
            DeviceRequest::Command(command) => {
                if let Some(over) = command::ended(self, call, &command.command, checkpoint).await? {
                    return Ok(Answer::Done(over));
                }
                at.work(&request, checkpoint, async |talk, state| command::command(talk, &command.command, state).await).await
            }
        }
    }

    fn pending(&self, request: &DeviceRequest, checkpoint: String, poll: Duration) -> PendingAnswer {
        let give_up_after = match request {
            DeviceRequest::Command(_) => self.options.command_patience(),
            DeviceRequest::Read(_) | DeviceRequest::Push(_) | DeviceRequest::Verify(_) => self.options.patience(),
        };
        PendingAnswer { operation: "device".to_owned(), checkpoint, poll_after: Some(poll), give_up_after }
    }

    /// What tells a session from every other, also of other processes.
    fn session_name(&self, live: &Live) -> String {
        format!("{:x}-{}", self.process, live.session)
    }

    /// Whether a session of this name was one of this process.
    fn is_of_this_process(&self, session: &str) -> bool {
        session.split_once('-').is_some_and(|(process, _)| u64::from_str_radix(process, 16) == Ok(self.process))
    }
}

#[async_trait]
impl Runner for DeviceRunner {
    async fn call(&self, call: Call) -> CallReport {
        let mut report = CallReport::failed(misfit("nothing was done"), false);
        let answer = self.answer(&call, &mut report).await;
        report.answer = answer;
        report
    }
}

/// A call about a device.
struct At<'a> {
    runner: &'a DeviceRunner,
    call: &'a Call,
    device: &'a DeviceKey,
    report: &'a mut CallReport,
}

impl At<'_> {
    /// Does the work of a call while the device is in session, from where it was left.
    async fn work<S, R>(
        self,
        request: &DeviceRequest,
        checkpoint: Option<&str>,
        work: impl AsyncFnOnce(&mut Talk<'_>, &mut S) -> Result<R, Stop>,
    ) -> Result<Answer, Failure>
    where
        S: Serialize + DeserializeOwned + Default,
        R: Serialize,
    {
        let Self { runner, call, device, report } = self;
        let mut state: S = match checkpoint {
            Some(checkpoint) => serde_json::from_str(checkpoint).map_err(|error| misfit(&format!("the checkpoint does not fit: {error}")))?,
            None => S::default(),
        };
        let wait = |state: &S, poll| Ok(Answer::Pending(runner.pending(request, json!(state).to_string(), poll)));
        let Some(live) = runner.turn(call, device).await? else { return wait(&state, runner.call_in(call, request, device).await) };
        let session = live.session;
        let mut talk = Talk::new(runner, call, device, live);
        let worked = work(&mut talk, &mut state).await;
        report.sent = talk.sent;
        report.attributes.append(&mut talk.attributes);
        match worked {
            Ok(done) => {
                // What is sent is read back in the same session.
                if matches!(request, DeviceRequest::Verify(_) | DeviceRequest::Command(_)) {
                    runner.rest(call, device, session);
                }
                Ok(Answer::Done(json!(done)))
            }
            Err(Stop::Wait) => {
                runner.rest(call, device, session);
                wait(&state, runner.options.poll())
            }
            Err(Stop::WaitFor(poll)) => {
                if poll > IN_SESSION {
                    runner.rest(call, device, session);
                }
                wait(&state, poll.min(runner.options.poll()))
            }
            Err(Stop::Note) => wait(&state, AT_ONCE),
            Err(Stop::Fault { method, fault }) => {
                report.attributes.push(("cpe.fault_code".to_owned(), fault.code.to_string().into()));
                Err(fault::failure(method, &fault))
            }
            Err(Stop::Failed(failure)) => Err(failure),
        }
    }
}

fn misfit(message: &str) -> Failure {
    Failure::new(FailureClass::Held, "host.internal", message)
}

/// The state of work that leaves nothing behind.
#[derive(Debug, Default, Serialize, serde::Deserialize)]
struct Empty {}

/// Reads values. Of a name with `{i}` in it the whole table is read, because only the device knows its instances.
async fn read_values(talk: &mut Talk<'_>, read: &Read, _: &mut Empty) -> Result<Readings, Stop> {
    let tables = read.names.iter().map(|name| name.split_once("{i}").map_or(name.as_str(), |(table, _)| table));
    let mut names: Vec<String> = tables.map(str::to_owned).collect();
    names.sort();
    names.dedup();
    let (values, _) = talk.get(&names).await?;
    let wanted = values.iter().filter(|value| read.names.iter().any(|name| *name == value.name || fits(name, &value.name)));
    Ok(Readings { values: wanted.map(|value| Parameter::sent(value, &talk.quirks)).collect() })
}

/// The parameter key of an effect: short, and the same for every attempt.
fn short_key(key: &IdempotencyKey) -> String {
    format!("jf{}", &key.as_str()[..20])
}

/// The value of a document's body, or nothing.
fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body[field].as_str().unwrap_or_default()
}
