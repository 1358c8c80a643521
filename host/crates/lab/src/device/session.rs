//! One session: an Inform, what the device has to say, and whatever the server wants to know.

mod post;
mod tell;

use std::{sync::Arc, time::Duration};

use super::{
    Inner,
    envelope::Style,
    options::{DeviceOptions, Faults},
    report::{End, SessionReport},
    rpc::{Asked, Refusal, show},
    soap::Message,
    state::News,
    tree::now,
};
use crate::wire::{Answer, Connection, Target, WireError};

/// The longest session, in exchanges: a server that has not said everything by then never will.
const MAX_EXCHANGES: u32 = 1_000;

/// A session that is under way.
pub(super) struct Visit<'a> {
    device: &'a Inner,
    faults: Arc<Faults>,
    target: Target,
    username: String,
    password: String,
    connection: Option<Connection>,
    cookies: Vec<(String, String)>,
    request: String,
    /// The server has asked for silence (`HoldRequests`), and the device keeps to itself what it has to tell.
    silent: bool,
    report: SessionReport,
}

impl<'a> Visit<'a> {
    /// Begins a session with these events, and those that wait.
    pub(super) fn begin(device: &'a Inner, events: &[&str]) -> Result<Self, WireError> {
        let mut state = device.state();
        // A session that was dropped has left something.
        state.unheard();
        for code in events {
            state.happened(code, "");
        }
        if state.pending.is_empty() {
            state.happened("2 PERIODIC", "");
        }
        let value = |name: &str| device.managed(&state, name);
        let (url, username, password) = (value("URL"), value("Username"), value("Password"));
        let faults = state.faults.clone();
        let password = if faults.wrong_password { format!("not {password}") } else { password };
        let told = state.pending.iter().map(|event| event.code.clone()).collect();
        let target = Target::parse(&url)?;
        Ok(Self {
            device,
            faults,
            target,
            username,
            password,
            connection: None,
            cookies: Vec::new(),
            request: String::new(),
            silent: false,
            report: SessionReport { events: told, ..SessionReport::default() },
        })
    }

    /// Takes it to its end.
    pub(super) async fn run(mut self) -> SessionReport {
        self.report.ended = match self.talk().await {
            Ok(()) => End::Done,
            Err(end) => end,
        };
        let mut state = self.device.state();
        state.statistics.exchanges += u64::from(self.report.exchanges);
        state.finish(&self.device.options, &self.report.ended);
        if self.report.ended == End::Rebooted {
            state.faults = Arc::new(Faults { reboot_after: None, ..(*state.faults).clone() });
        }
        drop(state);
        self.report
    }

    async fn talk(&mut self) -> Result<(), End> {
        self.inform().await?;
        self.tell().await?;
        let (mut body, mut done) = (String::new(), false);
        loop {
            // Who says nothing and is not asked for silence has nothing more to say.
            done |= body.is_empty() && !self.silent;
            let answer = self.post(&body).await?;
            if !answer.body.is_empty() {
                let message = self.read(&answer)?;
                body = self.act(&message).await?;
            } else if !done && self.has_to_tell() {
                // A server that asked for silence hears what there is to tell as soon as it has said everything.
                self.silent = false;
                self.tell().await?;
                body.clear();
            } else {
                return Ok(());
            }
        }
    }

    async fn inform(&mut self) -> Result<(), End> {
        let (id, inform) = self.compose();
        let answer = self.post(&inform).await?;
        let message = self.read(&answer)?;
        self.expect(&message, "InformResponse", &id)?;
        self.device.state().heard();
        Ok(())
    }

    /// The Inform with its id.
    fn compose(&self) -> (String, String) {
        let mut state = self.device.state();
        let (id, News { events, changed }) = (state.id(), state.tell());
        let options = &self.device.options;
        let changed = changed.iter().map(String::as_str).filter(|name| !state.tree.inform().contains(name));
        let names: Vec<String> = state.tree.inform().iter().copied().chain(changed).map(str::to_owned).collect();
        let lacks = |name: &str| self.faults.missing.as_ref().is_some_and(|missing| missing.has(name));
        let shown = names.into_iter().filter(|name| !lacks(name)).filter_map(|name| show(&state, options, &self.faults, name));
        let parameters: Vec<_> = shown.collect();
        let serial = self.faults.claims_serial.as_ref().unwrap_or(&options.serial);
        let style = style(options, &self.faults);
        let content = style.inform(options, serial, &events, state.retries, &now(), &parameters);
        (id.clone(), style.envelope(&id, "Inform", &content))
    }

    /// Does what the server asks for and says the answer.
    async fn act(&mut self, message: &Message) -> Result<String, End> {
        if message.method == "Fault" || message.method.ends_with("Response") {
            return Err(End::Unexpected(format!("a {} to nothing", message.method)));
        }
        let method = message.method.clone();
        if message.id.is_none() {
            self.report.complaints.push(format!("{method} without cwmp:ID"));
        }
        self.report.rpcs.push(method.clone());
        let vanishes = self.faults.vanishes.as_ref().filter(|vanish| vanish.rpc == method);
        if vanishes.is_some_and(|vanish| !vanish.done) {
            return Err(End::Vanished);
        }
        let style = style(&self.device.options, &self.faults);
        let asked = Asked { options: &self.device.options, faults: &self.faults, style, message };
        let acted = asked.act(&mut self.device.state());
        if vanishes.is_some() {
            return Err(End::Vanished);
        }
        if self.faults.slow_ms > 0 {
            tokio::time::sleep(Duration::from_millis(self.faults.slow_ms)).await;
        }
        let id = message.id.as_deref().unwrap_or_default();
        Ok(match acted {
            Ok(content) => style.envelope(id, &format!("{method}Response"), &content),
            Err(Refusal { code, parameters }) => {
                self.report.refused.push(code);
                style.fault(id, code, &parameters)
            }
        })
    }

    fn read(&mut self, answer: &Answer) -> Result<Message, End> {
        let text = std::str::from_utf8(&answer.body).map_err(|_| End::Unexpected("an answer that is not UTF-8".to_owned()))?;
        if self.faults.no_prolog && text.starts_with("<?xml") {
            return Err(End::Unexpected("a document with an XML declaration".to_owned()));
        }
        let message = Message::read(text).map_err(|what| End::Unexpected(format!("an answer that is no envelope: {what}")))?;
        self.silent = message.hold;
        self.report.held |= message.hold;
        let expected = &self.device.options.namespace;
        if message.namespace != *expected {
            self.report.complaints.push(format!("{} in the namespace {:?}: expected {expected}", message.method, message.namespace));
        }
        Ok(message)
    }

    fn expect(&mut self, message: &Message, method: &str, id: &str) -> Result<(), End> {
        if message.method == "Fault" {
            return Err(End::Fault(message.text("FaultCode").trim().parse().unwrap_or(0)));
        }
        if message.method != method {
            return Err(End::Unexpected(format!("{}: expected {method}", message.method)));
        }
        if !self.faults.no_id && message.id.as_deref() != Some(id) {
            self.report.complaints.push(format!("{method} with the cwmp:ID {:?}: expected {id}", message.id));
        }
        Ok(())
    }
}

fn style<'a>(options: &'a DeviceOptions, faults: &Faults) -> Style<'a> {
    Style { namespace: &options.namespace, odd: faults.odd_xml, anonymous: faults.no_id }
}
