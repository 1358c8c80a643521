//! Messages of the device's own: what it has to say, and which transfers are over.

use super::{Visit, style};
use crate::device::{report::End, transfer::Completed};

/// How often a request is repeated that the server wants again (8005).
const MAX_REPETITIONS: u32 = 3;

impl Visit<'_> {
    pub(super) fn has_to_tell(&self) -> bool {
        let state = self.device.state();
        !state.completed.is_empty() || !state.sayings.is_empty()
    }

    /// Tells whatever the device has to say, and of transfers that are over, as long as the server does not ask for silence.
    pub(super) async fn tell(&mut self) -> Result<(), End> {
        while !self.silent {
            let (saying, completed) = {
                let state = self.device.state();
                (state.sayings.first().cloned(), state.completed.first().cloned())
            };
            match (saying, completed) {
                (Some(saying), _) => self.say(saying).await?,
                (None, Some(completed)) => self.insist(&completed).await?,
                (None, None) => return Ok(()),
            }
        }
        Ok(())
    }

    async fn say(&mut self, saying: (String, String)) -> Result<(), End> {
        let id = self.device.state().id();
        let envelope = style(&self.device.options, &self.faults).envelope(&id, &saying.0, &saying.1);
        let answer = self.post(&envelope).await?;
        let message = self.read(&answer)?;
        let mut state = self.device.state();
        if state.sayings.first() == Some(&saying) {
            state.sayings.remove(0);
        }
        drop(state);
        self.report.told.push(match message.method.as_str() {
            "Fault" => format!("Fault {}", message.text("FaultCode").trim()),
            method => method.to_owned(),
        });
        Ok(())
    }

    /// Tells of a transfer until the server has heard it.
    async fn insist(&mut self, completed: &Completed) -> Result<(), End> {
        for _ in 0..MAX_REPETITIONS {
            if self.told(completed).await? {
                self.device.state().forget(completed);
                return Ok(());
            }
        }
        Err(End::Fault(8005))
    }

    /// `false` when the server wants to hear it again.
    async fn told(&mut self, completed: &Completed) -> Result<bool, End> {
        let id = self.device.state().id();
        let envelope = {
            let style = style(&self.device.options, &self.faults);
            style.envelope(&id, "TransferComplete", &completed.content(style))
        };
        let answer = self.post(&envelope).await?;
        let message = self.read(&answer)?;
        if message.method == "Fault" && message.text("FaultCode").trim() == "8005" {
            return Ok(false);
        }
        self.expect(&message, "TransferCompleteResponse", &id)?;
        Ok(true)
    }
}
