//! A call's conversation with a device in one session.

use std::{collections::HashMap, time::Duration};

use engine::port::Call;
use pipeline::{Attributes, Failure, FailureClass};

use super::{DeviceRunner, IN_SESSION, fault, fault::Stop};
use crate::{
    acs::{AskError, Live},
    device::DeviceKey,
    flow::contract::{Assignment, Characteristic, SettingValue},
    quirks::Quirks,
    soap::{Answer, ParameterValue, Rpc, SetValue},
    value::literal,
};

/// A call's conversation with a device in one session.
pub(super) struct Talk<'a> {
    pub(super) runner: &'a DeviceRunner,
    pub(super) call: &'a Call,
    pub(super) device: &'a DeviceKey,
    pub(super) live: Live,
    /// How the device differs from the standard, with what the plugin said.
    pub(super) quirks: Quirks,
    /// Whether anything was sent to the device.
    pub(super) sent: bool,
    pub(super) attributes: Attributes,
}

impl<'a> Talk<'a> {
    pub(super) fn new(runner: &'a DeviceRunner, call: &'a Call, device: &'a DeviceKey, live: Live) -> Self {
        let quirks = (*live.quirks).clone();
        Self { runner, call, device, live, quirks, sent: false, attributes: Attributes::new() }
    }

    /// Takes in what the plugin says of the device. What the operator said wins.
    pub(super) fn suggest(&mut self, suggested: &[Characteristic]) -> Result<(), Stop> {
        if suggested.is_empty() {
            return Ok(());
        }
        let pairs: Vec<(String, String)> = suggested.iter().map(|one| (one.name.clone(), one.value.clone())).collect();
        let refused = |message: String| Stop::Failed(Failure::new(FailureClass::Rejected, "plugin.contract", message));
        let wanted = Quirks::default().suggest(&pairs).map_err(|error| refused(error.to_string()))?;
        let fields = |quirks: &Quirks| serde_json::to_value(quirks).map_err(|error| refused(error.to_string()));
        let (standard, mut known, wanted) = (fields(&Quirks::default())?, fields(&self.quirks)?, fields(&wanted)?);
        if let (Some(known), Some(wanted)) = (known.as_object_mut(), wanted.as_object()) {
            for (field, value) in known.iter_mut().filter(|(field, value)| standard[field.as_str()] == **value) {
                *value = wanted.get(field).cloned().unwrap_or_default();
            }
        }
        self.quirks = serde_json::from_value(known).map_err(|error| refused(error.to_string()))?;
        Ok(())
    }

    /// Asks the device. How long an answer may take is the session's to say: a call is as long as its device needs.
    pub(super) async fn ask(&mut self, rpc: Rpc) -> Result<Answer, Stop> {
        let method = rpc.name();
        let answer = self.runner.sessions.ask(self.device, self.live.session, rpc, Some(self.call.span.clone())).await;
        self.sent |= !matches!(answer, Err(AskError::NotInSession | AskError::Lost { sent: false } | AskError::Invalid(_)));
        answer.map_err(|error| match error {
            AskError::NotInSession | AskError::Lost { .. } => Stop::Wait,
            AskError::Fault(fault) => Stop::Fault { method, fault },
            AskError::Invalid(error) => Stop::Failed(Failure::new(FailureClass::Rejected, "_OTHER", format!("{method} cannot be sent: {error}"))),
            AskError::Unexpected(what) => unexpected(method, &what),
        })
    }

    /// The name of this session.
    pub(super) fn session(&self) -> String {
        self.runner.session_name(&self.live)
    }

    /// Whether the Inform of this session has an event, with a command key where one is given.
    pub(super) fn has_event(&self, code: &str, command_key: Option<&str>) -> bool {
        self.live.inform.event(code).any(|event| command_key.is_none_or(|wanted| event.command_key == wanted))
    }

    /// The parameter key that the Inform of this session shows.
    pub(super) fn parameter_key(&self) -> Option<&str> {
        self.live.inform.parameter("ManagementServer.ParameterKey")
    }

    /// Waits until the device has taken in what it was sent.
    pub(super) async fn settle(&self) -> Result<(), Stop> {
        let delay = Duration::from_millis(u64::from(self.quirks.read_back_delay_ms));
        if delay.is_zero() {
            return Ok(());
        }
        if delay > IN_SESSION {
            return Err(Stop::WaitFor(delay));
        }
        self.runner.clock.sleep_until(self.runner.clock.now().plus(delay)).await;
        Ok(())
    }

    /// Reads values, in as many requests as the device needs. What it does not have is in the second list.
    pub(super) async fn get(&mut self, names: &[String]) -> Result<(Vec<ParameterValue>, Vec<String>), Stop> {
        let batch = usize::try_from(self.quirks.get_batch.get()).unwrap_or(usize::MAX);
        let mut waiting: Vec<Vec<String>> = names.chunks(batch).rev().map(<[String]>::to_vec).collect();
        let (mut values, mut absent) = (Vec::new(), Vec::new());
        while let Some(mut names) = waiting.pop() {
            match self.get_values(names.clone()).await {
                Ok(read) => values.extend(read),
                // A device does not say which name it does not know, and some refuse many at once: it is asked for each half.
                Err(Stop::Fault { fault, .. }) if names.len() > 1 && matches!(fault.code, 9002..=9005) => {
                    let second = names.split_off(names.len() / 2);
                    waiting.push(second);
                    waiting.push(names);
                }
                Err(Stop::Fault { fault, .. }) if fault.code == 9005 => absent.append(&mut names),
                Err(stop) => return Err(stop),
            }
        }
        Ok((values, absent))
    }

    /// The values of parameters by their names.
    pub(super) async fn values(&mut self, names: &[String]) -> Result<HashMap<String, String>, Stop> {
        let (values, _) = self.get(names).await?;
        Ok(values.into_iter().map(|value| (value.name, value.value)).collect())
    }

    /// Sets values, all or none. Secrets are opened here and nowhere else, right before they are sent.
    pub(super) async fn set(&mut self, assignments: &[Assignment], parameter_key: String) -> Result<u8, Stop> {
        let list = assignments.iter().map(|assignment| self.literal(assignment)).collect::<Result<_, _>>()?;
        let parameter_key = if self.quirks.omit_parameter_key { String::new() } else { parameter_key };
        let secret: Vec<&str> = assignments.iter().filter(|one| one.value.handle().is_some()).map(|one| one.name.as_str()).collect();
        let answer = self.set_values(list, parameter_key).await;
        answer.map_err(|stop| if secret.is_empty() { stop } else { fault::discreet(stop, &secret) })
    }

    fn literal(&self, assignment: &Assignment) -> Result<SetValue, Stop> {
        let kind = assignment.kind.into();
        let value = match &assignment.value {
            SettingValue::Text(text) => literal(kind, text, &self.quirks),
            SettingValue::Secret(handle) => literal(kind, &self.open(&assignment.name, handle)?, &self.quirks),
        };
        Ok(SetValue { name: assignment.name.clone(), value, kind })
    }

    /// The text of a secret, for a device that has proved who it is.
    pub(super) fn open(&self, name: &str, handle: &str) -> Result<zeroize::Zeroizing<String>, Stop> {
        let refused = |class, message| Stop::Failed(Failure::new(class, "_OTHER", message));
        if !self.live.proof.is_own() && !self.runner.options.allow_unproven {
            let message = format!("`{name}` is secret and the device has not proved who it is: it needs a credential or a certificate of its own");
            return Err(refused(FailureClass::Rejected, message));
        }
        let opened = self.runner.secrets.open(&self.call.tenant, Some(&self.call.run), handle);
        opened.map_err(|error| refused(FailureClass::Held, format!("the secret of `{name}` cannot be opened: {error}")))
    }
}

pub(super) fn unexpected(method: &str, what: &str) -> Stop {
    Stop::Failed(Failure::new(FailureClass::Unavailable, "cwmp.fault", format!("the device answered {method} with {what}")))
}
